/* Room for frames. */
#include "frame_room.h"

#include "memory.h"

static void give(struct frame_room *room, const struct window_keeper *keeper)
{
    if (keeper && room->buffer)
        keeper->keep(keeper->context, room->buffer, room->capacity);
    else
        memory_give(room->buffer);
    *room = (struct frame_room){0};
}

uint8_t *frame_room_take(struct frame_room *room, const struct window *window, size_t size)
{
    const struct window_keeper *keeper = window->keeper;
    if (size > room->capacity - room->used) {
        if (keeper || size > room->capacity)
            give(room, keeper);
        room->used = 0; /* nobody keeps frames: the next one may stand where those before did */
    }
    if (!room->buffer) {
        room->capacity = size > WINDOW_BYTES ? size : WINDOW_BYTES;
        room->buffer = keeper ? keeper->spare(keeper->context, room->capacity) : memory_take(room->capacity);
    }
    uint8_t *place = room->buffer + room->used;
    room->used += size;
    return place;
}

void frame_room_close(struct frame_room *room, const struct window *window)
{
    give(room, window->keeper);
}
