/* Ethernet, IPv4, TCP: reading them layer by layer takes three times as many steps. */
#include "plain_ipv4.h"

#include <string.h>

#include "ip.h"

enum { TCP_BYTES = 20, TIMESTAMPS_BYTES = 12 };
enum { LINK_ETHERNET = 1, ETHERNET_BYTES = 14, IPV4_BYTES = 20, ETHERTYPE_IPV4 = 0x0800 };
enum { VERSION_4_WITHOUT_OPTIONS = 0x45, FLAG_DONT_FRAGMENT = 0x40, FRAGMENT_BITS = 0x3fff };

static inline uint16_t u16_at(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static bool is_plain(const uint8_t *ethernet, const uint8_t *ip)
{
    return u16_at(ethernet + 12) == ETHERTYPE_IPV4 && ip[0] == VERSION_4_WITHOUT_OPTIONS && ip[9] == IP_PROTOCOL_TCP &&
           (u16_at(ip + 6) & FRAGMENT_BITS) == 0;
}

/* The IPv4 header; NULL: it is none, or not plain. on_wire: of the frame, its captured bytes or more. */
static const uint8_t *plain_header(uint32_t link_type, const uint8_t *ethernet, size_t captured, size_t on_wire)
{
    if (link_type != LINK_ETHERNET || captured < ETHERNET_BYTES + IPV4_BYTES)
        return NULL;
    const uint8_t *ip = ethernet + ETHERNET_BYTES;
    uint32_t length = u16_at(ip + 2);
    return is_plain(ethernet, ip) && length >= IPV4_BYTES && length <= on_wire - ETHERNET_BYTES ? ip : NULL;
}

bool plain_ipv4_decode(struct decoding *d)
{
    const uint8_t *ip = plain_header(d->link_type, d->rest.at, d->rest.left, d->rest.left + d->cut_bytes);
    if (!ip)
        return false;
    uint32_t length = u16_at(ip + 2);
    d->rest = (struct cursor){ip + IPV4_BYTES, d->rest.left - ETHERNET_BYTES - IPV4_BYTES, false};
    decoding_limit(d, length - IPV4_BYTES);
    struct packet *packet = d->packet;
    packet->ip_id = u16_at(ip + 4);
    packet->dont_fragment = ip[6] & FLAG_DONT_FRAGMENT;
    packet->ttl = ip[8];
    address_set(&packet->source.address, 4, ip + 12);
    address_set(&packet->destination.address, 4, ip + 16);
    return true;
}

static bool has_usual_options(const uint8_t *tcp, size_t header_bytes, size_t captured)
{
    static const uint8_t timestamps[] = {1, 1, 8, 10};
    return header_bytes == TCP_BYTES || (header_bytes == TCP_BYTES + TIMESTAMPS_BYTES && captured >= header_bytes &&
                                         memcmp(tcp + TCP_BYTES, timestamps, sizeof timestamps) == 0);
}

bool plain_ipv4_ends(const struct frame *frame, struct plain_ends *ends)
{
    const uint8_t *ip = plain_header(frame->link_type, frame->bytes.data, frame->bytes.size, frame->wire_length);
    if (!ip)
        return false;
    const uint8_t *tcp = ip + IPV4_BYTES;
    size_t captured = frame->bytes.size - ETHERNET_BYTES - IPV4_BYTES, length = u16_at(ip + 2) - (size_t)IPV4_BYTES;
    if (captured < TCP_BYTES || length < TCP_BYTES)
        return false;
    size_t header_bytes = (size_t)(tcp[12] >> 4) * 4;
    if (header_bytes > length || !has_usual_options(tcp, header_bytes, captured))
        return false;
    uint32_t source, destination;
    memcpy(&source, ip + 12, sizeof source);
    memcpy(&destination, ip + 16, sizeof destination);
    ends->source_port = u16_at(tcp);
    ends->destination_port = u16_at(tcp + 2);
    ends->hash = ends_hash(endpoint_hash_of_four(ends->source_port, source),
                           endpoint_hash_of_four(ends->destination_port, destination));
    return true;
}
