/*
 * Theory of operation. For each pair of points, packets that both have bound the difference of their clocks from both sides: none
 * arrives before it left. Held against the wrong order of the two points the bounds contradict each other, by twice the way
 * between them; so where nothing else says which point is nearer to the client, the clocks do.
 */
#include "path_clocks.h"

#include "bytes_in_flight.h"
#include "capture_side.h"
#include "clock_curve.h"
#include "clock_estimate.h"
#include "clock_samples.h"
#include "memory.h"

/* What is measured of a pair. */
struct pair_estimate {
    struct way_times same_numbers; /* of connections with the same initial sequence numbers at both points */
    struct way_times any;
};

struct sample_bounds {
    struct way_times *times;
    int64_t tick_ns[SIDES]; /* of the stamps at the near and at the far point */
};

/* A stamp is of any time up to the next tick: what was received has arrived by then for sure. */
static void add_sample(void *context, enum side sender, const struct moment *sent, const struct moment *received)
{
    const struct sample_bounds *bounds = context;
    way_times_bound(bounds->times, sender, sent->time_ns, received->time_ns + bounds->tick_ns[side_other(sender)]);
}

static void add_samples_of(const struct casebook *casebook, const struct conversation *near,
                           const struct conversation *far, struct way_times *times)
{
    struct sample_bounds bounds = {times,
                                   {[SIDE_CLIENT] = stamp_tick_ns(&casebook->points[near->point].tick),
                                    [SIDE_SERVER] = stamp_tick_ns(&casebook->points[far->point].tick)}};
    clock_samples_of(near, far, add_sample, &bounds);
}

/* Who was said to be at an end is farther out than who only seems to be. */
static int rank_of(const struct casebook *casebook, uint32_t point)
{
    const struct point_facts *facts = &casebook->points[point];
    int outward = facts->role_given ? 2 : 1;
    return facts->role == CAPTURE_ROLE_CLIENT ? -outward : facts->role == CAPTURE_ROLE_SERVER ? outward : 0;
}

bool path_is_nearer(const struct casebook *casebook, uint32_t a, uint32_t b)
{
    int rank_a = rank_of(casebook, a), rank_b = rank_of(casebook, b);
    if (rank_a != rank_b)
        return rank_a < rank_b;
    const struct point_pair *pair = point_pairs_find(&casebook->pairs, a, b);
    return pair ? pair->near == a : a < b;
}

static void make_pairs(struct casebook *casebook, const struct view_groups *groups)
{
    for (uint32_t i = 0; i < groups->count; i++)
        for (uint32_t j = groups->next[i]; j != VIEWS_END; j = groups->next[j]) {
            uint32_t a = casebook_conversation(casebook, i)->point, b = casebook_conversation(casebook, j)->point;
            point_pairs_need(&casebook->pairs, path_is_nearer(casebook, a, b) ? a : b,
                             path_is_nearer(casebook, a, b) ? b : a);
        }
}

typedef bool two_views(const struct conversation *a, const struct conversation *b);

static bool any_views(const struct conversation *a, const struct conversation *b)
{
    (void)a, (void)b;
    return true;
}

static void add_samples(const struct casebook *casebook, const struct view_groups *groups,
                        struct pair_estimate *estimates, two_views *fit)
{
    for (uint32_t i = 0; i < groups->count; i++)
        for (uint32_t j = groups->next[i]; j != VIEWS_END; j = groups->next[j]) {
            const struct conversation *near = casebook_conversation(casebook, i),
                                      *far = casebook_conversation(casebook, j);
            const struct point_pair *pair = point_pairs_find(&casebook->pairs, near->point, far->point);
            struct pair_estimate *estimate = &estimates[pair - casebook->pairs.list];
            if (pair->near != near->point) {
                const struct conversation *other = near;
                near = far;
                far = other;
            }
            if (!fit(near, far))
                continue;
            add_samples_of(casebook, near, far, &estimate->any);
            if (clock_samples_are_direct(near, far))
                add_samples_of(casebook, near, far, &estimate->same_numbers);
        }
}

/* Of all pairs, which are made as they are needed, from those views that fit. The caller gives it back. */
static struct pair_estimate *estimate_pairs(struct casebook *casebook, const struct view_groups *groups, two_views *fit)
{
    make_pairs(casebook, groups);
    struct pair_estimate *estimates = memory_take_array((size_t)casebook->pairs.count + 1, sizeof *estimates);
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_facts *near = &casebook->points[casebook->pairs.list[i].near];
        way_times_open(&estimates[i].same_numbers, near->first_ns, near->last_ns);
        way_times_open(&estimates[i].any, near->first_ns, near->last_ns);
    }
    add_samples(casebook, groups, estimates, fit);
    return estimates;
}

/* Where the roles do not tell the order. */
static bool turn_pairs(struct casebook *casebook, const struct pair_estimate *estimates)
{
    bool turned = false;
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        struct point_pair *pair = &casebook->pairs.list[i];
        if (rank_of(casebook, pair->near) != rank_of(casebook, pair->far) ||
            !clock_estimate_contradicts(&estimates[i].same_numbers))
            continue;
        uint32_t near = pair->near;
        pair->near = pair->far;
        pair->far = near;
        turned = true;
    }
    return turned;
}

static bool exchange_roles(struct casebook *casebook, const struct pair_estimate *estimates)
{
    bool exchanged = false;
    for (uint32_t i = 0; i < casebook->pairs.count; i++)
        if (clock_estimate_contradicts(&estimates[i].same_numbers))
            exchanged = capture_side_exchange(casebook, &casebook->pairs.list[i]) || exchanged;
    return exchanged;
}

static bool set_clock(struct point_pair *pair, const struct way_times *ways, struct clock_facts clock)
{
    if (!clock.known)
        return false;
    pair->clock = clock;
    pair->ways = memory_take(sizeof *pair->ways);
    *pair->ways = *ways;
    return true;
}

bool path_clocks_measure(struct casebook *casebook, const struct view_groups *groups)
{
    struct pair_estimate *estimates = estimate_pairs(casebook, groups, any_views);
    if (turn_pairs(casebook, estimates)) {
        memory_give(estimates);
        estimates = estimate_pairs(casebook, groups, any_views);
    }
    bool exchanged = exchange_roles(casebook, estimates);
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        struct point_pair *pair = &casebook->pairs.list[i];
        if (!set_clock(pair, &estimates[i].same_numbers, clock_estimate_result(&estimates[i].same_numbers)))
            set_clock(pair, &estimates[i].any, clock_estimate_result(&estimates[i].any));
    }
    memory_give(estimates);
    if (exchanged)
        point_pairs_close(&casebook->pairs);
    return !exchanged;
}

/* What both saw of a direction has the same numbers, in one direction at least. */
static bool count_the_same_bytes(const struct conversation *a, const struct conversation *b)
{
    bool known = false;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        if (!bytes_in_flight_may_agree(a, b, side))
            return false;
        known = known || (a->sides[side].seqs_known && b->sides[side].seqs_known);
    }
    return known;
}

void path_clocks_complete(struct casebook *casebook, const struct view_groups *groups)
{
    struct pair_estimate *estimates = estimate_pairs(casebook, groups, count_the_same_bytes);
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        struct point_pair *pair = &casebook->pairs.list[i];
        struct clock_facts found = clock_estimate_result(&estimates[i].any);
        if (!pair->clock.known && !found.unsteady)
            set_clock(pair, &estimates[i].any, found);
    }
    memory_give(estimates);
}

/* Relates points to such as are related already, until nothing is added. */
static void spread(struct casebook *casebook)
{
    bool more = true;
    while (more) {
        more = false;
        for (uint32_t i = 0; i < casebook->pairs.count; i++) {
            const struct point_pair *pair = &casebook->pairs.list[i];
            struct clock_facts *near = &casebook->points[pair->near].clock, *far = &casebook->points[pair->far].clock;
            if (!pair->clock.known || near->known == far->known)
                continue;
            struct clock_facts back = clock_turned(&pair->clock);
            if (near->known)
                *far = clock_added(near, &pair->clock);
            else
                *near = clock_added(far, &back);
            more = true;
        }
    }
}

/* From end to end rather than to a point between, and then by what both have. */
static bool is_better(const struct casebook *casebook, const struct point_pair *a, const struct point_pair *b)
{
    int reach_a = rank_of(casebook, a->far) - rank_of(casebook, a->near),
        reach_b = rank_of(casebook, b->far) - rank_of(casebook, b->near);
    return reach_a != reach_b ? reach_a > reach_b : a->connections > b->connections;
}

static const struct point_pair *main_pair(const struct casebook *casebook)
{
    const struct point_pair *best = NULL;
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_pair *pair = &casebook->pairs.list[i];
        if (pair->clock.known && (!best || is_better(casebook, pair, best)))
            best = pair;
    }
    return best;
}

void path_clocks_settle(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->point_count; i++)
        casebook->points[i].clock = (struct clock_facts){0};
    const struct point_pair *main = main_pair(casebook);
    if (!main)
        return;
    casebook->clock = main->clock;
    casebook->points[main->near].clock.known = true;
    spread(casebook);
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_pair *pair = &casebook->pairs.list[i];
        if (!pair->clock.known || casebook->points[pair->near].clock.known)
            continue;
        casebook->points[pair->near].clock.known = true;
        spread(casebook);
    }
}
