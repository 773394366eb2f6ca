/*
 * Theory of operation. What a machine captures are its own connections: one address is in all of them, and the address of its card in all
 * frames. If all of one file have one in common, and all of the other another, these are of two places; and if they were not, no connection
 * would go on from the one into the other.
 *
 * Each router takes one off the TTL (RFC 1812, 5.3.1): what a machine sends has all of it only in its own network. Where a file has the
 * packets of an address so, and another those of the same address with less, the other was taken further along the way.
 *
 * Who captures writes into each file of a pcapng series what machine and interface it is of. Names that only one of two files has tell
 * nothing: programs that cut and join files leave them out.
 */
#include "capture_place.h"

#include <string.h>

#include "ttl_signs.h"

void common_ends_keep(struct common_ends *common, const struct address *a, const struct address *b)
{
    if (!common->any) {
        *common = (struct common_ends){{{.address = *a}, {.address = *b}}, 2, true};
        return;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < common->count; i++)
        if (address_equal(&common->list[i].address, a) || address_equal(&common->list[i].address, b))
            common->list[kept++] = common->list[i];
    common->count = kept;
}

bool common_ends_apart(const struct common_ends *a, const struct common_ends *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t j = 0; j < b->count; j++)
            if (address_equal(&a->list[i].address, &b->list[j].address))
                return false;
    return a->count > 0 && b->count > 0;
}

static void hear(struct common_ends *common, const struct address *from, unsigned hops)
{
    for (uint32_t i = 0; i < common->count; i++) {
        struct common_end *end = &common->list[i];
        if (!address_equal(&end->address, from))
            continue;
        if (!end->heard || hops < end->hops_least)
            end->hops_least = hops;
        if (!end->heard || hops > end->hops_most)
            end->hops_most = hops;
        end->heard = true;
    }
}

/* Of Ethernet frames, those that bear addresses: a loopback's have none. */
static void see_cards(struct common_ends *cards, const struct frame *frame)
{
    enum { ETHERNET = 1, MAC_BYTES = 6 };
    struct address to = {0}, from = {0};
    if (frame->link_type != ETHERNET || frame->bytes.size < 2 * MAC_BYTES)
        return;
    memcpy(to.bytes, frame->bytes.data, MAC_BYTES);
    memcpy(from.bytes, frame->bytes.data + MAC_BYTES, MAC_BYTES);
    if (!address_equal(&to, &from))
        common_ends_keep(cards, &to, &from);
}

void capture_place_see(struct capture_place *place, const struct frame *frame, const struct packet *packet)
{
    if (packet->kind != PACKET_TCP)
        return;
    see_cards(&place->cards, frame);
    common_ends_keep(&place->ends, &packet->source.address, &packet->destination.address);
    if (!(packet->tcp.flags & TCP_RST)) /* devices send resets in others' names */
        hear(&place->ends, &packet->source.address, hops_from_ttl(packet->ttl));
}

static bool is_nearer(const struct common_end *a, const struct common_end *b)
{
    return a->heard && b->heard && a->hops_most == 0 && b->hops_least > 0;
}

static bool lies_along_the_way(const struct common_ends *a, const struct common_ends *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t j = 0; j < b->count; j++)
            if (address_equal(&a->list[i].address, &b->list[j].address) &&
                (is_nearer(&a->list[i], &b->list[j]) || is_nearer(&b->list[j], &a->list[i])))
                return true;
    return false;
}

static bool differs(uint32_t a, uint32_t b)
{
    return a != 0 && b != 0 && a != b;
}

bool capture_places_differ(const struct capture_place *a, const struct capture_place *b)
{
    return common_ends_apart(&a->cards, &b->cards) || lies_along_the_way(&a->ends, &b->ends) ||
           differs(a->maker.hardware, b->maker.hardware) || differs(a->maker.system, b->maker.system) ||
           differs(a->maker.interface, b->maker.interface);
}
