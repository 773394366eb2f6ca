/* Ethernet, IPv4, TCP: reading them layer by layer takes three times as many steps. */
#include "plain_ipv4.h"

#include "ip.h"

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

bool plain_ipv4_decode(struct decoding *d)
{
    const uint8_t *ethernet = d->rest.at;
    if (d->link_type != LINK_ETHERNET || d->rest.left < ETHERNET_BYTES + IPV4_BYTES)
        return false;
    const uint8_t *ip = ethernet + ETHERNET_BYTES;
    uint32_t length = u16_at(ip + 2);
    struct cursor rest = {ip + IPV4_BYTES, d->rest.left - ETHERNET_BYTES - IPV4_BYTES, false};
    if (!is_plain(ethernet, ip) || length < IPV4_BYTES || length - IPV4_BYTES > rest.left + d->cut_bytes)
        return false;
    d->rest = rest;
    decoding_limit(d, length - IPV4_BYTES);
    struct packet *packet = d->packet;
    packet->ip_id = u16_at(ip + 4);
    packet->dont_fragment = ip[6] & FLAG_DONT_FRAGMENT;
    packet->ttl = ip[8];
    address_set(&packet->source.address, 4, ip + 12);
    address_set(&packet->destination.address, 4, ip + 16);
    return true;
}
