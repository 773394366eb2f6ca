/* Ethernet (IEEE 802.3). */
#include "link_layer.h"

enum { ETHERNET_ADDRESSES_BYTES = 12 };

enum layer ethernet_decode(struct decoding *d)
{
    cursor_skip(&d->rest, ETHERNET_ADDRESSES_BYTES);
    uint16_t type_or_length = cursor_u16be(&d->rest);
    return layer_of_type_or_length(d, type_or_length);
}

const struct link_layer link_ethernet = {
    .name = "Ethernet",
    .types = {1},
    .type_count = 1,
    .decode = ethernet_decode,
};
