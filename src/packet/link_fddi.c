/* FDDI (ISO 9314-2): frame control, two addresses, LLC. */
#include "link_layer.h"

enum { FRAME_CONTROL_LLC = 0x50, FRAME_CONTROL_MASK = 0xf0 };

static enum layer fddi_decode(struct decoding *d)
{
    uint8_t frame_control = cursor_u8(&d->rest);
    cursor_skip(&d->rest, 2 * 6);
    return (frame_control & FRAME_CONTROL_MASK) == FRAME_CONTROL_LLC ? LAYER_LLC : LAYER_NONE;
}

const struct link_layer link_fddi = {
    .name = "FDDI",
    .types = {10},
    .type_count = 1,
    .decode = fddi_decode,
};
