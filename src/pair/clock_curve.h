/* What is done with the difference of two clocks as a curve over time. */
#ifndef TDSCOPE_CLOCK_CURVE_H
#define TDSCOPE_CLOCK_CURVE_H

#include "clock_facts.h"

/* The same difference, seen from the server: its clock is the client's now. */
struct clock_facts clock_turned(const struct clock_facts *clock);

/* A second clock minus the common one, from a first one minus the common one and the second minus the first. */
struct clock_facts clock_added(const struct clock_facts *first, const struct clock_facts *onward);

/* Leaves as many knots as a clock has room for, those that matter most; by how much the curve is off at one that is gone, at most. */
int64_t clock_curve_thin(struct clock_knot *knots, uint32_t *count);

#endif
