/* Bytes that are taken one after another and given back all at once. */
#ifndef TDSCOPE_ARENA_H
#define TDSCOPE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t taken_bytes; /* sum of what was asked for */
};

void arena_close(struct arena *arena);              /* frees everything; the arena can be used again */
void *arena_take(struct arena *arena, size_t size); /* zeroed, aligned for any type */
char *arena_copy_text(struct arena *arena, const char *text, size_t size); /* adds the final zero byte */

#endif
