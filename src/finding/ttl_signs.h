/*
 * What the TTLs of packets tell of who made them.
 *
 * Each router counts the TTL (IPv6: hop limit) down by one. A machine begins with one number for all that it sends - Linux with 64
 * (ip_default_ttl), Windows with 128 (DefaultTTL), many devices with 255 - and its packets come over as many hops as long as the way is the same.
 */
#ifndef TDSCOPE_TTL_SIGNS_H
#define TDSCOPE_TTL_SIGNS_H

#include "conversation.h"
#include "surroundings.h"

/* Routers that the packet passed, if it began with the next of the usual numbers. */
unsigned hops_from_ttl(unsigned ttl);

unsigned initial_ttl(unsigned ttl);

/* The reset came over another number of hops than that side's other packets, or began with another TTL: not
 * that machine's TCP made it. Where their way changes from packet to packet, so may the reset's. */
bool signs_of_foreign_reset(const struct tcp_side *side);

/* A packet with this TTL came over another number of hops than all those. */
bool signs_of_other_way(unsigned ttl, struct ttl_range usual);

/* The reset that refuses the SYN did not come as all that the server's machine says in other connections: over another number of hops, or not
 * from the same initial TTL. */
bool signs_of_foreign_refusal(const struct conversation *conversation, const struct surroundings *surroundings);

#endif
