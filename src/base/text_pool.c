/* Pools of texts: an arena with an index. */
#include "text_pool.h"

#include <string.h>

struct pooled_text {
    const char *text;
    size_t size;
};

void text_pool_open(struct text_pool *pool)
{
    *pool = (struct text_pool){0};
    slab_open(&pool->texts, sizeof(struct pooled_text));
    hash_index_open(&pool->index);
}

void text_pool_close(struct text_pool *pool)
{
    hash_index_close(&pool->index);
    slab_close(&pool->texts);
    arena_close(&pool->arena);
}

const char *text_pool_keep(struct text_pool *pool, const char *text, size_t size)
{
    uint32_t hash = hash_bytes(text, (uint32_t)size);
    struct hash_probe probe = hash_index_probe(&pool->index, hash);
    for (uint32_t number; (number = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct pooled_text *kept = slab_at(&pool->texts, number);
        if (kept->size == size && memcmp(kept->text, text, size) == 0)
            return kept->text;
    }
    uint32_t number = slab_take(&pool->texts);
    struct pooled_text *kept = slab_at(&pool->texts, number);
    *kept = (struct pooled_text){arena_copy_text(&pool->arena, text, size), size};
    hash_index_add(&pool->index, hash, number);
    return kept->text;
}

uint64_t text_pool_bytes(const struct text_pool *pool)
{
    return pool->arena.taken_bytes + slab_bytes(&pool->texts) + hash_index_bytes(&pool->index);
}
