/* Buffers that frames point into. */
#include "kept_buffers.h"

#include "memory.h"

void kept_buffers_add(struct kept_buffers *kept, uint8_t *bytes, size_t capacity)
{
    if (kept->count == kept->room) {
        kept->room = kept->room ? kept->room * 2 : 4;
        kept->list = memory_grow(kept->list, kept->room, sizeof *kept->list);
    }
    kept->list[kept->count++] = (struct kept_buffer){bytes, capacity};
}

static void give_back(struct kept_buffers *kept, struct spare_buffers *spare)
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

static void keep(void *context, uint8_t *buffer, size_t capacity)
{
    struct buffer_keeper *keeper = context;
    kept_buffers_add(keeper->filling, buffer, capacity);
}

static uint8_t *take_spare(void *context, size_t capacity)
{
    struct buffer_keeper *keeper = context;
    if (capacity == WINDOW_BYTES && keeper->spare.count > 0)
        return keeper->spare.list[--keeper->spare.count];
    return memory_take(capacity);
}

void buffer_keeper_open(struct buffer_keeper *keeper)
{
    *keeper = (struct buffer_keeper){.keeper = {keep, take_spare, keeper}};
}

void buffer_keeper_fill(struct buffer_keeper *keeper, struct kept_buffers *kept)
{
    give_back(kept, &keeper->spare);
    keeper->filling = kept;
}

void buffer_keeper_close(struct buffer_keeper *keeper)
{
    for (uint32_t i = 0; i < keeper->spare.count; i++)
        memory_give(keeper->spare.list[i]);
    keeper->spare.count = 0;
}
