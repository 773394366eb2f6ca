/*
 * The clocks' difference, constant or drifting.
 *
 * With A the shortest difference towards the server and B that towards the client, the server's clock is ahead by at most A and
 * at least -B. Constant clocks satisfy all slices at once. Where they cannot, the clocks drift: quartz is off by tens of parts in
 * a million, which is 0.1 s an hour. The slope is the median of all slopes between two slices (Theil and Sen), which a few slow
 * slices do not move.
 */
#include "clock_estimate.h"

#include <math.h>
#include <stdlib.h>

/* A clock that is off by more than this is being set, and does not drift. */
#define DRIFT_MOST 0.001

/* Two slices always lie on a line; only more can say that they do. */
enum { DRIFT_SLICES = 4 };

/* Stamps of one machine may be out of order by this much (several queues of a card, a clock that ticks slowly). */
#define STAMP_NOISE_NS NS_PER_MS

void clock_estimate_open(struct clock_estimate *estimate, int64_t from_ns, int64_t to_ns)
{
    *estimate = (struct clock_estimate){.from_ns = from_ns, .slice_ns = (to_ns - from_ns) / CLOCK_SLICES + 1};
}

void clock_estimate_add(struct clock_estimate *estimate, enum side sender, int64_t sent_ns, int64_t received_ns)
{
    int64_t client_ns = sender == SIDE_CLIENT ? sent_ns : received_ns, way_ns = received_ns - sent_ns;
    int64_t number = (client_ns - estimate->from_ns) / estimate->slice_ns;
    number = number < 0 ? 0 : number >= CLOCK_SLICES ? CLOCK_SLICES - 1 : number;
    struct clock_slice *slice = &estimate->slices[number];
    int64_t *shortest_ns = sender == SIDE_CLIENT ? &slice->to_server_ns : &slice->to_client_ns;
    bool *known = sender == SIDE_CLIENT ? &slice->to_server : &slice->to_client;
    if (!*known || way_ns < *shortest_ns)
        *shortest_ns = way_ns;
    *known = true;
}

/* From least to most, the server's clock is ahead at the reference. */
struct bounds {
    int64_t least_ns, most_ns;
    bool least, most;
};

static int64_t middle_of(const struct clock_estimate *estimate, unsigned slice)
{
    return estimate->from_ns + estimate->slice_ns * slice + estimate->slice_ns / 2;
}

static struct bounds bounds_with(const struct clock_estimate *estimate, double drift, int64_t reference_ns)
{
    struct bounds bounds = {0};
    for (unsigned i = 0; i < CLOCK_SLICES; i++) {
        const struct clock_slice *slice = &estimate->slices[i];
        int64_t gained_ns = (int64_t)(drift * (double)(middle_of(estimate, i) - reference_ns));
        int64_t most_ns = slice->to_server_ns - gained_ns, least_ns = -slice->to_client_ns - gained_ns;
        if (slice->to_server && (!bounds.most || most_ns < bounds.most_ns)) {
            bounds.most_ns = most_ns;
            bounds.most = true;
        }
        if (slice->to_client && (!bounds.least || least_ns > bounds.least_ns)) {
            bounds.least_ns = least_ns;
            bounds.least = true;
        }
    }
    return bounds;
}

static int compare_slopes(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median_slope(const struct clock_estimate *estimate)
{
    unsigned used[CLOCK_SLICES], count = 0, slopes = 0;
    for (unsigned i = 0; i < CLOCK_SLICES; i++)
        if (estimate->slices[i].to_server && estimate->slices[i].to_client)
            used[count++] = i;
    if (count < DRIFT_SLICES)
        return 0;
    double slope[CLOCK_SLICES * (CLOCK_SLICES - 1) / 2];
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = i + 1; j < count; j++) {
            const struct clock_slice *a = &estimate->slices[used[i]], *b = &estimate->slices[used[j]];
            double rise =
                (double)(b->to_server_ns - b->to_client_ns) / 2 - (double)(a->to_server_ns - a->to_client_ns) / 2;
            slope[slopes++] = rise / ((double)estimate->slice_ns * (used[j] - used[i]));
        }
    }
    qsort(slope, slopes, sizeof *slope, compare_slopes);
    double median = slope[slopes / 2];
    return fabs(median) <= DRIFT_MOST ? median : 0;
}

static struct clock_facts between(struct bounds bounds, double drift, int64_t reference_ns)
{
    int64_t width_ns = bounds.most_ns - bounds.least_ns;
    return (struct clock_facts){.known = true,
                                .server_minus_client_ns = bounds.least_ns / 2 + bounds.most_ns / 2,
                                .uncertainty_ns = (width_ns < 0 ? -width_ns : width_ns) / 2,
                                .reference_ns = reference_ns,
                                .drift = drift};
}

/* In a slice, the fastest way out and the fastest way back take less than no time. */
bool clock_estimate_contradicts(const struct clock_estimate *estimate)
{
    uint32_t slices = 0, contradicting = 0;
    for (unsigned i = 0; i < CLOCK_SLICES; i++) {
        const struct clock_slice *slice = &estimate->slices[i];
        slices += slice->to_server && slice->to_client;
        contradicting += slice->to_server && slice->to_client && slice->to_server_ns + slice->to_client_ns < 0;
    }
    return contradicting * 2 > slices;
}

struct clock_facts clock_estimate_result(const struct clock_estimate *estimate)
{
    int64_t reference_ns = middle_of(estimate, CLOCK_SLICES / 2);
    struct bounds constant = bounds_with(estimate, 0, reference_ns);
    if (!constant.least || !constant.most)
        return (struct clock_facts){0};
    if (constant.most_ns >= constant.least_ns - STAMP_NOISE_NS)
        return between(constant, 0, reference_ns);
    double drift = median_slope(estimate);
    struct bounds drifting = bounds_with(estimate, drift, reference_ns);
    bool better = drifting.most_ns - drifting.least_ns > constant.most_ns - constant.least_ns;
    struct clock_facts clock = better ? between(drifting, drift, reference_ns) : between(constant, 0, reference_ns);
    const struct bounds *bounds = better ? &drifting : &constant;
    clock.unsteady = bounds->least_ns - bounds->most_ns > CLOCK_SET_LEAST_NS;
    return clock;
}
