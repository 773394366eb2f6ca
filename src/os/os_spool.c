/* tmpfile() makes the file and takes its name away at once (ISO C11, 7.21.4.3); Linux and the BSDs open it again by its number. */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64

#include "os_spool.h"

#include <string.h>
#include <sys/stat.h>

#include "memory.h"
#include "os_file.h"

#define SPOOLS "/proc/self/fd/"

enum { SPOOL_PIECE = 1 << 20 };

bool os_spool_is_needed(const char *path)
{
    struct stat status;
    if (strcmp(path, "-") == 0)
        return true;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* Whether the path leads to that very file, and opens it anew, with a place of its own to read at. */
static bool leads_to(const char *path, int descriptor)
{
    struct stat wanted, found;
    return fstat(descriptor, &wanted) == 0 && stat(path, &found) == 0 && wanted.st_ino == found.st_ino &&
           wanted.st_dev == found.st_dev && S_ISREG(found.st_mode);
}

bool os_spool_open(struct os_spool *spool, struct error *error)
{
    *spool = (struct os_spool){.file = tmpfile()};
    if (!spool->file)
        return error_set(error, "there is no room for temporary files");
    snprintf(spool->path, sizeof spool->path, SPOOLS "%d", fileno(spool->file));
    if (leads_to(spool->path, fileno(spool->file)))
        return true;
    os_spool_close(spool);
    return error_set(error, "temporary files cannot be opened again on this system");
}

const char *os_slice_path(const struct os_slice *slice, char path[static SPOOL_PATH_SIZE])
{
    snprintf(path, SPOOL_PATH_SIZE, "%.30s/%llu+%llu", slice->spool, (unsigned long long)slice->first,
             (unsigned long long)slice->size);
    return path;
}

bool os_slice_of(struct os_slice *slice, const char *path)
{
    unsigned long long first, size;
    int number, end = 0;
    if (sscanf(path, SPOOLS "%d/%20llu+%20llu%n", &number, &first, &size, &end) != 3 || path[end] != '\0' ||
        first > INT64_MAX || size > INT64_MAX - first)
        return false;
    *slice = (struct os_slice){.first = first, .size = size};
    snprintf(slice->spool, sizeof slice->spool, SPOOLS "%d", number);
    return true;
}

static bool copy_piece(struct os_file *from, FILE *to, uint8_t *piece, uint64_t limit, size_t *got, struct error *cut)
{
    if (!os_file_read(from, piece, SPOOL_PIECE, got, cut))
        return false;
    if (*got > limit)
        return error_set(cut, "it is longer than what is kept of one file, and the rest is not read");
    return fwrite(piece, 1, *got, to) == *got ||
           error_set(cut, "there is no more room to keep it in a temporary file, and the rest is not read");
}

static void copy_bytes(struct os_file *from, FILE *to, uint64_t limit, struct error *cut)
{
    uint8_t *piece = memory_take(SPOOL_PIECE);
    *cut = (struct error){{0}};
    for (size_t got = 1; got > 0 && copy_piece(from, to, piece, limit, &got, cut);)
        limit -= got;
    memory_give(piece);
    if (fflush(to) != 0)
        error_set(cut, "there is no more room to keep it in a temporary file, and the rest is not read");
}

bool os_spool_fill_from(struct os_spool *spool, struct os_file *from, uint64_t limit, struct error *cut,
                        struct error *error)
{
    if (!os_spool_open(spool, error))
        return false;
    copy_bytes(from, spool->file, limit, cut);
    return true;
}

bool os_spool_fill(struct os_spool *spool, const char *path, uint64_t limit, struct error *cut, struct error *error)
{
    struct os_file *from = os_file_open(path, error);
    bool filled = from && os_spool_fill_from(spool, from, limit, cut, error);
    os_file_close(from);
    return filled;
}

void os_spool_close(struct os_spool *spool)
{
    if (spool->file)
        fclose(spool->file);
    *spool = (struct os_spool){0};
}
