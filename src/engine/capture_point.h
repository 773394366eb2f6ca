/* One capture point being read: flows and protocols put together, in shards. */
#ifndef TDSCOPE_CAPTURE_POINT_H
#define TDSCOPE_CAPTURE_POINT_H

#include "analysis.h"
#include "flow_table.h"
#include "followers.h"
#include "packet_decoder.h"
#include "packet_feed.h"
#include "protocols.h"
#include "set_clocks.h"

/* What one follower at a time works on. */
struct point_shard {
    struct casebook *casebook; /* the follower's */
    struct tds_options tds;
    struct tds_servers servers;
    struct protocols protocols;
    struct flow_table flows;
    struct cache_gap gap; /* another one's shard may follow */
};

struct point_run {
    struct casebook *casebook; /* of the run */
    uint32_t point;

    /* The packet feeds' while they read; decoders: of each follower. */
    struct packet_decoder decoders[SHARDS];
    struct point_clock clock;
    struct point_facts times; /* of its packets so far */
    struct cache_gap before_followers;

    uint32_t turn;              /* how many captures were read before the one at hand */
    struct point_shard *shards; /* SHARDS of them */
    bool memory_limited;        /* and counted in one place: everything is of the first shard */
    uint64_t memory_bytes;      /* fold conversations beyond it; 0: never */
    uint32_t until_memory;
    struct cache_gap gap; /* another thread may read the next point */
};

/* The run must stay at its address until it is closed. */
void point_run_open(struct point_run *run, struct analysis *analysis, const struct followers *followers,
                    uint32_t point);
void point_run_packet(struct point_run *run, const struct fed_packet *fed);
void point_run_close(struct point_run *run); /* concludes all conversations */

#endif
