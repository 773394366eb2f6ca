/* Slabs: chunks of equal elements with a free list. */
#include "slab.h"

#include <string.h>

#include "memory.h"

void slab_open(struct slab *slab, size_t element_size)
{
    size_t aligned = (element_size + 15) & ~(size_t)15;
    *slab = (struct slab){.element_size = aligned, .first_free = SLAB_NONE};
}

void slab_close(struct slab *slab)
{
    for (uint32_t i = 0; i < slab->chunk_count; i++)
        memory_give(slab->chunks[i]);
    memory_give(slab->chunks);
    slab_open(slab, slab->element_size);
}

uint32_t slab_take(struct slab *slab)
{
    uint32_t number = slab->first_free;
    slab->in_use++;
    if (number != SLAB_NONE) {
        void *element = slab_at(slab, number);
        memcpy(&slab->first_free, element, sizeof slab->first_free);
        memset(element, 0, slab->element_size);
        return number;
    }
    number = slab->high++;
    if (number / SLAB_CHUNK == slab->chunk_count) {
        slab->chunks = memory_grow(slab->chunks, (size_t)slab->chunk_count + 1, sizeof *slab->chunks);
        slab->chunks[slab->chunk_count++] = memory_take_array(SLAB_CHUNK, slab->element_size);
    }
    return number;
}

void slab_give(struct slab *slab, uint32_t number)
{
    memcpy(slab_at(slab, number), &slab->first_free, sizeof slab->first_free);
    slab->first_free = number;
    slab->in_use--;
}

void slab_truncate(struct slab *slab, uint32_t count)
{
    uint32_t chunks = (count + SLAB_CHUNK - 1) / SLAB_CHUNK;
    while (slab->chunk_count > chunks)
        memory_give(slab->chunks[--slab->chunk_count]);
    if (count % SLAB_CHUNK)
        memset(slab_at(slab, count), 0, (SLAB_CHUNK - count % SLAB_CHUNK) * slab->element_size);
    slab->high = slab->in_use = count;
}

/* What is left of the last chunk is free. */
static void fill_up(struct slab *slab)
{
    for (; slab->high % SLAB_CHUNK != 0; slab->high++) {
        memcpy(slab_at(slab, slab->high), &slab->first_free, sizeof slab->first_free);
        slab->first_free = slab->high;
    }
}

static void take_over_free(struct slab *slab, const struct slab *other, uint32_t by)
{
    for (uint32_t number = other->first_free; number != SLAB_NONE;) {
        uint32_t next;
        memcpy(&next, slab_at(other, number), sizeof next);
        memcpy(slab_at(other, number), &slab->first_free, sizeof slab->first_free);
        slab->first_free = number + by;
        number = next;
    }
}

uint32_t slab_take_over(struct slab *slab, struct slab *other)
{
    fill_up(slab);
    uint32_t by = slab->high, chunks = slab->chunk_count + other->chunk_count;
    take_over_free(slab, other, by);
    slab->chunks = memory_grow(slab->chunks, chunks, sizeof *slab->chunks);
    for (uint32_t i = 0; i < other->chunk_count; i++)
        slab->chunks[slab->chunk_count + i] = other->chunks[i];
    slab->chunk_count = chunks;
    slab->high += other->high;
    slab->in_use += other->in_use;
    other->chunk_count = 0;
    slab_close(other);
    return by;
}
