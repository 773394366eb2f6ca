/*
 * Theory of operation. Between two points that have connections in common, a device may be seen to rewrite both ends and sequence numbers.
 * Then a view at the one point that has no partner may be any view without a partner at the other, if they were there at the same time
 * and nothing contradicts. Where numbers or ends pass unchanged, what is not matched is not there.
 */
#include "doubts.h"

#include <stdlib.h>

#include "memory.h"

enum { TRIES_MOST = 256 };

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

static uint32_t find_lonely(const struct casebook *casebook, const struct view_groups *groups, uint32_t point,
                            struct lonely_view *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct conversation *c = view_numbered(casebook, i);
        if (c->point == point && view_is_single(groups, i))
            list[count++] = (struct lonely_view){c->first.time_ns, i};
    }
    if (count > 0)
        qsort(list, count, sizeof *list, compare_lonely);
    return count;
}

/* By when they began; with too many at once it is taken that one fits. */
static bool may_be_one_of(const struct casebook *casebook, const struct conversation *c,
                          const struct clock_facts *clock, const struct lonely_view *list, uint32_t count)
{
    int64_t patience_ns = 5 * NS_PER_SECOND, last_ns = clock_to_server(clock, c->last.time_ns) + patience_ns;
    uint32_t tries = 0;
    for (uint32_t i = 0; i < count && list[i].first_ns <= last_ns; i++) {
        const struct conversation *other = view_numbered(casebook, list[i].number);
        if (!view_times_fit(casebook, c, other))
            continue;
        if (!views_contradict(c, other) || ++tries == TRIES_MOST)
            return true;
    }
    return false;
}

static void doubt_near(const struct casebook *casebook, struct view_groups *groups, const struct point_pair *pair,
                       struct lonely_view *near, struct lonely_view *far)
{
    uint32_t near_count = find_lonely(casebook, groups, pair->near, near),
             far_count = find_lonely(casebook, groups, pair->far, far);
    for (uint32_t i = 0; i < near_count; i++) {
        const struct conversation *c = view_numbered(casebook, near[i].number);
        if (may_be_one_of(casebook, c, &pair->clock, far, far_count))
            groups->doubtful[near[i].number] = true;
    }
}

static void doubt_rewritten(const struct casebook *casebook, struct view_groups *groups)
{
    bool *rewriting = find_rewriting(casebook, groups);
    struct lonely_view *near = memory_take_array((size_t)groups->count + 1, sizeof *near),
                       *far = memory_take_array((size_t)groups->count + 1, sizeof *far);
    for (uint32_t i = 0; i < casebook->pairs.count; i++)
        if (rewriting[i] && casebook->pairs.list[i].clock.known)
            doubt_near(casebook, groups, &casebook->pairs.list[i], near, far);
    memory_give(near);
    memory_give(far);
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
                      "%u of its connections could not be told apart in another capture, and are judged by this one "
                      "alone. %s",
                      counts[i].all, what_would_tell(&counts[i]));
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
