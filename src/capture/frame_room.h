/* Room for the bytes of frames that stand in no window as they are: put together, decompressed or changed by a reader. */
#ifndef TDSCOPE_FRAME_ROOM_H
#define TDSCOPE_FRAME_ROOM_H

#include <stddef.h>
#include <stdint.h>

#include "window.h"

/* All zero: none taken yet. */
struct frame_room {
    uint8_t *buffer; /* owned */
    size_t capacity, used;
};

/* Room for one frame, at most READER_FRAME_MAX_BYTES; it stays as long as those of the window's frames do. */
uint8_t *frame_room_take(struct frame_room *room, const struct window *window, size_t size);

void frame_room_close(struct frame_room *room, const struct window *window);

#endif
