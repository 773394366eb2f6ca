/* Time zones differ by multiples of 15 minutes (IANA time zone database); clocks that nobody sets are rarely off by just that. */
#include "time_zone.h"

#include <stdlib.h>

#define QUARTER_NS (900 * NS_PER_SECOND)

/* From UTC-12 to UTC+14. */
enum { QUARTERS_LEAST = 2, QUARTERS_MOST = 26 * 4 };

/* How far the clocks may be off besides. */
#define BESIDES_NS (60 * NS_PER_SECOND)

/* The zones' difference in quarters of an hour; 0: it is none. */
static int64_t quarters_of(int64_t difference_ns)
{
    int64_t quarters = (difference_ns + (difference_ns < 0 ? -QUARTER_NS : QUARTER_NS) / 2) / QUARTER_NS;
    bool near = llabs(difference_ns - quarters * QUARTER_NS) <= BESIDES_NS;
    return near && llabs(quarters) >= QUARTERS_LEAST && llabs(quarters) <= QUARTERS_MOST ? quarters : 0;
}

void time_zone_note(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_pair *pair = &casebook->pairs.list[i];
        int64_t quarters = pair->clock.known ? quarters_of(pair->clock.server_minus_client_ns) : 0;
        if (quarters == 0)
            continue;
        double besides_s =
            (double)(pair->clock.server_minus_client_ns - quarters * QUARTER_NS) / (double)NS_PER_SECOND;
        for (uint32_t j = 0; j < casebook->capture_count; j++)
            if (casebook->captures[j].point == pair->far)
                notes_add(&casebook->captures[j].notes, "time zone",
                          "its clock is %.2f hours %s that of the capture nearer to the client (and %.3f s besides): a "
                          "time zone's difference, so one of the two holds local time. This is reckoned in",
                          (double)llabs(quarters) / 4, quarters > 0 ? "ahead of" : "behind", besides_s);
    }
}
