/*
 * Theory of operation. Sorted by where their client's numbers begin, views that count through some of the same numbers are near each
 * other. In both directions, chance makes two spans of numbers overlap as seldom as they are short among all 2^32.
 */
#include "under_way.h"

#include <math.h>
#include <stdlib.h>

#include "bytes_in_flight.h"
#include "memory.h"
#include "view_fits.h"

/* A view that so many others overlap with, in the client's numbers, could not be told apart from them. */
enum { OVERLAPS_MOST = 1024 };

struct counted_view {
    uint32_t first, size; /* of the client's numbers */
    uint32_t number;
};

struct counted_views {
    struct counted_view *list;
    uint32_t count;
    uint32_t *populations; /* of each point */
};

static uint32_t size_of(const struct tcp_side *side)
{
    return side->payload_bytes > UINT32_MAX ? UINT32_MAX : side->seq_end - side->seq_first;
}

static int compare_counted(const void *left, const void *right)
{
    const struct counted_view *a = left, *b = right;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* Those that no other capture is known to have. */
static void count_views(const struct casebook *casebook, const struct view_groups *groups, struct counted_views *views)
{
    *views = (struct counted_views){.list = memory_take_array((size_t)groups->count + 1, sizeof *views->list),
                                    .populations = memory_take_array(casebook->point_count, sizeof(uint32_t))};
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct conversation *c = view_numbered(casebook, i);
        if (!view_is_single(groups, i) || !bytes_in_flight_known(c))
            continue;
        const struct tcp_side *client = &c->sides[SIDE_CLIENT];
        views->list[views->count++] = (struct counted_view){client->seq_first, size_of(client), i};
        views->populations[c->point]++;
    }
    qsort(views->list, views->count, sizeof *views->list, compare_counted);
}

static double bits_of(const struct conversation *a, const struct conversation *b)
{
    double bits = 0;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        double both = (double)size_of(&a->sides[side]) + (double)size_of(&b->sides[side]) + 1;
        bits += both < 4294967296.0 ? 32 - log2(both) : 0;
    }
    return bits;
}

static void compare_views(const struct casebook *casebook, struct view_fits *fits, uint32_t number, uint32_t other)
{
    const struct conversation *a = view_numbered(casebook, number), *b = view_numbered(casebook, other);
    if (points_may_share(casebook, a->point, b->point) && bytes_in_flight_overlap(a, b) &&
        view_times_fit(casebook, a, b) && !views_contradict(a, b))
        view_fits_add(fits, a, b, bits_of(a, b), 0);
}

/* The numbers go round, and so does the list. */
static void find_overlaps(const struct casebook *casebook, const struct counted_views *views, struct view_fits *fits)
{
    for (uint32_t i = 0; i < views->count; i++) {
        const struct counted_view *view = &views->list[i];
        for (uint32_t step = 1; step < views->count && step <= OVERLAPS_MOST; step++) {
            const struct counted_view *next = &views->list[(i + step) % views->count];
            if (next->first - view->first > view->size)
                break;
            compare_views(casebook, fits, view->number, next->number);
        }
    }
}

void under_way_match(struct casebook *casebook, struct view_groups *groups)
{
    struct counted_views views;
    count_views(casebook, groups, &views);
    struct view_fits fits = {
        .evidence = MATCHED_BY_BYTES_IN_FLIGHT, .margin_bits = HUGE_VAL, .populations = views.populations};
    find_overlaps(casebook, &views, &fits);
    view_fits_unite(casebook, groups, &fits);
    memory_give(views.list);
    memory_give(views.populations);
}
