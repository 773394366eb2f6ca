/* What files a command-line argument means: a file, a folder or an archive with all below it, or a pattern (POSIX.1-2008). */
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
#include "os_archive.h"

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

static struct os_file_name *add_path(struct os_files *files, const char *folder, const char *name)
{
    if (files->count == files->capacity) {
        files->capacity = files->capacity ? files->capacity * 2 : 16;
        files->names = memory_grow(files->names, files->capacity, sizeof *files->names);
    }
    files->names[files->count] = (struct os_file_name){.path = path_join(folder, name)};
    return &files->names[files->count++];
}

static const struct os_archive *unpacked(struct os_files *files, const char *path)
{
    for (size_t i = 0; i < files->archive_count; i++)
        if (strcmp(files->archives[i]->path, path) == 0)
            return files->archives[i];
    struct os_archive *archive = memory_take(sizeof *archive);
    os_archive_unpack(archive, path, &files->spool);
    files->archives = memory_grow(files->archives, files->archive_count + 1, sizeof *files->archives);
    return files->archives[files->archive_count++] = archive;
}

static void add_member(struct os_files *files, const char *folder, const struct os_member *member)
{
    struct os_file_name *name = add_path(files, folder, member->name);
    struct os_slice slice = {.first = member->offset, .size = member->size};
    char path[SPOOL_PATH_SIZE];
    memcpy(slice.spool, files->spool.path, sizeof slice.spool);
    name->problem = member->problem;
    if (member->size > 0 || !member->problem)
        name->from = path_join("", os_slice_path(&slice, path));
}

static void add_archive(struct expansion *expansion, const char *path)
{
    struct os_files *files = expansion->files;
    const struct os_archive *archive = unpacked(files, path);
    struct os_file_name *name = add_path(files, "", path);
    name->is_archive = true;
    name->problem = archive->problem.text[0] ? archive->problem.text : NULL;
    for (size_t i = 0; i < archive->count && !is_full(expansion); i++)
        add_member(files, path, &archive->members[i]);
}

/* Not for pipes, whose bytes would be lost. */
static void add_regular(struct expansion *expansion, const char *path)
{
    if (os_archive_is(path))
        add_archive(expansion, path);
    else
        add_path(expansion->files, "", path);
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
        add_regular(expansion, path);
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
    else if (is_full(expansion))
        return true;
    else if (strcmp(path, "-") != 0 && S_ISREG(status.st_mode))
        add_regular(expansion, path);
    else
        add_path(expansion->files, "", path);
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
    return strcmp(((const struct os_file_name *)a)->path, ((const struct os_file_name *)b)->path);
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
    qsort(files->names + expansion.first, found, sizeof *files->names, compare_paths);
    return true;
}

void os_files_drop_last(struct os_files *files)
{
    files->count--;
    memory_give(files->names[files->count].path);
    memory_give(files->names[files->count].from);
}

void os_files_clear(struct os_files *files)
{
    while (files->count > 0)
        os_files_drop_last(files);
    memory_give(files->names);
    files->names = NULL;
    files->capacity = 0;
}

void os_files_close(struct os_files *files)
{
    os_files_clear(files);
    for (size_t i = 0; i < files->archive_count; i++) {
        os_archive_close(files->archives[i]);
        memory_give(files->archives[i]);
    }
    memory_give(files->archives);
    os_spool_close(&files->spool);
    *files = (struct os_files){0};
}
