/* How far numbers in sequence space have come. */
#ifndef TDSCOPE_SEQ_MARK_H
#define TDSCOPE_SEQ_MARK_H

#include <stdbool.h>
#include <stdint.h>

/* One past the highest sequence number of some packets. */
struct seq_mark {
    uint32_t until;
    bool known;
};

static inline void seq_mark_reach(struct seq_mark *mark, uint32_t seq)
{
    if (!mark->known || (int32_t)(seq - mark->until) > 0)
        mark->until = seq;
    mark->known = true;
}

static inline bool seq_mark_is_past(const struct seq_mark *mark, uint32_t seq)
{
    return mark->known && (int32_t)(seq - mark->until) <= 0;
}

#endif
