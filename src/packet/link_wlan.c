/* 802.11 data frames that are not encrypted (IEEE 802.11-2020, 9.3.2); the first frame of an A-MSDU. */
#include "link_layer.h"

enum { FRAME_TYPE_MASK = 0x0c, FRAME_TYPE_DATA = 0x08, SUBTYPE_QOS = 0x80, SUBTYPE_NO_DATA = 0x40 };

enum { FLAG_TO_DS = 0x01, FLAG_FROM_DS = 0x02, FLAG_MORE_FRAGMENTS = 0x04, FLAG_PROTECTED = 0x40, FLAG_ORDER = 0x80 };

enum { QOS_AGGREGATED = 0x80, FRAGMENT_NUMBER_MASK = 0x0f };

enum layer wlan_decode(struct decoding *d)
{
    struct cursor *c = &d->rest;
    uint8_t frame_control = cursor_u8(c);
    uint8_t flags = cursor_u8(c);
    if ((frame_control & FRAME_TYPE_MASK) != FRAME_TYPE_DATA || (frame_control & SUBTYPE_NO_DATA))
        return LAYER_NONE;
    size_t header_bytes = 24;
    cursor_skip(c, 2 + 3 * 6); /* duration, three addresses */
    uint16_t sequence_control = cursor_u16le(c);
    bool fragment = (flags & FLAG_MORE_FRAGMENTS) || (sequence_control & FRAGMENT_NUMBER_MASK);
    if (fragment || (flags & FLAG_PROTECTED))
        return LAYER_NONE;
    if ((flags & FLAG_TO_DS) && (flags & FLAG_FROM_DS)) {
        cursor_skip(c, 6);
        header_bytes += 6;
    }
    bool aggregated = false;
    if (frame_control & SUBTYPE_QOS) {
        size_t high_throughput = flags & FLAG_ORDER ? 4 : 0;
        aggregated = cursor_u16le(c) & QOS_AGGREGATED;
        cursor_skip(c, high_throughput);
        header_bytes += 2 + high_throughput;
    }
    if (d->padded_wlan)
        cursor_skip(c, (4 - header_bytes % 4) % 4);
    if (aggregated) {
        cursor_skip(c, 2 * 6);
        decoding_limit(d, cursor_u16be(c));
    }
    return LAYER_LLC;
}

const struct link_layer link_wlan = {
    .name = "802.11",
    .types = {105},
    .type_count = 1,
    .decode = wlan_decode,
};
