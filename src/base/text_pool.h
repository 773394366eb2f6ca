/* Texts that are kept, each once however often it comes: names of applications, users and hosts are the same in most connections. */
#ifndef TDSCOPE_TEXT_POOL_H
#define TDSCOPE_TEXT_POOL_H

#include "arena.h"
#include "hash_index.h"
#include "slab.h"

struct text_pool {
    struct arena arena;
    struct slab texts; /* struct pooled_text */
    struct hash_index index;
};

void text_pool_open(struct text_pool *pool);
void text_pool_close(struct text_pool *pool);

/* The text with a final zero byte; valid until the pool is closed. Equal ones give the same address. */
const char *text_pool_keep(struct text_pool *pool, const char *text, size_t size);

uint64_t text_pool_bytes(const struct text_pool *pool); /* memory taken */

#endif
