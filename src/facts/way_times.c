/* Times on the way, by slices of time. */
#include "way_times.h"

void way_times_open(struct way_times *times, int64_t from_ns, int64_t to_ns)
{
    *times = (struct way_times){.from_ns = from_ns, .slice_ns = (to_ns - from_ns) / WAY_SLICES + 1};
}

static struct way_slice *slice_at(struct way_times *times, enum side sender, int64_t client_ns)
{
    int64_t number = (client_ns - times->from_ns) / times->slice_ns;
    number = number < 0 ? 0 : number >= WAY_SLICES ? WAY_SLICES - 1 : number;
    return &times->slices[sender][number];
}

void way_times_bound(struct way_times *times, enum side sender, int64_t sent_ns, int64_t received_ns)
{
    int64_t client_ns = sender == SIDE_CLIENT ? sent_ns : received_ns, way_ns = received_ns - sent_ns;
    struct way_slice *slice = slice_at(times, sender, client_ns);
    if (slice->known && slice->shortest_ns <= way_ns)
        return;
    slice->shortest_ns = way_ns;
    slice->shortest_at_ns = client_ns;
    slice->known = true;
}

void way_times_add(struct way_times *times, enum side sender, int64_t sent_ns, int64_t received_ns)
{
    struct way_slice *slice = slice_at(times, sender, sender == SIDE_CLIENT ? sent_ns : received_ns);
    if (slice->packets++ == 0 || received_ns - sent_ns > slice->longest_ns) {
        slice->longest_ns = received_ns - sent_ns;
        slice->longest_at_ns = sender == SIDE_CLIENT ? sent_ns : received_ns;
    }
    way_times_bound(times, sender, sent_ns, received_ns);
}

static int64_t by_one_clock_ns(const struct clock_facts *clock, enum side sender, int64_t way_ns, int64_t at_ns)
{
    int64_t shift_ns = clock_shift_ns(clock, at_ns), took_ns = way_ns + (sender == SIDE_CLIENT ? -shift_ns : shift_ns);
    return took_ns > 0 ? took_ns : 0;
}

struct way_delay way_times_delay(const struct way_times *times, const struct clock_facts *clock, enum side sender,
                                 unsigned from, unsigned to)
{
    struct way_delay delay = {0};
    for (unsigned i = from; i < to && i < WAY_SLICES; i++) {
        const struct way_slice *slice = &times->slices[sender][i];
        if (slice->packets == 0)
            continue;
        int64_t shortest_ns = by_one_clock_ns(clock, sender, slice->shortest_ns, slice->shortest_at_ns),
                longest_ns = by_one_clock_ns(clock, sender, slice->longest_ns, slice->longest_at_ns);
        if (delay.packets == 0 || shortest_ns < delay.shortest_ns)
            delay.shortest_ns = shortest_ns;
        if (delay.packets == 0 || longest_ns > delay.longest_ns)
            delay.longest_ns = longest_ns;
        delay.packets += slice->packets;
    }
    return delay;
}

int64_t way_times_from_ns(const struct way_times *times, unsigned slice)
{
    return times->from_ns + times->slice_ns * slice;
}
