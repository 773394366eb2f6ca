/* When a machine was heard, as far as is kept: a stretch of each connection that was never silent for long, and a few moments of the others. */
#ifndef TDSCOPE_HEARING_H
#define TDSCOPE_HEARING_H

#include <stdbool.h>

#include "tcp_side.h"
#include "time_lists.h"

/* All zero: nothing was heard. */
struct hearing {
    struct times moments;
    struct time_spans stretches; /* in each, no two packets are PAUSE_NS apart */
};

/* Takes in that side of a connection: its packets are what was heard of its machine. */
void hearing_note(struct hearing *hearing, const struct tcp_side *side);

/* Once all is noted, before hearing_within(). */
void hearing_sort(struct hearing *hearing);

/* It was heard in [from, to]. */
bool hearing_within(const struct hearing *hearing, int64_t from_ns, int64_t to_ns);

void hearing_close(struct hearing *hearing);

#endif
