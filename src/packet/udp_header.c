/* UDP (RFC 768; RFC 2675 for a length of zero), and the tunnels in it that are known by their port. */
#include "decoding.h"

enum { UDP_HEADER_BYTES = 8 };

enum { PORT_GTP = 2152, PORT_TEREDO = 3544, PORT_VXLAN = 4789, PORT_GENEVE = 6081, PORT_MPLS = 6635 };

/* The ports below are unprivileged: a client of a well-known service (DNS, Kerberos) may happen to use one of them. */
enum { PORT_UNPRIVILEGED_FIRST = 1024 };

static enum layer tunnel_of_port(uint16_t port)
{
    switch (port) {
    case PORT_VXLAN:
        return LAYER_VXLAN;
    case PORT_GENEVE:
        return LAYER_GENEVE;
    case PORT_GTP:
        return LAYER_GTP;
    case PORT_MPLS:
        return LAYER_MPLS;
    case PORT_TEREDO:
        return LAYER_TEREDO;
    default:
        return LAYER_NONE;
    }
}

static enum layer tunnel_between(uint16_t source_port, uint16_t destination_port)
{
    if (source_port < PORT_UNPRIVILEGED_FIRST || destination_port < PORT_UNPRIVILEGED_FIRST)
        return LAYER_NONE;
    enum layer tunnel = tunnel_of_port(destination_port);
    return tunnel != LAYER_NONE ? tunnel : tunnel_of_port(source_port);
}

enum layer udp_decode(struct decoding *d)
{
    struct packet *packet = d->packet;
    uint16_t source_port = cursor_u16be(&d->rest);
    uint16_t destination_port = cursor_u16be(&d->rest);
    uint16_t length = cursor_u16be(&d->rest);
    if (!cursor_skip(&d->rest, 2))
        return LAYER_NONE;
    if (length != 0 && (length < UDP_HEADER_BYTES || !decoding_limit(d, (uint32_t)length - UDP_HEADER_BYTES)))
        notes_add(&d->facts->notes, "malformed UDP header", "packet %u: a UDP length of %u where %u bytes follow it",
                  d->frame->moment.frame, length, decoding_wire_left(d));
    packet->kind = PACKET_UDP;
    packet->source.port = source_port;
    packet->destination.port = destination_port;
    packet->payload = cursor_rest(&d->rest);
    packet->payload_length = decoding_wire_left(d);
    return tunnel_between(source_port, destination_port);
}
