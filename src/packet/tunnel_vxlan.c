/* VXLAN (RFC 7348): Ethernet in UDP. */
#include "decoding.h"

#define VXLAN_NETWORK_VALID 0x08000000u

/* The other bits of the first word are ignored, as the RFC asks: newer forms (group policy) put something there. */
enum layer vxlan_decode(struct decoding *d)
{
    uint32_t flags = cursor_u32be(&d->rest);
    uint32_t network = cursor_u32be(&d->rest);
    if (d->rest.failed || !(flags & VXLAN_NETWORK_VALID) || (network & 0xff))
        return LAYER_NONE;
    return LAYER_ETHERNET;
}
