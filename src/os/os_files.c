/* What files a command-line argument means: a file, a folder with all below it, or a pattern (POSIX.1-2008). */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64

#include "os_files.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "memory.h"

struct expansion {
    struct os_files *files;
    size_t first; /* index of the first path of this argument */
    struct notes *notes;
};

static char *path_join(const char *folder, const char *name)
{
    size_t folder_size = strlen(folder);
    size_t name_size = strlen(name);
    bool slash = folder_size > 0 && folder[folder_size - 1] != '/';
    char *path = memory_take(folder_size + slash + name_size + 1);
    memcpy(path, folder, folder_size);
    if (slash)
        path[folder_size] = '/';
    memcpy(path + folder_size + slash, name, name_size);
    return path;
}

static bool is_full(struct expansion *expansion)
{
    if (expansion->files->count - expansion->first < OS_FILES_MAX)
        return false;
    notes_add(expansion->notes, "too many files", "only the first %d files found are used", OS_FILES_MAX);
    return true;
}

static void add_path(struct os_files *files, const char *path)
{
    if (files->count == files->capacity) {
        files->capacity = files->capacity ? files->capacity * 2 : 16;
        files->paths = memory_grow(files->paths, files->capacity, sizeof *files->paths);
    }
    files->paths[files->count++] = path_join("", path);
}

static void add_folder(struct expansion *expansion, const char *path, int depth);

static void add_entry(struct expansion *expansion, const char *path, int depth)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return;
    if (S_ISDIR(status.st_mode)) {
        add_folder(expansion, path, depth + 1);
        return;
    }
    if (S_ISLNK(status.st_mode) && stat(path, &status) != 0)
        return;
    if (S_ISREG(status.st_mode) && !is_full(expansion))
        add_path(expansion->files, path);
}

static void add_folder(struct expansion *expansion, const char *path, int depth)
{
    if (depth > OS_FOLDER_DEPTH_MAX) {
        notes_add(expansion->notes, "folders too deep", "folders more than %d deep are left out: %s",
                  OS_FOLDER_DEPTH_MAX, path);
        return;
    }
    DIR *folder = opendir(path);
    if (!folder) {
        notes_add(expansion->notes, "folder unreadable", "folder %s cannot be read: %s", path, strerror(errno));
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder)) && !is_full(expansion);) {
        if (entry->d_name[0] == '.')
            continue;
        char *below = path_join(path, entry->d_name);
        add_entry(expansion, below, depth);
        memory_give(below);
    }
    closedir(folder);
}

/* False when nothing of that name exists. */
static bool add_existing(struct expansion *expansion, const char *path)
{
    struct stat status;
    if (strcmp(path, "-") != 0 && stat(path, &status) != 0)
        return false;
    if (strcmp(path, "-") != 0 && S_ISDIR(status.st_mode))
        add_folder(expansion, path, 0);
    else if (!is_full(expansion))
        add_path(expansion->files, path);
    return true;
}

static bool add_pattern(struct expansion *expansion, const char *pattern)
{
    glob_t matches = {0};
    bool found = glob(pattern, 0, NULL, &matches) == 0;
    for (size_t i = 0; found && i < matches.gl_pathc; i++)
        add_existing(expansion, matches.gl_pathv[i]);
    globfree(&matches);
    return found;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool os_files_expand(struct os_files *files, const char *argument, struct notes *notes, struct error *error)
{
    struct expansion expansion = {.files = files, .first = files->count, .notes = notes};
    if (!add_existing(&expansion, argument)) {
        int reason = errno;
        if (!strpbrk(argument, "*?["))
            return error_set(error, "%s cannot be opened: %s", argument, strerror(reason));
        if (!add_pattern(&expansion, argument))
            return error_set(error, "no file matches the pattern %s", argument);
    }
    size_t found = files->count - expansion.first;
    if (found == 0)
        return error_set(error, "there is no file to read in %s", argument);
    qsort(files->paths + expansion.first, found, sizeof *files->paths, compare_paths);
    return true;
}

void os_files_close(struct os_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        memory_give(files->paths[i]);
    memory_give(files->paths);
    *files = (struct os_files){0};
}
