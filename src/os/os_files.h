/* What files a command-line argument means: a file, a folder or an archive with all below it, or a pattern. */
#ifndef TDSCOPE_OS_FILES_H
#define TDSCOPE_OS_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "notes.h"
#include "os_spool.h"

/* Ceilings for one argument: beyond them a folder tree is not what somebody means by "my captures". */
enum { OS_FILES_MAX = 100000, OS_FOLDER_DEPTH_MAX = 32 };

struct os_archive;

struct os_file_name {
    char *path;          /* owned; of a file in an archive, as if the archive were a folder */
    char *from;          /* owned; path that its bytes are read from; NULL: `path` */
    const char *problem; /* why it, or part of it, cannot be read; NULL: it may well be */
    bool is_archive;     /* nothing to read itself: its files stand beside it */
};

struct os_files {
    struct os_file_name *names; /* owned */
    size_t count;
    size_t capacity;
    struct os_archive **archives; /* those that were unpacked; owned */
    size_t archive_count;
    struct os_spool spool; /* what they unpacked to */
};

/*
 * Adds the files that argument means to the list, sorted by path:
 *
 *   - "-" and anything that exists and is not a folder: itself;
 *   - a folder: the regular files in it and below it. Hidden ones (".name") are left out; links to files are followed,
 *     links to folders below it are not, so there is no cycle;
 *   - an archive (os_archive.h): itself, and the files in it, wherever it stands;
 *   - a pattern with * ? [ ] that names nothing that exists: its matches, folders among them as above (for shells that
 *     leave patterns to the program).
 *
 * False with one sentence in *error when that is no file at all; the list then is as before. What had to be left out
 * (a folder that cannot be read, a ceiling) goes to notes.
 */
bool os_files_expand(struct os_files *files, const char *argument, struct notes *notes, struct error *error);

void os_files_drop_last(struct os_files *files); /* the last name */

/* Drops the names, but not what archives unpacked to: they are not unpacked again. */
void os_files_clear(struct os_files *files);

void os_files_close(struct os_files *files); /* frees all; the list can be used again */

#endif
