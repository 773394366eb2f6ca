/*
 * Theory of operation. Two captures tell that the difference of their clocks jumped, by how much, and between which packets. Take the
 * jump back, and the pause between two packets that follow each other is what it was: never less than nothing, and short, for packets
 * come in quick succession. So of all places that it can have been at, in either capture, the one that leaves the shortest pause is it.
 * Where nothing was captured for longer than the jump, it does not matter to the comparison which of the two is put right.
 */
#include "set_clocks.h"

#include <stdlib.h>

#include "clock_border.h"
#include "clock_estimate.h"
#include "clock_steps.h"
#include "memory.h"

/* Where it was, if it was at that point. */
struct place {
    struct moment first;
    int64_t pause_ns; /* that is left there */
    bool found;
};

/* Stamps of several queues of a card may be out of order by less than what counts as a jump. */
#define PAUSE_LEAST_NS (-CLOCK_SET_LEAST_NS / 2)

static bool is_at(const struct moment *a, const struct moment *b)
{
    return a->capture == b->capture && a->frame == b->frame;
}

static void look_between(struct point_span *span, int64_t by_ns, struct place *place)
{
    struct moment last = span->before;
    for (const struct frame *frame; (frame = point_span_next(span)) != NULL; last = frame->moment) {
        int64_t pause_ns = frame->moment.time_ns - last.time_ns - by_ns;
        if (moment_seen(&last) && pause_ns >= PAUSE_LEAST_NS && (!place->found || pause_ns < place->pause_ns))
            *place = (struct place){frame->moment, pause_ns, true};
    }
}

static struct place find_place(const struct casebook *casebook, const struct clock_step *step, enum side at)
{
    struct place place = {.found = false};
    if (!clock_step_may_be_at(casebook, step, at))
        return place;
    struct point_span span;
    point_span_open(&span, casebook, step, at);
    look_between(&span, clock_step_by_ns(step, at), &place);
    point_span_close(&span);
    return place;
}

/* A point on the way has its jumps with both neighbours; they are one. */
static bool is_known(const struct set_clocks *clocks, const struct casebook *casebook, const struct clock_step *step)
{
    for (uint32_t i = 0; i < clocks->count; i++) {
        const struct clock_setting *known = &clocks->list[i];
        for (enum side at = SIDE_CLIENT; at < SIDES; at++) {
            uint32_t point = at == SIDE_CLIENT ? step->near : step->far;
            if (known->point == point && llabs(known->by_ns - clock_step_by_ns(step, at)) < CLOCK_SET_LEAST_NS &&
                !casebook_in_order(casebook, &known->first, &step->before[at]) &&
                !casebook_in_order(casebook, &step->after[at], &known->first))
                return true;
        }
    }
    return false;
}

static void insert(struct set_clocks *clocks, const struct casebook *casebook, struct clock_setting setting)
{
    clocks->list = memory_grow(clocks->list, (size_t)clocks->count + 1, sizeof *clocks->list);
    uint32_t at = clocks->count++;
    for (; at > 0 && casebook_in_order(casebook, &setting.first, &clocks->list[at - 1].first); at--)
        clocks->list[at] = clocks->list[at - 1];
    clocks->list[at] = setting;
}

static void add_step(struct set_clocks *clocks, const struct casebook *casebook, struct clock_step *step)
{
    if (is_known(clocks, casebook, step))
        return;
    clock_border_narrow(casebook, step);
    struct place near = find_place(casebook, step, SIDE_CLIENT), far = find_place(casebook, step, SIDE_SERVER);
    bool at_near = near.found && (!far.found || near.pause_ns < far.pause_ns);
    if (at_near)
        insert(clocks, casebook, (struct clock_setting){step->near, clock_step_by_ns(step, SIDE_CLIENT), near.first});
    else if (far.found)
        insert(clocks, casebook, (struct clock_setting){step->far, clock_step_by_ns(step, SIDE_SERVER), far.first});
}

bool set_clocks_find(struct set_clocks *clocks, const struct casebook *casebook)
{
    struct clock_steps steps;
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (casebook->captures[i].only_once)
            return false;
    clock_steps_find(casebook, &steps);
    for (uint32_t i = 0; i < steps.count; i++)
        add_step(clocks, casebook, &steps.list[i]);
    clock_steps_close(&steps);
    return clocks->count > 0;
}

void set_clocks_close(struct set_clocks *clocks)
{
    memory_give(clocks->list);
    *clocks = (struct set_clocks){0};
}

void set_clocks_note(const struct set_clocks *clocks, struct casebook *casebook)
{
    casebook->clock_settings = clocks->list;
    casebook->clock_setting_count = clocks->count;
    for (uint32_t i = 0; i < clocks->count; i++) {
        const struct clock_setting *setting = &clocks->list[i];
        notes_add(&casebook->captures[setting->first.capture].notes, "clock set",
                  "its clock was set %s by %.3f s while it ran, before packet %u, as the other capture of the same "
                  "connections tells: the times from there on are told here as if it had not been",
                  setting->by_ns < 0 ? "back" : "forward", (double)llabs(setting->by_ns) / (double)NS_PER_SECOND,
                  setting->first.frame);
    }
}

void point_clock_open(struct point_clock *clock, const struct set_clocks *clocks, uint32_t point)
{
    *clock = (struct point_clock){.clocks = clocks, .point = point};
}

static void see_time(struct point_clock *clock, const struct moment *moment)
{
    int64_t told_ns = moment->time_ns + clock->shift_ns;
    bool first = !clock->begun || clock->capture != moment->capture;
    if (first || told_ns < clock->first_ns)
        clock->first_ns = told_ns;
    if (first || told_ns > clock->last_ns)
        clock->last_ns = told_ns;
    clock->capture = moment->capture;
    clock->begun = true;
}

static bool is_set_before(struct point_clock *clock, const struct moment *moment)
{
    const struct set_clocks *clocks = clock->clocks;
    while (clock->next < clocks->count && clocks->list[clock->next].point != clock->point)
        clock->next++;
    return clock->next < clocks->count && is_at(moment, &clocks->list[clock->next].first);
}

void point_clock_follow(struct point_clock *clock, const struct moment *moment)
{
    if (clock->clocks->count == 0)
        return;
    if (is_set_before(clock, moment))
        clock->shift_ns -= clock->clocks->list[clock->next++].by_ns;
    see_time(clock, moment);
}

void point_clock_tell(const struct point_clock *clock, struct capture_facts *captures)
{
    if (!clock->begun)
        return;
    captures[clock->capture].first_ns = clock->first_ns;
    captures[clock->capture].last_ns = clock->last_ns;
}
