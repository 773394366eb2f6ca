/*
 * Theory of operation. Each trace that two views have in common is weighed by how seldom chance alone makes it:
 *
 *   - Random bytes at the beginning of a message: HEAD_BITS of hash, among as many messages as the other view has.
 *   - A timestamp's value: its clock ticks each millisecond to each 10 ms (RFC 7323, 5.4 allows up to a second; Windows and Linux have 1 to 10),
 *     and one machine's connections may share a clock, so chance is how often the other view has a packet within a tick. What two
 *     machines' clocks make even less likely is not counted.
 *   - The IP ID of the same packet: 16 bits, once for each side, for stacks count on from one to the next.
 *
 * What several conversations of one capture have, or what is plain text, tells as much as it is rare among them; and only once, for
 * who asks the same gets the same answers.
 */
#include "trace_evidence.h"

#include <math.h>

#define HEAD_BITS 30.0
#define TIMESTAMP_BITS_MOST 16.0
#define IP_ID_BITS 16.0
#define TICK_NS (10 * NS_PER_MS)

/* Two views of which some traces are weighed. */
struct weighing {
    const struct trace_index *index;
    const struct conversation *a, *b;
    struct trace_evidence sum;
    double common_bits; /* the most that something not rare tells */
    unsigned common_by;
};

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Conversations of one capture that have it: 1 in both captures is rare. */
static bool is_rare(struct weighing *weighing, uint32_t key, uint32_t ip_id, enum match_trace by)
{
    const struct trace_index *index = weighing->index;
    uint32_t point_a = weighing->a->point, point_b = weighing->b->point;
    double here = trace_index_count(index, key, point_a, ip_id), there = trace_index_count(index, key, point_b, ip_id);
    if (here <= 1 && there <= 1 && by != TRACE_BY_PLAIN_CONTENTS)
        return true;
    double few = larger(1, here < there ? index->populations[point_b] / larger(1, there)
                                        : index->populations[point_a] / larger(1, here));
    if (log2(few) > weighing->common_bits) {
        weighing->common_bits = log2(few);
        weighing->common_by = (unsigned)by;
    }
    return false;
}

static void add_bits(struct weighing *weighing, double bits, enum match_trace by)
{
    if (bits <= 0)
        return;
    weighing->sum.bits += bits;
    weighing->sum.by |= (unsigned)by;
}

static void weigh_heads(struct weighing *weighing, enum side side)
{
    const struct tcp_side *a = &weighing->a->sides[side], *b = &weighing->b->sides[side];
    double messages = larger(1, larger(a->data_packets, b->data_packets));
    for (unsigned i = 0; i < TRACE_HEADS && a->traces.heads[i] != 0; i++)
        for (unsigned j = 0; j < TRACE_HEADS; j++) {
            uint32_t hash = a->traces.heads[i];
            enum match_trace by = hash & TRACE_PLAIN ? TRACE_BY_PLAIN_CONTENTS : TRACE_BY_CONTENTS;
            if (hash == b->traces.heads[j] && is_rare(weighing, trace_key(TRACED_HEADS, side, hash), 0, by))
                add_bits(weighing, HEAD_BITS - log2(messages), by);
        }
}

/* How seldom a view has a packet within a tick. */
static double tick_bits(const struct tcp_side *side)
{
    double ticks = larger(1, (double)(side->last.time_ns - side->first.time_ns) / (double)TICK_NS);
    double bits = log2(ticks / larger(1, side->packets));
    return bits < 0 ? 0 : bits < TIMESTAMP_BITS_MOST ? bits : TIMESTAMP_BITS_MOST;
}

static void weigh_stamps(struct weighing *weighing, enum side side)
{
    const struct tcp_side *a = &weighing->a->sides[side], *b = &weighing->b->sides[side];
    bool ids_weighed = false;
    for (unsigned i = 0; i < TRACE_STAMPS && a->traces.stamps[i] != 0; i++)
        for (unsigned j = 0; j < TRACE_STAMPS; j++) {
            uint32_t hash = a->traces.stamps[i], ip_id = a->traces.ip_ids[i];
            bool timed = !(hash & TRACE_UNTIMED);
            if (hash != b->traces.stamps[j] || ip_id != b->traces.ip_ids[j] ||
                !is_rare(weighing, trace_key(TRACED_STAMPS, side, hash), ip_id,
                         timed ? TRACE_BY_TIMESTAMPS : TRACE_BY_IP_IDS))
                continue;
            double tick = tick_bits(a) < tick_bits(b) ? tick_bits(a) : tick_bits(b);
            double id = timed ? IP_ID_BITS : IP_ID_BITS - log2((double)a->packets + b->packets);
            if (timed)
                add_bits(weighing, tick, TRACE_BY_TIMESTAMPS);
            if (ip_id != 0 && !ids_weighed)
                add_bits(weighing, id, TRACE_BY_IP_IDS);
            ids_weighed = ids_weighed || ip_id != 0;
        }
}

struct trace_evidence trace_evidence_of(const struct trace_index *index, const struct conversation *a,
                                        const struct conversation *b)
{
    struct weighing weighing = {.index = index, .a = a, .b = b};
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        weigh_heads(&weighing, side);
        weigh_stamps(&weighing, side);
    }
    weighing.sum.bits += weighing.common_bits;
    weighing.sum.by |= weighing.common_by;
    return weighing.sum;
}
