/* Slabs: chunks of equal elements with a free list. */
#include "slab.h"

#include <string.h>

#include "memory.h"

void slab_open(struct slab *slab, size_t element_size)
{
    size_t aligned = (element_size + 15) & ~(size_t)15;
    *slab = (struct slab){.element_size = aligned, .first_free = SLAB_NONE};
}

static size_t chunk_bytes(const struct slab *slab)
{
    return SLAB_CHUNK * slab->element_size;
}

static uint32_t chunks_in_block(const struct slab *slab)
{
    return (uint32_t)(MEMORY_BLOCK_BYTES / chunk_bytes(slab));
}

static void grow_list(struct slab *slab, uint32_t chunks)
{
    slab->chunks = memory_grow(slab->chunks, chunks, sizeof *slab->chunks);
    slab->begins = memory_grow(slab->begins, chunks, sizeof *slab->begins);
}

static void add_chunks(struct slab *slab)
{
    bool small = slab->chunk_count * chunk_bytes(slab) < SLAB_SMALL_BYTES;
    uint32_t first = slab->chunk_count, together = chunks_in_block(slab), count = small || together < 2 ? 1 : together;
    grow_list(slab, first + count);
    uint8_t *bytes = count > 1 ? memory_take_block() : memory_grow(NULL, SLAB_CHUNK, slab->element_size);
    for (uint32_t i = 0; i < count; i++) {
        slab->chunks[first + i] = bytes + i * chunk_bytes(slab);
        slab->begins[first + i] = i == 0;
    }
    slab->chunk_count += count;
}

/* Frees the chunks from the first one on, as far as no chunk before shares their block. */
static void drop_chunks(struct slab *slab, uint32_t first)
{
    while (slab->chunk_count > first) {
        uint32_t begin = slab->chunk_count - 1;
        while (!slab->begins[begin])
            begin--;
        if (begin < first)
            return;
        memory_give(slab->chunks[begin]);
        slab->chunk_count = begin;
    }
}

void slab_close(struct slab *slab)
{
    drop_chunks(slab, 0);
    memory_give(slab->chunks);
    memory_give(slab->begins);
    slab_open(slab, slab->element_size);
}

uint32_t slab_take(struct slab *slab)
{
    uint32_t number = slab->first_free;
    slab->in_use++;
    if (number == SLAB_NONE) {
        number = slab->high++;
        if (number / SLAB_CHUNK == slab->chunk_count)
            add_chunks(slab);
    } else {
        memcpy(&slab->first_free, slab_at(slab, number), sizeof slab->first_free);
    }
    /* Not a whole chunk at once: so it is in the nearest cache when its taker writes to it. */
    memset(slab_at(slab, number), 0, slab->element_size);
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
    drop_chunks(slab, (count + SLAB_CHUNK - 1) / SLAB_CHUNK);
    slab->high = slab->in_use = count;
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

/* What is left of the own last block is never used. */
uint32_t slab_take_over(struct slab *slab, struct slab *other)
{
    uint32_t by = slab->chunk_count * SLAB_CHUNK;
    take_over_free(slab, other, by);
    grow_list(slab, slab->chunk_count + other->chunk_count);
    for (uint32_t i = 0; i < other->chunk_count; i++) {
        slab->chunks[slab->chunk_count + i] = other->chunks[i];
        slab->begins[slab->chunk_count + i] = other->begins[i];
    }
    slab->chunk_count += other->chunk_count;
    slab->high = by + other->high;
    slab->in_use += other->in_use;
    other->chunk_count = 0;
    slab_close(other);
    return by;
}
