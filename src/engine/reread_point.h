/* A capture point, being read once more: the packets of the chosen connections go to their comparators. */
#ifndef TDSCOPE_REREAD_POINT_H
#define TDSCOPE_REREAD_POINT_H

#include "capture_chain.h"
#include "compared_connections.h"
#include "flow_table.h"
#include "packet_feed.h"

struct reread_point {
    struct compared_connections *connections;
    uint32_t point;
    struct capture_chain chain;
    struct packet_decoder decoder;
    struct point_facts times;
    struct packet_feed *feed;
    struct casebook casebook;
    struct flow_table flows;
    uint32_t
        *view_of; /* by id of the conversation in casebook, minus 1: number of its first view + 1; 0: not known yet */
    uint32_t view_capacity;
    struct point_clock clock;
    const struct fed_packet *next; /* NULL: it was the last */
    int64_t next_ns;               /* its time, on the common clock */
};

/* set_clocks: as in the first reading. A file that is gone or changed since then ends this one early; what was compared until then
 * stands. ahead: a thread of its own reads and decodes. */
void reread_point_open(struct reread_point *point, struct compared_connections *connections,
                       const struct set_clocks *set_clocks, uint32_t number, bool ahead);

/* Hands on the next packet; there must be one. */
void reread_point_read(struct reread_point *point);

void reread_point_close(struct reread_point *point);

#endif
