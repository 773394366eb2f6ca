/* 802.11 behind a radiotap header (radiotap.org): only its length and the flag for padded 802.11 headers matter here. */
#include "link_layer.h"

#define PRESENT_TSFT 0x00000001u
#define PRESENT_FLAGS 0x00000002u
#define PRESENT_MORE 0x80000000u

enum { FLAG_DATA_PADDED = 0x20, FIXED_BYTES = 8 };

static bool data_is_padded(struct cursor header)
{
    size_t whole = header.left;
    cursor_skip(&header, 4);
    uint32_t first_present = cursor_u32le(&header);
    for (uint32_t present = first_present; present & PRESENT_MORE;)
        present = cursor_u32le(&header);
    if (!(first_present & PRESENT_FLAGS))
        return false;
    if (first_present & PRESENT_TSFT) {
        size_t offset = whole - header.left;
        cursor_skip(&header, (8 - offset % 8) % 8 + 8);
    }
    return cursor_u8(&header) & FLAG_DATA_PADDED;
}

static enum layer radiotap_decode(struct decoding *d)
{
    struct cursor ahead = d->rest;
    cursor_skip(&ahead, 2); /* version, padding */
    uint16_t length = cursor_u16le(&ahead);
    if (length < FIXED_BYTES)
        return LAYER_NONE;
    struct cursor header = cursor_sub(&d->rest, length);
    d->padded_wlan = data_is_padded(header);
    return LAYER_WLAN;
}

const struct link_layer link_radiotap = {
    .name = "802.11 with radiotap",
    .types = {127},
    .type_count = 1,
    .decode = radiotap_decode,
};
