/* MPLS label stacks (RFC 3032): what follows the last label is told by nothing but its first four bits. */
#include "decoding.h"

enum { BOTTOM_OF_STACK = 0x100, LABELS_MAX = 16 };

enum layer mpls_decode(struct decoding *d)
{
    for (int label = 0; label < LABELS_MAX; label++) {
        uint32_t entry = cursor_u32be(&d->rest);
        if (d->rest.failed)
            return LAYER_NONE;
        if (!(entry & BOTTOM_OF_STACK))
            continue;
        struct cursor ahead = d->rest;
        uint8_t version = cursor_u8(&ahead) >> 4;
        if (version == 4 || version == 6)
            return LAYER_IP;
        if (version != 0)
            return LAYER_NONE;
        cursor_skip(&d->rest, 4); /* pseudowire control word (RFC 4385), in front of Ethernet (RFC 4448) */
        return LAYER_ETHERNET;
    }
    return LAYER_NONE;
}
