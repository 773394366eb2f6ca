/* How large the segments of one side were: the largest, the largest that arrived whole, and one that never does. */
#ifndef TDSCOPE_SEGMENT_SIZES_H
#define TDSCOPE_SEGMENT_SIZES_H

#include "flow.h"

/* origin sends payload; again: some of it was sent before. */
void segment_sizes_sent(struct flow *flow, unsigned origin, const struct packet *packet, bool again);

/* What origin sent is acknowledged up to ack, farther than before. */
void segment_sizes_acknowledged(struct flow *flow, unsigned origin, uint32_t ack);

#endif
