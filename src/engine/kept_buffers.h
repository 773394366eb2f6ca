/* Buffers that frames point into, kept until nobody needs those frames any more; what windows are given in their place. */
#ifndef TDSCOPE_KEPT_BUFFERS_H
#define TDSCOPE_KEPT_BUFFERS_H

#include <stddef.h>
#include <stdint.h>

#include "window.h"

struct kept_buffer {
    uint8_t *bytes;
    size_t capacity;
};

/* In order. All zero: none. */
struct kept_buffers {
    struct kept_buffer *list; /* owned, as are the buffers */
    uint32_t count, room;
};

enum { SPARE_BUFFERS_MOST = 8 };

/* Those of WINDOW_BYTES that are free. All zero: none. */
struct spare_buffers {
    uint8_t *list[SPARE_BUFFERS_MOST];
    uint32_t count;
};

void kept_buffers_add(struct kept_buffers *kept, uint8_t *bytes, size_t capacity); /* owns it from here on */
void kept_buffers_close(struct kept_buffers *kept);

/* Keeps what windows are done with, in one list after another, and gives them buffers in its place. */
struct buffer_keeper {
    struct window_keeper keeper;  /* for the windows */
    struct kept_buffers *filling; /* where it keeps them now; not owned */
    struct spare_buffers spare;
};

void buffer_keeper_open(struct buffer_keeper *keeper); /* it must stay at its address */

/* From here on it keeps there; what was kept there before nobody needs any more. */
void buffer_keeper_fill(struct buffer_keeper *keeper, struct kept_buffers *kept);

void buffer_keeper_close(struct buffer_keeper *keeper); /* the lists are not closed */

#endif
