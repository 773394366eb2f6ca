/* IPv4 (RFC 791) and IPv6 (RFC 8200) headers. */
#ifndef TDSCOPE_IP_H
#define TDSCOPE_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "cursor.h"

enum {
    IP_PROTOCOL_ICMP = 1,
    IP_PROTOCOL_IPV4 = 4,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
    IP_PROTOCOL_IPV6 = 41,
    IP_PROTOCOL_GRE = 47,
    IP_PROTOCOL_ICMPV6 = 58,
    IP_PROTOCOL_NONE = 59, /* "no next header": also told when the rest of the headers was not captured */
    IP_PROTOCOL_MPLS = 137
};

struct ip_header {
    uint8_t version;
    const uint8_t *source, *destination; /* where in the packet the addresses stand */
    uint8_t protocol;                    /* after ip_read_extensions(): of what follows the last extension header */
    uint8_t ttl;
    uint16_t id; /* IPv4 only */
    bool dont_fragment;
    bool fragment; /* a part of a datagram, first or not */
    bool more_fragments;
    bool via_routers;    /* a routing header is not used up: destination is not the last one */
    bool length_unknown; /* filled in by the network card later (segmentation offload): all that the frame holds */
    uint32_t length;     /* of everything behind the fixed header and the options of IPv4, as sent */
    uint32_t fragment_id;
    uint32_t fragment_offset; /* bytes */
};

enum ip_reading {
    IP_READ,
    IP_CUT,      /* the capture ends inside the header */
    IP_MALFORMED /* neither version 4 nor 6, or a length in it that cannot be */
};

/* Reads the IPv4 header with its options, or the fixed header of IPv6. *header is filled only for IP_READ. */
enum ip_reading ip_read_header(struct cursor *c, struct ip_header *header);

/* Reads the extension headers of IPv6, and AH of both, up to the header that is none, or to the data of a fragment. */
void ip_read_extensions(struct cursor *c, struct ip_header *header);

#endif
