/*
 * How long packets take between two capture points, over time, each time told by the clock of where it was read. The clocks are
 * measured by them, and what is left when those are reckoned in is the delay each way.
 */
#ifndef TDSCOPE_WAY_TIMES_H
#define TDSCOPE_WAY_TIMES_H

#include "clock_facts.h"
#include "tcp_side.h"

enum { WAY_SLICES = 256 };

/* What one side's packets, sent in a stretch of time, took: received by the one clock minus sent by the other. */
struct way_slice {
    int64_t shortest_ns, shortest_at_ns; /* the latter on the client's clock; known: */
    bool known;
    uint32_t packets;                  /* that were compared one by one; of them: */
    int64_t longest_ns, longest_at_ns; /* likewise */
};

struct way_times {
    int64_t from_ns, slice_ns;                  /* on the client's clock */
    struct way_slice slices[SIDES][WAY_SLICES]; /* by sender */
};

/* From the first to the last moment, on the client's clock, of which times will come. */
void way_times_open(struct way_times *times, int64_t from_ns, int64_t to_ns);

/* Nothing of that side takes longer than from the one moment to the other: a packet, or an answer to one, left then by the sender's
 * clock and had arrived then by the receiver's. */
void way_times_bound(struct way_times *times, enum side sender, int64_t sent_ns, int64_t received_ns);

/* A packet that both captures have. */
void way_times_add(struct way_times *times, enum side sender, int64_t sent_ns, int64_t received_ns);

/* How long that side's packets of some slices took, by one clock; never less than nothing. */
struct way_delay {
    uint32_t packets; /* 0: the rest is not known */
    int64_t shortest_ns, longest_ns;
};

struct way_delay way_times_delay(const struct way_times *times, const struct clock_facts *clock, enum side sender,
                                 unsigned from, unsigned to);

/* When a slice begins, by the client's clock. */
int64_t way_times_from_ns(const struct way_times *times, unsigned slice);

#endif
