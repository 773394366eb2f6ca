/*
 * Reads numbers and byte ranges off the front of a span.
 *
 * The first read that does not fit latches `failed`; from then on every read gives zero (or an empty span) and moves
 * nothing. A parser therefore reads a whole structure as the specification lists it and tests `failed` once. The
 * bounds check stands in one function, cursor_fits(), in the form that cannot wrap.
 */
#ifndef TDSCOPE_CURSOR_H
#define TDSCOPE_CURSOR_H

#include <stdbool.h>

#include "span.h"

struct cursor {
    const uint8_t *at; /* next byte to read */
    size_t left;       /* bytes that follow */
    bool failed;       /* a read asked for more than was left */
};

static inline struct cursor cursor_over(struct span s)
{
    return (struct cursor){s.data, s.size, false};
}

static inline bool cursor_fits(struct cursor *c, size_t n)
{
    if (c->failed || n > c->left) {
        c->failed = true;
        return false;
    }
    return true;
}

static inline bool cursor_skip(struct cursor *c, size_t n)
{
    if (!cursor_fits(c, n))
        return false;
    if (n > 0)
        c->at += n;
    c->left -= n;
    return true;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *p = c->at;
    return cursor_skip(c, 1) ? p[0] : 0;
}

static inline uint16_t cursor_u16be(struct cursor *c)
{
    const uint8_t *p = c->at;
    return (uint16_t)(cursor_skip(c, 2) ? p[0] << 8 | p[1] : 0);
}

static inline uint16_t cursor_u16le(struct cursor *c)
{
    const uint8_t *p = c->at;
    return (uint16_t)(cursor_skip(c, 2) ? p[1] << 8 | p[0] : 0);
}

static inline uint32_t cursor_u24be(struct cursor *c)
{
    const uint8_t *p = c->at;
    return cursor_skip(c, 3) ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t cursor_u32be(struct cursor *c)
{
    const uint8_t *p = c->at;
    return cursor_skip(c, 4) ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint32_t cursor_u32le(struct cursor *c)
{
    const uint8_t *p = c->at;
    return cursor_skip(c, 4) ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

/* The next n bytes as a span; empty when they do not fit. */
static inline struct span cursor_take(struct cursor *c, size_t n)
{
    const uint8_t *p = c->at;
    if (!cursor_skip(c, n))
        return (struct span){0};
    return (struct span){p, n};
}

/* A cursor over the next n bytes: how a length field opens what it measures. Failed when they do not fit. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
    struct span inner = cursor_take(c, n);
    return (struct cursor){inner.data, inner.size, c->failed};
}

static inline uint64_t cursor_u64le(struct cursor *c)
{
    struct cursor eight = cursor_sub(c, 8);
    uint64_t low = cursor_u32le(&eight);
    return (uint64_t)cursor_u32le(&eight) << 32 | low;
}

static inline uint64_t cursor_u64be(struct cursor *c)
{
    struct cursor eight = cursor_sub(c, 8);
    uint64_t high = cursor_u32be(&eight);
    return high << 32 | cursor_u32be(&eight);
}

/* Everything that is left, without moving. */
static inline struct span cursor_rest(const struct cursor *c)
{
    return (struct span){c->at, c->failed ? 0 : c->left};
}

#endif
