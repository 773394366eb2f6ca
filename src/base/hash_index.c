/* The hash index: see the header for its idea. */
#include "hash_index.h"

#include <string.h>

#include "memory.h"

enum { FIRST_SLOTS = 1024 };

static void make_slots(struct hash_index *index, uint32_t slots)
{
    index->slots = memory_take_array(slots, sizeof *index->slots);
    memset(index->slots, 0xff, slots * sizeof *index->slots);
    index->mask = slots - 1;
}

void hash_index_open(struct hash_index *index)
{
    index->count = 0;
    make_slots(index, FIRST_SLOTS);
}

void hash_index_close(struct hash_index *index)
{
    memory_give(index->slots);
    *index = (struct hash_index){0};
}

static void put(struct hash_index *index, struct hash_slot entry)
{
    uint32_t at = entry.hash & index->mask;
    while (index->slots[at].number != HASH_NONE)
        at = (at + 1) & index->mask;
    index->slots[at] = entry;
}

static void double_slots(struct hash_index *index)
{
    struct hash_slot *old = index->slots;
    uint32_t old_slots = index->mask + 1;
    make_slots(index, old_slots * 2);
    for (uint32_t i = 0; i < old_slots; i++)
        if (old[i].number != HASH_NONE)
            put(index, old[i]);
    memory_give(old);
}

void hash_index_add(struct hash_index *index, uint32_t hash, uint32_t number)
{
    if (index->count >= (index->mask + 1) / 2)
        double_slots(index);
    put(index, (struct hash_slot){hash, number});
    index->count++;
}

void hash_index_remove(struct hash_index *index, uint32_t hash, uint32_t number)
{
    uint32_t hole = hash & index->mask;
    while (index->slots[hole].number != number)
        hole = (hole + 1) & index->mask;
    index->count--;
    for (uint32_t at = hole;;) {
        at = (at + 1) & index->mask;
        struct hash_slot next = index->slots[at];
        if (next.number == HASH_NONE)
            break;
        uint32_t home = next.hash & index->mask;
        if (((at - home) & index->mask) >= ((at - hole) & index->mask)) {
            index->slots[hole] = next;
            hole = at;
        }
    }
    index->slots[hole].number = HASH_NONE;
}

uint32_t hash_words(const void *bytes, uint32_t size)
{
    const uint8_t *p = bytes;
    uint64_t h = size;
    for (uint32_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, p + i, size - i < 8 ? size - i : 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    return (uint32_t)h;
}

uint32_t hash_bytes(const void *bytes, uint32_t size)
{
    const uint8_t *p = bytes;
    uint32_t h = 2166136261u;
    for (uint32_t i = 0; i < size; i++)
        h = (h ^ p[i]) * 16777619u;
    h ^= h >> 16;
    h *= 0x7feb352du;
    h ^= h >> 15;
    h *= 0x846ca68bu;
    return h ^ h >> 16;
}
