/* Packets that a capture recorded twice: two layers of one stack, two ports of one switch, before and after a driver cut them up. */
#ifndef TDSCOPE_TCP_COPIES_H
#define TDSCOPE_TCP_COPIES_H

#include "flow.h"

/* Windows and Linux count the IP IDs of a connection upwards (RFC 6864 does not ask for it): a segment sent before the one that
 * overtook it has a slightly smaller ID, one sent again has a greater one. Farther apart, the ID tells nothing. */
enum { IP_ID_NEAR = 1024 };

/* Whether the IP IDs tell which of the two left first. */
static inline bool tcp_ip_ids_are_near(uint16_t a, uint16_t b)
{
    return a != 0 && b != 0 && (uint16_t)(a - b + IP_ID_NEAR - 1) < 2 * IP_ID_NEAR - 1;
}

static inline bool tcp_is_pure_ack(const struct packet *p)
{
    return p->payload_length == 0 && !(p->tcp.flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

/* Whether the packet is a copy of one before. Remembers it when it is none: to be asked once for each packet, before anything of it is noted. */
bool tcp_is_copy(struct flow *flow, unsigned origin, const struct packet *packet);

/* Whether these bytes, which are older than others, are not in the capture. */
bool tcp_never_captured(const struct tcp_direction *direction, uint32_t seq, uint32_t end);

/* Forgets packets so old that another like them would be no copy made by the capture. */
void tcp_forget_recent(struct flow *flow, int64_t now_ns);

#endif
