/* Which packets open a connection anew on the ports of another one (RFC 9293, 3.4.1 and 3.10.7). */
#ifndef TDSCOPE_TCP_OPENING_H
#define TDSCOPE_TCP_OPENING_H

#include "flow.h"

/* The packet, which has the same ends, is of another connection than the flow. */
bool tcp_opens_again(const struct flow *flow, enum side sender, const struct packet *packet);

/* A SYN (or SYN+ACK) of that number began this direction: what is known of it follows at once. Captures that nobody sorted, or that stamp
 * what arrives later than what leaves, may have it after that. */
bool tcp_begins_there(const struct tcp_direction *direction, uint32_t syn_seq);

#endif
