/* ICMP errors (RFC 792, RFC 1191, RFC 4443), which quote the packet that they complain about. */
#include "decoding.h"
#include "ip.h"

enum { QUOTED_TUNNELS_MAX = 4 };

enum { V4_UNREACHABLE = 3, V4_SOURCE_QUENCH = 4, V4_TIME_EXCEEDED = 11, V4_PARAMETER_PROBLEM = 12 };

enum { V4_CODE_FRAGMENTATION_NEEDED = 4 };

enum { V6_UNREACHABLE = 1, V6_PACKET_TOO_BIG = 2, V6_TIME_EXCEEDED = 3, V6_PARAMETER_PROBLEM = 4 };

static bool is_error(uint8_t version, uint8_t type)
{
    if (version == 6)
        return type >= V6_UNREACHABLE && type <= V6_PARAMETER_PROBLEM;
    return type == V4_UNREACHABLE || type == V4_SOURCE_QUENCH || type == V4_TIME_EXCEEDED ||
           type == V4_PARAMETER_PROBLEM;
}

static uint16_t next_hop_mtu(uint8_t version, uint8_t type, uint8_t code, uint32_t rest_of_header)
{
    if (version == 4 && type == V4_UNREACHABLE && code == V4_CODE_FRAGMENTATION_NEEDED)
        return (uint16_t)rest_of_header;
    if (version == 6 && type == V6_PACKET_TOO_BIG)
        return rest_of_header < UINT16_MAX ? (uint16_t)rest_of_header : (uint16_t)UINT16_MAX;
    return 0;
}

/* Reads the quoted headers down to the innermost IP header. False: not captured, not quoted that far, or a fragment. */
static bool read_quoted_ip(struct cursor *c, struct ip_header *header)
{
    for (int tunnels = 0; tunnels <= QUOTED_TUNNELS_MAX; tunnels++) {
        if (ip_read_header(c, header) != IP_READ)
            return false;
        ip_read_extensions(c, header);
        if (c->failed || header->fragment_offset != 0)
            return false;
        if (header->protocol != IP_PROTOCOL_IPV4 && header->protocol != IP_PROTOCOL_IPV6)
            return true;
    }
    return false;
}

static bool adopt_quoted(struct cursor c, struct packet *packet)
{
    struct ip_header header;
    if (!read_quoted_ip(&c, &header))
        return false;
    bool tcp = header.protocol == IP_PROTOCOL_TCP;
    uint16_t source_port = cursor_u16be(&c);
    uint16_t destination_port = cursor_u16be(&c);
    if (c.failed || !(tcp || header.protocol == IP_PROTOCOL_UDP))
        return false;
    address_set(&packet->source.address, header.version, header.source);
    address_set(&packet->destination.address, header.version, header.destination);
    packet->source.port = source_port;
    packet->destination.port = destination_port;
    packet->icmp.protocol = header.protocol;
    if (tcp) {
        packet->tcp.seq = cursor_u32be(&c);
        packet->icmp.has_seq = !c.failed;
    }
    return true;
}

enum layer icmp_decode(struct decoding *d)
{
    struct packet *packet = d->packet;
    uint8_t version = packet->source.address.version;
    uint8_t type = cursor_u8(&d->rest);
    uint8_t code = cursor_u8(&d->rest);
    cursor_skip(&d->rest, 2);
    uint32_t rest_of_header = cursor_u32be(&d->rest);
    struct address reporter = packet->source.address;
    if (d->rest.failed || !is_error(version, type) || !adopt_quoted(d->rest, packet))
        return LAYER_NONE;
    packet->kind = PACKET_ICMP_ERROR;
    packet->icmp.version = version;
    packet->icmp.type = type;
    packet->icmp.code = code;
    packet->icmp.next_hop_mtu = next_hop_mtu(version, type, code, rest_of_header);
    packet->icmp.reporter = reporter;
    return LAYER_NONE;
}
