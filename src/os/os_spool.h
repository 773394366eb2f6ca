/* What comes through a pipe, kept in a file without a name, so that it can be read again. */
#ifndef TDSCOPE_OS_SPOOL_H
#define TDSCOPE_OS_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

enum { SPOOL_PATH_SIZE = 96 };

struct os_spool {
    FILE *file;                 /* NULL: there is none */
    char path[SPOOL_PATH_SIZE]; /* opens it, as often as wanted, until it is closed */
};

/* Opens an empty one. False with *error: there can be none on this system. */
bool os_spool_open(struct os_spool *spool, struct error *error);

/* A part of a spool, which is opened by a path like a file of its own. */
struct os_slice {
    char spool[SPOOL_PATH_SIZE]; /* its path */
    uint64_t first, size;
};

/* Returns path: that of the spool as if it were a folder, so that no file can have it. */
const char *os_slice_path(const struct os_slice *slice, char path[static SPOOL_PATH_SIZE]);

/* Whether path is one of a slice. */
bool os_slice_of(struct os_slice *slice, const char *path);

/* Whether path can be read only once: a pipe, a socket, standard input. */
bool os_spool_is_needed(const char *path);

struct os_file;

/* Reads path to its end, at most limit bytes. False with *error when nothing can be spooled on this system; then nothing was read.
 * *cut: why not all of it is kept; empty: it is. */
bool os_spool_fill(struct os_spool *spool, const char *path, uint64_t limit, struct error *cut, struct error *error);

/* The same from a file that is open, and stays so. */
bool os_spool_fill_from(struct os_spool *spool, struct os_file *from, uint64_t limit, struct error *cut,
                        struct error *error);

void os_spool_close(struct os_spool *spool); /* frees the room, too; one without a file is fine */

#endif
