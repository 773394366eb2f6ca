/* What the capture did not record between two packets of a conversation, as the later one tells. */
#ifndef TDSCOPE_TCP_UNSEEN_H
#define TDSCOPE_TCP_UNSEEN_H

#include "flow.h"

/* The next packet of the conversation, before anything of it is noted. */
void tcp_unseen_before(const struct flow *flow, unsigned origin, const struct packet *packet);

#endif
