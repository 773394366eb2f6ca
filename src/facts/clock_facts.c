/* Clocks whose difference changes at changing rates. */
#include "clock_facts.h"

/* The last knot that is not after that time; 0: none is. */
static uint32_t knot_before(const struct clock_facts *clock, int64_t client_ns)
{
    uint32_t from = 0, to = clock->knot_count;
    while (to - from > 1) {
        uint32_t middle = from + (to - from) / 2;
        if (clock->knots[middle].at_ns <= client_ns)
            from = middle;
        else
            to = middle;
    }
    return from;
}

int64_t clock_curve_ns(const struct clock_facts *clock, int64_t client_ns)
{
    uint32_t number = knot_before(clock, client_ns);
    const struct clock_knot *knot = &clock->knots[number], *next = knot + 1;
    if (client_ns <= knot->at_ns || number + 1 == clock->knot_count || next->at_ns <= knot->at_ns)
        return knot->shift_ns;
    double share = (double)(client_ns - knot->at_ns) / (double)(next->at_ns - knot->at_ns);
    return knot->shift_ns + (int64_t)(share * (double)(next->shift_ns - knot->shift_ns));
}

static void include(int64_t shift_ns, int64_t *least_ns, int64_t *most_ns)
{
    *least_ns = shift_ns < *least_ns ? shift_ns : *least_ns;
    *most_ns = shift_ns > *most_ns ? shift_ns : *most_ns;
}

void clock_extent(const struct clock_facts *clock, int64_t *least_ns, int64_t *most_ns)
{
    *least_ns = *most_ns = clock_shift_ns(clock, clock->reference_ns);
    if (clock->to_ns > clock->from_ns) {
        include(clock_shift_ns(clock, clock->from_ns), least_ns, most_ns);
        include(clock_shift_ns(clock, clock->to_ns), least_ns, most_ns);
    }
    for (uint32_t i = 0; i < clock->knot_count; i++)
        include(clock->knots[i].shift_ns, least_ns, most_ns);
}
