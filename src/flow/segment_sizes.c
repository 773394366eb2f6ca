/*
 * Sizes of segments, for paths that swallow the large ones (RFC 2923, 2.1).
 *
 * An acknowledgement tells that bytes arrived, not in which segments. So only segments that are larger than all that were
 * acknowledged before are remembered, until they are acknowledged too: of those that wait the first, which is the smallest,
 * and the largest. One whose bytes are sent again in smaller pieces is forgotten, since nobody can tell what arrived.
 */
#include "segment_sizes.h"

static bool arrived(const struct sized_segment *segment, uint32_t ack)
{
    return segment->length > 0 && seq_distance(ack, segment->end) >= 0;
}

static bool in_pieces(const struct sized_segment *segment, uint32_t seq, uint32_t length)
{
    return length < segment->length && seq_distance(segment->end, seq) > 0 &&
           seq_distance(seq + length, segment->end - segment->length) > 0;
}

static void forget_first(struct segment_sizes *sizes)
{
    sizes->first = sizes->largest;
    sizes->largest.length = 0;
}

static void sent_again(struct segment_sizes *sizes, struct tcp_side *facts, const struct packet *p)
{
    uint32_t seq = p->tcp.seq, length = p->payload_length;
    if (in_pieces(&sizes->largest, seq, length))
        sizes->largest.length = 0;
    if (in_pieces(&sizes->first, seq, length))
        forget_first(sizes);
    if (length <= facts->largest_unanswered)
        return;
    facts->largest_unanswered = length;
    sizes->resent_end = seq + length;
}

static void wait_for_acknowledgement(struct segment_sizes *sizes, const struct packet *p)
{
    struct sized_segment segment = {.end = p->tcp.seq + p->payload_length, .length = p->payload_length};
    if (sizes->first.length == 0)
        sizes->first = segment;
    else if (segment.length > sizes->first.length && segment.length > sizes->largest.length)
        sizes->largest = segment;
}

void segment_sizes_sent(struct flow *flow, unsigned origin, const struct packet *p, bool again)
{
    struct tcp_direction *d = &flow->directions[origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    if (p->payload_length > facts->largest_payload)
        facts->largest_payload = p->payload_length;
    if (again)
        sent_again(&d->sizes, facts, p);
    else if (p->payload_length > facts->largest_acknowledged)
        wait_for_acknowledgement(&d->sizes, p);
}

void segment_sizes_acknowledged(struct flow *flow, unsigned origin, uint32_t ack)
{
    struct segment_sizes *sizes = &flow->directions[origin].sizes;
    struct tcp_side *facts = flow_facts(flow, origin);
    if (facts->largest_unanswered > 0 && seq_distance(ack, sizes->resent_end) >= 0)
        facts->largest_unanswered = 0;
    for (unsigned i = 0; i < 2 && arrived(&sizes->first, ack); i++) {
        if (sizes->first.length > facts->largest_acknowledged)
            facts->largest_acknowledged = sizes->first.length;
        forget_first(sizes);
    }
}
