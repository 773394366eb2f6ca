/*
 * Theory of operation. Two views that share a trace may be of one connection, and all that they have in common is weighed. What more than
 * SHARING_MOST views have in common, as those that run the same query do, tells nothing by itself.
 */
#include "match_traces.h"

#include <stdlib.h>

#include "hash_index.h"
#include "memory.h"
#include "trace_evidence.h"
#include "trace_index.h"
#include "view_fits.h"

enum { SHARING_MOST = 32 };

/* Two views in one number, to be sorted by. */
struct view_pairs {
    uint64_t *list;
    uint32_t count, capacity;
};

static void add_pair(struct view_pairs *pairs, uint32_t a, uint32_t b)
{
    if (pairs->count == pairs->capacity) {
        pairs->capacity = pairs->capacity ? pairs->capacity * 2 : 256;
        pairs->list = memory_grow(pairs->list, pairs->capacity, sizeof *pairs->list);
    }
    pairs->list[pairs->count++] = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}

/* Those who share a trace, which stand together. */
static void add_sharing(const struct casebook *casebook, const struct view_groups *groups, struct view_pairs *pairs,
                        const struct traced *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++)
            if (views_may_be_new(casebook, groups, list[i].number, list[j].number))
                add_pair(pairs, list[i].number, list[j].number);
}

/* Too many to look at each two. */
static void doubt_sharing(const struct casebook *casebook, struct view_groups *groups, const struct traced *list,
                          uint32_t count)
{
    uint32_t *numbers = memory_take_array(count, sizeof *numbers);
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = list[i].number;
    view_groups_doubt(casebook, groups, numbers, count);
    memory_give(numbers);
}

static int compare_pairs(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void weigh_pairs(const struct casebook *casebook, const struct trace_index *index, struct view_pairs *pairs,
                        struct view_fits *fits)
{
    if (pairs->count > 0)
        qsort(pairs->list, pairs->count, sizeof *pairs->list, compare_pairs);
    for (uint32_t i = 0; i < pairs->count; i++) {
        if (i > 0 && pairs->list[i] == pairs->list[i - 1])
            continue;
        const struct conversation *a = view_numbered(casebook, (uint32_t)(pairs->list[i] >> 32)),
                                  *b = view_numbered(casebook, (uint32_t)pairs->list[i]);
        if (views_contradict(a, b) || view_times_contradict(casebook, a, b))
            continue;
        struct trace_evidence evidence = trace_evidence_of(index, a, b);
        view_fits_add(fits, a, b, evidence.bits, evidence.by);
    }
}

void match_traces_round(struct casebook *casebook, struct view_groups *groups)
{
    struct trace_index index;
    struct view_pairs pairs = {0};
    trace_index_open(&index, casebook, groups);
    struct view_fits fits = {
        .evidence = MATCHED_BY_TRACES, .margin_bits = BEYOND_CHANCE_BITS, .populations = index.populations};
    for (uint32_t from = 0, to; from < index.count; from = to) {
        for (to = from + 1; to < index.count && index.list[to].key == index.list[from].key;)
            to++;
        if (to - from <= SHARING_MOST)
            add_sharing(casebook, groups, &pairs, &index.list[from], to - from);
        else
            doubt_sharing(casebook, groups, &index.list[from], to - from);
    }
    weigh_pairs(casebook, &index, &pairs, &fits);
    view_fits_unite(casebook, groups, &fits);
    memory_give(pairs.list);
    trace_index_close(&index);
}
