/*
 * Theory of operation. Each packet that both captures have bounds the difference of the clocks from one side: it cannot have arrived
 * before it left. Packets are held up, which only makes a bound weaker, so a bound that contradicts earlier ones means that the
 * difference has changed. Drift and slewing change it slowly, and bounds are let grow weaker with their age by that much; what is left
 * is a jump. Packets are ordered by their place in the capture, for its times are what is in doubt.
 */
#include "clock_steps.h"

#include <stdlib.h>

#include "clock_estimate.h"
#include "clock_samples.h"
#include "memory.h"

/* Systems slew a clock by 500 parts in a million at most (RFC 5905, appendix A.5.5), quartz drifts by less. */
#define SLEW_MOST 0.0005

/* A single packet that contradicts all others was taken for another one. */
enum { CONTRADICTIONS_LEAST = 3 };

/* Beyond so many packets they are thinned out: a jump is then found less exactly, and still found. */
enum { SAMPLES_MOST = 1 << 18, SAMPLES_OF_CONNECTION = 16 };

struct sample {
    struct moment at[SIDES]; /* at the near and at the far point */
    int64_t bound_ns;        /* the far clock minus the near one: at most that, or at least */
    bool most;
};

struct samples {
    const struct casebook *casebook;
    struct sample *list;
    uint32_t count, capacity;
};

/* The far clock minus the near one, as far as it is known at a time. */
struct difference {
    int64_t least_ns, most_ns, at_ns;
    bool least, most;
};

static void take_sample(void *context, enum side sender, const struct moment *sent, const struct moment *received)
{
    struct samples *samples = context;
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity ? samples->capacity * 2 : 256;
        samples->list = memory_grow(samples->list, samples->capacity, sizeof *samples->list);
    }
    int64_t way_ns = received->time_ns - sent->time_ns;
    struct sample *sample = &samples->list[samples->count++];
    *sample = (struct sample){.bound_ns = sender == SIDE_CLIENT ? way_ns : -way_ns, .most = sender == SIDE_CLIENT};
    sample->at[sender] = *sent;
    sample->at[side_other(sender)] = *received;
}

struct ordered_sample {
    int64_t file_ns; /* of the first packet of the near point's file */
    uint32_t capture, frame, number;
};

static int compare_ordered(const void *left, const void *right)
{
    const struct ordered_sample *a = left, *b = right;
    if (a->capture != b->capture)
        return a->file_ns != b->file_ns ? (a->file_ns < b->file_ns ? -1 : 1) : (a->capture < b->capture ? -1 : 1);
    if (a->frame != b->frame)
        return a->frame < b->frame ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static void sort_samples(struct samples *samples)
{
    struct ordered_sample *order = memory_take_array((size_t)samples->count + 1, sizeof *order);
    struct sample *sorted = memory_take_array((size_t)samples->count + 1, sizeof *sorted);
    for (uint32_t i = 0; i < samples->count; i++) {
        const struct moment *at = &samples->list[i].at[SIDE_CLIENT];
        order[i] =
            (struct ordered_sample){samples->casebook->captures[at->capture].first_ns, at->capture, at->frame, i};
    }
    qsort(order, samples->count, sizeof *order, compare_ordered);
    for (uint32_t i = 0; i < samples->count; i++)
        sorted[i] = samples->list[order[i].number];
    memory_give(order);
    memory_give(samples->list);
    samples->list = sorted;
    samples->capacity = samples->count + 1;
}

/* Both views of each connection at the two points; direct: only those whose packets no device made anew. */
static void collect(struct samples *samples, const struct point_pair *pair, bool direct)
{
    const struct casebook *casebook = samples->casebook;
    uint32_t step = pair->connections / (SAMPLES_MOST / SAMPLES_OF_CONNECTION) + 1, number = 0;
    samples->count = 0;
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        const struct conversation *other = c->point == pair->near ? casebook_view_at(casebook, c, pair->far) : NULL;
        if (other && (!direct || clock_samples_are_direct(c, other)) && number++ % step == 0)
            clock_samples_of(c, other, take_sample, samples);
    }
    sort_samples(samples);
}

static bool contradicts(const struct difference *known, const struct sample *sample)
{
    return sample->most ? known->least && sample->bound_ns < known->least_ns - CLOCK_SET_LEAST_NS
                        : known->most && sample->bound_ns > known->most_ns + CLOCK_SET_LEAST_NS;
}

static void learn(struct difference *known, const struct sample *sample)
{
    int64_t now_ns = sample->at[SIDE_CLIENT].time_ns;
    int64_t slewed_ns = (int64_t)((double)llabs(now_ns - known->at_ns) * SLEW_MOST);
    known->least_ns -= known->least ? slewed_ns : 0;
    known->most_ns += known->most ? slewed_ns : 0;
    known->at_ns = now_ns;
    if (sample->most && (!known->most || sample->bound_ns < known->most_ns)) {
        known->most_ns = sample->bound_ns;
        known->most = true;
    } else if (!sample->most && (!known->least || sample->bound_ns > known->least_ns)) {
        known->least_ns = sample->bound_ns;
        known->least = true;
    }
}

/* One past the last sample from `from` on that goes without a jump. */
static uint32_t steady_until(const struct samples *samples, uint32_t from)
{
    struct difference known = {0}, other = {0};
    uint32_t first_other = 0, others = 0;
    for (uint32_t i = from; i < samples->count; i++) {
        const struct sample *sample = &samples->list[i];
        bool disagrees = contradicts(&other, sample);
        if (!contradicts(&known, sample)) {
            learn(&known, sample);
            others -= disagrees && others > 0;
            continue;
        }
        if (others == 0 || disagrees) {
            other = (struct difference){0};
            others = 0;
            first_other = i;
        }
        learn(&other, sample);
        if (++others == CONTRADICTIONS_LEAST)
            return first_other;
    }
    return samples->count;
}

/* Of those from `from` to before `to`, as it stands at the end; of a span that is read backwards, at its begin. */
static struct difference difference_at_end(const struct samples *samples, uint32_t from, uint32_t to)
{
    struct difference known = {0};
    for (uint32_t i = from; i < to; i++)
        if (!contradicts(&known, &samples->list[i]))
            learn(&known, &samples->list[i]);
    return known;
}

static struct difference difference_at_begin(const struct samples *samples, uint32_t from, uint32_t to)
{
    struct difference known = {0};
    for (uint32_t i = to; i-- > from;)
        if (!contradicts(&known, &samples->list[i]))
            learn(&known, &samples->list[i]);
    return known;
}

/* From like bounds, where one of the two is known from one side only. */
static bool has_jumped(const struct difference *old, const struct difference *now, struct clock_step *step)
{
    bool most = old->most && now->most, least = old->least && now->least;
    if (!most && !least)
        return false;
    step->old_ns = most && least ? (old->most_ns + old->least_ns) / 2 : most ? old->most_ns : old->least_ns;
    step->now_ns = most && least ? (now->most_ns + now->least_ns) / 2 : most ? now->most_ns : now->least_ns;
    return llabs(step->now_ns - step->old_ns) >= CLOCK_SET_LEAST_NS;
}

int64_t clock_step_by_ns(const struct clock_step *step, enum side at)
{
    return at == SIDE_CLIENT ? step->old_ns - step->now_ns : step->now_ns - step->old_ns;
}

bool clock_step_may_be_at(const struct casebook *casebook, const struct clock_step *step, enum side at)
{
    return !moment_seen(&step->before[at]) || casebook_in_order(casebook, &step->before[at], &step->after[at]);
}

void clock_step_narrow(const struct casebook *casebook, struct clock_step *step, enum side at,
                       const struct moment *moment, bool before)
{
    struct moment *border = before ? &step->before[at] : &step->after[at];
    bool nearer = before ? casebook_in_order(casebook, border, moment) : casebook_in_order(casebook, moment, border);
    if (!moment_seen(border) || nearer)
        *border = *moment;
}

/* The packets that fit only what was before, and only what came after. */
static void find_borders(const struct samples *samples, uint32_t from, uint32_t to, const struct difference *old,
                         const struct difference *now, struct clock_step *step)
{
    for (uint32_t i = from; i < to; i++) {
        const struct sample *sample = &samples->list[i];
        bool before = contradicts(now, sample), after = contradicts(old, sample);
        for (enum side at = SIDE_CLIENT; at < SIDES && before != after; at++)
            clock_step_narrow(samples->casebook, step, at, &sample->at[at], before);
    }
}

static void add_step(struct clock_steps *steps, const struct clock_step *step)
{
    steps->list = memory_grow(steps->list, (size_t)steps->count + 1, sizeof *steps->list);
    steps->list[steps->count++] = *step;
}

static void find_in_pair(const struct samples *samples, const struct point_pair *pair, struct clock_steps *steps)
{
    uint32_t from = 0, border = steady_until(samples, 0);
    while (border < samples->count) {
        uint32_t to = steady_until(samples, border);
        struct difference old = difference_at_end(samples, from, border),
                          now = difference_at_begin(samples, border, to);
        struct clock_step step = {.near = pair->near, .far = pair->far};
        if (has_jumped(&old, &now, &step)) {
            find_borders(samples, from, to, &old, &now, &step);
            if (moment_seen(&step.after[SIDE_CLIENT]) && moment_seen(&step.after[SIDE_SERVER]))
                add_step(steps, &step);
        }
        from = border;
        border = to;
    }
}

void clock_steps_find(const struct casebook *casebook, struct clock_steps *steps)
{
    struct samples samples = {.casebook = casebook};
    *steps = (struct clock_steps){0};
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_pair *pair = &casebook->pairs.list[i];
        if (!pair->clock.known || !pair->clock.unsteady)
            continue;
        collect(&samples, pair, true);
        if (samples.count == 0)
            collect(&samples, pair, false);
        find_in_pair(&samples, pair, steps);
    }
    memory_give(samples.list);
}

void clock_steps_close(struct clock_steps *steps)
{
    memory_give(steps->list);
    *steps = (struct clock_steps){0};
}
