/*
 * Sizes of segments that were acknowledged, and of the one that was not.
 *
 * Theory of operation: of each side one segment is watched, the oldest unacknowledged one that is larger than any that was
 * acknowledged. Where large packets vanish on the way it stays unacknowledged for good, and its size is what does not fit.
 */
#include "tcp_sizes.h"

void tcp_sizes_new(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    if (p->payload_length > facts->largest_payload)
        facts->largest_payload = p->payload_length;
    if (p->payload_length <= facts->largest_acknowledged || facts->larger_unacknowledged > 0)
        return;
    facts->larger_unacknowledged = p->payload_length;
    d->larger_seq = p->tcp.seq;
    d->larger_end = p->tcp.seq + p->payload_length;
}

/* Cut smaller, it may get through, which says nothing of the size that it had. */
void tcp_sizes_again(struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_direction *d = &flow->directions[origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    if (p->payload_length > facts->largest_payload)
        facts->largest_payload = p->payload_length;
    if (p->tcp.seq == d->larger_seq && p->payload_length > 0 && p->payload_length < facts->larger_unacknowledged)
        facts->larger_unacknowledged = p->payload_length;
}

/* The blocks beyond the acknowledgement; those at or below it report duplicates (RFC 2883). */
static void note_hole(struct tcp_side *sender, bool advances, const struct packet *p)
{
    uint32_t until_hole_end = UINT32_MAX, arrived = 0;
    for (unsigned i = 0; i < p->tcp.sack_count; i++) {
        int32_t ahead = seq_distance(p->tcp.sack[i].left, p->tcp.ack);
        int32_t size = seq_distance(p->tcp.sack[i].right, p->tcp.sack[i].left);
        if (ahead <= 0 || size <= 0)
            continue;
        arrived += (uint32_t)size;
        if ((uint32_t)ahead < until_hole_end)
            until_hole_end = (uint32_t)ahead;
    }
    if (advances)
        sender->hole = (struct moment){0};
    if (arrived > 0 && !moment_seen(&sender->hole))
        sender->hole = p->moment;
    if (arrived == 0 && !advances)
        return;
    sender->hole_bytes = arrived > 0 ? until_hole_end : 0;
    sender->beyond_hole_bytes = arrived;
}

void tcp_sizes_acknowledged(struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_direction *sender = &flow->directions[1 - origin];
    struct tcp_side *facts = flow_facts(flow, 1 - origin);
    if (p->tcp.flags & (TCP_SYN | TCP_RST))
        return;
    if (sender->acked_known && seq_distance(p->tcp.ack, sender->acked) < 0)
        return; /* it was overtaken: what it tells of is over */
    if (p->tcp.sack_count > 0 || moment_seen(&facts->hole))
        note_hole(facts, sender->acked_known && seq_distance(p->tcp.ack, sender->acked) > 0, p);
    if (facts->larger_unacknowledged == 0 || seq_distance(p->tcp.ack, sender->larger_end) < 0)
        return;
    if (facts->larger_unacknowledged > facts->largest_acknowledged)
        facts->largest_acknowledged = facts->larger_unacknowledged;
    facts->larger_unacknowledged = 0;
}
