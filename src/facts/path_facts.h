/*
 * Which capture points stand on the way of the same connections, in which order, and how their clocks differ. Written by the pair
 * floor.
 */
#ifndef TDSCOPE_PATH_FACTS_H
#define TDSCOPE_PATH_FACTS_H

#include "clock_facts.h"
#include "way_times.h"

/* A connection is followed through so many capture points at most. */
enum { PATH_POINTS_MOST = 8 };

/* Two capture points that recorded the same connections. In its clock the near point is the client, the far one the server. */
struct point_pair {
    uint32_t near, far;   /* to the client */
    uint32_t connections; /* in both */
    struct clock_facts clock;
    struct way_times *ways; /* what the clock was measured by; NULL: it is not known */
    /* Of all connections that were compared, by sender and in its capture: the last packet that arrived, and the last and the first that did in
     * time; and, in the receiver's, the arrival of the first. */
    struct moment last_arrival_sent[SIDES], last_in_time_sent[SIDES], first_in_time_sent[SIDES], first_arrival[SIDES];
};

/* All pairs, sorted by their lower and then their higher point. */
struct point_pairs {
    struct point_pair *list;
    uint32_t count, capacity;
};

/* The pair of two points, in either order; NULL: no connection is in both. */
struct point_pair *point_pairs_find(const struct point_pairs *pairs, uint32_t a, uint32_t b);

/* The same, made when it is not there; a is then the near one. */
struct point_pair *point_pairs_need(struct point_pairs *pairs, uint32_t a, uint32_t b);

void point_pairs_close(struct point_pairs *pairs);

#endif
