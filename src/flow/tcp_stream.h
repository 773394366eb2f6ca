/* In-order bytes with gaps, from segments in any order. */
#ifndef TDSCOPE_TCP_STREAM_H
#define TDSCOPE_TCP_STREAM_H

#include "flow.h"

/* Most bytes that the streams of one direction hold while they wait for a missing segment. A window of 64 KiB is the
 * largest without scaling; beyond four of them the missing one will not come, or was never captured. */
enum { STREAM_HELD_BYTES = 256 * 1024, STREAM_HELD_SEGMENTS = 256 };

/* Hands on the payload of packet, and whatever it completes. */
void tcp_stream_segment(struct flow *flow, unsigned origin, const struct packet *packet,
                        const struct stream_consumer *consumer);

/* The other side acknowledged up to ack: what is missing below it will not come any more. */
void tcp_stream_acknowledged(struct flow *flow, unsigned origin, uint32_t ack, const struct moment *at,
                             const struct stream_consumer *consumer);

/* origin sent a reset: its stream ends. The other side does not know yet, and may have more on its way: of that, what follows
 * in order is still handed on. Beyond a hole nothing is, for no missing segment comes any more, and the ports may be used anew. */
void tcp_stream_reset(struct flow *flow, unsigned origin, const struct moment *at,
                      const struct stream_consumer *consumer);

/* Hands on what is held, then the end, of both directions. Later calls do nothing. */
void tcp_stream_end(struct flow *flow, const struct moment *at, const struct stream_consumer *consumer);

void tcp_stream_release(struct flow *flow); /* frees held segments */

#endif
