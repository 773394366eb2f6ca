/*
 * Unpacking by one way of compression or several.
 *
 * read(): one or more bytes, at most size; *got is 0 only at the end of what is packed. False with *error, a reason without a name, when no more
 * can be unpacked; then it is not called again. What was unpacked before was given.
 */
#ifndef TDSCOPE_OS_UNPACKING_H
#define TDSCOPE_OS_UNPACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct os_file;

enum { UNPACKING_PIECE = 1 << 16 };

struct os_unpacking {
    size_t state_size; /* zeroed before the first read() */
    bool (*read)(void *state, struct os_file *packed, uint8_t *buffer, size_t size, size_t *got, struct error *error);
    void (*close)(void *state);
};

extern const struct os_unpacking os_unpacking_gzip;
extern const struct os_unpacking os_unpacking_others; /* bzip2, xz, zstd, lz4 */

#endif
