/*
 * Theory of operation. The fastest packet towards the server says how far the server's clock is ahead at most when it is sent, the
 * fastest one towards the client how far at least. Delays only ever grow, so a slow packet is a weak bound and never a wrong one.
 *
 * Clocks that go on by themselves differ by a straight line over time: quartz is off by tens of parts in a million, always by about as
 * many. So the fewest straight lines are taken that the bounds allow, each for as long as it contradicts none: one where nothing
 * happens, more where a clock is slewed for a while (RFC 5905, appendix A.5.5; Windows does it, too) or warms up. A line that has room
 * by less than half a round trip is none either: the bounds of clocks that do differ by a line leave it a whole one. Among the lines
 * that a stretch allows it is the level one if that is among them, and the one in the middle else.
 *
 * How far the line may be off is told by its distances from two bounds next to each other, one of each kind, and where those are far
 * away, because packets queue, by two others, which grow weaker with the time in between: by what the rate is not known better, and,
 * where the rate changed, by that change. Bounds far from each other are not taken together: a change too small to contradict any of
 * them would hide in between. Ways of different length make nothing wrong by this: how a round trip is divided is just what the two
 * bounds leave open.
 */
#include "clock_estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock_curve.h"
#include "memory.h"

/* A clock that is off by more than this is being set, and does not drift: twice the 500 parts in a million by which systems slew. */
#define DRIFT_MOST 0.001

/* By how much the clocks of two machines that nobody slews may drift apart: quartz is good to some 50 parts in a million each. */
#define QUARTZ_MOST 0.0001

/* By how much a rate that was measured changes by itself (RFC 5905, 4: PHI). */
#define TOLERANCE 0.000015

/* From one stretch to the next the curve is no steeper than that: times of either clock stay in order on the other one. */
#define BEND_MOST 0.02

/* Stamps of one machine may be out of order by this much (several queues of a card, a clock that ticks slowly). */
#define STAMP_NOISE_NS NS_PER_MS

/* The server's clock is ahead by at most that, or by at least that. */
struct bound {
    int64_t at_ns, shift_ns;
    bool most;
};

/* A straight line, from its first bound to before the next one's first. */
struct stretch {
    uint32_t first, end; /* bounds */
    double rate, unsure; /* the latter: by how much the rate may be another one */
    int64_t shift_ns;    /* at the first bound */
    int64_t gap_ns;      /* between its closest bounds on both sides; valid when has_gap */
    bool has_gap;
};

/* How far the truth may be above the curve, and how far below. */
struct reach {
    int64_t over_ns, under_ns;
    bool known;
};

struct course {
    struct bound bounds[SIDES * WAY_SLICES];
    struct stretch stretches[SIDES * WAY_SLICES];
    struct reach reaches[SIDES * WAY_SLICES]; /* at each bound */
    int64_t weaker_ns[SIDES * WAY_SLICES];    /* by how much they grow from each bound to the next */
    uint32_t bound_count, stretch_count;
    int64_t slice_ns, round_trip_ns;
    int64_t apart_least_ns; /* what a line has to leave between the bounds on its both sides */
    struct clock_facts clock;
};

/* In a slice, the fastest way out and the fastest way back take less than no time. That proves that the order is wrong, or that a clock was
 * set in that very slice; that another slice does not contradict proves nothing, for packets may all have been slow. */
bool clock_estimate_contradicts(const struct way_times *times)
{
    uint32_t slices = 0, contradicting = 0;
    for (unsigned i = 0; i < WAY_SLICES; i++) {
        const struct way_slice *out = &times->slices[SIDE_CLIENT][i], *back = &times->slices[SIDE_SERVER][i];
        slices += out->known && back->known;
        contradicting += out->known && back->known && out->shortest_ns + back->shortest_ns < 0;
    }
    uint32_t others = slices - contradicting;
    return contradicting > others || (contradicting == others && contradicting > 1);
}

/* The shortest round trip within a slice. */
static int64_t round_trip_ns(const struct way_times *times)
{
    int64_t shortest_ns = INT64_MAX;
    for (unsigned i = 0; i < WAY_SLICES; i++) {
        const struct way_slice *out = &times->slices[SIDE_CLIENT][i], *back = &times->slices[SIDE_SERVER][i];
        int64_t trip_ns = out->shortest_ns + back->shortest_ns;
        if (out->known && back->known && trip_ns >= 0 && trip_ns < shortest_ns)
            shortest_ns = trip_ns;
    }
    return shortest_ns != INT64_MAX ? shortest_ns : 0;
}

static int compare_bounds(const void *left, const void *right)
{
    const struct bound *a = left, *b = right;
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns ? -1 : 1;
    return a->most - b->most;
}

static void collect(struct course *course, const struct way_times *times)
{
    for (unsigned i = 0; i < WAY_SLICES; i++) {
        const struct way_slice *out = &times->slices[SIDE_CLIENT][i], *back = &times->slices[SIDE_SERVER][i];
        if (out->known)
            course->bounds[course->bound_count++] = (struct bound){out->shortest_at_ns, out->shortest_ns, true};
        if (back->known)
            course->bounds[course->bound_count++] = (struct bound){back->shortest_at_ns, -back->shortest_ns, false};
    }
    qsort(course->bounds, course->bound_count, sizeof *course->bounds, compare_bounds);
    course->slice_ns = times->slice_ns;
    course->round_trip_ns = round_trip_ns(times);
    course->apart_least_ns = course->round_trip_ns / 2 - STAMP_NOISE_NS;
}

static double time_between(const struct bound *a, const struct bound *b)
{
    return (double)(b->at_ns - a->at_ns);
}

/* Two bounds that not even the fastest drift satisfies. */
static bool has_jump(const struct course *course)
{
    for (uint32_t i = 0; i < course->bound_count; i++)
        for (uint32_t j = i + 1; j < course->bound_count; j++) {
            const struct bound *a = &course->bounds[i], *b = &course->bounds[j];
            int64_t contradiction_ns = a->most ? b->shift_ns - a->shift_ns : a->shift_ns - b->shift_ns;
            if (a->most != b->most &&
                (double)contradiction_ns - DRIFT_MOST * time_between(a, b) > (double)CLOCK_SET_LEAST_NS)
                return true;
        }
    return false;
}

struct rates {
    double least, most;
};

static double lesser(double a, double b)
{
    return a < b ? a : b;
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

/* Those of the lines that keep two bounds of either kind apart by so much. */
static struct rates narrow(struct rates rates, const struct bound *a, const struct bound *b, int64_t apart_least_ns)
{
    const struct bound *most = a->most ? a : b, *least = a->most ? b : a;
    double room_ns = (double)(most->shift_ns - least->shift_ns - apart_least_ns), apart_ns = time_between(least, most);
    if (apart_ns > 0)
        rates.most = lesser(rates.most, room_ns / apart_ns);
    else if (apart_ns < 0)
        rates.least = greater(rates.least, room_ns / apart_ns);
    else if (room_ns < 0)
        rates = (struct rates){1, -1};
    return rates;
}

/* As many bounds as one line can satisfy; the rates that it may have. */
static struct rates extend(const struct course *course, struct stretch *stretch)
{
    struct rates rates = {-DRIFT_MOST, DRIFT_MOST};
    for (stretch->end = stretch->first + 1; stretch->end < course->bound_count; stretch->end++) {
        const struct bound *bound = &course->bounds[stretch->end];
        struct rates narrower = rates;
        for (uint32_t i = stretch->first; i < stretch->end; i++)
            if (course->bounds[i].most != bound->most)
                narrower = narrow(narrower, &course->bounds[i], bound, course->apart_least_ns);
        if (narrower.least > narrower.most)
            break;
        rates = narrower;
    }
    return rates;
}

static int64_t gained_ns(const struct course *course, const struct stretch *stretch, uint32_t bound)
{
    return (int64_t)(stretch->rate * time_between(&course->bounds[stretch->first], &course->bounds[bound]));
}

/* Halfway between the closest bounds; with those of one kind only, as far from them as another stretch is from its own. */
static void place(const struct course *course, struct stretch *stretch, int64_t usual_gap_ns)
{
    int64_t most_ns = INT64_MAX, least_ns = INT64_MIN;
    for (uint32_t i = stretch->first; i < stretch->end; i++) {
        int64_t shift_ns = course->bounds[i].shift_ns - gained_ns(course, stretch, i);
        if (course->bounds[i].most)
            most_ns = shift_ns < most_ns ? shift_ns : most_ns;
        else
            least_ns = shift_ns > least_ns ? shift_ns : least_ns;
    }
    stretch->has_gap = most_ns != INT64_MAX && least_ns != INT64_MIN;
    if (stretch->has_gap) {
        stretch->gap_ns = most_ns - least_ns;
        stretch->shift_ns = least_ns + stretch->gap_ns / 2;
    } else {
        stretch->shift_ns = most_ns != INT64_MAX ? most_ns - usual_gap_ns / 2 : least_ns + usual_gap_ns / 2;
    }
}

static void lay_stretches(struct course *course)
{
    int64_t usual_gap_ns = 0;
    for (uint32_t from = 0; from < course->bound_count; from = course->stretches[course->stretch_count++].end) {
        struct stretch *stretch = &course->stretches[course->stretch_count];
        *stretch = (struct stretch){.first = from};
        struct rates rates = extend(course, stretch);
        stretch->rate = rates.least <= 0 && rates.most >= 0 ? 0 : (rates.least + rates.most) / 2;
        stretch->unsure = lesser(QUARTZ_MOST, greater(rates.most - stretch->rate, stretch->rate - rates.least));
        place(course, stretch, usual_gap_ns);
        usual_gap_ns = stretch->has_gap ? stretch->gap_ns : usual_gap_ns;
    }
}

static int64_t on_line_ns(const struct course *course, const struct stretch *stretch, int64_t at_ns)
{
    int64_t first_ns = course->bounds[stretch->first].at_ns;
    return stretch->shift_ns + (int64_t)(stretch->rate * (double)(at_ns - first_ns));
}

/* Left out if the curve would be too steep: of stretches of a few bounds each. */
static void add_knot(struct clock_knot *knots, uint32_t *count, int64_t at_ns, int64_t shift_ns)
{
    const struct clock_knot *before = *count > 0 ? &knots[*count - 1] : NULL;
    if (!before || (double)llabs(shift_ns - before->shift_ns) < BEND_MOST * (double)(at_ns - before->at_ns))
        knots[(*count)++] = (struct clock_knot){at_ns, shift_ns};
}

/* By how much the knots at the end of a stretch and at the begin of the next have to move apart, each. */
static int64_t apart_by_ns(const struct course *course, const struct stretch *stretch)
{
    int64_t last_ns = course->bounds[stretch->end - 1].at_ns, next_ns = course->bounds[stretch->end].at_ns;
    int64_t rise_ns = on_line_ns(course, stretch + 1, next_ns) - on_line_ns(course, stretch, last_ns);
    int64_t lacks_ns = (int64_t)((double)llabs(rise_ns) / (BEND_MOST / 2)) - (next_ns - last_ns);
    return lacks_ns > 0 ? lacks_ns / 2 : 0;
}

/* Where a stretch begins and ends. */
static void draw_curve(struct course *course)
{
    struct clock_facts *clock = &course->clock;
    struct clock_knot *knots = memory_take_array(2 * (size_t)course->stretch_count + 2, sizeof *knots);
    const struct stretch *last = &course->stretches[course->stretch_count - 1];
    add_knot(knots, &clock->knot_count, clock->from_ns, on_line_ns(course, course->stretches, clock->from_ns));
    for (uint32_t i = 0; i < course->stretch_count; i++) {
        const struct stretch *stretch = &course->stretches[i];
        int64_t first_ns = course->bounds[stretch->first].at_ns, last_ns = course->bounds[stretch->end - 1].at_ns;
        first_ns += i > 0 ? apart_by_ns(course, stretch - 1) : 0;
        last_ns -= stretch != last ? apart_by_ns(course, stretch) : 0;
        add_knot(knots, &clock->knot_count, first_ns, on_line_ns(course, stretch, first_ns));
        add_knot(knots, &clock->knot_count, last_ns, on_line_ns(course, stretch, last_ns));
    }
    add_knot(knots, &clock->knot_count, clock->to_ns, on_line_ns(course, last, clock->to_ns));
    clock_curve_thin(knots, &clock->knot_count);
    memcpy(clock->knots, knots, clock->knot_count * sizeof *knots);
    clock->server_minus_client_ns = clock_curve_ns(clock, clock->reference_ns);
    memory_give(knots);
}

static void draw_line(struct course *course)
{
    struct clock_facts *clock = &course->clock;
    clock->drift = course->stretches[0].rate;
    clock->server_minus_client_ns = on_line_ns(course, course->stretches, clock->reference_ns);
}

static uint32_t stretch_of(const struct course *course, uint32_t bound, uint32_t from)
{
    while (course->stretches[from].end <= bound)
        from++;
    return from;
}

/* How much faster than the curve the difference may change from that bound to the next: as the stretches there, and those beside. */
static double may_differ(const struct course *course, uint32_t bound, uint32_t stretch)
{
    const struct bound *here = &course->bounds[bound], *next = here + 1;
    double rise = (double)(clock_shift_ns(&course->clock, next->at_ns) - clock_shift_ns(&course->clock, here->at_ns)),
           rate = rise / time_between(here, next), differ = 0;
    uint32_t to = stretch_of(course, bound + 1, stretch) + 1;
    for (uint32_t i = stretch > 0 ? stretch - 1 : 0; i <= to && i < course->stretch_count; i++)
        differ = greater(differ, fabs(course->stretches[i].rate - rate));
    return differ + course->stretches[stretch].unsure + TOLERANCE;
}

/* How much weaker the bounds there grow on the way to the next one. */
static int64_t weaker_ns(const struct course *course, uint32_t bound, uint32_t stretch)
{
    double apart_ns = time_between(&course->bounds[bound], &course->bounds[bound + 1]);
    return apart_ns > 0 ? (int64_t)(may_differ(course, bound, stretch) * apart_ns) : 0;
}

static int64_t farther_ns(int64_t a_ns, int64_t b_ns)
{
    return llabs(a_ns) > llabs(b_ns) ? llabs(a_ns) : llabs(b_ns);
}

static int64_t width_ns(const struct reach *reach)
{
    return reach->over_ns + reach->under_ns;
}

/* What two bounds of different kinds next to each other leave open, at either. */
static void close_in(struct course *course, uint32_t bound)
{
    const struct bound *here = &course->bounds[bound], *next = here + 1;
    const struct bound *most = here->most ? here : next, *least = here->most ? next : here;
    int64_t weaker_ns = course->weaker_ns[bound];
    struct reach reach = {most->shift_ns - clock_shift_ns(&course->clock, most->at_ns) + weaker_ns,
                          clock_shift_ns(&course->clock, least->at_ns) - least->shift_ns + weaker_ns, true};
    for (uint32_t i = bound; i <= bound + 1; i++)
        if (!course->reaches[i].known || width_ns(&reach) < width_ns(&course->reaches[i]))
            course->reaches[i] = reach;
}

/* What is known there, here, where that is more than is known already. */
static void hand_on(const struct reach *there, struct reach *here, int64_t weaker_ns)
{
    struct reach reach = {there->over_ns + weaker_ns, there->under_ns + weaker_ns, true};
    if (there->known && (!here->known || width_ns(&reach) < width_ns(here)))
        *here = reach;
}

static void find_reaches(struct course *course)
{
    uint32_t count = course->bound_count;
    for (uint32_t i = 0, stretch = 0; i + 1 < count; i++) {
        stretch = stretch_of(course, i, stretch);
        course->weaker_ns[i] = weaker_ns(course, i, stretch);
        if (course->bounds[i].most != course->bounds[i + 1].most)
            close_in(course, i);
    }
    for (uint32_t i = 1; i < count; i++)
        hand_on(&course->reaches[i - 1], &course->reaches[i], course->weaker_ns[i - 1]);
    for (uint32_t i = count - 1; i-- > 0;)
        hand_on(&course->reaches[i + 1], &course->reaches[i], course->weaker_ns[i]);
}

static int64_t distance_ns(const struct reach *reach)
{
    return farther_ns(reach->over_ns, reach->under_ns);
}

/* From a bound to the next, at most: there are packets for a slice after the one and before the other only. Where the rate changes
 * ever, it may at any moment, and the difference all at once. */
static int64_t between_ns(const struct course *course, uint32_t bound)
{
    int64_t here_ns = distance_ns(&course->reaches[bound]), next_ns = distance_ns(&course->reaches[bound + 1]);
    int64_t apart_ns = course->bounds[bound + 1].at_ns - course->bounds[bound].at_ns, busy_ns = 2 * course->slice_ns;
    double busy = apart_ns > busy_ns ? (double)busy_ns / (double)apart_ns : 1;
    int64_t weaker_ns = (int64_t)(busy * (double)course->weaker_ns[bound]);
    return course->stretch_count > 1 ? farther_ns(here_ns, next_ns) + weaker_ns : (here_ns + next_ns + weaker_ns) / 2;
}

static int64_t uncertainty_ns(struct course *course)
{
    find_reaches(course);
    int64_t most_ns = distance_ns(&course->reaches[course->bound_count - 1]);
    for (uint32_t i = 0; i + 1 < course->bound_count; i++) {
        most_ns = farther_ns(most_ns, distance_ns(&course->reaches[i]));
        most_ns = farther_ns(most_ns, between_ns(course, i));
    }
    return most_ns;
}

/* No curve satisfies all: the one number that contradicts them the least. What they contradict it by lacks a round trip of what it is
 * off by. */
static void draw_middle(struct course *course)
{
    struct clock_facts *clock = &course->clock;
    struct stretch all = {.first = 0, .end = course->bound_count};
    place(course, &all, 0);
    clock->unsteady = true;
    clock->server_minus_client_ns = all.shift_ns;
    clock->uncertainty_ns = llabs(all.gap_ns) / 2 + course->round_trip_ns;
}

static bool knows_both_ways(const struct course *course)
{
    bool known[2] = {false};
    for (uint32_t i = 0; i < course->bound_count; i++)
        known[course->bounds[i].most] = true;
    return known[false] && known[true];
}

struct clock_facts clock_estimate_result(const struct way_times *times)
{
    struct course *course = memory_take(sizeof *course);
    collect(course, times);
    course->clock = (struct clock_facts){.known = knows_both_ways(course),
                                         .reference_ns = times->from_ns + times->slice_ns * WAY_SLICES / 2,
                                         .from_ns = times->from_ns,
                                         .to_ns = times->from_ns + times->slice_ns * WAY_SLICES};
    if (course->clock.known && has_jump(course)) {
        draw_middle(course);
    } else if (course->clock.known) {
        lay_stretches(course);
        if (course->stretch_count > 1)
            draw_curve(course);
        else
            draw_line(course);
        course->clock.uncertainty_ns = uncertainty_ns(course);
    }
    struct clock_facts clock = course->clock;
    memory_give(course);
    return clock;
}
