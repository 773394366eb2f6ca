/* Linux cooked captures, of the "any" device (tcpdump.org: LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2). */
#include "link_layer.h"

enum { COOKED_1 = 113, COOKED_2 = 276 };

enum { PACKET_TO_US = 0, PACKET_SENT_BY_US = 4 };

enum { PROTOCOL_LLC = 4, ARPHRD_NETLINK = 824, ARPHRD_RADIOTAP = 803, ARPHRD_FRELAY = 770 };

static enum layer cooked_decode(struct decoding *d)
{
    struct cursor *c = &d->rest;
    uint16_t packet_type, protocol, hardware;
    if (d->link_type == COOKED_1) {
        packet_type = cursor_u16be(c);
        hardware = cursor_u16be(c);
        cursor_skip(c, 2 + 8); /* address length, address */
        protocol = cursor_u16be(c);
    } else {
        protocol = cursor_u16be(c);
        cursor_skip(c, 2 + 4); /* reserved, interface index */
        hardware = cursor_u16be(c);
        packet_type = cursor_u8(c);
        cursor_skip(c, 1 + 8); /* address length, address */
    }
    if (c->failed)
        return LAYER_NONE;
    if (!d->packet->inbound && !d->packet->outbound) {
        d->packet->inbound = packet_type == PACKET_TO_US;
        d->packet->outbound = packet_type == PACKET_SENT_BY_US;
    }
    if (hardware == ARPHRD_NETLINK || hardware == ARPHRD_RADIOTAP || hardware == ARPHRD_FRELAY)
        return LAYER_NONE;
    return protocol == PROTOCOL_LLC ? LAYER_LLC : layer_of_ethertype(protocol);
}

const struct link_layer link_cooked = {
    .name = "Linux cooked capture",
    .types = {COOKED_1, COOKED_2},
    .type_count = 2,
    .decode = cooked_decode,
};
