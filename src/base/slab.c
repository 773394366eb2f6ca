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
