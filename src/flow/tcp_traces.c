/*
 * Traces of packets that two captures of one connection have in common, whatever rewrites addresses and sequence numbers between them.
 *
 * Theory of operation. Cards and drivers cut and join segments, so only a packet that begins a message is the same packet
 * everywhere: the first new data after the other side's. Of it three things pass through address translation and through devices that
 * draw other sequence numbers: its first bytes, the value of its timestamp (RFC 7323, 3.2) and its IP ID (RFC 791, 3.1). The least hashes
 * of a set are a fair sample of it that two captures draw alike (Broder's min-wise sampling): of two sets that have a part in common, each
 * least hash of both together lies in that part as often as the part is large.
 *
 * Where nothing of the contents is captured, and devices rewrite the rest, lengths remain: how much each side says before the other
 * answers. Of some turns in a row they are kept as one hash, with the moment at which they began.
 */
#include "tcp_traces.h"

#include <string.h>

#include "hash_index.h"

/* Long enough to reach into the random bytes of a ClientHello inside a TDS packet (MS-TDS 2.2.6.5; RFC 5246, 7.4.1.2), which begin at the
 * 20th; captures cut to 128 bytes have as much of it. */
enum { HEAD_BYTES = 48, HEAD_LEAST = 32 };

/* Puts it where it belongs among the least; the place, or most: there are lesser ones, or it is there. */
static unsigned keep_least(uint32_t *list, unsigned most, uint32_t value)
{
    unsigned at = 0;
    while (at < most && list[at] != 0 && list[at] < value)
        at++;
    if (at == most || list[at] == value)
        return most;
    for (unsigned i = most - 1; i > at; i--)
        list[i] = list[i - 1];
    list[at] = value;
    return at;
}

/* Random bytes are nearly all different from each other; those of text, numbers and headers are few, and zeros among them. */
static bool looks_random(const uint8_t *bytes, uint32_t size)
{
    uint64_t seen[4] = {0};
    uint32_t different = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint64_t bit = 1ULL << (bytes[i] & 63);
        different += !(seen[bytes[i] >> 6] & bit);
        seen[bytes[i] >> 6] |= bit;
    }
    return size >= HEAD_LEAST && different * 3 >= size * 2;
}

static void keep_head(struct side_traces *traces, const struct packet *p)
{
    uint32_t size = p->payload_length < HEAD_BYTES ? p->payload_length : HEAD_BYTES;
    if (p->payload.size < size)
        return;
    uint32_t hash = hash_bytes(p->payload.data, size) | 1;
    bool random = looks_random(p->payload.data, size);
    unsigned at = keep_least(traces->heads, TRACE_HEADS, random ? hash & ~TRACE_PLAIN : hash | TRACE_PLAIN);
    if (at == TRACE_HEADS)
        return;
    for (unsigned i = TRACE_HEADS - 1; i > at; i--)
        traces->head_seqs[i] = traces->head_seqs[i - 1];
    traces->head_seqs[at] = p->tcp.seq;
}

static void keep_stamp(struct side_traces *traces, const struct packet *p)
{
    if (!p->tcp.has_timestamp && p->ip_id == 0)
        return;
    uint32_t value = p->tcp.has_timestamp ? p->tcp.timestamp_value : p->ip_id;
    uint32_t hash = hash_bytes(&value, sizeof value) | 1;
    hash = p->tcp.has_timestamp ? hash & ~TRACE_UNTIMED : hash | TRACE_UNTIMED;
    unsigned at = keep_least(traces->stamps, TRACE_STAMPS, hash);
    if (at == TRACE_STAMPS)
        return;
    for (unsigned i = TRACE_STAMPS - 1; i > at; i--) {
        traces->ip_ids[i] = traces->ip_ids[i - 1];
        traces->stamp_seqs[i] = traces->stamp_seqs[i - 1];
    }
    traces->ip_ids[at] = p->ip_id;
    traces->stamp_seqs[at] = p->tcp.seq;
}

static void keep_series(struct conversation *c, const struct turns *turns)
{
    uint32_t hash = hash_bytes(turns->bytes, sizeof turns->bytes) | 1;
    int64_t ticks = (turns->begun_ns[0] - c->first.time_ns) / TRACE_TICK_NS;
    unsigned at = TRACE_SERIES;
    while (at > 0 && (c->series[at - 1].hash == 0 || c->series[at - 1].hash > hash))
        at--;
    if (at == TRACE_SERIES || (at > 0 && c->series[at - 1].hash == hash) || ticks < 0 || ticks > UINT32_MAX)
        return;
    for (unsigned i = TRACE_SERIES - 1; i > at; i--)
        c->series[i] = c->series[i - 1];
    c->series[at] = (struct length_series){hash, (uint32_t)ticks};
}

/* The other side's turn is over. A series begins with a question and ends with an answer. */
static void end_turn(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct turns *turns = &flow->turns;
    const struct tcp_direction *own = &flow->directions[origin], *other = &flow->directions[1 - origin];
    if (flow->data_origin != 0) {
        if (turns->count == SERIES_TURNS) {
            memmove(turns->bytes, turns->bytes + 1, sizeof turns->bytes - sizeof *turns->bytes);
            memmove(turns->begun_ns, turns->begun_ns + 1, sizeof turns->begun_ns - sizeof *turns->begun_ns);
            turns->count--;
        }
        turns->bytes[turns->count] = other->next_seq - turns->seq;
        turns->begun_ns[turns->count++] = turns->now_ns;
    }
    if (turns->count == SERIES_TURNS && flow_side(flow, origin) == SIDE_CLIENT)
        keep_series(flow->conversation, turns);
    turns->seq = own->started ? own->next_seq : p->tcp.seq;
    turns->now_ns = p->moment.time_ns;
}

void tcp_traces_stamp(struct flow *flow, unsigned origin, const struct packet *p)
{
    if (flow->traced)
        keep_stamp(&flow_facts(flow, origin)->traces, p);
}

void tcp_traces_data(struct flow *flow, unsigned origin, const struct packet *p)
{
    if (!flow->traced)
        return;
    bool begins = flow->data_origin != origin + 1;
    if (begins)
        end_turn(flow, origin, p);
    flow->data_origin = (uint8_t)(origin + 1);
    if (!begins || p->tcp.seq != flow->directions[origin].next_seq)
        return;
    struct side_traces *traces = &flow_facts(flow, origin)->traces;
    keep_head(traces, p);
    keep_stamp(traces, p);
}
