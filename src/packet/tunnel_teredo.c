/* Teredo (RFC 4380): IPv6 in UDP, behind an authentication and an origin header that may be missing. */
#include "decoding.h"

enum { TEREDO_ORIGIN = 0x0000, TEREDO_AUTHENTICATION = 0x0001, ORIGIN_BYTES = 8 };

static uint16_t next_indicator(const struct cursor *c)
{
    struct cursor ahead = *c;
    uint16_t indicator = cursor_u16be(&ahead);
    return ahead.failed ? UINT16_MAX : indicator;
}

enum layer teredo_decode(struct decoding *d)
{
    struct cursor *c = &d->rest;
    if (next_indicator(c) == TEREDO_AUTHENTICATION) {
        cursor_skip(c, 2);
        size_t client_bytes = cursor_u8(c);
        size_t value_bytes = cursor_u8(c);
        cursor_skip(c, client_bytes + value_bytes + 8 + 1); /* and nonce, confirmation */
    }
    if (next_indicator(c) == TEREDO_ORIGIN)
        cursor_skip(c, ORIGIN_BYTES);
    return next_indicator(c) >> 12 == 6 ? LAYER_IP : LAYER_NONE;
}
