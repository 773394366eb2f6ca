/*
 * One packet on its way through the layers.
 *
 * Theory of operation: each header has one decoder, which reads its header off the front of `rest`, writes what it learnt
 * into `packet`, and returns the layer that follows. The loop in packet_decoder.c calls that one next, so nesting takes
 * no stack and its bound stands in one place. `rest` ends where the innermost length field or the capture ends, whichever
 * comes first, and `cut_bytes` more were on the wire behind that end: rest.left + cut_bytes is the wire length of what
 * follows, however many headers have been read.
 */
#ifndef TDSCOPE_DECODING_H
#define TDSCOPE_DECODING_H

#include <stdbool.h>
#include <stdint.h>

#include "capture_facts.h"
#include "cursor.h"
#include "frame.h"
#include "packet.h"
#include "packet_decoder.h"

enum layer {
    LAYER_NONE, /* nothing that is followed, or not captured: the packet stays as it is */
    LAYER_LINK, /* that of decoding->link_type */
    LAYER_ETHERNET,
    LAYER_VLAN,
    LAYER_LLC,
    LAYER_MPLS,
    LAYER_PPPOE,
    LAYER_PPP,
    LAYER_WLAN,
    LAYER_IP,
    LAYER_GRE,
    LAYER_VXLAN,
    LAYER_GENEVE,
    LAYER_TEREDO,
    LAYER_GTP,
    LAYER_ICMP,
    LAYER_UDP,
    LAYER_TCP,
    LAYER_COUNT
};

struct decoding {
    struct packet_decoder *decoder;
    const struct frame *frame;
    struct capture_facts *facts;
    struct packet *packet;
    struct cursor rest;
    uint32_t cut_bytes;
    uint32_t link_type;    /* of the frame, or named by a header that encloses another link layer */
    bool checksum_unknown; /* the innermost IP header does not tell what TCP's checksum was made over, or not simply */
    bool unwanted;         /* the decoder's choice */
    bool padded_wlan;      /* radiotap: the 802.11 header is filled up to a multiple of four bytes */
};

static inline uint32_t decoding_wire_left(const struct decoding *d)
{
    return (uint32_t)d->rest.left + d->cut_bytes;
}

/* Ends the rest after length bytes, as a length field tells: what follows is padding, a trailer or a checksum. False, and
 * nothing changed, when there were not so many on the wire. */
static inline bool decoding_limit(struct decoding *d, uint32_t length)
{
    if (length <= d->rest.left) {
        d->rest.left = length;
        d->cut_bytes = 0;
        return true;
    }
    uint32_t beyond = length - (uint32_t)d->rest.left;
    if (beyond > d->cut_bytes)
        return false;
    d->cut_bytes = beyond;
    return true;
}

/* What an EtherType announces, of those that are followed. */
enum layer layer_of_ethertype(uint16_t ethertype);

/* The same for the field of an Ethernet or VLAN header that is either: a length ends the rest, and LLC follows. */
enum layer layer_of_type_or_length(struct decoding *d, uint16_t type_or_length);

/* The decoders of the layers, each in the file of its name. */
enum layer ethernet_decode(struct decoding *d);
enum layer vlan_decode(struct decoding *d);
enum layer llc_decode(struct decoding *d);
enum layer mpls_decode(struct decoding *d);
enum layer pppoe_decode(struct decoding *d);
enum layer ppp_decode(struct decoding *d);
enum layer wlan_decode(struct decoding *d);
enum layer ip_decode(struct decoding *d);
enum layer gre_decode(struct decoding *d);
enum layer vxlan_decode(struct decoding *d);
enum layer geneve_decode(struct decoding *d);
enum layer teredo_decode(struct decoding *d);
enum layer gtp_decode(struct decoding *d);
enum layer icmp_decode(struct decoding *d);
enum layer udp_decode(struct decoding *d);
enum layer tcp_decode(struct decoding *d);

#endif
