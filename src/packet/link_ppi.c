/* Per-Packet Information in front of another link layer (CACE PPI specification 1.0.10). */
#include "link_layer.h"

enum { PPI = 192, FIXED_BYTES = 8 };

static enum layer ppi_decode(struct decoding *d)
{
    struct cursor *c = &d->rest;
    cursor_skip(c, 2); /* version, flags */
    uint16_t length = cursor_u16le(c);
    d->link_type = cursor_u32le(c);
    if (length < FIXED_BYTES || d->link_type == PPI || !cursor_skip(c, (size_t)(length - FIXED_BYTES)))
        return LAYER_NONE;
    return LAYER_LINK;
}

const struct link_layer link_ppi = {
    .name = "PPI",
    .types = {PPI},
    .type_count = 1,
    .decode = ppi_decode,
};
