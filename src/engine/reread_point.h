/* A capture point, being read once more: the packets of the chosen connections go to their comparators. */
#ifndef TDSCOPE_REREAD_POINT_H
#define TDSCOPE_REREAD_POINT_H

#include "capture_chain.h"
#include "compared_connections.h"
#include "flow_table.h"
#include "packet_decoder.h"
#include "set_clocks.h"

struct reread_point {
    struct compared_connections *connections;
    uint32_t point;
    struct capture_chain chain;
    struct packet_decoder decoder;
    struct casebook casebook;
    struct flow_table flows;
    uint32_t
        *view_of; /* by id of the conversation in casebook, minus 1: number of its first view + 1; 0: not known yet */
    uint32_t view_capacity;
    struct point_clock clock;
    struct frame told; /* the next one */
    bool has_frame;    /* there is one */
    int64_t frame_ns;  /* its time, on the common clock */
};

/* set_clocks: as in the first reading. A file that is gone or changed since then ends this one early; what was compared until then
 * stands. */
void reread_point_open(struct reread_point *point, struct compared_connections *connections,
                       const struct set_clocks *set_clocks, uint32_t number);

/* Hands on the next frame; has_frame must be set. */
void reread_point_read(struct reread_point *point);

void reread_point_close(struct reread_point *point);

#endif
