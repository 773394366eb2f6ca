/* Loopback of BSD and macOS, and of Npcap on Windows: an address family, in the byte order of the machine that captured
 * (tcpdump.org: LINKTYPE_NULL) or of the network (LINKTYPE_LOOP). */
#include "link_layer.h"

static bool is_ip_family(uint32_t family)
{
    switch (family) {
    case 2:  /* AF_INET everywhere */
    case 10: /* AF_INET6 of Linux */
    case 23: /* of Windows */
    case 24: /* of NetBSD and OpenBSD */
    case 28: /* of FreeBSD */
    case 30: /* of macOS */
        return true;
    default:
        return false;
    }
}

static enum layer null_decode(struct decoding *d)
{
    struct cursor other_order = d->rest;
    uint32_t big_endian = cursor_u32be(&d->rest);
    uint32_t little_endian = cursor_u32le(&other_order);
    return is_ip_family(big_endian) || is_ip_family(little_endian) ? LAYER_IP : LAYER_NONE;
}

const struct link_layer link_null = {
    .name = "loopback",
    .types = {0, 108},
    .type_count = 2,
    .decode = null_decode,
};
