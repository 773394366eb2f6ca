/* When a machine was heard, as far as is kept. */
#include "hearing.h"

#include "memory.h"

void hearing_note(struct hearing *hearing, const struct tcp_side *side)
{
    if (side->packets == 0)
        return;
    if (!side->paused) {
        time_spans_add(&hearing->stretches, side->first.time_ns, side->last.time_ns);
        return;
    }
    const struct moment *moments[] = {&side->first, &side->first_data, &side->last_data, &side->last};
    for (unsigned i = 0; i < sizeof moments / sizeof *moments; i++)
        if (moment_seen(moments[i]))
            times_add(&hearing->moments, moments[i]->time_ns);
}

void hearing_sort(struct hearing *hearing)
{
    times_sort(&hearing->moments);
    time_spans_merge(&hearing->stretches);
}

bool hearing_within(const struct hearing *hearing, int64_t from_ns, int64_t to_ns)
{
    if (times_within(&hearing->moments, from_ns, to_ns) > 0)
        return true;
    const struct time_span *span = to_ns < from_ns ? NULL : time_spans_touching(&hearing->stretches, from_ns, to_ns);
    return span && (span->from_ns >= from_ns || span->to_ns <= to_ns || to_ns - from_ns >= PAUSE_NS);
}

void hearing_close(struct hearing *hearing)
{
    memory_give(hearing->moments.ns);
    memory_give(hearing->stretches.list);
}
