/*
 * Clocks that were set while a capture ran: the captures are read once more, and the times after are told as if it had not been. The
 * clock that a capture point began with is kept.
 */
#ifndef TDSCOPE_SET_CLOCKS_H
#define TDSCOPE_SET_CLOCKS_H

#include "casebook.h"

struct set_clocks {
    struct clock_setting *list; /* of each point in order of its packets */
    uint32_t count;
};

/* Finds them, after pairing_run(). false: there are none, or the captures cannot be read again. */
bool set_clocks_find(struct set_clocks *clocks, const struct casebook *casebook);
void set_clocks_close(struct set_clocks *clocks);

/* Notes in the captures what was put right, and tells the casebook, for what else was written on those machines. */
void set_clocks_note(const struct set_clocks *clocks, struct casebook *casebook);

/* One point being read, packet by packet in order. */
struct point_clock {
    const struct set_clocks *clocks;
    uint32_t point, next;      /* setting */
    int64_t shift_ns;          /* to be added to the time of the packet that was followed last */
    int64_t first_ns, last_ns; /* of the capture that was followed last, with that added */
    uint32_t capture;
    bool begun;
};

void point_clock_open(struct point_clock *clock, const struct set_clocks *clocks, uint32_t point);

void point_clock_follow(struct point_clock *clock, const struct moment *moment);

/* Has the capture that was followed last begin and end as its times are told. */
void point_clock_tell(const struct point_clock *clock, struct capture_facts *captures);

#endif
