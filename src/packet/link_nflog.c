/* Linux netfilter log (tcpdump.org: LINKTYPE_NFLOG): attributes, one of which is the IP packet. */
#include "link_layer.h"

enum { ATTRIBUTE_HEADER_BYTES = 4, ATTRIBUTE_PAYLOAD = 9, ATTRIBUTE_TYPE_MASK = 0x7fff };

/* The numbers are in the byte order of the machine that captured; a length in the other order would hardly fit. */
static uint16_t u16_of_host(struct cursor *c, bool big_endian)
{
    return big_endian ? cursor_u16be(c) : cursor_u16le(c);
}

static bool find_payload(struct decoding *d, bool big_endian)
{
    struct cursor c = d->rest;
    while (!c.failed && c.left > 0) {
        uint16_t length = u16_of_host(&c, big_endian);
        uint16_t type = u16_of_host(&c, big_endian) & ATTRIBUTE_TYPE_MASK;
        if (length < ATTRIBUTE_HEADER_BYTES)
            return false;
        uint32_t size = (uint32_t)length - ATTRIBUTE_HEADER_BYTES;
        if (type == ATTRIBUTE_PAYLOAD && !c.failed) {
            d->rest = c;
            return decoding_limit(d, size);
        }
        cursor_skip(&c, (size + 3u) & ~3u);
    }
    return false;
}

static enum layer nflog_decode(struct decoding *d)
{
    cursor_skip(&d->rest, 1 + 1 + 2); /* family, version, group */
    return find_payload(d, false) || find_payload(d, true) ? LAYER_IP : LAYER_NONE;
}

const struct link_layer link_nflog = {
    .name = "netfilter log",
    .types = {239},
    .type_count = 1,
    .decode = nflog_decode,
};
