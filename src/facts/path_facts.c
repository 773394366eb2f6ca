/* Pairs of capture points. */
#include "path_facts.h"

#include "memory.h"
#include "sorted.h"

/* Both points in one number, the lower one first. */
static uint64_t both_points(uint32_t a, uint32_t b)
{
    return a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}

static int compare_points(const void *element, const void *wanted)
{
    const struct point_pair *pair = element;
    uint64_t points = both_points(pair->near, pair->far), others = *(const uint64_t *)wanted;
    return (points > others) - (points < others);
}

/* Where the pair stands, or has to be put. */
static uint32_t place_of(const struct point_pairs *pairs, uint32_t a, uint32_t b)
{
    uint64_t wanted = both_points(a, b);
    return sorted_place(&wanted, pairs->list, pairs->count, sizeof *pairs->list, compare_points);
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
