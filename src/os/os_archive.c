/*
 * Reads archives by libarchive.
 *
 * Input is hostile: names lead nowhere, since no file is made by them; what is unpacked has a limit; nothing is run. An archive in an archive is
 * a file like any other.
 */
#define _POSIX_C_SOURCE 200809L

#include "os_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "memory.h"
#include "os_file.h"
#include "os_unpacked.h"
#include "text.h"

enum { PROBE_BYTES = 512, PIECE = 1 << 16 };

struct signature {
    uint16_t at;
    uint8_t size;
    uint8_t bytes[6];
};

static const struct signature signatures[] = {
    {0, 4, {'P', 'K', 3, 4}},
    {0, 4, {'P', 'K', 5, 6}}, /* an empty zip */
    {0, 4, {'M', 'S', 'C', 'F'}},
    {0, 6, {'7', 'z', 0xBC, 0xAF, 0x27, 0x1C}},
    {257, 5, {'u', 's', 't', 'a', 'r'}}, /* POSIX.1-1988 and later; before, tar had no signature */
};

/* One archive while it is unpacked. */
struct unpacking {
    struct os_archive *archive;
    struct os_spool *spool;
    struct os_file *file;
    struct archive *reader;
    uint64_t position; /* in the file, if it can seek */
    uint64_t stored;   /* the file's size */
    uint64_t given;    /* bytes that it unpacked to */
    uint64_t spool_end;
    uint8_t input[PIECE];
};

static bool recognises(struct span head)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const struct signature *s = &signatures[i];
        if (head.size >= (size_t)s->at + s->size && memcmp(head.data + s->at, s->bytes, s->size) == 0)
            return true;
    }
    return false;
}

bool os_archive_is(const char *path)
{
    uint8_t bytes[PROBE_BYTES];
    size_t size = 0;
    struct os_file *file = os_file_open(path, NULL);
    for (size_t got = 1; file && got > 0 && size < sizeof bytes; size += got)
        if (!os_file_read(file, bytes + size, sizeof bytes - size, &got, NULL))
            break;
    os_file_close(file);
    return recognises((struct span){bytes, size});
}

/* What libarchive reads the file by */

static la_ssize_t give_input(struct archive *reader, void *context, const void **bytes)
{
    struct unpacking *unpacking = context;
    struct error error;
    size_t got = 0;
    *bytes = unpacking->input;
    bool read = os_file_can_seek(unpacking->file)
                    ? os_file_read_at(unpacking->file, unpacking->position, unpacking->input, PIECE, &got, &error)
                    : os_file_read(unpacking->file, unpacking->input, PIECE, &got, &error);
    unpacking->position += got;
    if (read)
        return (la_ssize_t)got;
    archive_set_error(reader, EIO, "%s", error.text);
    return ARCHIVE_FATAL;
}

static la_int64_t seek_input(struct archive *reader, void *context, la_int64_t offset, int whence)
{
    struct unpacking *unpacking = context;
    int64_t base = whence == SEEK_CUR   ? (int64_t)unpacking->position
                   : whence == SEEK_END ? (int64_t)unpacking->stored
                                        : 0;
    (void)reader;
    if (offset < -base || offset > INT64_MAX - base)
        return ARCHIVE_FATAL;
    unpacking->position = (uint64_t)(base + offset);
    return base + offset;
}

static bool open_reader(struct unpacking *unpacking)
{
    struct archive *reader = unpacking->reader = archive_read_new();
    if (!reader || archive_read_support_format_zip(reader) != ARCHIVE_OK ||
        archive_read_support_format_tar(reader) != ARCHIVE_OK ||
        archive_read_support_format_7zip(reader) != ARCHIVE_OK || archive_read_support_format_cab(reader) != ARCHIVE_OK)
        return error_set(&unpacking->archive->problem, "the libarchive of this system cannot unpack it");
    archive_read_set_callback_data(reader, unpacking);
    archive_read_set_read_callback(reader, give_input);
    if (os_file_can_seek(unpacking->file))
        archive_read_set_seek_callback(reader, seek_input);
    return archive_read_open1(reader) == ARCHIVE_OK;
}

static const char *reason_of(struct archive *reader)
{
    const char *reason = reader ? archive_error_string(reader) : NULL;
    return reason ? reason : "libarchive does not say why";
}

/* Names */

/* The name without what leads out of the archive, and without control characters. False: it is hidden. */
static bool clean_name(const char *name, struct text *clean)
{
    for (size_t size; *name; name += size + (name[size] != '\0')) {
        size = strcspn(name, "/\\");
        if (size == 0 || (size <= 2 && strncmp(name, "..", size) == 0))
            continue;
        if (*name == '.')
            return false;
        text_add(clean, clean->size > 0 ? "/" : "");
        text_add_untrusted(clean, (struct span){(const uint8_t *)name, size});
    }
    return true;
}

/* NULL: no file to read. */
static struct os_member *add_member(struct unpacking *unpacking, struct archive_entry *entry)
{
    struct os_archive *archive = unpacking->archive;
    const char *name = archive_entry_pathname_utf8(entry);
    if (!name)
        name = archive_entry_pathname(entry);
    struct text clean = {.ceiling = ARCHIVE_NAME_MOST_BYTES};
    bool wanted = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry) &&
                  clean_name(name ? name : "", &clean);
    struct os_member *member = NULL;
    if (wanted) {
        if (clean.size == 0)
            text_format(&clean, "member %zu", archive->count + 1);
        archive->members = memory_grow(archive->members, archive->count + 1, sizeof *archive->members);
        member = &archive->members[archive->count++];
        *member = (struct os_member){.name = memory_copy_text(text_string(&clean)), .offset = unpacking->spool_end};
    }
    text_close(&clean);
    return member;
}

/* Content */

static bool is_bomb(const struct unpacking *unpacking)
{
    return unpacking->given > UNPACKED_UNDOUBTED_BYTES && unpacking->given / UNPACKED_RATIO_MOST > unpacking->stored;
}

/* False with *error when it cannot go on with this archive. */
static bool keep(struct unpacking *unpacking, struct os_member *member, const void *bytes, size_t size,
                 struct error *error)
{
    unpacking->given += size;
    if (is_bomb(unpacking))
        return error_set(error, "what it holds is more than %d times as large, which no captures and no logs are",
                         UNPACKED_RATIO_MOST);
    if (unpacking->given > ARCHIVE_MOST_BYTES)
        return error_set(error, "what it holds is more than %llu GB", ARCHIVE_MOST_BYTES >> 30);
    if (fwrite(bytes, 1, size, unpacking->spool->file) != size)
        return error_set(error, "there is no more room for temporary files");
    member->size += size;
    unpacking->spool_end += size;
    return true;
}

/* What the archive leaves out is zero. */
static bool keep_zeros(struct unpacking *unpacking, struct os_member *member, uint64_t to, struct error *error)
{
    static const uint8_t zeros[PIECE];
    bool kept = true;
    while (kept && member->size < to)
        kept = keep(unpacking, member, zeros, to - member->size < PIECE ? (size_t)(to - member->size) : PIECE, error);
    return kept;
}

static void set_problem(struct os_member *member, const char *reason)
{
    if (!member->problem)
        member->problem = memory_copy_text(reason);
}

static void say_broken(const struct unpacking *unpacking, struct os_member *member, int result)
{
    struct error error;
    error_set(&error, "%s after %llu bytes (%.200s)%s",
              result == ARCHIVE_WARN ? "it was unpacked, but is damaged, at the latest" : "it breaks off",
              (unsigned long long)member->size, reason_of(unpacking->reader),
              result == ARCHIVE_FATAL ? ": what the archive has behind it is not read" : "");
    set_problem(member, error.text);
}

/* False: nothing behind this member can be read. */
static bool unpack_member(struct unpacking *unpacking, struct os_member *member)
{
    struct error *problem = &unpacking->archive->problem;
    for (;;) {
        const void *bytes = NULL;
        size_t size = 0;
        la_int64_t offset = 0;
        int result = archive_read_data_block(unpacking->reader, &bytes, &size, &offset);
        if (result == ARCHIVE_EOF)
            return true;
        bool given = (result == ARCHIVE_OK || result == ARCHIVE_WARN) && size > 0;
        if (given && (!keep_zeros(unpacking, member, offset > 0 ? (uint64_t)offset : 0, problem) ||
                      !keep(unpacking, member, bytes, size, problem))) {
            set_problem(member, "it is unpacked only in part");
            return false;
        }
        if (result != ARCHIVE_OK && result != ARCHIVE_RETRY) {
            say_broken(unpacking, member, result);
            return result != ARCHIVE_FATAL;
        }
    }
}

static bool is_full(const struct unpacking *unpacking)
{
    if (unpacking->archive->count < ARCHIVE_MOST_MEMBERS)
        return false;
    error_set(&unpacking->archive->problem, "it holds more than %d files, and the others are not read",
              ARCHIVE_MOST_MEMBERS);
    return true;
}

static void unpack_members(struct unpacking *unpacking)
{
    struct archive_entry *entry;
    bool more = true;
    while (more && !is_full(unpacking)) {
        int result = archive_read_next_header(unpacking->reader, &entry);
        if (result == ARCHIVE_EOF)
            return;
        if (result == ARCHIVE_RETRY)
            continue;
        if (result < ARCHIVE_WARN) {
            error_set(&unpacking->archive->problem, "the archive cannot be read %s: %.300s",
                      unpacking->archive->count > 0 ? "to its end" : "at all", reason_of(unpacking->reader));
            return;
        }
        struct os_member *member = add_member(unpacking, entry);
        if (member && archive_entry_is_encrypted(entry))
            set_problem(member, "it is encrypted: unpack the archive with its password, and give what was in it");
        else if (member)
            more = unpack_member(unpacking, member);
    }
}

static void unpack_file(struct unpacking *unpacking)
{
    struct os_archive *archive = unpacking->archive;
    if (!unpacking->spool->file && !os_spool_open(unpacking->spool, &archive->problem))
        return;
    fseek(unpacking->spool->file, 0, SEEK_END);
    unpacking->spool_end = (uint64_t)ftello(unpacking->spool->file);
    os_file_stored_size(unpacking->file, &unpacking->stored);
    if (open_reader(unpacking))
        unpack_members(unpacking);
    else if (!archive->problem.text[0])
        error_set(&archive->problem, "the archive cannot be read: %.300s", reason_of(unpacking->reader));
    archive_read_free(unpacking->reader);
    if (fflush(unpacking->spool->file) != 0)
        error_set(&archive->problem, "there is no more room for temporary files");
    if (archive->count == 0 && !archive->problem.text[0])
        error_set(&archive->problem, "there is no file in this archive");
}

/* libarchive gives names in the thread's locale: in that of a program that sets none, they would be lost where they are not English. */
static void unpack_with_all_names(struct unpacking *unpacking)
{
    locale_t names = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = names ? uselocale(names) : (locale_t)0;
    unpack_file(unpacking);
    if (names) {
        uselocale(before);
        freelocale(names);
    }
}

void os_archive_unpack(struct os_archive *archive, const char *path, struct os_spool *spool)
{
    *archive = (struct os_archive){.path = memory_copy_text(path)};
    struct unpacking *unpacking = memory_take(sizeof *unpacking);
    unpacking->archive = archive;
    unpacking->spool = spool;
    unpacking->file = os_file_open(path, &archive->problem);
    if (unpacking->file)
        unpack_with_all_names(unpacking);
    os_file_close(unpacking->file);
    memory_give(unpacking);
}

void os_archive_close(struct os_archive *archive)
{
    for (size_t i = 0; i < archive->count; i++) {
        memory_give(archive->members[i].name);
        memory_give(archive->members[i].problem);
    }
    memory_give(archive->members);
    memory_give(archive->path);
}
