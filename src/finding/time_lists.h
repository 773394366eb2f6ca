/* Moments and spans of time, gathered in any order and then asked for. Zero: none yet; their owner gives `ns` and `list` back. */
#ifndef TDSCOPE_TIME_LISTS_H
#define TDSCOPE_TIME_LISTS_H

#include <stdint.h>

/* Moments, in nanoseconds, ascending once the pass is over. */
struct times {
    int64_t *ns;
    uint32_t count, capacity;
};

/* Spans of time, ascending and not overlapping once the pass is over. */
struct time_span {
    int64_t from_ns, to_ns;
};
struct time_spans {
    struct time_span *list;
    uint32_t count, capacity;
};

void times_add(struct times *times, int64_t time_ns);

/* Once all are added, before times_within(). */
void times_sort(struct times *times);

/* Of the sorted times, how many lie in [from, to]. */
uint32_t times_within(const struct times *times, int64_t from_ns, int64_t to_ns);

void time_spans_add(struct time_spans *spans, int64_t from_ns, int64_t to_ns);

/* Sorts them; overlapping ones become one. Once all are added, before time_spans_touching(). */
void time_spans_merge(struct time_spans *spans);

/* The span of merged spans that touches [from, to]; NULL: none. */
const struct time_span *time_spans_touching(const struct time_spans *spans, int64_t from_ns, int64_t to_ns);

#endif
