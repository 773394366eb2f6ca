/* A capture point, being read once more: the packets of the chosen connections go to their comparators. */
#ifndef TDSCOPE_REREAD_POINT_H
#define TDSCOPE_REREAD_POINT_H

#include "capture_chain.h"
#include "compared_connections.h"
#include "flow_table.h"
#include "packet_feed.h"

/* Of a conversation that the flow floor follows. */
struct followed_view {
    uint32_t number;     /* of its first view + 1; 0: not known */
    uint32_t duplicates; /* that the capture had recorded before the packet under way */
};

struct reread_point {
    /* The packet feed's, until it is closed. */
    struct compared_connections *connections;
    uint32_t point;
    struct capture_chain chain;
    struct packet_decoder decoder;
    struct casebook casebook;
    struct flow_table flows;
    struct point_clock clock;
    struct followed_view *views; /* by id of the conversation in casebook, minus 1 */
    uint32_t view_capacity;
    struct fed_packet *sifted; /* the one under way */

    struct cache_gap gap;
    struct packet_feed *feed;
    const struct fed_packet *next; /* NULL: it was the last */
    int64_t next_ns;               /* its time, on the common clock */
    struct cache_gap before_others;
};

/* set_clocks: as in the first reading. A file that is gone or changed since then ends this one early; what was compared until then
 * stands. ahead: a thread of its own reads, decodes and follows. Its address must stay. */
void reread_point_open(struct reread_point *point, struct compared_connections *connections,
                       const struct set_clocks *set_clocks, uint32_t number, bool ahead);

/* Finds the first packet; once all points are open, so that none waits for another one's. */
void reread_point_advance(struct reread_point *point);

/* Hands on the next packet, and finds the one after it; there must be one. */
void reread_point_read(struct reread_point *point);

void reread_point_close(struct reread_point *point);

#endif
