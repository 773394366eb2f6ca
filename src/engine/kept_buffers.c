/* Buffers that frames point into. */
#include "kept_buffers.h"

#include "memory.h"
#include "window.h"

void kept_buffers_add(struct kept_buffers *kept, uint8_t *bytes, size_t capacity)
{
    if (kept->count == kept->room) {
        kept->room = kept->room ? kept->room * 2 : 4;
        kept->list = memory_grow(kept->list, kept->room, sizeof *kept->list);
    }
    kept->list[kept->count++] = (struct kept_buffer){bytes, capacity};
}

void kept_buffers_give(struct kept_buffers *kept, struct spare_buffers *spare)
{
    for (uint32_t i = 0; i < kept->count; i++) {
        if (kept->list[i].capacity == WINDOW_BYTES && spare->count < SPARE_BUFFERS_MOST)
            spare->list[spare->count++] = kept->list[i].bytes;
        else
            memory_give(kept->list[i].bytes);
    }
    kept->count = 0;
}

void kept_buffers_close(struct kept_buffers *kept)
{
    for (uint32_t i = 0; i < kept->count; i++)
        memory_give(kept->list[i].bytes);
    memory_give(kept->list);
    *kept = (struct kept_buffers){0};
}

uint8_t *spare_buffers_take(struct spare_buffers *spare, size_t capacity)
{
    if (capacity == WINDOW_BYTES && spare->count > 0)
        return spare->list[--spare->count];
    return memory_take(capacity);
}

void spare_buffers_close(struct spare_buffers *spare)
{
    for (uint32_t i = 0; i < spare->count; i++)
        memory_give(spare->list[i]);
    spare->count = 0;
}
