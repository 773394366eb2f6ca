/* What a packet's bytes tell of themselves. */
#include "etl_packet.h"

enum { ETHERNET_BYTES = 14, TAG_BYTES = 4, IPV6_BYTES = 40 };
enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_VLAN = 0x8100, TYPE_IPV6 = 0x86DD, TYPE_OUTER_VLAN = 0x88A8 };

static uint16_t u16_at(struct span bytes, size_t at)
{
    return (uint16_t)(bytes.data[at] << 8 | bytes.data[at + 1]);
}

/* Behind any VLAN tags (IEEE 802.1Q); 0: not captured. */
static size_t payload_at(struct span bytes)
{
    size_t at = ETHERNET_BYTES;
    while (bytes.size >= at + TAG_BYTES &&
           (u16_at(bytes, at - 2) == TYPE_VLAN || u16_at(bytes, at - 2) == TYPE_OUTER_VLAN))
        at += TAG_BYTES;
    return bytes.size >= at + 2 ? at : 0;
}

bool etl_packet_is_ethernet(struct span bytes)
{
    size_t at = payload_at(bytes);
    if (at == 0)
        return false;
    unsigned version = bytes.data[at] >> 4;
    switch (u16_at(bytes, at - 2)) {
    case TYPE_IPV4:
        return version == 4;
    case TYPE_IPV6:
        return version == 6;
    case TYPE_ARP:
        return u16_at(bytes, at) == 1; /* addresses of Ethernet */
    default:
        return false;
    }
}

uint32_t etl_packet_ip_length(uint32_t link_type, struct span bytes)
{
    enum { LENGTH_4_AT = 2, LENGTH_6_AT = 4 };
    size_t link = link_type == LINKTYPE_ETHERNET ? payload_at(bytes) : 0, length = 0;
    if ((link_type == LINKTYPE_ETHERNET && !etl_packet_is_ethernet(bytes)) || bytes.size < link + LENGTH_6_AT + 2)
        return (uint32_t)bytes.size;
    unsigned version = bytes.data[link] >> 4;
    if (version == 4)
        length = link + u16_at(bytes, link + LENGTH_4_AT);
    else if (version == 6)
        length = link + IPV6_BYTES + u16_at(bytes, link + LENGTH_6_AT);
    return (uint32_t)(length > bytes.size ? length : bytes.size);
}
