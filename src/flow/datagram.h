/* What a protocol is told of a UDP datagram, and of an ICMP error about one. */
#ifndef TDSCOPE_DATAGRAM_H
#define TDSCOPE_DATAGRAM_H

#include "icmp_facts.h"
#include "span.h"

struct datagram {
    struct endpoint source, destination;
    struct span payload; /* as far as captured; valid during the call */
    uint32_t length;     /* on the wire */
    struct moment at;
};

struct datagram_refusal {
    struct endpoint source, destination; /* of the datagram that is complained about */
    struct icmp_facts icmp;              /* count 1 */
};

#endif
