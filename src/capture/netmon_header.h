/* The head of a Network Monitor file, and of its records. */
#ifndef TDSCOPE_NETMON_HEADER_H
#define TDSCOPE_NETMON_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "span.h"

enum { NETMON_HEAD_BYTES = 128, NETMON_RECORD_MOST = 16, NETMON_TRAILER_MOST = 15 };

struct netmon_header {
    uint8_t major, minor;
    uint16_t media;   /* of all records, before version 2.1 */
    int64_t start_ns; /* by the machine's local time, as if it were UTC; 0: not told */
    uint32_t table_offset, table_bytes;
    size_t record_bytes;  /* before a packet */
    size_t trailer_bytes; /* behind it */
};

bool netmon_header_recognises(struct span head);
bool netmon_header_read(struct netmon_header *header, struct span head, struct error *error);

struct netmon_record_head {
    int64_t since_ns; /* since the capture's start; may be before it */
    uint32_t captured, wire;
};

/* bytes: header->record_bytes. */
struct netmon_record_head netmon_record_head_at(const struct netmon_header *header, struct span bytes);

struct netmon_trailer {
    uint16_t media;
    int64_t time_ns; /* UTC; 0: not told */
};

/* bytes: header->trailer_bytes, or none. */
struct netmon_trailer netmon_trailer_at(const struct netmon_header *header, struct span bytes);

#endif
