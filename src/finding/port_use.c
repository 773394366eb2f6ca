/* Source ports over time: one sweep for each question, over holds in order of time. */
#include "port_use.h"

#include <stdlib.h>

#include "memory.h"
#include "signs.h"

/* Fewer ports than this may lie close together by chance; the smallest range that any system has by default has 3976. */
enum { NARROW_LEAST = PORT_HOLDS_LEAST };

/* Ports are taken one after the other, with larger or smaller steps, or in no order (RFC 6056). Either way they fall by more than half
 * of the range only where it begins anew, or by chance. Three times is no program that opened two connections at once. */
enum { FALLS_LEAST = 3 };

/* So much of the band has to be filled for it to be the range, and so far may ports be apart within a band. */
enum { FILLED_PERCENT = 90, STEP_MOST = 4 };

static int compare_holds(const void *left, const void *right)
{
    const struct port_hold *a = left, *b = right;
    if (a->from_ns != b->from_ns)
        return a->from_ns < b->from_ns ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* A connection whose end is not in the capture keeps its port to the capture's end, or to a hole of it. */
static struct port_hold hold_of(const struct surroundings *s, uint32_t number)
{
    const struct conversation *c = casebook_conversation(s->casebook, number);
    struct moment close = conversation_first_close(c);
    struct port_hold hold = {
        .from_ns = c->first.time_ns, .closed_ns = c->last.time_ns, .number = number, .port = c->ends[SIDE_CLIENT].port};
    bool reset = moment_seen(&c->sides[SIDE_CLIENT].reset) || moment_seen(&c->sides[SIDE_SERVER].reset);
    hold.waits = c->first_close_known && c->closed_first_by == SIDE_CLIENT && conversation_closed_by_fin(c) && !reset;
    if (c->ending == ENDING_OPEN)
        hold.closed_ns = surroundings_end_ns(s, c);
    else if (hold.waits && moment_seen(&close))
        hold.closed_ns = close.time_ns;
    return hold;
}

void port_holds_open(struct port_holds *holds, const struct surroundings *s, const struct groups *groups,
                     uint32_t group)
{
    uint32_t first = groups->first[group], count = groups->first[group + 1] - first;
    holds->list = memory_take_array(count ? count : 1, sizeof *holds->list);
    holds->count = count;
    for (uint32_t i = 0; i < count; i++)
        holds->list[i] = hold_of(s, groups->numbers[first + i]);
    qsort(holds->list, count, sizeof *holds->list, compare_holds);
}

void port_holds_close(struct port_holds *holds)
{
    memory_give(holds->list);
    *holds = (struct port_holds){0};
}

static int compare_ports(const void *left, const void *right)
{
    const uint16_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* The band with most ports among those whose neighbours lie close. Returns how many they are. */
static uint32_t widest_band(const uint16_t *sorted, uint32_t count, struct port_range *range)
{
    uint32_t most = 0, ports = 0;
    uint16_t begin = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && sorted[i] == sorted[i - 1])
            continue;
        if (i == 0 || sorted[i] - sorted[i - 1] > STEP_MOST) {
            ports = 0;
            begin = sorted[i];
        }
        if (++ports <= most)
            continue;
        most = ports;
        *range = (struct port_range){begin, sorted[i]};
    }
    return most;
}

struct rounds {
    uint32_t falls;       /* how often the ports of the range fall by more than half of it */
    uint32_t first_falls; /* of them, before each was taken once */
    bool first_whole;     /* each was taken once before any was taken again */
};

static struct rounds count_rounds(const struct port_holds *holds, const struct port_range *range)
{
    struct rounds rounds = {0};
    uint32_t size = port_range_size(range), half = size / 2, taken = 0;
    uint8_t *seen = memory_take(size);
    uint16_t before = 0;
    bool again = false;
    for (uint32_t i = 0; i < holds->count; i++) {
        uint16_t port = holds->list[i].port;
        if (!port_range_has(range, port))
            continue;
        rounds.falls += port + half < before;
        before = port;
        if (taken == size || again)
            continue;
        again = seen[port - range->first] != 0;
        seen[port - range->first] = 1;
        taken += !again;
        rounds.first_whole = taken == size;
        rounds.first_falls = rounds.falls;
    }
    memory_give(seen);
    return rounds;
}

enum range_evidence port_holds_narrow_range(const struct port_holds *holds, struct port_range *range)
{
    uint16_t *sorted = memory_take_array(holds->count + 1u, sizeof *sorted);
    for (uint32_t i = 0; i < holds->count; i++)
        sorted[i] = holds->list[i].port;
    qsort(sorted, holds->count, sizeof *sorted, compare_ports);
    uint32_t ports = widest_band(sorted, holds->count, range);
    memory_give(sorted);
    if (ports < NARROW_LEAST || ports * 100 < port_range_size(range) * FILLED_PERCENT)
        return RANGE_NOT_SHOWN;
    struct rounds rounds = count_rounds(holds, range);
    if (rounds.falls >= FALLS_LEAST)
        return RANGE_SHOWN;
    return rounds.first_whole && rounds.first_falls == 1 ? RANGE_LIKELY : RANGE_NOT_SHOWN;
}

static int64_t free_at_ns(const struct port_hold *hold, int64_t wait_ns)
{
    return hold->closed_ns + (hold->waits ? wait_ns : 0);
}

struct release {
    int64_t time_ns;
    uint16_t port;
};

static int compare_releases(const void *left, const void *right)
{
    const struct release *a = left, *b = right;
    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

struct port_peak port_holds_peak(const struct port_holds *holds, const struct port_range *range, int64_t wait_ns)
{
    struct port_peak peak = {0};
    struct release *releases = memory_take_array(holds->count + 1u, sizeof *releases);
    uint32_t *holders = memory_take_array(PORTS, sizeof *holders), released = 0, taken = 0;
    for (uint32_t i = 0; i < holds->count; i++)
        releases[i] = (struct release){free_at_ns(&holds->list[i], wait_ns), holds->list[i].port};
    qsort(releases, holds->count, sizeof *releases, compare_releases);
    for (uint32_t i = 0; i < holds->count; i++) {
        const struct port_hold *hold = &holds->list[i];
        for (; released < holds->count && releases[released].time_ns < hold->from_ns; released++)
            taken -= --holders[releases[released].port] == 0 && port_range_has(range, releases[released].port);
        taken += holders[hold->port]++ == 0 && port_range_has(range, hold->port);
        if (taken > peak.ports)
            peak = (struct port_peak){.ports = taken, .time_ns = hold->from_ns, .position = i};
    }
    memory_give(holders);
    memory_give(releases);
    return peak;
}

static int compare_waits(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

struct port_reuse port_holds_reuse(const struct port_holds *holds, const struct port_range *range, int64_t wait_ns)
{
    struct port_reuse reuse = {.count = 0};
    uint32_t *before = memory_take_array(PORTS, sizeof *before); /* position + 1 of the port's latest hold */
    int64_t *waits = memory_take_array(holds->count + 1u, sizeof *waits);
    for (uint32_t i = 0; i < holds->count; i++) {
        const struct port_hold *hold = &holds->list[i];
        if (!port_range_has(range, hold->port))
            continue;
        const struct port_hold *earlier = before[hold->port] ? &holds->list[before[hold->port] - 1] : NULL;
        before[hold->port] = i + 1;
        if (!earlier || !earlier->waits || hold->from_ns < earlier->closed_ns ||
            hold->from_ns - earlier->closed_ns >= wait_ns)
            continue;
        waits[reuse.count++] = hold->from_ns - earlier->closed_ns;
        reuse.position = i;
    }
    qsort(waits, reuse.count, sizeof *waits, compare_waits);
    reuse.usual_ns = reuse.count ? waits[reuse.count / 2] : 0;
    memory_give(waits);
    memory_give(before);
    return reuse;
}
