/*
 * Theory of operation. Who asks the same gets the same answers: lengths tell what was asked, not who asked. So a series of lengths counts only
 * where each capture has it once, and only together with its moment. Of true pairs the moments differ by the clocks' difference, the
 * same for all but for how the way's delay varies; those of a program that ran twice, once in each capture, differ by anything. Of
 * the pairs that agree, so many are expected to do so by chance as the others would, spread over the time that was captured.
 */
#include "match_lengths.h"

#include <math.h>
#include <stdlib.h>

#include "memory.h"
#include "view_fits.h"

/* Queues on the way vary by so much. */
#define MOMENT_SLACK_NS (10 * NS_PER_MS)

/* Programs that run at full minutes agree in pairs more often than those that run at any time. */
enum { WITNESSES_LEAST = 3 };

struct seen_series {
    uint32_t hash, point, number;
    int64_t begun_ns;
};

/* Two views that have a series in common, and by how much later it began in the second than the clocks say, if they say anything. */
struct length_pair {
    uint32_t points[SIDES], numbers[SIDES];
    int64_t later_ns;
};

struct length_pairs {
    struct length_pair *list;
    uint32_t count, capacity;
};

static int compare_series(const void *left, const void *right)
{
    const struct seen_series *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->point != b->point)
        return a->point < b->point ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static struct seen_series *gather_series(const struct casebook *casebook, uint32_t *count)
{
    uint32_t conversations = casebook_conversations(casebook);
    struct seen_series *list = memory_take_array((size_t)conversations * TRACE_SERIES + 1, sizeof *list);
    *count = 0;
    for (uint32_t number = 0; number < conversations; number++) {
        const struct conversation *c = view_numbered(casebook, number);
        for (unsigned i = 0; i < TRACE_SERIES && c->series[i].hash != 0; i++)
            list[(*count)++] = (struct seen_series){c->series[i].hash, c->point, number,
                                                    c->first.time_ns + c->series[i].begun * TRACE_TICK_NS};
    }
    qsort(list, *count, sizeof *list, compare_series);
    return list;
}

static int64_t later_ns(const struct casebook *casebook, const struct seen_series *a, const struct seen_series *b)
{
    const struct point_pair *pair = point_pairs_find(&casebook->pairs, a->point, b->point);
    if (!pair || !pair->clock.known)
        return b->begun_ns - a->begun_ns;
    return pair->near == a->point ? b->begun_ns - clock_to_server(&pair->clock, a->begun_ns)
                                  : clock_to_server(&pair->clock, b->begun_ns) - a->begun_ns;
}

static void add_pair(struct length_pairs *pairs, struct length_pair pair)
{
    if (pairs->count == pairs->capacity) {
        pairs->capacity = pairs->capacity ? pairs->capacity * 2 : 256;
        pairs->list = memory_grow(pairs->list, pairs->capacity, sizeof *pairs->list);
    }
    pairs->list[pairs->count++] = pair;
}

/* Those with the same series: of each point that has it once, the one. Returns how many. */
static uint32_t single_ones(const struct seen_series *list, uint32_t count,
                            const struct seen_series *single[static PATH_POINTS_MOST])
{
    uint32_t found = 0;
    for (uint32_t i = 0, to; i < count && found < PATH_POINTS_MOST; i = to) {
        for (to = i + 1; to < count && list[to].point == list[i].point;)
            to++;
        if (to == i + 1)
            single[found++] = &list[i];
    }
    return found;
}

static void pair_series(const struct casebook *casebook, const struct view_groups *groups, struct length_pairs *pairs,
                        const struct seen_series *list, uint32_t count)
{
    const struct seen_series *single[PATH_POINTS_MOST];
    uint32_t found = single_ones(list, count, single);
    for (uint32_t i = 0; i < found; i++)
        for (uint32_t j = i + 1; j < found; j++) {
            const struct seen_series *a = single[i], *b = single[j];
            if (views_may_be_new(casebook, groups, a->number, b->number))
                add_pair(pairs,
                         (struct length_pair){{a->point, b->point}, {a->number, b->number}, later_ns(casebook, a, b)});
        }
}

static int compare_pairs(const void *left, const void *right)
{
    const struct length_pair *a = left, *b = right;
    for (enum side at = SIDE_CLIENT; at < SIDES; at++)
        if (a->points[at] != b->points[at])
            return a->points[at] < b->points[at] ? -1 : 1;
    if (a->later_ns != b->later_ns)
        return a->later_ns < b->later_ns ? -1 : 1;
    for (enum side at = SIDE_CLIENT; at < SIDES; at++)
        if (a->numbers[at] != b->numbers[at])
            return a->numbers[at] < b->numbers[at] ? -1 : 1;
    return 0;
}

/* A stretch of a list in order of later_ns. */
struct agreeing {
    uint32_t from, count;
    bool given; /* that they agree with the clocks, not only with each other */
};

static struct agreeing find_agreeing(const struct casebook *casebook, const struct length_pair *list, uint32_t count)
{
    const struct point_pair *pair = point_pairs_find(&casebook->pairs, list->points[0], list->points[1]);
    struct agreeing best = {.given = pair && pair->clock.known};
    int64_t within_ns = MOMENT_SLACK_NS + (best.given ? pair->clock.uncertainty_ns : 0);
    for (uint32_t from = 0, to = 0; from < count; from++) {
        int64_t first_ns = best.given ? -within_ns : list[from].later_ns;
        if (list[from].later_ns < first_ns)
            continue;
        for (to = to > from ? to : from; to < count && list[to].later_ns <= first_ns + 2 * within_ns;)
            to++;
        if (to - from > best.count)
            best = (struct agreeing){from, to - from, best.given};
    }
    return best;
}

static int64_t captured_ns(const struct casebook *casebook, uint32_t point)
{
    return casebook->points[point].last_ns - casebook->points[point].first_ns;
}

/* How much likelier it is that those which agree are the same than that they do so by chance. The first agrees with itself. */
static double bits_of(const struct casebook *casebook, const struct length_pair *list, uint32_t count,
                      struct agreeing agreeing)
{
    int64_t here_ns = captured_ns(casebook, list->points[0]), there_ns = captured_ns(casebook, list->points[1]);
    double spread = (double)(here_ns < there_ns ? here_ns : there_ns) / (2.0 * (double)MOMENT_SLACK_NS);
    double others = count - agreeing.count > 0 ? count - agreeing.count : 1;
    uint32_t witnesses = agreeing.given ? agreeing.count : agreeing.count - 1;
    return witnesses >= WITNESSES_LEAST && spread > 1 ? log2(witnesses * spread / others) : 0;
}

/* All pairs of two points. */
static void weigh_pairs(const struct casebook *casebook, struct view_fits *fits, const struct length_pair *list,
                        uint32_t count)
{
    struct agreeing agreeing = find_agreeing(casebook, list, count);
    if (agreeing.count == 0)
        return;
    double bits = bits_of(casebook, list, count, agreeing);
    for (uint32_t i = agreeing.from; i < agreeing.from + agreeing.count; i++) {
        const struct conversation *a = view_numbered(casebook, list[i].numbers[0]),
                                  *b = view_numbered(casebook, list[i].numbers[1]);
        if (bits > 0 && !views_contradict(a, b) && !view_times_contradict(casebook, a, b))
            view_fits_add(fits, a, b, bits, TRACE_BY_LENGTHS);
    }
}

/* Of several series that two views have in common one is enough, for they agree; if they do not, the pair counts with those that do not
 * agree. */
static void drop_repeated(struct length_pairs *pairs)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pairs->count; i++) {
        const struct length_pair *pair = &pairs->list[i];
        bool repeated = false;
        for (uint32_t j = kept; j-- > 0 && !repeated && pairs->list[j].points[0] == pair->points[0] &&
                                pairs->list[j].points[1] == pair->points[1] &&
                                pair->later_ns - pairs->list[j].later_ns <= MOMENT_SLACK_NS;)
            repeated = pairs->list[j].numbers[0] == pair->numbers[0] && pairs->list[j].numbers[1] == pair->numbers[1];
        if (!repeated)
            pairs->list[kept++] = *pair;
    }
    pairs->count = kept;
}

static void weigh_all(const struct casebook *casebook, const struct length_pairs *pairs, struct view_fits *fits)
{
    for (uint32_t from = 0, to; from < pairs->count; from = to) {
        const struct length_pair *first = &pairs->list[from];
        for (to = from + 1; to < pairs->count && pairs->list[to].points[0] == first->points[0] &&
                            pairs->list[to].points[1] == first->points[1];)
            to++;
        weigh_pairs(casebook, fits, first, to - from);
    }
}

void match_lengths_round(struct casebook *casebook, struct view_groups *groups)
{
    struct length_pairs pairs = {0};
    uint32_t count;
    struct seen_series *series = gather_series(casebook, &count);
    for (uint32_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && series[to].hash == series[from].hash;)
            to++;
        pair_series(casebook, groups, &pairs, &series[from], to - from);
    }
    if (pairs.count > 0)
        qsort(pairs.list, pairs.count, sizeof *pairs.list, compare_pairs);
    drop_repeated(&pairs);
    /* Over all pairs of two points chance was reckoned with already. */
    uint32_t *populations = memory_take_array(casebook->point_count, sizeof *populations);
    for (uint32_t i = 0; i < casebook->point_count; i++)
        populations[i] = 1;
    struct view_fits fits = {
        .evidence = MATCHED_BY_TRACES, .margin_bits = BEYOND_CHANCE_BITS, .populations = populations};
    weigh_all(casebook, &pairs, &fits);
    view_fits_unite(casebook, groups, &fits);
    memory_give(populations);
    memory_give(series);
    memory_give(pairs.list);
}
