/* What files a command-line argument means: a file, a folder with all below it, or a pattern. */
#ifndef TDSCOPE_OS_FILES_H
#define TDSCOPE_OS_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "notes.h"

/* Ceilings for one argument: beyond them a folder tree is not what somebody means by "my captures". */
enum { OS_FILES_MAX = 100000, OS_FOLDER_DEPTH_MAX = 32 };

struct os_files {
    char **paths; /* owned */
    size_t count;
    size_t capacity;
};

/*
 * Adds the files that argument means to the list, sorted by path:
 *
 *   - "-" and anything that exists and is not a folder: itself;
 *   - a folder: the regular files in it and below it. Hidden ones (".name") are left out; links to files are followed,
 *     links to folders below it are not, so there is no cycle;
 *   - a pattern with * ? [ ] that names nothing that exists: its matches, folders among them as above (for shells that
 *     leave patterns to the program).
 *
 * False with one sentence in *error when that is no file at all; the list then is as before. What had to be left out
 * (a folder that cannot be read, a ceiling) goes to notes.
 */
bool os_files_expand(struct os_files *files, const char *argument, struct notes *notes, struct error *error);

void os_files_close(struct os_files *files); /* frees all; the list can be used again */

#endif
