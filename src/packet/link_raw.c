/* IP without a link layer: tunnels, VPN adapters (tcpdump.org: LINKTYPE_RAW, DLT_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6). */
#include "link_layer.h"

static enum layer raw_decode(struct decoding *d)
{
    (void)d;
    return LAYER_IP;
}

const struct link_layer link_raw = {
    .name = "raw IP",
    .types = {101, 12, 14, 228, 229},
    .type_count = 5,
    .decode = raw_decode,
};
