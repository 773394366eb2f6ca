/* Where a capture file was taken, by what its packets and its head tell. */
#ifndef TDSCOPE_CAPTURE_PLACE_H
#define TDSCOPE_CAPTURE_PLACE_H

#include "casebook.h"
#include "frame.h"
#include "packet.h"

struct common_end {
    struct address address;
    bool heard; /* it sent something: */
    unsigned hops_least, hops_most;
};

/* The addresses that are in all packets seen so far, or in all connections. */
struct common_ends {
    struct common_end list[SIDES];
    uint32_t count;
    bool any;
};

void common_ends_keep(struct common_ends *common, const struct address *a, const struct address *b);

/* All of the one have an address in common, and all of the other another. */
bool common_ends_apart(const struct common_ends *a, const struct common_ends *b);

struct capture_place {
    struct common_ends ends, cards; /* of the connections; of the links: MAC addresses, as an address of version 0 */
    struct capture_maker maker;
};

void capture_place_see(struct capture_place *place, const struct frame *frame, const struct packet *packet);

/* Their packets have no machine or no card in common, the one was taken further along the way, or their heads name others. */
bool capture_places_differ(const struct capture_place *a, const struct capture_place *b);

#endif
