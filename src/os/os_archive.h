/* The files in archives: zip, tar, 7-Zip and Windows' cabinets, a tar also compressed. They are unpacked once, one behind the other. */
#ifndef TDSCOPE_OS_ARCHIVE_H
#define TDSCOPE_OS_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "os_spool.h"

/* What one archive may unpack to, in bytes, and in files: a day of a busy server, and no more than a disk usually has room for. */
#define ARCHIVE_MOST_BYTES (64ULL << 30)
enum { ARCHIVE_MOST_MEMBERS = 100000, ARCHIVE_NAME_MOST_BYTES = 1024 };

struct os_member {
    char *name;            /* owned; without what leads out of the archive */
    uint64_t offset, size; /* in the spool */
    char *problem;         /* owned; why it, or the rest of it, cannot be unpacked; NULL: it is whole */
};

struct os_archive {
    char *path; /* owned */
    struct os_member *members;
    size_t count;
    struct error problem; /* why not all members were found; empty: they were */
};

/* Whether the file holds others. */
bool os_archive_is(const char *path);

/* Unpacks the regular files in it to the end of the spool, which is opened when it has to be. Hidden ones are left out, as in folders. */
void os_archive_unpack(struct os_archive *archive, const char *path, struct os_spool *spool);

void os_archive_close(struct os_archive *archive);

#endif
