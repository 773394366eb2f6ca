/* Arenas: a list of blocks, filled from the front. */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "memory.h"

enum { ARENA_BLOCK_BYTES = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) uint8_t bytes[];
};

void arena_close(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        memory_give(arena->blocks);
        arena->blocks = next;
    }
    arena->taken_bytes = 0;
}

void *arena_take(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    size_t padded = (size + align - 1) / align * align;
    struct arena_block *block = arena->blocks;
    if (!block || padded > block->size - block->used) {
        size_t room = padded > ARENA_BLOCK_BYTES ? padded : ARENA_BLOCK_BYTES;
        block = memory_take(sizeof *block + room);
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *taken = block->bytes + block->used;
    block->used += padded;
    arena->taken_bytes += size;
    return taken;
}

char *arena_copy_text(struct arena *arena, const char *text, size_t size)
{
    char *copy = arena_take(arena, size + 1);
    memcpy(copy, text, size);
    return copy;
}
