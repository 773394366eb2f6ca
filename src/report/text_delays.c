/* Rows of equal length over the time in which packets were compared. */
#include "text_delays.h"

#include <inttypes.h>
#include <stdio.h>

#include "text_layout.h"

enum { ROWS_MOST = 12, WAY_COLUMNS = 28 };

static struct way_delay delay_of(const struct point_pair *pair, enum side sender, unsigned from, unsigned to)
{
    return way_times_delay(pair->ways, &pair->clock, sender, from, to);
}

static bool has_late_packets(const struct point_pair *pair)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        struct way_delay delay = delay_of(pair, side, 0, WAY_SLICES);
        if (delay.packets > 0 &&
            delay.longest_ns - delay.shortest_ns >= PASSAGE_LATE_NS + 2 * pair->clock.uncertainty_ns)
            return true;
    }
    return false;
}

static bool has_packets(const struct point_pair *pair, unsigned slice)
{
    return delay_of(pair, SIDE_CLIENT, slice, slice + 1).packets +
               delay_of(pair, SIDE_SERVER, slice, slice + 1).packets >
           0;
}

static void delay_text(const struct way_delay *delay, char text[static 2 * QUANTITY_TEXT_SIZE])
{
    char shortest[QUANTITY_TEXT_SIZE], longest[QUANTITY_TEXT_SIZE];
    if (delay->packets == 0)
        snprintf(text, 2 * QUANTITY_TEXT_SIZE, "-");
    else
        snprintf(text, 2 * QUANTITY_TEXT_SIZE, "%s to %s", layout_duration(delay->shortest_ns, shortest),
                 layout_duration(delay->longest_ns, longest));
}

static void put_row(const struct point_pair *pair, unsigned from, unsigned to, struct sink *sink)
{
    char clock[CLOCK_TEXT_SIZE], out_text[2 * QUANTITY_TEXT_SIZE], back_text[2 * QUANTITY_TEXT_SIZE];
    struct way_delay out = delay_of(pair, SIDE_CLIENT, from, to), back = delay_of(pair, SIDE_SERVER, from, to);
    if (out.packets + back.packets == 0)
        return;
    delay_text(&out, out_text);
    delay_text(&back, back_text);
    sink_format(sink, "    %-14s %-*s %s\n", layout_clock(sink, way_times_from_ns(pair->ways, from), clock),
                WAY_COLUMNS, out_text, back_text);
}

void text_delays(const struct point_pair *pair, struct sink *sink)
{
    unsigned first = 0, end = WAY_SLICES;
    if (!pair->ways || pair->clock.unsteady || !has_late_packets(pair))
        return;
    while (!has_packets(pair, first))
        first++;
    while (!has_packets(pair, end - 1))
        end--;
    unsigned row_slices = (end - first + ROWS_MOST - 1) / ROWS_MOST;
    sink_format(sink, "  Time on the way, from the fastest packet to the slowest:\n    %-14s %-*s %s\n", "from",
                WAY_COLUMNS, "to the server", "to the client");
    for (unsigned from = first; from < end; from += row_slices)
        put_row(pair, from, from + row_slices < end ? from + row_slices : end, sink);
}
