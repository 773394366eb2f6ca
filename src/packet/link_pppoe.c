/* PPP over Ethernet, session stage (RFC 2516): as a link layer, and behind EtherType 0x8864. */
#include "link_layer.h"

enum { PPPOE_VERSION_AND_TYPE = 0x11, PPPOE_SESSION_DATA = 0 };

enum layer pppoe_decode(struct decoding *d)
{
    uint8_t version_and_type = cursor_u8(&d->rest);
    uint8_t code = cursor_u8(&d->rest);
    cursor_skip(&d->rest, 2); /* session */
    uint16_t length = cursor_u16be(&d->rest);
    if (d->rest.failed || version_and_type != PPPOE_VERSION_AND_TYPE || code != PPPOE_SESSION_DATA)
        return LAYER_NONE;
    decoding_limit(d, length);
    return LAYER_PPP;
}

const struct link_layer link_pppoe = {
    .name = "PPPoE",
    .types = {51},
    .type_count = 1,
    .decode = pppoe_decode,
};
