/* Conversations that one file holds as two points of the way captured them: somebody merged the captures of both ends. */
#ifndef TDSCOPE_TCP_PLACES_H
#define TDSCOPE_TCP_PLACES_H

#include "flow.h"

/*
 * Theory of operation. Routers count the TTL down (RFC 791, 3.1; RFC 8200, 3) and leave the rest of a packet alone: the same one with another TTL was
 * captured at another place. Nobody sees both places together: what one end sent stands beside what the other end got, at times of two
 * clocks, and what one place lacks may be in the other. So one of the two is followed, as if the file were its own, and all packets of the
 * other place count as copies. Where the clocks agree, packets come first from both by turns. But of two places one is nearer to either side: at
 * the one that is followed one side's packets have the greater of their two TTLs, and the other side's the lesser.
 * A router whose two ports were captured together is one place.
 */

/* One of the two passed no router, and the other did: what a machine sends, and repeats, its own capture has with the full TTL. */
bool tcp_is_before_and_after_router(unsigned ttl, unsigned other_ttl);

/* A packet that was captured with that TTL is there with this one, too, by so much later or sooner. */
void tcp_learn_places(struct flow *flow, unsigned origin, unsigned ttl, int64_t apart_ns, const struct packet *packet);

/* Whether packets are known to be there as two places captured them: then what counts as a copy may bear another clock's time. */
bool tcp_is_merged(const struct flow *flow);

/* Whether the packet is from the place that is not followed. news: it brings data that none before it brought. To be asked before anything of it is
 * noted. */
bool tcp_is_from_other_place(struct flow *flow, unsigned origin, const struct packet *packet, bool news);

#endif
