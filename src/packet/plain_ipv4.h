/* The headers that most packets have, read in one step. */
#ifndef TDSCOPE_PLAIN_IPV4_H
#define TDSCOPE_PLAIN_IPV4_H

#include "decoding.h"

/* Reads Ethernet and IPv4 (RFC 791) when there is nothing but these before TCP: no tag, no option, no fragment, and as many bytes on the
 * wire as the header tells. False, and nothing is changed: the layers have to read it. They come to the same, only later. */
bool plain_ipv4_decode(struct decoding *decoding);

/* What tells whose a TCP packet is. */
struct plain_ends {
    uint16_t source_port, destination_port;
    uint32_t hash; /* endpoints_hash() */
};

/* A glance at such a packet, when nothing can be odd with its TCP header (RFC 9293) either: it has no options, or the timestamps that most
 * have (RFC 7323, appendix A). False: it has to be decoded to know. */
bool plain_ipv4_ends(const struct frame *frame, struct plain_ends *ends);

#endif
