/* Cisco's HDLC: address, control, EtherType (tcpdump.org: LINKTYPE_C_HDLC). */
#include "link_layer.h"

static enum layer hdlc_decode(struct decoding *d)
{
    cursor_skip(&d->rest, 2);
    return layer_of_ethertype(cursor_u16be(&d->rest));
}

const struct link_layer link_hdlc = {
    .name = "Cisco HDLC",
    .types = {104},
    .type_count = 1,
    .decode = hdlc_decode,
};
