/* The table of live conversations: look-up, roles, port reuse, retirement. */
#include "flow_table.h"

#include <assert.h>
#include <stddef.h>

#include "flow.h"
#include "memory.h"
#include "sleeping_flows.h"
#include "tcp_follow.h"
#include "tcp_opening.h"
#include "tcp_places.h"
#include "tcp_stream.h"
#include "tcp_ticks.h"

/*
 * Theory of retirement. Memory follows live conversations, so one that is over has to leave the table; its facts stay in
 * the casebook. A closed one lingers for the time in which its ports may not be used again (2 MSL, RFC 9293: four minutes,
 * Windows' old TcpTimedWaitDelay), so that late packets still find it. An open one that says nothing is kept for longer than any
 * keep-alive interval (two hours, RFC 9293 3.8.4, is the longest default). All by the capture's clock.
 *
 * What lingers sleeps (see sleeping_flows.h): packed, found by the same index, and woken by any packet. So do open ones that have been silent
 * for long, where more than awake_most would be awake.
 *
 * A round over all flows takes SWEEP_ROUND_NS of that clock, so that a capture of much traffic in little time looks at few of them:
 * every SWEEP_PACKETS packets, at the share that is due; at SWEEP_FLOWS at most, so that no packet waits for a long walk.
 */
#define LINGER_CLOSED_NS (240 * NS_PER_SECOND)
#define LINGER_SILENT_NS (4 * 3600 * NS_PER_SECOND)

#define SWEEP_ROUND_NS (10 * NS_PER_SECOND)

enum { SWEEP_PACKETS = 1024, SWEEP_FLOWS = 512, EVICTION_SAMPLE = 32, SLEEP_SAMPLE = 8 };

/* Marks the numbers of sleeping flows in the index. */
#define FLOW_SLEEPS 0x80000000u

static_assert(sizeof(struct flow) <= 1312, "what following a conversation takes has grown");

void flow_table_open(struct flow_table *table, struct casebook *casebook, const struct stream_consumer *consumer)
{
    *table = (struct flow_table){.casebook = casebook,
                                 .consumer = *consumer,
                                 .ceiling = SLAB_NONE,
                                 .awake_most = SLAB_NONE,
                                 .packets_until_sweep = SWEEP_PACKETS};
    slab_open(&table->flows, sizeof(struct flow));
    table->sleeping = memory_take(sizeof *table->sleeping);
    sleeping_flows_open(table->sleeping);
    table->may_sleep = table->latest = SLAB_NONE;
    hash_index_open(&table->index);
}

/* Whether the packet is of this conversation, and who sent it. */
static bool has_ends(const struct conversation *c, const struct packet *p, enum side *sender)
{
    const struct endpoint *client = &c->ends[SIDE_CLIENT], *server = &c->ends[SIDE_SERVER];
    *sender = endpoint_equal(client, &p->source) ? SIDE_CLIENT : SIDE_SERVER;
    if (*sender == SIDE_CLIENT)
        return endpoint_equal(server, &p->destination);
    return endpoint_equal(server, &p->source) && endpoint_equal(client, &p->destination);
}

static const struct conversation *conversation_of(const struct flow_table *table, uint32_t number)
{
    if (!(number & FLOW_SLEEPS))
        return ((const struct flow *)slab_at(&table->flows, number))->conversation;
    const struct sleeping_flow *flow = slab_at(&table->sleeping->slab, number & ~FLOW_SLEEPS);
    return casebook_conversation(table->casebook, flow->conversation);
}

static void note_end_of_streams(struct flow_table *table, uint32_t number)
{
    table->may_sleep = sleeping_flows_ended(table->sleeping, number);
}

/* IANA's dynamic ports begin at 49152, Linux takes its own from 32768 on. */
static bool is_ephemeral(uint16_t port)
{
    return port >= 32768;
}

static enum role_evidence guess_client(const struct flow_table *table, const struct packet *p, bool *source_is_client)
{
    *source_is_client = !(p->tcp.flags & TCP_ACK);
    if (p->tcp.flags & TCP_SYN)
        return ROLE_SYN;
    uint16_t from = p->source.port, to = p->destination.port;
    const uint16_t known[] = {table->server_port, SQL_SERVER_PORT};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i] != 0 && (from == known[i]) != (to == known[i])) {
            *source_is_client = to == known[i];
            return ROLE_PORT;
        }
    }
    *source_is_client = true;
    if (is_ephemeral(from) == is_ephemeral(to))
        return ROLE_FIRST_SENDER;
    *source_is_client = is_ephemeral(from);
    return ROLE_PORT;
}

/* A FIN takes one number (RFC 9293, 3.4), and no message is that short. At a closed window it may have been a probe's byte. */
static bool misses_fin(const struct tcp_direction *d, const struct tcp_side *facts, const struct tcp_side *other)
{
    if (moment_seen(&facts->fin) || !d->started || !d->acked_known || other->zero_windows > 0)
        return false;
    int32_t beyond = seq_distance(d->acked, d->next_seq);
    return beyond == 1 || (d->fin_unseen && beyond == 0);
}

/* Nothing is handed on any more: what that took is free at once, though the conversation may linger. */
static void stop_streams(struct flow_table *table, struct flow *flow)
{
    if (flow->stream.protocol_state)
        table->consumer.release(table->consumer.context, &flow->stream);
    tcp_stream_release(flow);
    flow->protocol_done = true;
}

static void conclude_flow(struct flow_table *table, struct flow *flow)
{
    struct conversation *c = flow->conversation;
    tcp_stream_end(flow, &c->last, &table->consumer);
    stop_streams(table, flow);
    for (unsigned origin = 0; origin < ORIGINS; origin++) {
        const struct tcp_direction *d = &flow->directions[origin];
        int32_t open = d->acked_known ? seq_distance(d->next_seq, d->acked) : 0;
        struct tcp_side *facts = flow_facts(flow, origin);
        facts->unacknowledged_bytes = open > 0 ? (uint32_t)open : 0;
        /* Who does not acknowledge what arrived does not acknowledge what may have been lost, either. */
        if (d->acked_known && seq_distance(d->acked, d->ahead_seq - facts->ahead_bytes) < 0)
            facts->ahead = (struct moment){0};
        facts->fin_missed = misses_fin(d, facts, flow_facts(flow, 1 - origin));
        facts->seqs_known = d->started;
        facts->seq_first = d->positioned ? d->start : d->next_seq;
        facts->seq_end = d->next_seq;
        uint32_t data_end = d->fin_known ? d->fin_seq : d->next_seq;
        facts->last_data_answered = facts->data_packets > 0 && flow_facts(flow, 1 - origin)->data_packets > 0 &&
                                    seq_distance(d->answered, data_end) >= 0;
    }
    tcp_ticks_conclude(flow);
    conversation_conclude(c);
}

/* Out of the table; its conversation may be packed. */
static void remove_flow(struct flow_table *table, uint32_t number)
{
    struct flow *flow = slab_at(&table->flows, number);
    casebook_rest_conversation(table->casebook, flow->conversation->id - 1);
    hash_index_remove(&table->index, flow->hash, number);
    flow->conversation = NULL;
    slab_give(&table->flows, number);
}

static void retire_flow(struct flow_table *table, uint32_t number)
{
    conclude_flow(table, slab_at(&table->flows, number));
    remove_flow(table, number);
}

/* False: it cannot sleep now. */
static bool put_to_sleep(struct flow_table *table, uint32_t number, int64_t now_ns)
{
    struct flow *flow = slab_at(&table->flows, number);
    uint32_t sleeping = sleeping_flows_put(table->sleeping, flow, &table->consumer, now_ns);
    if (sleeping == SLAB_NONE)
        return false;
    hash_index_add(&table->index, flow->hash, sleeping | FLOW_SLEEPS);
    remove_flow(table, number);
    return true;
}

/* The flow's facts are concluded, as if it was retired: should it wake, that is done again later. */
static void let_sleep(struct flow_table *table, uint32_t number, int64_t now_ns)
{
    struct flow *flow = slab_at(&table->flows, number);
    if (!flow->conversation || !flow->protocol_done || !flow->conversation->closed)
        return;
    conclude_flow(table, flow);
    put_to_sleep(table, number, now_ns);
}

static uint32_t next_to_sweep(struct flow_sweep *sweep, const struct slab *slab)
{
    uint32_t number = sweep->at++;
    if (sweep->at >= slab->high)
        sweep->at = 0;
    return number;
}

/* The one that was silent longest of those that are left; SLAB_NONE: none is. */
static uint32_t take_longest_silent(const struct flow_table *table, uint32_t *numbers, uint32_t *count)
{
    uint32_t oldest = 0;
    if (*count == 0)
        return SLAB_NONE;
    for (uint32_t i = 1; i < *count; i++) {
        const struct flow *a = slab_at(&table->flows, numbers[i]), *b = slab_at(&table->flows, numbers[oldest]);
        if (a->conversation->last.time_ns < b->conversation->last.time_ns)
            oldest = i;
    }
    uint32_t number = numbers[oldest];
    numbers[oldest] = numbers[--*count];
    return number;
}

/* Where too many are awake: of a few open ones, the one that was silent longest and can sleep. */
static void make_some_sleep(struct flow_table *table)
{
    uint32_t numbers[SLEEP_SAMPLE], count = 0, number;
    if (table->flows.in_use < table->awake_most || table->flows.in_use == 0)
        return;
    for (uint32_t i = 0; i < SLEEP_SAMPLE; i++) {
        numbers[count] = next_to_sweep(&table->silent_sweep, &table->flows);
        const struct flow *flow = slab_at(&table->flows, numbers[count]);
        bool again = count > 0 && numbers[count] == numbers[0];
        count += flow->conversation && !flow->protocol_done && !again;
    }
    while ((number = take_longest_silent(table, numbers, &count)) != SLAB_NONE) {
        const struct flow *flow = slab_at(&table->flows, number);
        if (put_to_sleep(table, number, flow->conversation->last.time_ns))
            return;
    }
}

static uint32_t wake_flow(struct flow_table *table, uint32_t sleeping)
{
    make_some_sleep(table);
    const struct sleeping_flow *place = slab_at(&table->sleeping->slab, sleeping & ~FLOW_SLEEPS);
    struct conversation *c = casebook_hold_conversation(table->casebook, place->conversation);
    uint32_t number = slab_take(&table->flows);
    struct flow *flow = slab_at(&table->flows, number);
    flow->conversation = c;
    flow->stream.casebook = table->casebook;
    sleeping_flows_take(table->sleeping, sleeping & ~FLOW_SLEEPS, flow, &table->consumer);
    hash_index_remove(&table->index, flow->hash, sleeping);
    hash_index_add(&table->index, flow->hash, number);
    if (flow->protocol_done)
        note_end_of_streams(table, number);
    return number;
}

/* Packets come in bursts: of three in four of ordinary traffic the one before was of the same flow. */
static bool is_of_latest(const struct flow_table *table, const struct packet *p, enum side *sender)
{
    if (table->latest == SLAB_NONE)
        return false;
    const struct flow *flow = slab_at(&table->flows, table->latest);
    return flow->hash == p->ends_hash && flow->conversation && has_ends(flow->conversation, p, sender);
}

static uint32_t find_flow(struct flow_table *table, const struct packet *p, enum side *sender)
{
    if (is_of_latest(table, p, sender))
        return table->latest;
    struct hash_probe probe = hash_index_probe(&table->index, p->ends_hash);
    for (uint32_t number; (number = hash_probe_next(&probe)) != HASH_NONE;)
        if (has_ends(conversation_of(table, number), p, sender))
            return number & FLOW_SLEEPS ? wake_flow(table, number) : number;
    return HASH_NONE;
}

/* How many flows of the slab to look at, for the time since the last look. */
static uint32_t due_for_sweep(struct flow_sweep *sweep, const struct slab *slab, int64_t now_ns)
{
    uint32_t most = slab->high < SWEEP_FLOWS ? slab->high : SWEEP_FLOWS;
    int64_t passed_ns = now_ns - sweep->until_ns;
    if (passed_ns < 0 || passed_ns >= SWEEP_ROUND_NS) {
        sweep->until_ns = now_ns;
        return most;
    }
    int64_t flow_ns = SWEEP_ROUND_NS / (slab->high + 1) + 1;
    int64_t due = passed_ns / flow_ns;
    sweep->until_ns += due * flow_ns;
    return due < most ? (uint32_t)due : most;
}

static void forget_sleeping(struct flow_table *table, uint32_t number)
{
    const struct sleeping_flow *flow = slab_at(&table->sleeping->slab, number);
    hash_index_remove(&table->index, flow->hash, number | FLOW_SLEEPS);
    sleeping_flows_drop(table->sleeping, number);
}

static void retire_sleeping(struct flow_table *table, int64_t now_ns)
{
    const struct slab *slab = &table->sleeping->slab;
    uint32_t due = due_for_sweep(&table->sleeping_sweep, slab, now_ns);
    for (uint32_t i = 0; i < due; i++) {
        uint32_t number = next_to_sweep(&table->sleeping_sweep, slab);
        const struct sleeping_flow *flow = slab_at(slab, number);
        if (!flow->packed || now_ns - flow->last_ns <= (flow->closed ? LINGER_CLOSED_NS : LINGER_SILENT_NS))
            continue;
        if (flow->open)
            retire_flow(table, wake_flow(table, number | FLOW_SLEEPS));
        else
            forget_sleeping(table, number);
    }
}

static bool lingered(const struct flow *flow, int64_t now_ns)
{
    int64_t silent_ns = now_ns - flow->conversation->last.time_ns;
    return silent_ns > (flow->conversation->closed ? LINGER_CLOSED_NS : LINGER_SILENT_NS);
}

static void retire_finished(struct flow_table *table, int64_t now_ns)
{
    uint32_t due = due_for_sweep(&table->sweep, &table->flows, now_ns);
    for (uint32_t i = 0; i < due; i++) {
        uint32_t number = next_to_sweep(&table->sweep, &table->flows);
        const struct flow *flow = slab_at(&table->flows, number);
        if (!flow->conversation)
            continue;
        if (lingered(flow, now_ns))
            retire_flow(table, number);
    }
}

/* Of a few that are awake; SLAB_NONE: there is none among them. */
static uint32_t silent_awake(struct flow_table *table, int64_t *last_ns)
{
    uint32_t oldest = SLAB_NONE;
    for (uint32_t i = 0; i < EVICTION_SAMPLE && table->flows.in_use > 0; i++) {
        uint32_t number = next_to_sweep(&table->sweep, &table->flows);
        const struct flow *flow = slab_at(&table->flows, number);
        if (flow->conversation && flow->conversation->last.time_ns < *last_ns) {
            oldest = number;
            *last_ns = flow->conversation->last.time_ns;
        }
    }
    return oldest;
}

/* Likewise of open ones that sleep. */
static uint32_t silent_asleep(struct flow_table *table, int64_t *last_ns)
{
    uint32_t oldest = SLAB_NONE;
    const struct slab *slab = &table->sleeping->slab;
    for (uint32_t i = 0; i < EVICTION_SAMPLE && table->sleeping->open_count > 0; i++) {
        uint32_t number = next_to_sweep(&table->sleeping_sweep, slab);
        const struct sleeping_flow *flow = slab_at(slab, number);
        if (flow->packed && flow->open && flow->last_ns < *last_ns) {
            oldest = number;
            *last_ns = flow->last_ns;
        }
    }
    return oldest;
}

/* At the ceiling a new conversation costs the one that was silent longest among a few: not the best choice, but one that takes
 * the same short time however many there are. */
static void make_room(struct flow_table *table)
{
    int64_t last_ns = INT64_MAX;
    uint32_t awake = silent_awake(table, &last_ns), asleep = silent_asleep(table, &last_ns);
    if (awake == SLAB_NONE && asleep == SLAB_NONE)
        return;
    uint32_t number = asleep == SLAB_NONE ? awake : wake_flow(table, asleep | FLOW_SLEEPS);
    ((struct flow *)slab_at(&table->flows, number))->conversation->let_go = true;
    retire_flow(table, number);
    table->evicted++;
}

static uint32_t add_flow(struct flow_table *table, const struct packet *p, bool reused, enum side *sender)
{
    if (table->flows.in_use + table->sleeping->open_count >= table->ceiling)
        make_room(table);
    make_some_sleep(table);
    uint32_t number = slab_take(&table->flows);
    struct flow *flow = slab_at(&table->flows, number);
    struct conversation *c = casebook_add_conversation(table->casebook);
    bool source_is_client;
    c->role_evidence = guess_client(table, p, &source_is_client);
    c->ends[SIDE_CLIENT] = source_is_client ? p->source : p->destination;
    c->ends[SIDE_SERVER] = source_is_client ? p->destination : p->source;
    has_ends(c, p, sender);
    c->point = table->point;
    c->first = c->last = p->moment;
    c->capture_first = p->moment.capture;
    c->starts_with_syn = p->tcp.flags & TCP_SYN;
    c->tuple_reused = reused;
    flow->conversation = c;
    flow->stream = (struct stream){.conversation = c, .casebook = table->casebook};
    flow->hash = p->ends_hash;
    flow->traced = table->traced;
    flow_set_client(flow, source_is_client ? 0 : 1);
    hash_index_add(&table->index, p->ends_hash, number);
    return number;
}

static void note_close(struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    bool reset = moment_seen(&client->reset) || moment_seen(&server->reset);
    c->closed = reset || (moment_seen(&client->fin) && moment_seen(&server->fin));
}

static void count_packet(struct conversation *c, const struct packet *p)
{
    c->packets++;
    c->wire_bytes += p->wire_length;
    c->capture_last = p->moment.capture;
}

static void note_moment(struct conversation *c, const struct packet *p)
{
    if (p->moment.time_ns >= c->last.time_ns) {
        c->last = p->moment;
        return;
    }
    c->out_of_order = true;
    c->goes_back |= p->moment.time_ns < c->last.time_ns - NS_PER_SECOND;
    if (p->moment.time_ns < c->first.time_ns)
        c->first = p->moment;
}

static void follow_packet(struct flow_table *table, uint32_t number, unsigned origin, const struct packet *p)
{
    struct flow *flow = slab_at(&table->flows, number);
    struct conversation *c = flow->conversation;
    count_packet(c, p);
    enum tcp_verdict verdict = tcp_follow(flow, origin, p);
    if (verdict == TCP_PACKET_DUPLICATE) {
        table->casebook->captures[p->moment.capture].duplicates++;
        if (!tcp_is_merged(flow))
            note_moment(c, p);
        return;
    }
    note_moment(c, p);
    if (verdict == TCP_PACKET_OF_OLDER_CONNECTION)
        return;
    if (p->tcp.flags & TCP_SYN)
        stream_learn_client(&table->consumer, &flow->stream,
                            flow_side(flow, p->tcp.flags & TCP_ACK ? 1 - origin : origin), SIDE_CLIENT, ROLE_SYN);
    if (flow->protocol_done)
        return;
    if (verdict == TCP_PACKET_NEW && (p->payload_length > 0 || p->tcp.flags & (TCP_SYN | TCP_FIN)))
        tcp_stream_segment(flow, origin, p, &table->consumer);
    if (p->tcp.flags & TCP_ACK)
        tcp_stream_acknowledged(flow, 1 - origin, p->tcp.ack, &p->moment, &table->consumer);
    if (p->tcp.flags & (TCP_RST | TCP_FIN))
        note_close(c);
    if (p->tcp.flags & TCP_RST)
        tcp_stream_reset(flow, origin, &p->moment, &table->consumer);
    if (flow->directions[0].ended && flow->directions[1].ended) {
        stop_streams(table, flow);
        note_end_of_streams(table, number);
    }
}

static void follow_icmp_error(struct flow_table *table, const struct packet *p)
{
    enum side sender;
    uint32_t number = find_flow(table, p, &sender);
    if (number == HASH_NONE)
        return;
    struct flow *flow = slab_at(&table->flows, number);
    struct icmp_facts *icmp = &flow->conversation->icmp;
    if (icmp->count++ == 0) {
        icmp->first = p->moment;
        icmp->version = p->icmp.version;
        icmp->type = p->icmp.type;
        icmp->code = p->icmp.code;
        icmp->reporter = p->icmp.reporter;
    }
    if (table->observe)
        table->observe(table->observe_context, flow->conversation, p);
}

void flow_table_packet(struct flow_table *table, const struct packet *p)
{
    if (p->kind == PACKET_ICMP_ERROR)
        follow_icmp_error(table, p);
    if (p->kind != PACKET_TCP)
        return;
    if (--table->packets_until_sweep == 0) {
        table->packets_until_sweep = SWEEP_PACKETS;
        retire_finished(table, p->moment.time_ns);
        retire_sleeping(table, p->moment.time_ns);
    }
    if (table->may_sleep != SLAB_NONE) {
        let_sleep(table, table->may_sleep, p->moment.time_ns);
        table->may_sleep = SLAB_NONE;
    }
    enum side sender = SIDE_CLIENT;
    uint32_t number = find_flow(table, p, &sender);
    bool reused = number != HASH_NONE && tcp_opens_again(slab_at(&table->flows, number), sender, p);
    if (reused)
        retire_flow(table, number);
    if (number == HASH_NONE || reused)
        number = add_flow(table, p, reused, &sender);
    table->latest = number;
    struct flow *flow = slab_at(&table->flows, number);
    unsigned origin = sender == SIDE_CLIENT ? flow->client_origin : 1u - flow->client_origin;
    struct packet bare;
    if (p->maybe_filling && !tcp_expects_data(flow, origin, p)) {
        bare = *p;
        bare.payload = (struct span){0};
        bare.payload_length = 0;
        p = &bare;
    }
    follow_packet(table, number, origin, p);
    if (table->observe)
        table->observe(table->observe_context, flow->conversation, p);
}

uint64_t flow_table_bytes(const struct flow_table *table)
{
    return slab_bytes(&table->flows) + sleeping_flows_bytes(table->sleeping) + hash_index_bytes(&table->index);
}

void flow_table_renumber(struct flow_table *table, const uint32_t *moved)
{
    for (uint32_t number = 0; number < table->sleeping->slab.high; number++) {
        struct sleeping_flow *flow = slab_at(&table->sleeping->slab, number);
        if (!flow->packed)
            continue;
        flow->conversation = moved[flow->conversation];
        if (flow->conversation == SLAB_NONE)
            forget_sleeping(table, number);
    }
}

void flow_table_close(struct flow_table *table)
{
    table->awake_most = SLAB_NONE;
    for (uint32_t number = 0; number < table->sleeping->slab.high; number++) {
        const struct sleeping_flow *flow = slab_at(&table->sleeping->slab, number);
        if (flow->packed && flow->open)
            retire_flow(table, wake_flow(table, number | FLOW_SLEEPS));
    }
    for (uint32_t number = 0; number < table->flows.high; number++) {
        struct flow *flow = slab_at(&table->flows, number);
        if (!flow->conversation)
            continue;
        conclude_flow(table, flow);
        casebook_rest_conversation(table->casebook, flow->conversation->id - 1);
    }
    hash_index_close(&table->index);
    slab_close(&table->flows);
    sleeping_flows_close(table->sleeping);
    memory_give(table->sleeping);
}

enum side stream_learn_client(const struct stream_consumer *consumer, struct stream *stream, enum side client,
                              enum side speaker, enum role_evidence evidence)
{
    struct conversation *c = stream->conversation;
    if (evidence <= c->role_evidence)
        return speaker;
    c->role_evidence = evidence;
    if (client == SIDE_CLIENT)
        return speaker;
    struct flow *flow = (struct flow *)((char *)stream - offsetof(struct flow, stream));
    conversation_exchange_sides(c);
    flow_set_client(flow, 1u - flow->client_origin);
    if (stream->protocol_state)
        consumer->sides_exchanged(consumer->context, stream);
    return side_other(speaker);
}
