/* Which packet of one capture is which packet of the other. For the comparator only. */
#ifndef TDSCOPE_PACKET_MATCHING_H
#define TDSCOPE_PACKET_MATCHING_H

#include "comparator.h"

#define NO_PARTNER UINT32_MAX

static inline int32_t distance(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static inline bool has_bytes(const struct compared_packet *p)
{
    return p->size > 0;
}

static inline uint32_t end_of(const struct compared_packet *p)
{
    return p->seq + p->size;
}

/* How much earlier than it was sent a packet may seem to arrive, because the clocks are not known better. */
static inline int64_t slack_ns(const struct comparator *comparator)
{
    return 2 * comparator->clock->uncertainty_ns + NS_PER_MS;
}

/* On the clock of the capture at that side. */
static inline int64_t clock_at(const struct comparator *comparator, enum side at, int64_t time_ns)
{
    return at == SIDE_SERVER ? clock_to_server(comparator->clock, time_ns) : time_ns;
}

/* Sets the partners of all packets of that side that are at hand. */
void packet_matching_run(struct comparator *comparator, enum side sender);

#endif
