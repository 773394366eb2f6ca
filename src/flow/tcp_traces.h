/* Keeps the traces of a conversation's packets by which another capture's conversation is known to be the same (tcp_side.h). */
#ifndef TDSCOPE_TCP_TRACES_H
#define TDSCOPE_TCP_TRACES_H

#include "flow.h"

/* New data of this origin, before it moves next_seq. */
void tcp_traces_data(struct flow *flow, unsigned origin, const struct packet *packet);

/* A SYN that was not seen before, or a probe: its headers are all it has. */
void tcp_traces_stamp(struct flow *flow, unsigned origin, const struct packet *packet);

#endif
