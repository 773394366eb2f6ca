/*
 * The events of an event trace in order of time, those of chosen providers.
 *
 * Theory of operation. The buffers of one processor, one after the other, are a stream in which times do not go back. Streams are merged by a
 * heap. Of each stream so much is in memory as an event takes, and as decompressing reaches back: a trace may have buffers of 16 MiB, one
 * for each of many processors.
 */
#ifndef TDSCOPE_ETL_EVENTS_H
#define TDSCOPE_ETL_EVENTS_H

#include "etl_buffers.h"
#include "span.h"

struct etl_stream;

enum etl_provider { ETL_NDIS, ETL_PKTMON, ETL_WFP, ETL_PROVIDERS, ETL_OTHERS = ETL_PROVIDERS };

struct etl_event {
    int64_t ticks;
    uint64_t keyword;
    enum etl_provider provider;
    uint16_t id;
    uint16_t stream;
    uint64_t offset;     /* in the file, of the buffer that it stands in */
    struct span payload; /* valid until the next event is asked for */
};

struct etl_events {
    struct window *window;
    const struct etl_buffers *buffers;
    struct notes *notes; /* NULL: nothing is noted */
    struct etl_stream **heap;
    uint32_t heap_size, stream_count;
    struct etl_stream **streams;
    bool at_hand;       /* the heap's top was given and has to move on */
    uint64_t others;    /* events of other providers, and of other kinds */
    uint64_t consumed;  /* bytes of buffers that were begun */
    struct error error; /* set when the system refuses to read: events end there */
};

/* buffers must outlive it. */
void etl_events_open(struct etl_events *events, struct window *window, const struct etl_buffers *buffers,
                     struct notes *notes);

/* NULL: that was all. */
const struct etl_event *etl_events_next(struct etl_events *events);

void etl_events_close(struct etl_events *events);

#endif
