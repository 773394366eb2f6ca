/* TCP (RFC 9293), with the options of RFC 7323 (window scale, timestamps) and RFC 2018 (SACK). */
#include "checksum.h"
#include "decoding.h"

enum { TCP_FIXED_BYTES = 20, TCP_FLAGS_MASK = 0x3f, WINDOW_SCALE_MAX = 14, SACK_BLOCKS_MAX = 4 };

enum {
    OPTION_END = 0,
    OPTION_NOTHING = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMPS = 8
};

static void read_syn_option(uint8_t kind, struct cursor *value, struct tcp_header *tcp)
{
    if (kind == OPTION_MSS && value->left == 2) {
        tcp->mss = cursor_u16be(value);
    } else if (kind == OPTION_WINDOW_SCALE && value->left == 1) {
        uint8_t scale = cursor_u8(value);
        tcp->window_scale = scale < WINDOW_SCALE_MAX ? scale : (uint8_t)WINDOW_SCALE_MAX;
        tcp->has_window_scale = true;
    } else if (kind == OPTION_SACK_PERMITTED && value->left == 0) {
        tcp->sack_permitted = true;
    }
}

static void read_option(uint8_t kind, struct cursor *value, struct tcp_header *tcp)
{
    if (kind == OPTION_TIMESTAMPS && value->left == 8) {
        tcp->timestamp_value = cursor_u32be(value);
        tcp->timestamp_echo = cursor_u32be(value);
        tcp->has_timestamp = true;
    } else if (kind == OPTION_SACK && value->left % 8 == 0) {
        for (tcp->sack_count = 0; tcp->sack_count < SACK_BLOCKS_MAX && value->left > 0; tcp->sack_count++) {
            tcp->sack[tcp->sack_count].left = cursor_u32be(value);
            tcp->sack[tcp->sack_count].right = cursor_u32be(value);
        }
    } else if (tcp->flags & TCP_SYN) {
        read_syn_option(kind, value, tcp);
    }
}

/* False: a length among the options cannot be. */
static bool read_options(struct cursor options, bool cut, struct tcp_header *tcp)
{
    while (options.left > 0) {
        uint8_t kind = cursor_u8(&options);
        if (kind == OPTION_END)
            return true;
        if (kind == OPTION_NOTHING)
            continue;
        uint8_t length = cursor_u8(&options);
        if (options.failed || length < 2)
            return cut && options.failed;
        struct cursor value = cursor_sub(&options, (size_t)length - 2);
        if (value.failed)
            return cut;
        read_option(kind, &value, tcp);
    }
    return true;
}

static void judge_checksum(struct decoding *d, struct span segment)
{
    struct packet *packet = d->packet;
    packet->checksum = checksum_judge_tcp(&packet->source.address, &packet->destination.address, segment);
    d->facts->bad_checksums += packet->checksum == CHECKSUM_BAD;
    d->facts->offload_checksums += packet->checksum == CHECKSUM_OFFLOADED;
}

static enum layer malformed(struct decoding *d, size_t header_bytes)
{
    notes_add(&d->facts->notes, "malformed TCP header", "packet %u: a TCP header of %zu bytes in a segment of %u",
              d->frame->moment.frame, header_bytes, decoding_wire_left(d));
    return LAYER_NONE;
}

/*
 * Some devices count the zeros that fill a frame up to Ethernet's least size among the datagram's bytes. TCP pushes the last bytes of
 * what a program sends: so few, all zero and not pushed, are no data, unless more of the same follows. One alone may be a keep-alive's.
 */
static bool may_be_filling(const struct packet *packet)
{
    enum { SHORTEST_FRAME = 60, FILLING_MAX = 6 };
    bool bare = (packet->tcp.flags & ~(TCP_SYN | TCP_FIN)) == TCP_ACK;
    if (packet->payload_length < 2 || packet->payload_length > FILLING_MAX || packet->wire_length > SHORTEST_FRAME ||
        !bare || packet->payload.size < packet->payload_length)
        return false;
    for (size_t i = 0; i < packet->payload.size; i++)
        if (packet->payload.data[i] != 0)
            return false;
    return true;
}

enum layer tcp_decode(struct decoding *d)
{
    struct packet *packet = d->packet;
    struct tcp_header *tcp = &packet->tcp;
    struct span segment = cursor_rest(&d->rest);
    uint32_t segment_length = decoding_wire_left(d);
    if (segment_length < TCP_FIXED_BYTES)
        return malformed(d, TCP_FIXED_BYTES);
    if (segment.size < TCP_FIXED_BYTES)
        return LAYER_NONE;
    struct cursor fixed = {segment.data, TCP_FIXED_BYTES, false};
    uint16_t source_port = cursor_u16be(&fixed);
    uint16_t destination_port = cursor_u16be(&fixed);
    tcp->seq = cursor_u32be(&fixed);
    tcp->ack = cursor_u32be(&fixed);
    size_t header_bytes = (size_t)(cursor_u8(&fixed) >> 4) * 4;
    tcp->flags = cursor_u8(&fixed) & TCP_FLAGS_MASK;
    tcp->window = cursor_u16be(&fixed);
    if (header_bytes < TCP_FIXED_BYTES || header_bytes > segment_length)
        return malformed(d, header_bytes);
    packet->kind = PACKET_TCP;
    packet->source.port = source_port;
    packet->destination.port = destination_port;
    packet->ends_hash = endpoints_hash(&packet->source, &packet->destination);
    tcp->options_cut = header_bytes > segment.size;
    struct span options = span_part(segment, TCP_FIXED_BYTES, header_bytes - TCP_FIXED_BYTES);
    if (!read_options(cursor_over(options), tcp->options_cut, tcp))
        notes_add(&d->facts->notes, "malformed TCP options", "packet %u: the lengths of the TCP options do not fit",
                  d->frame->moment.frame);
    d->unwanted = d->decoder->choice && !d->decoder->choice(d->decoder->choice_context, packet);
    if (d->unwanted)
        return LAYER_NONE;
    packet->payload = span_from(segment, header_bytes);
    packet->payload_length = segment_length - (uint32_t)header_bytes;
    packet->maybe_filling = may_be_filling(packet);
    if (d->cut_bytes == 0 && !d->checksum_unknown && !d->decoder->leaves_checksums)
        judge_checksum(d, segment);
    return LAYER_NONE;
}
