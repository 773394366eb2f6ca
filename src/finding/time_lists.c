/* Moments and spans of time, gathered in any order and then asked for. */
#include "time_lists.h"

#include <stdlib.h>

#include "memory.h"
#include "sorted.h"

static uint32_t grown(uint32_t capacity)
{
    return capacity ? capacity * 2 : 8;
}

void times_add(struct times *times, int64_t time_ns)
{
    if (times->count == times->capacity) {
        times->capacity = grown(times->capacity);
        times->ns = memory_grow(times->ns, times->capacity, sizeof *times->ns);
    }
    times->ns[times->count++] = time_ns;
}

void time_spans_add(struct time_spans *spans, int64_t from_ns, int64_t to_ns)
{
    if (spans->count == spans->capacity) {
        spans->capacity = grown(spans->capacity);
        spans->list = memory_grow(spans->list, spans->capacity, sizeof *spans->list);
    }
    spans->list[spans->count++] = (struct time_span){from_ns, to_ns};
}

static int compare_times(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static int compare_spans(const void *left, const void *right)
{
    const struct time_span *a = left, *b = right;
    return (a->from_ns > b->from_ns) - (a->from_ns < b->from_ns);
}

void times_sort(struct times *times)
{
    if (times->count > 1)
        qsort(times->ns, times->count, sizeof *times->ns, compare_times);
}

void time_spans_merge(struct time_spans *spans)
{
    if (spans->count < 2)
        return;
    qsort(spans->list, spans->count, sizeof *spans->list, compare_spans);
    uint32_t kept = 0;
    for (uint32_t i = 1; i < spans->count; i++) {
        struct time_span *last = &spans->list[kept];
        if (spans->list[i].from_ns > last->to_ns)
            spans->list[++kept] = spans->list[i];
        else if (spans->list[i].to_ns > last->to_ns)
            last->to_ns = spans->list[i].to_ns;
    }
    spans->count = kept + 1;
}

static uint32_t first_from(const struct times *times, int64_t time_ns)
{
    return sorted_place(&time_ns, times->ns, times->count, sizeof *times->ns, compare_times);
}

uint32_t times_within(const struct times *times, int64_t from_ns, int64_t to_ns)
{
    if (to_ns < from_ns || times->count == 0)
        return 0;
    uint32_t first = first_from(times, from_ns);
    uint32_t beyond = to_ns == INT64_MAX ? times->count : first_from(times, to_ns + 1);
    return beyond - first;
}

static int compare_span_ends(const void *left, const void *right)
{
    const struct time_span *a = left, *b = right;
    return (a->to_ns > b->to_ns) - (a->to_ns < b->to_ns);
}

const struct time_span *time_spans_touching(const struct time_spans *spans, int64_t from_ns, int64_t to_ns)
{
    const struct time_span wanted = {.to_ns = from_ns};
    uint32_t at = sorted_place(&wanted, spans->list, spans->count, sizeof *spans->list, compare_span_ends);
    return at < spans->count && spans->list[at].from_ns <= to_ns ? &spans->list[at] : NULL;
}
