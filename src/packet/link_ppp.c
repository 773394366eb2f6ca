/* PPP (RFC 1661), bare or in HDLC-like framing (RFC 1662), with compressed fields allowed. */
#include "link_layer.h"

enum { HDLC_ALL_STATIONS = 0xff, HDLC_UNNUMBERED = 0x03 };

enum { CISCO_UNICAST = 0x0f, CISCO_MULTICAST = 0x8f };

static enum layer layer_of_ppp_protocol(uint16_t protocol)
{
    switch (protocol) {
    case 0x0021: /* IPv4 */
    case 0x0057: /* IPv6 */
        return LAYER_IP;
    case 0x0281: /* MPLS */
    case 0x0283:
        return LAYER_MPLS;
    default:
        return LAYER_NONE;
    }
}

enum layer ppp_decode(struct decoding *d)
{
    uint8_t first = cursor_u8(&d->rest);
    if (first == HDLC_ALL_STATIONS) {
        if (cursor_u8(&d->rest) != HDLC_UNNUMBERED)
            return LAYER_NONE;
        first = cursor_u8(&d->rest);
    }
    bool compressed = first & 1; /* a protocol number's last byte, and only that, is odd */
    uint16_t protocol = compressed ? first : (uint16_t)(first << 8 | cursor_u8(&d->rest));
    return layer_of_ppp_protocol(protocol);
}

static enum layer ppp_or_cisco_decode(struct decoding *d)
{
    struct cursor ahead = d->rest;
    uint8_t address = cursor_u8(&ahead);
    if (address != CISCO_UNICAST && address != CISCO_MULTICAST)
        return LAYER_PPP;
    d->link_type = 104;
    return LAYER_LINK;
}

const struct link_layer link_ppp = {
    .name = "PPP",
    .types = {9, 50},
    .type_count = 2,
    .decode = ppp_or_cisco_decode,
};
