/* Curves of straight lines: turned round and added they are such curves again, with their knots in other places. */
#include "clock_curve.h"

#include <stdlib.h>
#include <string.h>

/* Of a curve, how far the knot is from the straight line between its neighbours. */
static int64_t bend_ns(const struct clock_knot *knot)
{
    const struct clock_knot *before = knot - 1, *after = knot + 1;
    double share = (double)(knot->at_ns - before->at_ns) / (double)(after->at_ns - before->at_ns);
    return llabs(knot->shift_ns - before->shift_ns - (int64_t)(share * (double)(after->shift_ns - before->shift_ns)));
}

int64_t clock_curve_thin(struct clock_knot *knots, uint32_t *count)
{
    int64_t off_ns = 0;
    for (; *count > CLOCK_KNOTS_MOST; (*count)--) {
        uint32_t least = 1;
        for (uint32_t i = 2; i + 1 < *count; i++)
            if (bend_ns(&knots[i]) < bend_ns(&knots[least]))
                least = i;
        off_ns += bend_ns(&knots[least]);
        memmove(&knots[least], &knots[least + 1], (*count - least - 1) * sizeof *knots);
    }
    return off_ns;
}

struct clock_facts clock_turned(const struct clock_facts *clock)
{
    struct clock_facts other = *clock;
    other.reference_ns = clock_to_server(clock, clock->reference_ns);
    other.server_minus_client_ns = -clock->server_minus_client_ns;
    other.drift = -clock->drift;
    other.from_ns = clock->to_ns ? clock_to_server(clock, clock->from_ns) : 0;
    other.to_ns = clock->to_ns ? clock_to_server(clock, clock->to_ns) : 0;
    for (uint32_t i = 0; i < clock->knot_count; i++) {
        const struct clock_knot *knot = &clock->knots[i];
        int64_t at_ns = knot->at_ns + knot->shift_ns;
        bool later = i == 0 || at_ns > other.knots[i - 1].at_ns;
        other.knots[i] = (struct clock_knot){later ? at_ns : other.knots[i - 1].at_ns + 1, -knot->shift_ns};
    }
    return other;
}

static int compare_knots(const void *left, const void *right)
{
    const struct clock_knot *a = left, *b = right;
    return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

/* Wherever one of the two has a knot, and at both ends. */
static void add_curves(struct clock_facts *sum, const struct clock_facts *first, const struct clock_facts *onward)
{
    struct clock_knot knots[2 * CLOCK_KNOTS_MOST + 2];
    uint32_t count = 0, kept = 0;
    for (uint32_t i = 0; i < first->knot_count; i++)
        knots[count++].at_ns = first->knots[i].at_ns;
    for (uint32_t i = 0; i < onward->knot_count; i++)
        knots[count++].at_ns = clock_to_client(first, onward->knots[i].at_ns);
    knots[count++].at_ns = sum->from_ns;
    knots[count++].at_ns = sum->to_ns;
    qsort(knots, count, sizeof *knots, compare_knots);
    for (uint32_t i = 0; i < count; i++) {
        if (kept > 0 && knots[kept - 1].at_ns == knots[i].at_ns)
            continue;
        int64_t at_ns = knots[i].at_ns, shift_ns = clock_shift_ns(first, at_ns);
        knots[kept++] = (struct clock_knot){at_ns, shift_ns + clock_shift_ns(onward, at_ns + shift_ns)};
    }
    sum->uncertainty_ns += clock_curve_thin(knots, &kept);
    sum->knot_count = kept;
    sum->drift = 0;
    memcpy(sum->knots, knots, kept * sizeof *knots);
}

struct clock_facts clock_added(const struct clock_facts *first, const struct clock_facts *onward)
{
    int64_t common_ns = clock_to_client(first, onward->reference_ns);
    struct clock_facts sum = {.known = true,
                              .reference_ns = common_ns,
                              .server_minus_client_ns =
                                  clock_shift_ns(first, common_ns) + clock_shift_ns(onward, onward->reference_ns),
                              .uncertainty_ns = first->uncertainty_ns + onward->uncertainty_ns,
                              .drift = first->drift + onward->drift};
    if (onward->to_ns) {
        sum.from_ns = clock_to_client(first, onward->from_ns);
        sum.to_ns = clock_to_client(first, onward->to_ns);
    }
    if (first->knot_count > 0 || onward->knot_count > 0)
        add_curves(&sum, first, onward);
    return sum;
}
