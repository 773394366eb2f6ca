/* Time that a capture's clock tells, and the timestamps of both sides do not (RFC 7323). */
#ifndef TDSCOPE_TCP_TICKS_H
#define TDSCOPE_TCP_TICKS_H

#include "flow.h"

/* A packet of that direction with a timestamp, no reset. */
void tcp_ticks_see(struct side_ticks *ticks, const struct packet *packet);

/* The conversation is over, or the capture: it is told of its stretch in which no time passed, if that is the longest one. */
void tcp_ticks_conclude(struct flow *flow);

#endif
