/*
 * The same packet is known in both captures by its sequence and acknowledgement numbers, size and flags, if each capture has one such
 * only. Its two times differ by what the clocks differ and the time on its way, which tells on which side of the step it was - unless
 * packets are under way for as long as the clock was set by.
 */
#include "clock_border.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "packet_decoder.h"

/* At most so many packets of each capture are looked at: some megabytes. */
enum { PACKETS_MOST = 65536 };

/* How near a difference has to be to one of the two: a part of the step. */
enum { NEARNESS = 4 };

/* Compared as bytes. */
struct packet_numbers {
    uint32_t seq, ack, size, flags;
};

struct sighting {
    struct packet_numbers numbers;
    struct moment moment;
};

struct sightings {
    struct sighting list[PACKETS_MOST];
    uint32_t count;
};

void point_span_open(struct point_span *span, const struct casebook *casebook, const struct clock_step *step,
                     enum side at)
{
    uint32_t point = at == SIDE_CLIENT ? step->near : step->far;
    struct error error;
    *span = (struct point_span){.before = step->before[at], .after = step->after[at]};
    span->fact_count = casebook->capture_count;
    span->facts = memory_take_array(span->fact_count, sizeof *span->facts);
    capture_chain_open(&span->chain);
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (casebook->captures[i].point == point && !casebook->captures[i].failed)
            capture_chain_add(&span->chain, capture_facts_path(&casebook->captures[i]), i, &span->facts[i], &error);
    const struct frame *frame = NULL;
    while (moment_seen(&span->before) && (frame = capture_chain_next(&span->chain)) != NULL &&
           (frame->moment.capture != span->before.capture || frame->moment.frame != span->before.frame))
        ;
}

const struct frame *point_span_next(struct point_span *span)
{
    const struct frame *frame = span->over ? NULL : capture_chain_next(&span->chain);
    span->over = !frame || (frame->moment.capture == span->after.capture && frame->moment.frame == span->after.frame);
    return frame;
}

void point_span_close(struct point_span *span)
{
    capture_chain_close(&span->chain);
    for (uint32_t i = 0; i < span->fact_count; i++)
        notes_close(&span->facts[i].notes);
    memory_give(span->facts);
}

static int compare_sightings(const void *left, const void *right)
{
    const struct sighting *a = left, *b = right;
    return memcmp(&a->numbers, &b->numbers, sizeof a->numbers);
}

static bool is_same(const struct sighting *a, const struct sighting *b)
{
    return compare_sightings(a, b) == 0;
}

static void keep_single_ones(struct sightings *sightings)
{
    uint32_t kept = 0;
    qsort(sightings->list, sightings->count, sizeof *sightings->list, compare_sightings);
    for (uint32_t i = 0, next; i < sightings->count; i = next) {
        for (next = i + 1; next < sightings->count && is_same(&sightings->list[i], &sightings->list[next]);)
            next++;
        if (next == i + 1)
            sightings->list[kept++] = sightings->list[i];
    }
    sightings->count = kept;
}

static void see_all(struct sightings *sightings, const struct casebook *casebook, const struct clock_step *step,
                    enum side at)
{
    struct point_span span;
    struct packet_decoder decoder;
    point_span_open(&span, casebook, step, at);
    packet_decoder_open(&decoder);
    sightings->count = 0;
    for (const struct frame *frame; sightings->count < PACKETS_MOST && (frame = point_span_next(&span)) != NULL;) {
        struct packet p;
        packet_decode(&decoder, frame, &span.facts[frame->moment.capture], &p);
        if (p.kind == PACKET_TCP)
            sightings->list[sightings->count++] =
                (struct sighting){{p.tcp.seq, p.tcp.ack, p.payload_length, p.tcp.flags}, p.moment};
    }
    packet_decoder_close(&decoder);
    point_span_close(&span);
    keep_single_ones(sightings);
}

static void narrow_by(const struct casebook *casebook, struct clock_step *step, const struct sighting *near,
                      const struct sighting *far)
{
    int64_t differs_ns = far->moment.time_ns - near->moment.time_ns,
            enough_ns = llabs(step->now_ns - step->old_ns) / NEARNESS;
    bool before = llabs(differs_ns - step->old_ns) <= enough_ns, after = llabs(differs_ns - step->now_ns) <= enough_ns;
    if (!before && !after)
        return;
    clock_step_narrow(casebook, step, SIDE_CLIENT, &near->moment, before);
    clock_step_narrow(casebook, step, SIDE_SERVER, &far->moment, before);
}

void clock_border_narrow(const struct casebook *casebook, struct clock_step *step)
{
    struct sightings *near = memory_take(sizeof *near), *far = memory_take(sizeof *far);
    see_all(near, casebook, step, SIDE_CLIENT);
    see_all(far, casebook, step, SIDE_SERVER);
    for (uint32_t i = 0, j = 0; i < near->count && j < far->count;) {
        int order = compare_sightings(&near->list[i], &far->list[j]);
        if (order == 0)
            narrow_by(casebook, step, &near->list[i], &far->list[j]);
        i += order <= 0;
        j += order >= 0;
    }
    memory_give(near);
    memory_give(far);
}
