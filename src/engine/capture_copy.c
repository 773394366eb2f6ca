/* Two files are read side by side until they differ, which those that are no copies do soon. */
#include "capture_copy.h"

#include <string.h>

#include "capture_chain.h"

/* What a format cannot tell finer is the same in another one. */
static int64_t in_us(int64_t time_ns)
{
    return time_ns / NS_PER_US;
}

static bool is_same(const struct frame *a, const struct frame *b)
{
    return in_us(a->moment.time_ns) == in_us(b->moment.time_ns) && a->wire_length == b->wire_length &&
           a->bytes.size == b->bytes.size &&
           (a->bytes.size == 0 || memcmp(a->bytes.data, b->bytes.data, a->bytes.size) == 0);
}

/* A file that is being read, and its frame at hand. */
struct reading {
    struct capture_chain chain;
    struct capture_facts facts;
    const struct frame *frame; /* NULL: that was all */
};

static void advance(struct reading *reading)
{
    reading->frame = capture_chain_next(&reading->chain);
}

/* The other one passed over what stands here, and counted it. */
static bool was_passed_over(const struct reading *here, const struct reading *there)
{
    return there->facts.counts_passed_over && here->frame &&
           (!there->frame || here->frame->moment.frame < there->frame->moment.frame);
}

static bool hold_the_same(struct reading *a, struct reading *b)
{
    advance(a);
    advance(b);
    while (a->frame || b->frame) {
        if (was_passed_over(a, b))
            advance(a);
        else if (was_passed_over(b, a))
            advance(b);
        else if (!a->frame || !b->frame || !is_same(a->frame, b->frame))
            return false;
        else {
            advance(a);
            advance(b);
        }
    }
    return true;
}

static bool open_reading(struct reading *reading, const char *path)
{
    struct error error;
    capture_chain_open(&reading->chain);
    return capture_chain_add(&reading->chain, path, 0, &reading->facts, &error) == CAPTURE_OPENED;
}

static void close_reading(struct reading *reading)
{
    capture_chain_close(&reading->chain);
    notes_close(&reading->facts.notes);
}

static bool is_whole(const struct reading *reading)
{
    return reading->facts.packets > 0 && !reading->facts.incomplete;
}

bool capture_copy_of(const char *path, const char *other)
{
    struct reading here = {.frame = NULL}, there = {.frame = NULL};
    bool here_opened = open_reading(&here, path), there_opened = open_reading(&there, other);
    bool same = here_opened && there_opened && hold_the_same(&here, &there) && is_whole(&here) && is_whole(&there);
    close_reading(&here);
    close_reading(&there);
    return same;
}
