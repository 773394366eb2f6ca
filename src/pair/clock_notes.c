/* Clocks that nobody sets are rarely off by just what time zones differ by. */
#include "clock_notes.h"

#include <stdlib.h>

/* From UTC-12 to UTC+14. */
enum { QUARTERS_LEAST = 2, QUARTERS_MOST = 26 * 4 };

/* How far the clocks may be off besides. */
#define BESIDES_NS (60 * NS_PER_SECOND)

/* The zones' difference in quarters of an hour; 0: it is none. */
static int64_t quarters_of(int64_t difference_ns)
{
    int64_t quarters = (difference_ns + (difference_ns < 0 ? -ZONE_QUARTER_NS : ZONE_QUARTER_NS) / 2) / ZONE_QUARTER_NS;
    bool near = llabs(difference_ns - quarters * ZONE_QUARTER_NS) <= BESIDES_NS;
    return near && llabs(quarters) >= QUARTERS_LEAST && llabs(quarters) <= QUARTERS_MOST ? quarters : 0;
}

static void note_zone(struct notes *notes, int64_t difference_ns, int64_t quarters)
{
    double besides_s = (double)(difference_ns - quarters * ZONE_QUARTER_NS) / (double)NS_PER_SECOND;
    notes_add(notes, "time zone",
              "its clock is %.2f hours %s that of the capture nearer to the client (and %.3f s besides): a time zone's "
              "difference, so one of the two holds local time. This is reckoned in",
              (double)llabs(quarters) / 4, quarters > 0 ? "ahead of" : "behind", besides_s);
}

static void note_pair(const struct point_pair *pair, struct notes *notes)
{
    int64_t quarters = quarters_of(pair->clock.server_minus_client_ns);
    if (quarters != 0)
        note_zone(notes, pair->clock.server_minus_client_ns, quarters);
    if (pair->clock.unsteady)
        notes_add(
            notes, "clock set",
            "its clock, or that of the capture nearer to the client, was set while they ran: what was late on the "
            "way is not judged, and the order of packets of both is uncertain by %.3f s",
            2 * (double)pair->clock.uncertainty_ns / (double)NS_PER_SECOND);
}

void clock_notes_add(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_pair *pair = &casebook->pairs.list[i];
        for (uint32_t j = 0; pair->clock.known && j < casebook->capture_count; j++)
            if (casebook->captures[j].point == pair->far)
                note_pair(pair, &casebook->captures[j].notes);
    }
}
