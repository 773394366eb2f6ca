/* GTP-U, version 1 (3GPP TS 29.281): IP of mobile devices in UDP. */
#include "decoding.h"

enum { GTP_VERSION_1 = 0x30, GTP_VERSION_MASK = 0xf0, GTP_EXTENSION = 0x04, GTP_ANY_OPTION = 0x07, GTP_PACKET = 255 };

enum { EXTENSIONS_MAX = 8 };

enum layer gtp_decode(struct decoding *d)
{
    struct cursor *c = &d->rest;
    uint8_t flags = cursor_u8(c);
    uint8_t message = cursor_u8(c);
    uint16_t length = cursor_u16be(c);
    cursor_skip(c, 4); /* tunnel endpoint */
    if (c->failed || (flags & GTP_VERSION_MASK) != GTP_VERSION_1 || message != GTP_PACKET || !decoding_limit(d, length))
        return LAYER_NONE;
    uint8_t extension = 0;
    if (flags & GTP_ANY_OPTION) {
        cursor_skip(c, 3); /* sequence, N-PDU number */
        extension = cursor_u8(c);
    }
    for (int i = 0; (flags & GTP_EXTENSION) && extension != 0; i++) {
        size_t words = cursor_u8(c);
        if (words == 0 || i == EXTENSIONS_MAX || !cursor_skip(c, words * 4 - 2))
            return LAYER_NONE;
        extension = cursor_u8(c);
    }
    return LAYER_IP;
}
