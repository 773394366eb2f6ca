/*
 * bzip2, xz, zstd and lz4 by libarchive.
 *
 * Where a file ends early, libarchive gives nothing of the last 64 to 256 KB that could be unpacked.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "os_file.h"
#include "os_unpacking.h"

struct unpacking {
    struct archive *archive;
    struct os_file *packed;
    bool at_end;
    uint8_t input[UNPACKING_PIECE];
};

static la_ssize_t give_input(struct archive *archive, void *context, const void **bytes)
{
    struct unpacking *unpacking = context;
    struct error error;
    size_t got;
    *bytes = unpacking->input;
    if (os_file_read(unpacking->packed, unpacking->input, sizeof unpacking->input, &got, &error))
        return (la_ssize_t)got;
    archive_set_error(archive, EIO, "%s", error.text);
    return ARCHIVE_FATAL;
}

/* Those that this libarchive leaves to other programs are not used: nothing is run because of what a file holds. */
static bool support_filters(struct archive *archive)
{
    return archive_read_support_filter_bzip2(archive) == ARCHIVE_OK &&
           archive_read_support_filter_xz(archive) == ARCHIVE_OK &&
           archive_read_support_filter_zstd(archive) == ARCHIVE_OK &&
           archive_read_support_filter_lz4(archive) == ARCHIVE_OK &&
           archive_read_support_format_raw(archive) == ARCHIVE_OK &&
           archive_read_support_format_empty(archive) == ARCHIVE_OK;
}

static bool say_why(struct archive *archive, struct error *error)
{
    const char *reason = archive_error_string(archive);
    return error_set(error, "it is damaged or cut short (%s)", reason ? reason : "libarchive does not say how");
}

static bool begin(struct unpacking *unpacking, struct os_file *packed, struct error *error)
{
    struct archive_entry *entry;
    unpacking->packed = packed;
    unpacking->archive = archive_read_new();
    if (!unpacking->archive || !support_filters(unpacking->archive))
        return error_set(error, "the libarchive of this system cannot unpack it");
    if (archive_read_open(unpacking->archive, unpacking, NULL, give_input, NULL) != ARCHIVE_OK)
        return say_why(unpacking->archive, error);
    int result = archive_read_next_header(unpacking->archive, &entry);
    unpacking->at_end = result == ARCHIVE_EOF;
    return result == ARCHIVE_OK || unpacking->at_end || say_why(unpacking->archive, error);
}

static bool others_read(void *state, struct os_file *packed, uint8_t *buffer, size_t size, size_t *got,
                        struct error *error)
{
    struct unpacking *unpacking = state;
    *got = 0;
    if (!unpacking->archive && !begin(unpacking, packed, error))
        return false;
    if (unpacking->at_end)
        return true;
    la_ssize_t read = archive_read_data(unpacking->archive, buffer, size);
    if (read < 0)
        return say_why(unpacking->archive, error);
    *got = (size_t)read;
    return true;
}

static void others_close(void *state)
{
    struct unpacking *unpacking = state;
    if (unpacking->archive)
        archive_read_free(unpacking->archive);
}

const struct os_unpacking os_unpacking_others = {
    .state_size = sizeof(struct unpacking),
    .read = others_read,
    .close = others_close,
};
