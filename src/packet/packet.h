/*
 * One packet decoded down to its TCP, UDP or ICMP header. Nothing is allocated: spans point into the frame's bytes, or
 * into the fragment reassembly buffer, and are valid until the next packet.
 *
 * Lengths come in pairs: what was captured (a span) and what was on the wire (a number). What the capture cut off is
 * "not captured", never "malformed".
 */
#ifndef TDSCOPE_PACKET_H
#define TDSCOPE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "moment.h"
#include "span.h"

enum packet_kind {
    PACKET_OTHER,    /* no IP, or an IP protocol that is not followed, or an inner header that was not captured */
    PACKET_FRAGMENT, /* part of a datagram that is not complete yet (or never will be): no ports to be read */
    PACKET_TCP,
    PACKET_UDP,
    PACKET_ICMP_ERROR /* quotes a packet: source, destination and ports below are those of the *quoted* packet */
};

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

enum checksum_state {
    CHECKSUM_UNCHECKED, /* not all bytes captured, or a fragment */
    CHECKSUM_GOOD,
    CHECKSUM_OFFLOADED, /* holds only the pseudo header's sum (or zero): the sending machine's card fills it in later */
    CHECKSUM_BAD
};

struct sack_block {
    uint32_t left, right;
};

struct tcp_header {
    uint32_t seq, ack;
    uint16_t window;      /* as sent, unscaled */
    uint8_t flags;        /* enum tcp_flag */
    uint8_t window_scale; /* option 3 of a SYN, at most 14 (RFC 7323, 2.3); valid with has_window_scale */
    uint16_t mss;         /* option 2 of a SYN; 0: absent */
    bool has_window_scale;
    bool sack_permitted;
    bool has_timestamp;
    bool options_cut; /* not all options were captured: what is absent above may have been sent */
    uint8_t sack_count;
    struct sack_block sack[4];
    uint32_t timestamp_value, timestamp_echo;
};

struct icmp_error {
    uint8_t version; /* 4 or 6: which numbers type and code are from */
    uint8_t type, code;
    uint8_t protocol;        /* of the quoted packet: 6 TCP, 17 UDP */
    bool has_seq;            /* the quote holds tcp.seq */
    uint16_t next_hop_mtu;   /* of "fragmentation needed" (RFC 1191) and "packet too big" (RFC 4443); else 0 */
    struct address reporter; /* who sent the ICMP packet */
};

struct packet {
    struct moment moment;
    enum packet_kind kind;
    struct endpoint source, destination;
    uint32_t ends_hash;   /* of both, the same in both directions; of TCP and ICMP errors, else 0 */
    uint32_t wire_length; /* of the whole frame */
    uint16_t ip_id;       /* IPv4 identification; 0 with IPv6 */
    uint8_t ttl;          /* or hop limit */
    bool dont_fragment;
    bool inbound, outbound;       /* direction told by the capture; both false: not told */
    enum checksum_state checksum; /* of TCP */
    struct span payload;          /* of TCP or UDP, as far as captured */
    uint32_t payload_length;      /* on the wire; payload.size may be less */
    bool maybe_filling;     /* a few zeros that may only fill the frame, though the lengths count them as payload */
    struct tcp_header tcp;  /* kind PACKET_TCP; for ICMP errors only seq, when the quote holds it */
    struct icmp_error icmp; /* kind PACKET_ICMP_ERROR */
};

#endif
