/*
 * Many elements of one size, named by 32-bit numbers that stay valid until given back; addresses stay valid, too.
 *
 * Elements live in chunks of SLAB_CHUNK, so growth moves nothing. A free list runs through given-back elements. The first chunks, up to
 * SLAB_SMALL_BYTES, are allocated one by one; a slab that grows beyond takes blocks (see memory.h) and cuts several chunks from each.
 * Number 0 is a real element; SLAB_NONE is none.
 */
#ifndef TDSCOPE_SLAB_H
#define TDSCOPE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_NONE UINT32_MAX
enum { SLAB_CHUNK = 256, SLAB_SMALL_BYTES = 1 << 20 };

struct slab {
    size_t element_size;
    uint8_t **chunks;
    bool *begins; /* of the chunks: an allocation begins with it */
    uint32_t chunk_count;
    uint32_t high; /* elements ever handed out at once; every number in use is below it */
    uint32_t in_use;
    uint32_t first_free;
};

void slab_open(struct slab *slab, size_t element_size); /* element_size at least 4 */
void slab_close(struct slab *slab);
uint32_t slab_take(struct slab *slab); /* a zeroed element */
void slab_give(struct slab *slab, uint32_t number);
void slab_truncate(struct slab *slab, uint32_t count); /* of one that nothing was given back to: keeps the first ones */

/* Takes all elements of another slab of that size, which is empty then: their addresses stay, their numbers grow by what is returned. */
uint32_t slab_take_over(struct slab *slab, struct slab *other);

/* Memory of the chunks that were begun. */
static inline uint64_t slab_bytes(const struct slab *slab)
{
    uint64_t chunks = ((uint64_t)slab->high + SLAB_CHUNK - 1) / SLAB_CHUNK;
    return chunks * SLAB_CHUNK * slab->element_size;
}

static inline void *slab_at(const struct slab *slab, uint32_t number)
{
    return slab->chunks[number / SLAB_CHUNK] + (size_t)(number % SLAB_CHUNK) * slab->element_size;
}

#endif
