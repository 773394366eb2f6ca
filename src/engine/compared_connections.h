/*
 * The connections that are compared packet by packet, each between two captures, and how they are known again when those are read
 * once more.
 *
 * One is known again by the capture and frame of its first packet, so that a port used twice is two connections, as it was in the
 * first reading. One that more than two captures have is compared from end to end, and between each two that are next to each other.
 */
#ifndef TDSCOPE_COMPARED_CONNECTIONS_H
#define TDSCOPE_COMPARED_CONNECTIONS_H

#include "casebook.h"
#include "comparator.h"
#include "hash_index.h"

/* Two captures of a connection under comparison. */
struct compared {
    struct comparator comparator;
    struct comparison *comparison;
    struct point_pair *pair;
    const struct conversation *views[SIDES]; /* at the near and at the far point */
    bool over[SIDES];                        /* its last packet was read there */
    bool open;
};

/* One view of a connection under comparison: a compared one, and at which of its two ends. */
struct compared_view {
    uint32_t compared;
    enum side at;
    const struct conversation *conversation;
    uint32_t next; /* another comparison of the same view; HASH_NONE: there is none */
};

struct compared_connections {
    struct casebook *casebook;
    struct compared *list;
    struct compared_view *views;
    uint32_t count, capacity, view_count;
    uint32_t over_count; /* of those that were opened, how many have had their last packet */
    struct hash_index
        by_first; /* of views, those that are next of another left out: capture and frame of the first packet */
    struct hash_index by_ends; /* likewise: addresses and ports */
};

/* Those that are worth it, the one with the id `observed`, and a sample of the healthy ones. Their views are held open in the
 * casebook; who chose opens the comparators. */
void compared_connections_choose(struct compared_connections *connections, struct casebook *casebook,
                                 uint32_t observed);
void compared_connections_close(struct compared_connections *connections);

/* This and compared_connections_begun() may be asked by several threads, while others hand on packets.
 * Whether a packet of that capture point may belong to one of them, by its addresses and ports. */
bool compared_connections_have(const struct compared_connections *connections, uint32_t point, const struct packet *p);

/* The first view that is of the conversation which begins with this packet; HASH_NONE: none. */
uint32_t compared_connections_begun(const struct compared_connections *connections, const struct moment *moment);

/* Hands a packet to the comparators of that view and of those after it; copy: the flow floor holds it for one. */
void compared_connections_packet(struct compared_connections *connections, uint32_t view, const struct packet *p,
                                 bool copy);

/* No more packets of it come. */
void compared_close(struct compared *compared);

#endif
