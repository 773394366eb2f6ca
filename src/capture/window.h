/*
 * A sliding window over a file or pipe: the only way readers see bytes, but for those at an offset that they ask for.
 *
 * Measured on 3.2 GB in page cache: a 1 MiB window reads 12-15 GB/s with 2 MB resident, mmap 5-7 GB/s with all of it
 * resident; and a window reads pipes as well. Of 256 KiB it is as fast, and takes less memory. The window grows for one large record up
 * to WINDOW_MAX_BYTES.
 */
#ifndef TDSCOPE_WINDOW_H
#define TDSCOPE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "span.h"

enum { WINDOW_BYTES = 1 << 18, WINDOW_MAX_BYTES = 64 << 20 };

struct os_file;

/* Keeps what frames point into for longer: a window with a keeper goes on in another buffer instead of moving bytes, and instead of
 * freeing its buffer. */
struct window_keeper {
    void (*keep)(void *context, uint8_t *buffer, size_t capacity); /* owns the buffer from here on */
    uint8_t *(*spare)(void *context, size_t capacity);             /* the window owns it */
    void *context;
};

struct window {
    struct os_file *file;               /* not owned */
    const struct window_keeper *keeper; /* NULL: a frame's bytes are needed until the next one only */
    uint8_t *buffer;
    size_t capacity;
    size_t start; /* of the unread bytes in buffer */
    size_t end;
    size_t ask;         /* bytes to ask the system for; doubles, so that a look at a file's first bytes is cheap */
    uint64_t offset;    /* in the file, of buffer[start] */
    bool at_end;        /* the file has no more bytes than those in the buffer */
    struct error error; /* set when the system refused to read: not the same as the end of the file */
};

void window_open(struct window *window, struct os_file *file);
void window_close(struct window *window); /* frees the buffer, leaves the file open */

/* The parts of window_peek() and window_skip() that have to read. */
struct span window_fill(struct window *window, size_t size);
uint64_t window_pass(struct window *window, uint64_t size);

/* For formats that are not read from front to back: the bytes at that offset, as many as there are of size; the window stays where it is. False
 * with *error: the system refuses, or the file is a pipe. */
bool window_read_at(const struct window *window, uint64_t offset, void *buffer, size_t size, size_t *got,
                    struct error *error);

/* Makes size bytes available at the front if the file has them (size at most WINDOW_MAX_BYTES) and returns them without
 * moving; shorter only at the end of the file. The span is valid until the next peek with this window, or a skip past
 * more than was peeked. */
static inline struct span window_peek(struct window *window, size_t size)
{
    if (size > window->end - window->start)
        return window_fill(window, size);
    return (struct span){window->buffer + window->start, size};
}

/* Moves past size bytes, of which any number may not be in the buffer yet. Returns how many the file really had. */
static inline uint64_t window_skip(struct window *window, uint64_t size)
{
    if (size > window->end - window->start)
        return window_pass(window, size);
    window->start += (size_t)size;
    window->offset += size;
    return size;
}

/* The bytes at the front will be looked at soon: has the processor bring them into its cache meanwhile. */
static inline void window_fetch(const struct window *window)
{
#if defined(__GNUC__)
    __builtin_prefetch(window->buffer + window->start);
    __builtin_prefetch(window->buffer + window->start + 64);
#endif
}

#endif
