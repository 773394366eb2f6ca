/* What a histogram of times tells. */
#include "tds_facts.h"

int64_t response_times_below_ns(const struct response_times *times, unsigned percent)
{
    const int64_t ms_ns = 1000000;
    uint64_t wanted = ((uint64_t)times->count * percent + 99) / 100, seen = 0;
    if (times->count == 0)
        return -1;
    for (unsigned i = 0; i < RESPONSE_TIME_BINS - 1; i++) {
        seen += times->bins[i];
        if (seen >= wanted)
            return ms_ns << i;
    }
    return -1;
}
