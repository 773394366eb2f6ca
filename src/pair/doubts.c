/*
 * Theory of operation. Between two points that have connections in common, a device may be seen to rewrite both ends and sequence numbers.
 * Then a view at the one point that has no partner may be any view without a partner at the other, if they were there at the same time
 * and nothing contradicts. Where numbers or ends pass unchanged, what is not matched is not there.
 */
#include "doubts.h"

#include <stdlib.h>

#include "memory.h"
#include "sorted.h"

enum { TRIES_MOST = 1024 };

/* Of one capture, those that stayed without a partner. */
struct doubt_counts {
    uint32_t all, under_way, cut;
};

/* A view without a partner, and when it begins on the common clock. */
struct lonely_view {
    int64_t first_ns;
    uint32_t number;
};

static bool are_rewritten(const struct conversation *a, const struct conversation *b)
{
    bool ends = false, numbers = false;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *here = &a->sides[side], *there = &b->sides[side];
        ends = ends || !endpoint_equal(&a->ends[side], &b->ends[side]);
        numbers = numbers || (here->isn_known && there->isn_known && here->isn != there->isn);
    }
    return ends && numbers;
}

/* Marks the pairs of points between which a device rewrites both. */
static bool *find_rewriting(const struct casebook *casebook, const struct view_groups *groups)
{
    bool *rewriting = memory_take_array((size_t)casebook->pairs.count + 1, sizeof *rewriting);
    for (uint32_t i = 0; i < groups->count; i++)
        for (uint32_t j = groups->next[i]; j != VIEWS_END; j = groups->next[j]) {
            const struct conversation *a = view_numbered(casebook, i), *b = view_numbered(casebook, j);
            const struct point_pair *pair = point_pairs_find(&casebook->pairs, a->point, b->point);
            if (pair && are_rewritten(a, b))
                rewriting[pair - casebook->pairs.list] = true;
        }
    return rewriting;
}

static int compare_lonely(const void *left, const void *right)
{
    const struct lonely_view *a = left, *b = right;
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* Those of one point of the pair, by the near one's clock. */
static uint32_t find_lonely(const struct casebook *casebook, const struct view_groups *groups,
                            const struct point_pair *pair, uint32_t point, struct lonely_view *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct conversation *c = view_numbered(casebook, i);
        if (c->point != point || !view_is_single(groups, i))
            continue;
        int64_t first_ns = c->first.time_ns;
        list[count++] =
            (struct lonely_view){point == pair->far ? clock_to_client(&pair->clock, first_ns) : first_ns, i};
    }
    if (count > 0)
        qsort(list, count, sizeof *list, compare_lonely);
    return count;
}

/* Where those begin that began later than that. */
static uint32_t later_than(const struct lonely_view *list, uint32_t count, int64_t time_ns)
{
    const struct lonely_view wanted = {time_ns, UINT32_MAX};
    return sorted_place(&wanted, list, count, sizeof *list, compare_lonely);
}

/* Whoever began before its end may be it, the latest first; of too many it is taken that one is. */
static bool may_be_one_of(const struct casebook *casebook, const struct lonely_view *view,
                          const struct lonely_view *list, uint32_t count)
{
    const struct conversation *c = view_numbered(casebook, view->number);
    int64_t end_ns = view->first_ns + (c->last.time_ns - c->first.time_ns) + VIEWS_APART_NS;
    uint32_t until = later_than(list, count, end_ns);
    for (uint32_t tries = 0; tries < until; tries++) {
        const struct conversation *other = view_numbered(casebook, list[until - 1 - tries].number);
        if (tries == TRIES_MOST || (view_times_fit(casebook, c, other) && !views_contradict(c, other)))
            return true;
    }
    return false;
}

static void doubt_pair(const struct casebook *casebook, struct view_groups *groups, const struct point_pair *pair,
                       struct lonely_view *lists[static SIDES])
{
    const uint32_t points[SIDES] = {pair->near, pair->far};
    uint32_t counts[SIDES];
    for (enum side at = SIDE_CLIENT; at < SIDES; at++)
        counts[at] = find_lonely(casebook, groups, pair, points[at], lists[at]);
    for (enum side at = SIDE_CLIENT; at < SIDES; at++)
        for (uint32_t i = 0; i < counts[at]; i++)
            if (may_be_one_of(casebook, &lists[at][i], lists[side_other(at)], counts[side_other(at)]))
                groups->doubtful[lists[at][i].number] = true;
}

static void doubt_rewritten(const struct casebook *casebook, struct view_groups *groups)
{
    bool *rewriting = find_rewriting(casebook, groups);
    struct lonely_view *lists[SIDES];
    for (enum side at = SIDE_CLIENT; at < SIDES; at++)
        lists[at] = memory_take_array((size_t)groups->count + 1, sizeof *lists[at]);
    for (uint32_t i = 0; i < casebook->pairs.count; i++)
        if (rewriting[i] && casebook->pairs.list[i].clock.known)
            doubt_pair(casebook, groups, &casebook->pairs.list[i], lists);
    for (enum side at = SIDE_CLIENT; at < SIDES; at++)
        memory_give(lists[at]);
    memory_give(rewriting);
}

/* The capture has none of the bytes that begin its messages. */
static bool is_cut(const struct conversation *c)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        if (c->sides[side].traces.heads[0] != 0)
            return false;
    return c->sides[SIDE_CLIENT].data_packets > 0;
}

static const char *what_would_tell(const struct doubt_counts *counts)
{
    if (counts->cut * 2 > counts->all)
        return "Packets captured whole, or 180 bytes of each, would tell";
    if (counts->under_way * 2 > counts->all)
        return "Captures that begin before the connections would tell";
    return "A device rewrites what would tell; TCP timestamps on both machines would, or captures before and behind it";
}

static void note_doubts(struct casebook *casebook, const struct doubt_counts *counts)
{
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (counts[i].all > 0)
            notes_add(&casebook->captures[i].notes, "doubtful",
                      "%u of its connections could not be told apart in another capture, and %s judged by this one "
                      "alone. %s",
                      counts[i].all, counts[i].all == 1 ? "is" : "are", what_would_tell(&counts[i]));
}

void doubts_settle(struct casebook *casebook, struct view_groups *groups)
{
    struct doubt_counts *counts = memory_take_array((size_t)casebook->capture_count + 1, sizeof *counts);
    doubt_rewritten(casebook, groups);
    for (uint32_t i = 0; i < groups->count; i++) {
        if (!groups->doubtful[i] || !view_is_single(groups, i))
            continue;
        struct conversation *c = casebook_conversation(casebook, i);
        c->doubtful = true;
        struct doubt_counts *own = &counts[c->capture_first];
        own->all++;
        own->under_way += !c->starts_with_syn;
        own->cut += is_cut(c);
    }
    note_doubts(casebook, counts);
    memory_give(counts);
}
