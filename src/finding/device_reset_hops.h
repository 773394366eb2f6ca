/* Resets that came another way than all else that the machine says whose address they bear: what their TTLs tell (ttl_signs.h). */
#ifndef TDSCOPE_DEVICE_RESET_HOPS_H
#define TDSCOPE_DEVICE_RESET_HOPS_H

#include "detector.h"

/* The reset that refuses the client's SYN, held against what the server's machine says in other connections. */
bool device_reset_hops_refusing(const struct conversation *conversation, const struct surroundings *surroundings,
                                struct judgement *judgement);

/* The reset that ends the connection, held against the other packets of that side. It is known who closed first. */
bool device_reset_hops_ending(const struct conversation *conversation, const struct surroundings *surroundings,
                              struct judgement *judgement);

/* It came from so near to that side that the side's own machine may have made it, as the host of a container or virtual machine. usual_ttl: of that
 * side's other packets. */
bool device_reset_hops_at_end(const struct conversation *conversation, const struct surroundings *surroundings,
                              enum side side, unsigned usual_ttl);

/* Where it did: a firewall right before an end is more usual than such a host, but not by much. Where the reset passed no router at all, it was made
 * where it was captured, and who did it stays open. */
void device_reset_hops_doubt_end(const struct conversation *conversation, const struct surroundings *surroundings,
                                 enum side side, unsigned usual_ttl, struct judgement *judgement);

/* Its TTL tells of no other way than that side's own packets take, or some of them: a filter on the side's machine may have made it. */
bool device_reset_hops_of_own(const struct conversation *conversation, const struct surroundings *surroundings,
                              enum side side, unsigned usual_ttl);

#endif
