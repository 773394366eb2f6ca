/* What a reset tells of who made it: how it came, and whether it goes on where the packets of its side were. */
#ifndef TDSCOPE_TCP_RESETS_H
#define TDSCOPE_TCP_RESETS_H

#include "flow.h"

/* Notes the first reset of a side, and of those that follow the ones that answer what came late. */
void tcp_note_reset(struct flow *flow, unsigned origin, const struct packet *packet);

/* The side, which has said nothing but resets, accepts the other's SYN: a refusal of that SYN which was repeated, or may have been, closed nothing,
 * nor did a reset that is none of it. Before what this packet acknowledges is followed. */
void tcp_forget_refusal(struct flow *flow, unsigned origin, const struct packet *packet);

#endif
