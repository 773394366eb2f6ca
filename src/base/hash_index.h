/*
 * Finds 32-bit numbers (of slab elements, say) by a 32-bit hash. The keys themselves live with the caller, who
 * compares: open addressing, linear probing, deletion by shifting back, so there are no tombstones.
 *
 *     struct hash_probe probe = hash_index_probe(&index, hash);
 *     for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;)
 *         if (key_of(n) == wanted)
 *             return n;
 */
#ifndef TDSCOPE_HASH_INDEX_H
#define TDSCOPE_HASH_INDEX_H

#include <stdint.h>

#define HASH_NONE UINT32_MAX

struct hash_slot {
    uint32_t hash;
    uint32_t number; /* HASH_NONE: empty */
};

struct hash_index {
    struct hash_slot *slots;
    uint32_t mask; /* slots - 1; the number of slots is a power of two */
    uint32_t count;
};

struct hash_probe {
    const struct hash_index *index;
    uint32_t hash;
    uint32_t slot;
};

void hash_index_open(struct hash_index *index);
void hash_index_close(struct hash_index *index);
void hash_index_add(struct hash_index *index, uint32_t hash, uint32_t number);    /* number is not in it yet */
void hash_index_remove(struct hash_index *index, uint32_t hash, uint32_t number); /* number is in it */

/* Memory that it has taken. */
static inline uint64_t hash_index_bytes(const struct hash_index *index)
{
    return (index->mask + 1ULL) * sizeof *index->slots;
}

static inline struct hash_probe hash_index_probe(const struct hash_index *index, uint32_t hash)
{
    return (struct hash_probe){index, hash, hash & index->mask};
}

static inline uint32_t hash_probe_next(struct hash_probe *probe)
{
    for (;;) {
        struct hash_slot slot = probe->index->slots[probe->slot];
        if (slot.number == HASH_NONE)
            return HASH_NONE;
        probe->slot = (probe->slot + 1) & probe->index->mask;
        if (slot.hash == probe->hash)
            return slot.number;
    }
}

/* A well-mixed hash of some bytes (FNV-1a with a final avalanche); not for secrets. */
uint32_t hash_bytes(const void *bytes, uint32_t size);

/* Eight bytes at a time, so it takes a sixth of the time. Machines of another byte order make another one of the same bytes. */
uint32_t hash_words(const void *bytes, uint32_t size);

#endif
