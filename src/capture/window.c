/*
 * A sliding window over a file or pipe.
 *
 * Unread bytes are buffer[start, end). When a peek asks for more, they move to the front of the buffer (or of another one, when
 * somebody keeps this one) and the room behind them is filled by large reads; what moves is less than a record, because readers take
 * whole records.
 */
#include "window.h"

#include <string.h>

#include "memory.h"
#include "os_file.h"

enum { WINDOW_FIRST_ASK = 64 << 10 };

void window_open(struct window *window, struct os_file *file)
{
    *window = (struct window){
        .file = file, .buffer = memory_take(WINDOW_BYTES), .capacity = WINDOW_BYTES, .ask = WINDOW_FIRST_ASK};
}

void window_close(struct window *window)
{
    if (window->keeper && window->buffer)
        window->keeper->keep(window->keeper->context, window->buffer, window->capacity);
    else
        memory_give(window->buffer);
    window->buffer = NULL;
    window->capacity = window->start = window->end = 0;
}

/* The unread bytes come to the front of a buffer of that capacity, at least their size. */
static void window_move(struct window *window, size_t capacity)
{
    const struct window_keeper *keeper = window->keeper;
    size_t unread = window->end - window->start;
    if (keeper) {
        uint8_t *next = keeper->spare(keeper->context, capacity);
        memcpy(next, window->buffer + window->start, unread);
        keeper->keep(keeper->context, window->buffer, window->capacity);
        window->buffer = next;
    } else {
        memmove(window->buffer, window->buffer + window->start, unread);
        if (capacity != window->capacity)
            window->buffer = memory_grow(window->buffer, capacity, 1);
    }
    window->capacity = capacity;
    window->start = 0;
    window->end = unread;
}

/* Sees that size bytes fit behind the window's start, in a buffer that is no larger than it needs to be. */
static void window_make_room(struct window *window, size_t size)
{
    if (window->keeper && size <= window->capacity - window->start &&
        window->capacity - window->end >= WINDOW_FIRST_ASK)
        return;
    size_t unread = window->end - window->start;
    size_t needed = size > unread ? size : unread;
    size_t capacity = WINDOW_BYTES;
    while (capacity < needed)
        capacity *= 2;
    window_move(window, capacity > window->capacity || capacity == WINDOW_BYTES ? capacity : window->capacity);
}

static void window_read(struct window *window, size_t room)
{
    size_t got = 0;
    if (!os_file_read(window->file, window->buffer + window->end, room, &got, &window->error) || got == 0)
        window->at_end = true;
    window->end += got;
}

bool window_read_at(const struct window *window, uint64_t offset, void *buffer, size_t size, size_t *got,
                    struct error *error)
{
    return os_file_read_at(window->file, offset, buffer, size, got, error);
}

struct span window_fill(struct window *window, size_t size)
{
    if (size > WINDOW_MAX_BYTES)
        size = WINDOW_MAX_BYTES;
    if (!window->at_end && size > window->end - window->start)
        window_make_room(window, size);
    while (!window->at_end && size > window->end - window->start) {
        size_t room = window->capacity - window->end;
        window_read(window, window->ask < room ? window->ask : room);
        if (window->ask < window->capacity)
            window->ask *= 2;
    }
    return span_part((struct span){window->buffer + window->start, window->end - window->start}, 0, size);
}

uint64_t window_pass(struct window *window, uint64_t size)
{
    uint64_t left = size;
    for (;;) {
        size_t unread = window->end - window->start;
        size_t step = left < unread ? (size_t)left : unread;
        window->start += step;
        window->offset += step;
        left -= step;
        if (left == 0 || window->at_end)
            return size - left;
        /* The buffer is empty: the file's position is the window's. */
        if (left > WINDOW_BYTES && os_file_skip(window->file, left)) {
            window->offset += left;
            return size;
        }
        window_fill(window, 1);
    }
}
