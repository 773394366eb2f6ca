/* Pairs of capture points. */
#include "path_facts.h"

#include "memory.h"

static uint32_t lower(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
    return a < b ? b : a;
}

/* Where the pair stands, or has to be put. */
static uint32_t place_of(const struct point_pairs *pairs, uint32_t a, uint32_t b)
{
    uint64_t wanted = (uint64_t)lower(a, b) << 32 | higher(a, b);
    uint32_t from = 0, to = pairs->count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        const struct point_pair *pair = &pairs->list[middle];
        if (((uint64_t)lower(pair->near, pair->far) << 32 | higher(pair->near, pair->far)) < wanted)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool joins(const struct point_pair *pair, uint32_t a, uint32_t b)
{
    return (pair->near == a && pair->far == b) || (pair->near == b && pair->far == a);
}

struct point_pair *point_pairs_find(const struct point_pairs *pairs, uint32_t a, uint32_t b)
{
    uint32_t place = place_of(pairs, a, b);
    return place < pairs->count && joins(&pairs->list[place], a, b) ? &pairs->list[place] : NULL;
}

struct point_pair *point_pairs_need(struct point_pairs *pairs, uint32_t a, uint32_t b)
{
    struct point_pair *pair = point_pairs_find(pairs, a, b);
    if (pair)
        return pair;
    if (pairs->count == pairs->capacity) {
        pairs->capacity = pairs->capacity ? pairs->capacity * 2 : 4;
        pairs->list = memory_grow(pairs->list, pairs->capacity, sizeof *pairs->list);
    }
    uint32_t place = place_of(pairs, a, b);
    for (uint32_t i = pairs->count++; i > place; i--)
        pairs->list[i] = pairs->list[i - 1];
    pairs->list[place] = (struct point_pair){.near = a, .far = b};
    return &pairs->list[place];
}

void point_pairs_close(struct point_pairs *pairs)
{
    for (uint32_t i = 0; i < pairs->count; i++)
        memory_give(pairs->list[i].ways);
    memory_give(pairs->list);
    *pairs = (struct point_pairs){0};
}
