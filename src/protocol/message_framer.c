/* Messages that begin with their length (RFC 1035, 4.2.2; RFC 4120, 7.2.2; MS-SMB2 2.1). */
#include "message_framer.h"

#include <string.h>

#include "memory.h"

enum { FIRST_CAPACITY = 256 };

void message_framer_close(struct message_framer *f, struct held_bytes *budget)
{
    budget->now -= f->held_capacity;
    memory_give(f->held);
    f->held = NULL;
    f->held_size = f->held_capacity = 0;
}

static void begin_header(struct message_framer *f, struct held_bytes *budget)
{
    message_framer_close(f, budget);
    f->prefix_have = 0;
    f->in_message = f->judged = f->cut = false;
    f->length = f->left = 0;
}

static void lose(struct message_framer *f, struct held_bytes *budget)
{
    begin_header(f, budget);
    f->lost = true;
}

static void judge(struct message_framer *f, const struct framing *framing, struct held_bytes *budget)
{
    if (f->judged || f->held_size < framing->sample)
        return;
    f->judged = true;
    if (!framing->plausible((struct span){f->held, f->held_size}))
        lose(f, budget);
}

static void tell(struct message_framer *f, const struct framing *framing, const struct moment *at, void *context)
{
    if (f->judged)
        framing->message(context, (struct span){f->held, f->held_size}, f->length, at);
}

/* False: it may not grow. */
static bool make_room(struct message_framer *f, uint32_t size, struct held_bytes *budget)
{
    uint32_t capacity = f->held_capacity ? f->held_capacity : FIRST_CAPACITY;
    while (capacity < size)
        capacity *= 2;
    if (capacity == f->held_capacity)
        return true;
    uint32_t more = capacity - f->held_capacity;
    if (more > budget->most - budget->now)
        return false;
    f->held = memory_grow(f->held, capacity, 1);
    f->held_capacity = capacity;
    budget->now += more;
    return true;
}

static void hold(struct message_framer *f, const struct framing *framing, struct held_bytes *budget, struct span bytes)
{
    size_t wanted = framing->held_most - f->held_size;
    size_t size = bytes.size < wanted ? bytes.size : wanted;
    if (f->cut || size == 0)
        return;
    if (!make_room(f, f->held_size + (uint32_t)size, budget)) {
        f->cut = true;
        return;
    }
    memcpy(f->held + f->held_size, bytes.data, size);
    f->held_size += (uint32_t)size;
}

static void take_prefix(struct message_framer *f, const struct framing *framing, struct held_bytes *budget,
                        uint8_t byte)
{
    f->prefix[f->prefix_have++] = byte;
    if (f->prefix_have < framing->prefix_bytes)
        return;
    uint32_t length = 0;
    for (unsigned i = 0; i < framing->prefix_bytes; i++)
        length = length << 8 | f->prefix[i];
    length &= framing->length_mask;
    if (length < framing->shortest || length > framing->longest) {
        lose(f, budget);
        return;
    }
    f->in_message = true;
    f->length = f->left = length;
}

static void end_message(struct message_framer *f, const struct framing *framing, struct held_bytes *budget,
                        const struct moment *at, void *context)
{
    judge(f, framing, budget);
    if (f->lost)
        return;
    tell(f, framing, at, context);
    begin_header(f, budget);
}

void message_framer_data(struct message_framer *f, const struct framing *framing, struct held_bytes *budget,
                         struct span bytes, const struct moment *at, void *context)
{
    while (bytes.size > 0 && !f->lost) {
        if (!f->in_message) {
            take_prefix(f, framing, budget, bytes.data[0]);
            bytes = span_from(bytes, 1);
            continue;
        }
        struct span part = span_part(bytes, 0, f->left);
        hold(f, framing, budget, part);
        f->left -= (uint32_t)part.size;
        f->latest = *at;
        bytes = span_from(bytes, part.size);
        judge(f, framing, budget);
        if (!f->lost && f->left == 0)
            end_message(f, framing, budget, at, context);
    }
}

void message_framer_gap(struct message_framer *f, const struct framing *framing, struct held_bytes *budget,
                        uint64_t size, const struct moment *at, void *context)
{
    bool inside = f->in_message && !f->lost && size <= f->left;
    if (inside) {
        f->cut = true;
        f->left -= (uint32_t)size;
        f->latest = *at;
        if (f->left == 0)
            end_message(f, framing, budget, at, context);
        return;
    }
    if (f->in_message && !f->lost)
        end_message(f, framing, budget, at, context);
    begin_header(f, budget);
    f->lost = false;
}

void message_framer_end(struct message_framer *f, const struct framing *framing, struct held_bytes *budget,
                        void *context)
{
    if (f->in_message && !f->lost && f->held_size > 0)
        end_message(f, framing, budget, &f->latest, context);
    begin_header(f, budget);
    f->lost = true;
}
