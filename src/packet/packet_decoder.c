/* The loop that leads a frame through its layers. */
#include "packet_decoder.h"

#include <assert.h>

#include "decoding.h"
#include "fragments.h"
#include "link_layer.h"

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

static enum layer (*const decoders[])(struct decoding *d) = {
    [LAYER_LINK] = link_decode,     [LAYER_ETHERNET] = ethernet_decode, [LAYER_VLAN] = vlan_decode,
    [LAYER_LLC] = llc_decode,       [LAYER_MPLS] = mpls_decode,         [LAYER_PPPOE] = pppoe_decode,
    [LAYER_PPP] = ppp_decode,       [LAYER_WLAN] = wlan_decode,         [LAYER_IP] = ip_decode,
    [LAYER_GRE] = gre_decode,       [LAYER_VXLAN] = vxlan_decode,       [LAYER_GENEVE] = geneve_decode,
    [LAYER_TEREDO] = teredo_decode, [LAYER_GTP] = gtp_decode,           [LAYER_ICMP] = icmp_decode,
    [LAYER_UDP] = udp_decode,       [LAYER_TCP] = tcp_decode,
};
static_assert(sizeof decoders / sizeof *decoders == LAYER_COUNT, "every layer has a decoder");

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
        layer = decoders[layer](d);
    }
}

/* Part by part: compilers clear a structure of this size as a whole by an instruction that takes longer than decoding. */
static void clear_packet(struct packet *packet, const struct frame *frame)
{
    packet->moment = frame->moment;
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

void packet_decode(struct packet_decoder *decoder, const struct frame *frame, struct capture_facts *facts,
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
    decode_layers(&decoding);
    facts->undecoded += packet->source.address.version == 0;
    if (packet->kind == PACKET_TCP || packet->kind == PACKET_ICMP_ERROR)
        packet->ends_hash = endpoints_hash(&packet->source, &packet->destination);
    facts->tcp_packets += packet->kind == PACKET_TCP;
}
