/* One capture point being read: packets, flows and protocols put together. */
#ifndef TDSCOPE_CAPTURE_POINT_H
#define TDSCOPE_CAPTURE_POINT_H

#include "analysis.h"
#include "flow_table.h"
#include "packet_decoder.h"
#include "protocols.h"
#include "set_clocks.h"

/* The first and last moment of a capture, as its times are told. */
struct told_span {
    int64_t first_ns, last_ns;
    bool known;
};

struct point_run {
    struct casebook *casebook;
    uint32_t point;
    struct tds_options tds;
    struct tds_servers servers;
    struct protocols protocols;
    struct packet_decoder decoder; /* this and the clock are the packet feed's while it reads */
    struct point_clock clock;
    struct flow_table flows;
    struct told_span *told; /* of each capture, if clocks were set; else NULL */
    uint64_t memory_bytes;  /* fold conversations beyond it; 0: never */
    uint32_t until_memory;
};

/* The run must stay at its address until it is closed. */
void point_run_open(struct point_run *run, struct analysis *analysis, uint32_t point);
void point_run_packet(struct point_run *run, const struct packet *packet);
void point_run_close(struct point_run *run); /* concludes all conversations */

#endif
