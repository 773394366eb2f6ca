/*
 * Where the difference of two clocks jumps, because one of them was set while both captures ran.
 */
#ifndef TDSCOPE_CLOCK_STEPS_H
#define TDSCOPE_CLOCK_STEPS_H

#include "casebook.h"

/* From each point's packet after `before` on, and not after `after`, the clocks differ by so much more than until then. */
struct clock_step {
    uint32_t near, far;     /* points */
    int64_t old_ns, now_ns; /* the far clock minus the near one, until then and from then on */
    struct moment before
        [SIDES]; /* at the near (SIDE_CLIENT) and at the far point: the last packet that is known to be before it */
    struct moment after[SIDES]; /* and the first that is known to be after it */
};

struct clock_steps {
    struct clock_step *list;
    uint32_t count;
};

/* In pairs of points whose clocks are unsteady; after pairing_run(). clock_steps_close() gives the list back. */
void clock_steps_find(const struct casebook *casebook, struct clock_steps *steps);
void clock_steps_close(struct clock_steps *steps);

/* By how much the clock of that point (SIDE_CLIENT: the near one) was set, if it was that one. */
int64_t clock_step_by_ns(const struct clock_step *step, enum side at);

/* At that point the packets before come before those after: only there can it have been. */
bool clock_step_may_be_at(const struct casebook *casebook, const struct clock_step *step, enum side at);

/* The last packet before, or the first after, if it is nearer to the step than what was known. */
void clock_step_narrow(const struct casebook *casebook, struct clock_step *step, enum side at,
                       const struct moment *moment, bool before);

#endif
