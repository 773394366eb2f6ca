/* What a compressed file unpacks to, from front to back: gzip, bzip2, xz, zstd and lz4. */
#ifndef TDSCOPE_OS_UNPACKED_H
#define TDSCOPE_OS_UNPACKED_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "span.h"

enum { UNPACKED_PROBE_BYTES = 10 };

/* No capture and no log is made a thousand times smaller: each packet, and each line, has a time of its own. What unpacks to more, and to
 * more than this, is made to fill a disk or to be read for ever. */
enum { UNPACKED_RATIO_MOST = 1000, UNPACKED_UNDOUBTED_BYTES = 128 << 20 };

struct os_file;
struct os_unpacked;

/* Whether a file that begins so is compressed. */
bool os_unpacked_recognises(struct span head);

/* Owns packed from here on; its first bytes are those. */
struct os_unpacked *os_unpacked_open(struct os_file *packed, struct span head);
void os_unpacked_close(struct os_unpacked *unpacked);

/* As os_file_read(). False, now and from here on, where it is damaged or cut short: what could be unpacked before was given. */
bool os_unpacked_read(struct os_unpacked *unpacked, void *buffer, size_t size, size_t *got, struct error *error);

/* The compressed file. */
const struct os_file *os_unpacked_from(const struct os_unpacked *unpacked);

#endif
