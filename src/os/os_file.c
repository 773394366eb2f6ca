/* Reads a file, a pipe, standard input or plain memory from front to back (POSIX.1-2008). */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64

#include "os_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "os_spool.h"
#include "os_unpacked.h"

enum { NO_DESCRIPTOR = -1 };

struct os_file {
    struct os_unpacked *unpacked; /* where its bytes come from; NULL: they stand in the file as they are */
    int descriptor;               /* NO_DESCRIPTOR: memory, or unpacked */
    bool regular;                 /* an ordinary file that was opened by its path */
    uint64_t first, size;         /* of a slice of a spool; size is UINT64_MAX: all of the file */
    uint64_t position;            /* bytes read or skipped */
    struct span memory;           /* what is left of it, or of what was put back */
    struct span whole;            /* of memory */
    uint8_t *put_back;            /* owned */
    char path[];
};

static struct os_file *file_take(const char *path)
{
    size_t size = strlen(path) + 1;
    struct os_file *file = memory_take(sizeof *file + size);
    file->descriptor = NO_DESCRIPTOR;
    file->size = UINT64_MAX;
    memcpy(file->path, path, size);
    return file;
}

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Disks, and what gives zeros or random bytes without an end; neither a terminal nor nothing. */
static bool is_device(int descriptor, const struct stat *status)
{
    struct stat nothing;
    if (S_ISBLK(status->st_mode))
        return true;
    return S_ISCHR(status->st_mode) && !isatty(descriptor) &&
           (stat("/dev/null", &nothing) != 0 || nothing.st_rdev != status->st_rdev);
}

static void close_opened(const char *path, int descriptor)
{
    if (!is_standard_input(path))
        close(descriptor);
}

static int open_descriptor(const char *path)
{
    int descriptor = STDIN_FILENO;
    if (!is_standard_input(path)) {
        do
            descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        while (descriptor < 0 && errno == EINTR);
    }
    return descriptor;
}

static struct os_file *open_stored(const char *path, struct error *error)
{
    struct os_slice slice;
    bool sliced = os_slice_of(&slice, path);
    int descriptor = open_descriptor(sliced ? slice.spool : path);
    struct stat status;
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        error_set(error, "%s cannot be opened: %s", path, strerror(errno));
        if (descriptor >= 0)
            close_opened(path, descriptor);
        return NULL;
    }
    if (S_ISDIR(status.st_mode) || is_device(descriptor, &status)) {
        error_set(error, "%s is a %s, not a file", path, S_ISDIR(status.st_mode) ? "folder" : "device");
        close_opened(path, descriptor);
        return NULL;
    }
    struct os_file *file = file_take(path);
    file->descriptor = descriptor;
    file->regular = S_ISREG(status.st_mode) && !is_standard_input(path);
    if (sliced && lseek(descriptor, (off_t)slice.first, SEEK_SET) >= 0) {
        file->first = slice.first;
        file->size = slice.size;
    }
    if (file->regular)
        (void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    return file;
}

/* The first bytes, which are read again afterwards. */
static struct span look(struct os_file *file, uint8_t *bytes, size_t size)
{
    size_t found = 0, got = 1;
    if (os_file_can_seek(file)) {
        os_file_read_at(file, 0, bytes, size, &found, NULL);
        return (struct span){bytes, found};
    }
    for (; found < size && got > 0; found += got)
        if (!os_file_read(file, bytes + found, size - found, &got, NULL))
            break;
    struct span head = {bytes, found};
    os_file_put_back(file, head);
    return head;
}

struct os_file *os_file_unpack(struct os_file *file)
{
    uint8_t bytes[UNPACKED_PROBE_BYTES];
    for (int i = 0; i < OS_FILE_LAYERS_MOST; i++) {
        struct span head = look(file, bytes, sizeof bytes);
        if (!os_unpacked_recognises(head))
            return file;
        struct os_file *layer = file_take(file->path);
        layer->regular = file->regular;
        layer->unpacked = os_unpacked_open(file, head);
        file = layer;
    }
    return file;
}

struct os_file *os_file_open(const char *path, struct error *error)
{
    struct os_file *file = open_stored(path, error);
    return file ? os_file_unpack(file) : NULL;
}

struct os_file *os_file_from_memory(struct span bytes)
{
    struct os_file *file = file_take("memory");
    file->memory = file->whole = bytes;
    return file;
}

void os_file_close(struct os_file *file)
{
    if (!file)
        return;
    if (file->descriptor != NO_DESCRIPTOR && !is_standard_input(file->path))
        close(file->descriptor);
    os_unpacked_close(file->unpacked);
    memory_give(file->put_back);
    memory_give(file);
}

static size_t memory_read(struct os_file *file, void *buffer, size_t size)
{
    struct span part = span_part(file->memory, 0, size);
    if (part.size > 0)
        memcpy(buffer, part.data, part.size);
    file->memory = span_from(file->memory, part.size);
    return part.size;
}

static bool descriptor_read(const struct os_file *file, void *buffer, size_t size, size_t *got, struct error *error)
{
    ssize_t result;
    uint64_t left = file->size - file->position;
    if (size > left)
        size = (size_t)left;
    do
        result = read(file->descriptor, buffer, size < SSIZE_MAX ? size : SSIZE_MAX);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return error_set(error, "it cannot be read at byte %llu: %s", (unsigned long long)file->position,
                         strerror(errno));
    *got = (size_t)result;
    return true;
}

bool os_file_read(struct os_file *file, void *buffer, size_t size, size_t *got, struct error *error)
{
    bool read = true;
    *got = 0;
    if (file->memory.size > 0 || (file->descriptor == NO_DESCRIPTOR && !file->unpacked))
        *got = memory_read(file, buffer, size);
    else if (file->unpacked)
        read = os_unpacked_read(file->unpacked, buffer, size, got, error);
    else
        read = descriptor_read(file, buffer, size, got, error);
    file->position += *got;
    return read;
}

bool os_file_can_seek(const struct os_file *file)
{
    return !file->unpacked && (file->regular || file->descriptor == NO_DESCRIPTOR);
}

static bool descriptor_read_at(const struct os_file *file, uint64_t offset, uint8_t *buffer, size_t size, size_t *got,
                               struct error *error)
{
    uint64_t left = offset < file->size ? file->size - offset : 0;
    if (size > left)
        size = (size_t)left;
    for (ssize_t result = 1; *got < size && result != 0;) {
        result = pread(file->descriptor, buffer + *got, size - *got, (off_t)(file->first + offset + *got));
        if (result < 0 && errno != EINTR)
            return error_set(error, "it cannot be read at byte %llu: %s", (unsigned long long)(offset + *got),
                             strerror(errno));
        *got += result > 0 ? (size_t)result : 0;
    }
    return true;
}

bool os_file_read_at(struct os_file *file, uint64_t offset, void *buffer, size_t size, size_t *got, struct error *error)
{
    *got = 0;
    if (!os_file_can_seek(file))
        return error_set(error, "it is read from front to back only");
    if (file->first > INT64_MAX - size || offset > INT64_MAX - size - file->first)
        return true;
    if (file->descriptor != NO_DESCRIPTOR)
        return descriptor_read_at(file, offset, buffer, size, got, error);
    struct span part = offset < file->whole.size ? span_part(file->whole, (size_t)offset, size) : (struct span){0};
    if (part.size > 0)
        memcpy(buffer, part.data, part.size);
    *got = part.size;
    return true;
}

void os_file_put_back(struct os_file *file, struct span bytes)
{
    size_t left = file->memory.size;
    uint8_t *both = memory_take(bytes.size + left + 1);
    if (bytes.size > 0)
        memcpy(both, bytes.data, bytes.size);
    if (left > 0)
        memcpy(both + bytes.size, file->memory.data, left);
    memory_give(file->put_back);
    file->put_back = both;
    file->memory = (struct span){both, bytes.size + left};
    file->position -= bytes.size;
}

bool os_file_skip(struct os_file *file, uint64_t bytes)
{
    uint64_t size;
    if (!file->regular || file->unpacked || file->memory.size > 0 || !os_file_size(file, &size) ||
        file->position >= size || bytes >= size - file->position)
        return false;
    if (lseek(file->descriptor, (off_t)(file->first + file->position + bytes), SEEK_SET) < 0)
        return false;
    file->position += bytes;
    return true;
}

bool os_file_size(const struct os_file *file, uint64_t *bytes)
{
    if (file->unpacked)
        return false;
    if (file->descriptor == NO_DESCRIPTOR) {
        *bytes = file->position + file->memory.size;
        return true;
    }
    struct stat status;
    if (fstat(file->descriptor, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < 0)
        return false;
    *bytes = file->size < UINT64_MAX ? file->size : (uint64_t)status.st_size;
    return true;
}

bool os_file_is_packed(const struct os_file *file)
{
    return file->unpacked != NULL;
}

static const struct os_file *stored(const struct os_file *file)
{
    while (file->unpacked)
        file = os_unpacked_from(file->unpacked);
    return file;
}

uint64_t os_file_stored_read(const struct os_file *file)
{
    return stored(file)->position;
}

bool os_file_stored_size(const struct os_file *file, uint64_t *bytes)
{
    return os_file_size(stored(file), bytes);
}

bool os_file_can_reopen(const struct os_file *file)
{
    return file->regular;
}

const char *os_file_path(const struct os_file *file)
{
    return file->path;
}
