/* GRE (RFC 2784, RFC 2890), its enhanced form of PPTP (RFC 2637), and mirrored Ethernet in it: ERSPAN types I, II and III
 * (draft-foschiano-erspan). */
#include "decoding.h"

enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGEMENT = 0x0080,
    GRE_VERSION_MASK = 0x0007
};

enum { ERSPAN_1_AND_2 = 0x88be, ERSPAN_3 = 0x22eb };

enum { ERSPAN_2_BYTES = 8, ERSPAN_3_BYTES = 12, ERSPAN_3_PLATFORM_BYTES = 8 };

static enum layer erspan_2_decode(struct decoding *d, uint16_t gre_flags)
{
    bool type_2 = gre_flags & GRE_SEQUENCE; /* type I has no header at all */
    cursor_skip(&d->rest, type_2 ? ERSPAN_2_BYTES : 0);
    return LAYER_ETHERNET;
}

static enum layer erspan_3_decode(struct decoding *d)
{
    cursor_skip(&d->rest, ERSPAN_3_BYTES - 2);
    uint16_t flags = cursor_u16be(&d->rest);
    bool platform_header = flags & 1;
    bool ip = (flags >> 10 & 0x1f) == 2; /* frame type: 0 Ethernet, 2 IP */
    cursor_skip(&d->rest, platform_header ? ERSPAN_3_PLATFORM_BYTES : 0);
    return ip ? LAYER_IP : LAYER_ETHERNET;
}

enum layer gre_decode(struct decoding *d)
{
    struct cursor *c = &d->rest;
    uint16_t flags = cursor_u16be(c);
    uint16_t ethertype = cursor_u16be(c);
    uint16_t version = flags & GRE_VERSION_MASK;
    if (c->failed || version > 1 || (flags & GRE_ROUTING))
        return LAYER_NONE;
    cursor_skip(c, flags & GRE_CHECKSUM ? 4 : 0);
    cursor_skip(c, flags & GRE_KEY ? 4 : 0);
    cursor_skip(c, flags & GRE_SEQUENCE ? 4 : 0);
    cursor_skip(c, version == 1 && (flags & GRE_ACKNOWLEDGEMENT) ? 4 : 0);
    if (ethertype == ERSPAN_1_AND_2)
        return erspan_2_decode(d, flags);
    if (ethertype == ERSPAN_3)
        return erspan_3_decode(d);
    return layer_of_ethertype(ethertype);
}
