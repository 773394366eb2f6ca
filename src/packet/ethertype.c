/* What follows an EtherType (IEEE 802 Numbers, iana.org), and the headers that only lead to another one: VLAN tags
 * (802.1Q, 802.1ad) and LLC with SNAP (802.2, RFC 1042). */
#include "decoding.h"

enum layer layer_of_ethertype(uint16_t ethertype)
{
    switch (ethertype) {
    case 0x0800: /* IPv4 */
    case 0x86dd: /* IPv6 */
        return LAYER_IP;
    case 0x8100: /* 802.1Q */
    case 0x88a8: /* 802.1ad */
    case 0x9100: /* stacked tags before 802.1ad */
    case 0x9200:
        return LAYER_VLAN;
    case 0x6558: /* transparent Ethernet bridging */
        return LAYER_ETHERNET;
    case 0x8847:
    case 0x8848:
        return LAYER_MPLS;
    case 0x8864:
        return LAYER_PPPOE;
    case 0x880b:
        return LAYER_PPP;
    default:
        return LAYER_NONE;
    }
}

enum { ETHERTYPE_LEAST = 0x600 }; /* a smaller number is the length of an 802.3 frame */

enum layer layer_of_type_or_length(struct decoding *d, uint16_t type_or_length)
{
    if (type_or_length >= ETHERTYPE_LEAST)
        return layer_of_ethertype(type_or_length);
    decoding_limit(d, type_or_length);
    return LAYER_LLC;
}

enum layer vlan_decode(struct decoding *d)
{
    cursor_skip(&d->rest, 2);
    uint16_t ethertype = cursor_u16be(&d->rest);
    return layer_of_type_or_length(d, ethertype);
}

enum { SAP_IP = 0x06, SAP_SNAP = 0xaa, LLC_UNNUMBERED = 0x03 };

enum layer llc_decode(struct decoding *d)
{
    uint8_t destination = cursor_u8(&d->rest);
    uint8_t source = cursor_u8(&d->rest);
    uint8_t control = cursor_u8(&d->rest);
    if (d->rest.failed || control != LLC_UNNUMBERED || destination != source)
        return LAYER_NONE;
    if (destination == SAP_IP)
        return LAYER_IP;
    if (destination != SAP_SNAP)
        return LAYER_NONE;
    uint32_t organisation = cursor_u24be(&d->rest);
    uint16_t ethertype = cursor_u16be(&d->rest);
    bool encapsulated_ethernet = organisation == 0 || organisation == 0x0000f8;
    return encapsulated_ethernet ? layer_of_ethertype(ethertype) : LAYER_NONE;
}
