/* Packets that a capture recorded twice. */
#include "tcp_copies.h"

/* The same packet recorded twice comes within microseconds (two layers of one stack, two ports of one switch). With an IP
 * ID that tells packets apart, 50 ms are safe: a retransmission carries a new ID. Without one (RFC 6864 allows 0 for
 * unfragmentable packets) only the time tells: SYN and FIN are repeated after a time-out of 200 ms or more, resets are not repeated at
 * all unless something comes for each, and data that is retransmitted within 3 ms on a very short path is better not counted than taken for loss. */
#define DUPLICATE_WITH_ID_NS (50 * NS_PER_MS)
#define DUPLICATE_WITHOUT_ID_NS (3 * NS_PER_MS)
#define DUPLICATE_CONTROL_NS (100 * NS_PER_MS)
#define DUPLICATE_IN_PIECES_NS (2 * NS_PER_MS)
enum { IP_ID_COUNTS = 4 };

/* Never zero. */
static uint32_t fingerprint_of(const struct packet *p)
{
    const struct tcp_header *t = &p->tcp;
    uint64_t numbers = (uint64_t)t->seq << 32 | t->ack;
    uint64_t header = (uint64_t)t->timestamp_value << 32 | (uint32_t)t->window << 16 | p->ip_id;
    uint64_t h = (numbers * 0x9e3779b97f4a7c15u ^ header) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 32 ^ (uint64_t)p->payload_length << 8 ^ t->flags) * 0x94d049bb133111ebu;
    return (uint32_t)(h >> 32) | 1;
}

/* A late copy in a burst: a stack that counts its IP IDs upwards never sends data again under an old one. */
static bool is_late_copy(struct tcp_direction *d, const struct packet *p)
{
    int16_t step = (int16_t)(p->ip_id - d->last_ip_id);
    bool near = tcp_ip_ids_are_near(p->ip_id, d->last_ip_id), counts = d->ip_id_steps == IP_ID_COUNTS;
    d->ip_id_goes_on = near && step > 0 && counts;
    if (near && step <= 0)
        return counts && d->started && p->payload_length > 0 &&
               seq_distance(p->tcp.seq + p->payload_length, d->next_seq) <= 0;
    d->ip_id_steps = (uint8_t)(d->ip_id_steps + (near && !counts));
    d->last_ip_id = p->ip_id;
    return false;
}

/* Data beyond all that was captured: had it been recorded before, that would be known to be captured. Only probes of a closed
 * window bring a new byte that does not count. */
static bool brings_new_data(struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_direction *d = &flow->directions[origin];
    return p->payload_length > 0 && d->started && !(p->tcp.flags & (TCP_SYN | TCP_RST)) &&
           seq_distance(p->tcp.seq + p->payload_length, d->next_seq) > 0 &&
           flow_facts(flow, 1 - origin)->zero_windows == 0;
}

static void remember_packet(struct tcp_direction *d, uint32_t fingerprint, uint32_t now_us)
{
    d->recent_fingerprints[d->recent_at] = fingerprint;
    d->recent_us[d->recent_at] = now_us;
    d->recent_at = (uint8_t)((d->recent_at + 1) % RECENT_PACKETS);
}

void tcp_forget_recent(struct flow *flow, int64_t now_ns)
{
    uint32_t now_us = (uint32_t)(now_ns / 1000);
    for (unsigned origin = 0; origin < ORIGINS; origin++) {
        struct tcp_direction *d = &flow->directions[origin];
        for (unsigned i = 0; i < RECENT_PACKETS; i++) {
            int64_t age_ns = (int64_t)(int32_t)(now_us - d->recent_us[i]) * 1000;
            if (age_ns <= DUPLICATE_CONTROL_NS && age_ns >= -DUPLICATE_CONTROL_NS)
                continue;
            d->recent_fingerprints[i] = 0;
            d->recent_us[i] = 0;
        }
    }
}

/* Whether any is: all are looked at, which compilers make a few instructions of. */
static bool may_be_among_recent(const struct tcp_direction *d, uint32_t fingerprint)
{
    uint32_t same = 0;
    for (unsigned i = 0; i < RECENT_PACKETS; i++)
        same |= d->recent_fingerprints[i] == fingerprint;
    return same;
}

static bool is_recorded_again(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    uint32_t fingerprint = fingerprint_of(p);
    uint32_t now_us = (uint32_t)(p->moment.time_ns / 1000);
    bool may_be = !brings_new_data(flow, origin, p) && may_be_among_recent(d, fingerprint);
    for (unsigned i = 0; may_be && i < RECENT_PACKETS; i++) {
        if (d->recent_fingerprints[i] != fingerprint)
            continue;
        int64_t age_ns = (int64_t)(int32_t)(now_us - d->recent_us[i]) * 1000;
        if (age_ns < 0)
            age_ns = -age_ns;
        if (p->ip_id != 0 && age_ns <= DUPLICATE_WITH_ID_NS)
            return true;
        /* Equal pure ACKs without an ID may be duplicate acknowledgements (RFC 5681); they change no fact either way. Equal
         * resets may each answer a packet (RFC 9293, 3.5.2): they are copies only with none in between. */
        bool repeated_ack = tcp_is_pure_ack(p) && d->started && p->tcp.seq == d->next_seq;
        bool answers = p->tcp.flags & TCP_RST && flow->last_origin != origin;
        int64_t patience_ns =
            p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST) ? DUPLICATE_CONTROL_NS : DUPLICATE_WITHOUT_ID_NS;
        if (p->ip_id == 0 && age_ns <= patience_ns && !repeated_ack && !answers)
            return true;
    }
    remember_packet(d, fingerprint, now_us);
    return false;
}

/* The one segment that was sent since then, again as it was: with another IP ID it is no copy of the capture's. */
static bool is_whole_burst(const struct tcp_direction *d, const struct packet *p)
{
    return d->burst_segments == 1 && p->tcp.seq == d->burst_seq && p->tcp.seq + p->payload_length == d->next_seq &&
           p->ip_id != 0;
}

/*
 * What was sent since the other side was last heard comes again, perhaps in other pieces: a capture that sees packets both before and
 * after the card's driver cut them up. Nobody can have asked for it, and no stack's timer is that short (RFC 8985, 7.2: two round
 * trips; Linux and Windows wait 2 and 10 ms at least).
 */
static bool is_copied_in_pieces(const struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_direction *d = &flow->directions[origin];
    if (!d->started || flow->last_origin != origin || p->payload_length == 0)
        return false;
    int64_t age_ns = p->moment.time_ns - d->burst_ns;
    return age_ns >= 0 && age_ns < DUPLICATE_IN_PIECES_NS && seq_distance(p->tcp.seq, d->burst_seq) >= 0 &&
           seq_distance(p->tcp.seq + p->payload_length, d->next_seq) <= 0 && !is_whole_burst(d, p);
}
bool tcp_never_captured(const struct tcp_direction *d, uint32_t seq, uint32_t end)
{
    for (unsigned i = 0; i < RECENT_GAPS; i++)
        if (d->gaps[i].start != d->gaps[i].end && seq_distance(seq, d->gaps[i].start) >= 0 &&
            seq_distance(end, d->gaps[i].end) <= 0)
            return true;
    if (!d->positioned || seq_distance(seq, d->position) < 0)
        return false;
    for (const struct held_segment *s = d->held; s && seq_distance(s->seq, end) < 0; s = s->next)
        if (seq_distance(s->seq + s->length, seq) > 0)
            return false;
    return true;
}

bool tcp_is_copy(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    bool copy = is_recorded_again(flow, origin, p), late_copy = is_late_copy(d, p);
    return copy || ((late_copy || is_copied_in_pieces(flow, origin, p)) &&
                    !tcp_never_captured(d, p->tcp.seq, p->tcp.seq + p->payload_length));
}
