/* What the TTLs of packets (ttl_hops.h) tell of who made them. */
#ifndef TDSCOPE_TTL_SIGNS_H
#define TDSCOPE_TTL_SIGNS_H

#include "conversation.h"
#include "surroundings.h"
#include "ttl_hops.h"

/* The reset came over another number of hops than that side's other packets, or began with another TTL: not
 * that machine's TCP made it. Where their way changes from packet to packet, so may the reset's. */
bool signs_of_foreign_reset(const struct tcp_side *side);

/* A packet with this TTL came over another number of hops than all those. */
bool signs_of_other_way(unsigned ttl, struct ttl_range usual);

/*
 * It began as that side's other packets do, and passed one router less: the last one before that side made it, or that side's own machine.
 * What a container or a virtual machine behind address translation sends passes its host, which counts the TTL down as a router; what the
 * translation does not know any more, or refuses, the host's own TCP resets in the same name (RFC 9293, 3.10.7.1).
 */
bool signs_of_last_hop(unsigned reset_ttl, unsigned usual_ttl);

/* The reset that refuses the SYN did not come as all that the server's machine says in other connections: over another number of hops, or not
 * from the same initial TTL. */
bool signs_of_foreign_refusal(const struct conversation *conversation, const struct surroundings *surroundings);

#endif
