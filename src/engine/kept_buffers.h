/* Buffers that frames point into, kept until nobody needs those frames any more; what windows are given in their place. */
#ifndef TDSCOPE_KEPT_BUFFERS_H
#define TDSCOPE_KEPT_BUFFERS_H

#include <stddef.h>
#include <stdint.h>

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
void kept_buffers_give(struct kept_buffers *kept, struct spare_buffers *spare);    /* nobody needs them any more */
void kept_buffers_close(struct kept_buffers *kept);

uint8_t *spare_buffers_take(struct spare_buffers *spare,
                            size_t capacity); /* a new one if need be; the caller owns it */
void spare_buffers_close(struct spare_buffers *spare);

#endif
