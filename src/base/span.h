/* Read-only view of bytes that somebody else owns. */
#ifndef TDSCOPE_SPAN_H
#define TDSCOPE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* data may be NULL only when size is 0. */
struct span {
    const uint8_t *data;
    size_t size;
};

/* The part of s that begins at offset and is at most size bytes long; clamped to s, never outside it. */
static inline struct span span_part(struct span s, size_t offset, size_t size)
{
    if (offset >= s.size)
        return (struct span){s.data, 0};
    size_t left = s.size - offset;
    return (struct span){s.data + offset, size < left ? size : left};
}

/* Whether part is a piece of whole, at the same place in memory; an empty one is. */
static inline bool span_lies_within(struct span part, struct span whole)
{
    return part.size == 0 || (uintptr_t)part.data - (uintptr_t)whole.data < whole.size;
}

/* Everything of s from offset on. */
static inline struct span span_from(struct span s, size_t offset)
{
    if (offset >= s.size)
        return (struct span){s.data, 0};
    return (struct span){s.data + offset, s.size - offset};
}

#endif
