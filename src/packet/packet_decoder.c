/* The loop that leads a frame through its layers. */
#include "packet_decoder.h"

#include <assert.h>

#include "decoding.h"
#include "fragments.h"
#include "link_layer.h"
#include "plain_ipv4.h"

/* Four tunnels in each other, with tags and labels, take fewer; only crafted packets have more. */
enum { HEADERS_MAX = 32 };

#define LINK_LAYER(name) extern const struct link_layer name;
#include "link_layers.def"
#undef LINK_LAYER

#define LINK_LAYER(name) &name,
static const struct link_layer *const link_layers[] = {
#include "link_layers.def"
};
#undef LINK_LAYER

const struct link_layer *link_layer_for(uint32_t type)
{
    for (size_t i = 0; i < sizeof link_layers / sizeof *link_layers; i++)
        for (uint32_t t = 0; t < link_layers[i]->type_count; t++)
            if (link_layers[i]->types[t] == type)
                return link_layers[i];
    return NULL;
}

static enum layer link_decode(struct decoding *d)
{
    const struct link_layer *link_layer = link_layer_for(d->link_type);
    if (link_layer)
        return link_layer->decode(d);
    notes_add(&d->facts->notes, CAPTURE_LINK_TYPE_NOTE,
              "packet %u at offset %llu is of link type %u, which is not known: packets like it are not analysed",
              d->frame->moment.frame, (unsigned long long)d->frame->file_offset, d->link_type);
    return LAYER_NONE;
}

/* Calls by name, which compilers put in line: a table of functions took 24 instructions a packet more. */
static enum layer decode_layer(struct decoding *d, enum layer layer)
{
    switch (layer) {
    case LAYER_LINK:
        return link_decode(d);
    case LAYER_ETHERNET:
        return ethernet_decode(d);
    case LAYER_VLAN:
        return vlan_decode(d);
    case LAYER_LLC:
        return llc_decode(d);
    case LAYER_MPLS:
        return mpls_decode(d);
    case LAYER_PPPOE:
        return pppoe_decode(d);
    case LAYER_PPP:
        return ppp_decode(d);
    case LAYER_WLAN:
        return wlan_decode(d);
    case LAYER_IP:
        return ip_decode(d);
    case LAYER_GRE:
        return gre_decode(d);
    case LAYER_VXLAN:
        return vxlan_decode(d);
    case LAYER_GENEVE:
        return geneve_decode(d);
    case LAYER_TEREDO:
        return teredo_decode(d);
    case LAYER_GTP:
        return gtp_decode(d);
    case LAYER_ICMP:
        return icmp_decode(d);
    case LAYER_UDP:
        return udp_decode(d);
    case LAYER_TCP:
        return tcp_decode(d);
    case LAYER_NONE:
    case LAYER_COUNT:
        break;
    }
    return LAYER_NONE;
}

void packet_decoder_open(struct packet_decoder *decoder)
{
    *decoder = (struct packet_decoder){0};
}

void packet_decoder_close(struct packet_decoder *decoder)
{
    fragments_close(decoder->fragments);
    *decoder = (struct packet_decoder){0};
}

static void decode_layers(struct decoding *d)
{
    enum layer layer = LAYER_LINK;
    for (int headers = 0; layer != LAYER_NONE && !d->rest.failed; headers++) {
        if (headers == HEADERS_MAX) {
            notes_add(&d->facts->notes, "too many headers", "packet %u: more than %d headers in each other",
                      d->frame->moment.frame, HEADERS_MAX);
            return;
        }
        layer = decode_layer(d, layer);
    }
}

/* Part by part: compilers clear a structure of this size as a whole by an instruction that takes longer than decoding. */
static void clear_packet(struct packet *packet, const struct frame *frame)
{
    packet->kind = PACKET_OTHER;
    packet->source = (struct endpoint){0};
    packet->destination = (struct endpoint){0};
    packet->ends_hash = 0;
    packet->wire_length = frame->wire_length;
    packet->ip_id = 0;
    packet->ttl = 0;
    packet->dont_fragment = false;
    packet->inbound = frame->direction == FRAME_INBOUND;
    packet->outbound = frame->direction == FRAME_OUTBOUND;
    packet->checksum = CHECKSUM_UNCHECKED;
    packet->payload = (struct span){0};
    packet->payload_length = 0;
    packet->maybe_filling = false;
    packet->tcp = (struct tcp_header){0};
    packet->icmp = (struct icmp_error){0};
}

bool packet_decode(struct packet_decoder *decoder, const struct frame *frame, struct capture_facts *facts,
                   struct packet *packet)
{
    clear_packet(packet, frame);
    struct decoding decoding = {
        .decoder = decoder,
        .frame = frame,
        .facts = facts,
        .packet = packet,
        .rest = cursor_over(frame->bytes),
        .cut_bytes = frame->wire_length > frame->bytes.size ? frame->wire_length - (uint32_t)frame->bytes.size : 0,
        .link_type = frame->link_type,
    };
    if (plain_ipv4_decode(&decoding))
        tcp_decode(&decoding);
    else
        decode_layers(&decoding);
    if (decoding.unwanted)
        return false;
    /* Last: a processor that copies it as a whole waits until its parts, which were just written, have reached the cache. */
    packet->moment = frame->moment;
    if (packet->kind == PACKET_TCP)
        facts->tcp_packets++;
    else if (packet->source.address.version == 0)
        facts->undecoded++;
    else if (packet->kind == PACKET_ICMP_ERROR)
        packet->ends_hash = endpoints_hash(&packet->source, &packet->destination);
    return true;
}
