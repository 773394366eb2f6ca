/*
 * Where the buffers of an event trace stand in its file (WMI_BUFFER_HEADER).
 *
 * Each processor fills buffers of its own, which are written when they are full: the file's order is not that of time. A processor's
 * buffers are numbered in the order in which it filled them, which in a circular trace is not theirs in the file either.
 */
#ifndef TDSCOPE_ETL_BUFFERS_H
#define TDSCOPE_ETL_BUFFERS_H

#include <stdbool.h>
#include <stdint.h>

#include "etl_header.h"
#include "notes.h"
#include "window.h"

struct etl_buffer {
    uint64_t offset; /* in the file, of its header */
    int64_t number;  /* among those of its processor */
    uint32_t stored; /* bytes in the file, with its header */
    uint32_t filled; /* bytes that hold events, with its header, once decompressed */
    uint16_t stream; /* the processor's number */
    bool compressed;
};

struct etl_buffers {
    struct etl_buffer *list; /* by stream, and in order; owned */
    uint32_t count, capacity;
    uint64_t lost; /* times that something was lost, as buffers say */
    bool ends;     /* the last one says that it is the last; of a ring, any */
    bool any_compressed;
};

/* Looks at the headers of all buffers; what is odd is noted. False, with *error: the system refuses to read. */
bool etl_buffers_find(struct etl_buffers *buffers, struct window *window, const struct etl_header *header,
                      struct notes *notes, struct error *error);

void etl_buffers_close(struct etl_buffers *buffers);

#endif
