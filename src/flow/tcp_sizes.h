/* Which sizes of segments get through (RFC 1191, RFC 4821), and what the receiver says is missing (RFC 2018). */
#ifndef TDSCOPE_TCP_SIZES_H
#define TDSCOPE_TCP_SIZES_H

#include "flow.h"

/* A packet of origin with payload: new, or sent again. */
void tcp_sizes_new(struct flow *flow, unsigned origin, const struct packet *packet);
void tcp_sizes_again(struct flow *flow, unsigned origin, const struct packet *packet);

/* An acknowledgement by origin, before what it acknowledges is noted. */
void tcp_sizes_acknowledged(struct flow *flow, unsigned origin, const struct packet *packet);

#endif
