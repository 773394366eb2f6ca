/* Geneve (RFC 8926): Ethernet or IP in UDP, behind options. */
#include "decoding.h"

enum { GENEVE_VERSION_MASK = 0xc0, GENEVE_OPTION_WORDS_MASK = 0x3f };

enum layer geneve_decode(struct decoding *d)
{
    uint8_t version_and_words = cursor_u8(&d->rest);
    cursor_skip(&d->rest, 1); /* flags */
    uint16_t ethertype = cursor_u16be(&d->rest);
    cursor_skip(&d->rest, 4); /* network, reserved */
    cursor_skip(&d->rest, (size_t)(version_and_words & GENEVE_OPTION_WORDS_MASK) * 4);
    if (d->rest.failed || (version_and_words & GENEVE_VERSION_MASK))
        return LAYER_NONE;
    return layer_of_ethertype(ethertype);
}
