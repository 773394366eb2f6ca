/*
 * How coarse the clock is that a capture's packets are stamped with.
 *
 * Theory of operation. Stamps of a clock that ticks are apart by whole ticks, so the tick is their differences' greatest common divisor.
 * Of stamps as fine as a microsecond it is that fine after two or three packets, and nothing more is reckoned. That packets come at round
 * times proves no tick; that most of them share their stamp with the one before does, for no wire carries two at once.
 */
#ifndef TDSCOPE_STAMP_TICK_H
#define TDSCOPE_STAMP_TICK_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"

/* A finer one hides nothing that a verdict rests on. */
#define STAMP_TICK_LEAST_NS NS_PER_MS

struct stamp_tick {
    int64_t first_ns, last_ns; /* stamps */
    int64_t divisor_ns;        /* 0: all stamps are the same */
    uint64_t stamps, shared;   /* of them: those that equal the one before */
};

static inline bool stamp_tick_is_fine(const struct stamp_tick *tick)
{
    return tick->divisor_ns > 0 && tick->divisor_ns < STAMP_TICK_LEAST_NS;
}

/* For stamp_tick_see(): of a clock that is known to be fine nothing is to be seen. */
void stamp_tick_see_coarse(struct stamp_tick *tick, int64_t time_ns);

/* The stamp of the next packet. */
static inline void stamp_tick_see(struct stamp_tick *tick, int64_t time_ns)
{
    if (!stamp_tick_is_fine(tick))
        stamp_tick_see_coarse(tick, time_ns);
}

/* 0: it is fine, or not known. */
int64_t stamp_tick_ns(const struct stamp_tick *tick);

#endif
