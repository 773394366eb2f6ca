/* The head of a Windows event trace (ETL): TRACE_LOGFILE_HEADER, the event that each trace begins with (evntrace.h). */
#ifndef TDSCOPE_ETL_HEADER_H
#define TDSCOPE_ETL_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "span.h"

/* Of a buffer's header (WMI_BUFFER_HEADER), and of the first event behind it. */
enum { ETL_BUFFER_HEADER_BYTES = 0x48, ETL_PROBE_BYTES = 0x50, ETL_HEAD_MOST = 1024 };

struct etl_header {
    uint32_t buffer_bytes; /* of a buffer in memory; in the file too, unless it is compressed */
    uint32_t build;        /* of Windows */
    uint32_t mode;         /* LogFileMode */
    uint32_t processors;
    uint32_t buffers_written;
    uint32_t events_lost, buffers_lost;
    bool closed;         /* its end was written, and the counts above with it */
    uint64_t frequency;  /* ticks of its clock in a second */
    int64_t first_ticks; /* of the event itself, at: */
    int64_t start_ns;    /* since 1970, UTC */
};

bool etl_header_recognises(struct span head);

/* head: the first ETL_HEAD_MOST bytes of the file, or all. */
bool etl_header_read(struct etl_header *header, struct span head, struct error *error);

/* Nanoseconds since 1970 of an event's ticks. */
int64_t etl_header_time_ns(const struct etl_header *header, int64_t ticks);

#endif
