/* IP as a layer: lengths, fragments, and what follows. */
#include "ip.h"

#include "decoding.h"
#include "fragments.h"

/* The largest segment that offload may leave to the network card (GSO_MAX_SIZE of Linux; Windows allows less): where
 * the IP header does not tell the length, a larger frame length is damage. */
enum { OFFLOAD_BYTES_MAX = 524280 };

static enum layer layer_of_protocol(uint8_t version, uint8_t protocol)
{
    switch (protocol) {
    case IP_PROTOCOL_TCP:
        return LAYER_TCP;
    case IP_PROTOCOL_UDP:
        return LAYER_UDP;
    case IP_PROTOCOL_ICMP:
        return version == 4 ? LAYER_ICMP : LAYER_NONE;
    case IP_PROTOCOL_ICMPV6:
        return version == 6 ? LAYER_ICMP : LAYER_NONE;
    case IP_PROTOCOL_IPV4:
    case IP_PROTOCOL_IPV6:
        return LAYER_IP;
    case IP_PROTOCOL_GRE:
        return LAYER_GRE;
    case IP_PROTOCOL_MPLS:
        return LAYER_MPLS;
    default:
        return LAYER_NONE;
    }
}

/* The IP header is believed even when it tells more than there was on the wire: then a tool has cut the packet, and not
 * kept its length. Only a jumbo payload, which can tell any number, is not. */
static void limit_to_datagram(struct decoding *d, const struct ip_header *header)
{
    if (header->length_unknown) {
        if (d->cut_bytes > OFFLOAD_BYTES_MAX)
            d->cut_bytes = d->rest.left < OFFLOAD_BYTES_MAX ? (uint32_t)(OFFLOAD_BYTES_MAX - d->rest.left) : 0;
        return;
    }
    if (decoding_limit(d, header->length))
        return;
    notes_add(&d->facts->notes, "IP length beyond frame", "packet %u: the IP header tells %u bytes, the frame had %u",
              d->frame->moment.frame, header->length, decoding_wire_left(d));
    if (header->length <= UINT16_MAX)
        d->cut_bytes = header->length - (uint32_t)d->rest.left;
}

/* Addresses and what else the header tells; the packet is about this header now, not about those around it. */
static void adopt_header(struct decoding *d, const struct ip_header *header)
{
    struct packet *packet = d->packet;
    packet->kind = PACKET_OTHER;
    address_set(&packet->source.address, header->version, header->source);
    address_set(&packet->destination.address, header->version, header->destination);
    packet->source.port = packet->destination.port = 0;
    packet->ip_id = header->id;
    packet->ttl = header->ttl;
    packet->dont_fragment = header->dont_fragment;
    packet->payload = (struct span){0};
    packet->payload_length = 0;
    d->checksum_unknown = header->via_routers;
}

/* False: the datagram is not complete yet. */
static bool reassemble(struct decoding *d, struct ip_header *header)
{
    if (!d->decoder->fragments)
        d->decoder->fragments = fragments_open();
    const struct fragment fragment = {
        .key = {d->packet->source.address, d->packet->destination.address, header->fragment_id,
                header->version == 4 ? header->protocol : (uint8_t)0},
        .moment = d->frame->moment,
        .offset = header->fragment_offset,
        .more = header->more_fragments,
        .protocol = header->protocol,
        .wire_length = decoding_wire_left(d),
        .captured = cursor_rest(&d->rest),
    };
    struct datagram whole;
    if (!fragments_add(d->decoder->fragments, &fragment, &d->facts->notes, &whole))
        return false;
    d->rest = cursor_over(whole.captured);
    d->cut_bytes = whole.wire_length - (uint32_t)whole.captured.size;
    d->checksum_unknown = true;
    header->protocol = whole.protocol;
    header->fragment = false;
    return true;
}

enum layer ip_decode(struct decoding *d)
{
    struct ip_header header;
    enum ip_reading reading = ip_read_header(&d->rest, &header);
    if (reading == IP_MALFORMED)
        notes_add(&d->facts->notes, "malformed IP header", "packet %u: the IP header is malformed",
                  d->frame->moment.frame);
    if (reading != IP_READ)
        return LAYER_NONE;
    limit_to_datagram(d, &header);
    adopt_header(d, &header);
    ip_read_extensions(&d->rest, &header);
    if (header.fragment && !d->rest.failed && reassemble(d, &header))
        ip_read_extensions(&d->rest, &header);
    if (d->rest.failed)
        return LAYER_NONE;
    if (header.fragment) {
        d->packet->kind = PACKET_FRAGMENT;
        return LAYER_NONE;
    }
    d->checksum_unknown |= header.via_routers;
    return layer_of_protocol(header.version, header.protocol);
}
