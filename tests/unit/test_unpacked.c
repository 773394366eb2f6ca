/* Files that are unpacked on the way, and slices of spools. Whole files of each kind: tests/formats, damaged ones: tests/bad_input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "os_file.h"
#include "os_spool.h"

enum { LONG = 100000 };

static uint8_t plain[LONG], packed[2 * LONG];

static void fill_plain(void)
{
    for (size_t i = 0; i < LONG; i++)
        plain[i] = (uint8_t)(i * i >> 7);
}

static size_t compress_plain(void)
{
    z_stream stream = {.next_in = plain, .avail_in = LONG, .next_out = packed, .avail_out = sizeof packed};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t size = sizeof packed - stream.avail_out;
    deflateEnd(&stream);
    return size;
}

/* How many bytes come of it, each of which has to be right. */
static size_t read_all(struct os_file *file, size_t step, struct error *error)
{
    uint8_t bytes[LONG];
    size_t at = 0, got = 1;
    while (got > 0 && os_file_read(file, bytes, step, &got, error)) {
        assert_true(at + got <= LONG);
        assert_memory_equal(bytes, plain + at, got);
        at += got;
    }
    return at;
}

static void any_part_is_given_as_far_as_it_goes(void **state)
{
    (void)state;
    fill_plain();
    size_t whole = compress_plain(), before = 0;
    for (size_t part = 1; part <= 100; part++) {
        size_t size = part < 70 ? whole * part / 70 : whole - (100 - part);
        struct error error = {{0}};
        struct os_file *file = os_file_unpack(os_file_from_memory((struct span){packed, size}));
        assert_true(os_file_is_packed(file));
        assert_false(os_file_can_seek(file));
        size_t given = read_all(file, 1 + size % 5000, &error);
        assert_true(given >= before);
        before = given;
        if (size == whole)
            assert_string_equal(error.text, "");
        else
            assert_non_null(strstr(error.text, "cut short"));
        assert_int_equal(os_file_stored_read(file), size);
        os_file_close(file);
    }
    assert_int_equal(before, LONG);
}

static void what_is_not_compressed_stays_as_it_is(void **state)
{
    (void)state;
    fill_plain();
    static const char texts[][10] = {"BZh9 text", "\x1f\x8b!", "7z", ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct os_file *file =
            os_file_unpack(os_file_from_memory((struct span){(const uint8_t *)texts[i], strlen(texts[i])}));
        assert_false(os_file_is_packed(file));
        os_file_close(file);
    }
}

static void a_slice_is_a_file_of_its_own(void **state)
{
    (void)state;
    fill_plain();
    struct error error;
    struct os_spool spool;
    char path[SPOOL_PATH_SIZE];
    uint8_t bytes[64];
    size_t got;
    uint64_t size = 0;
    if (!os_spool_open(&spool, &error))
        skip();
    fwrite("before", 1, 6, spool.file);
    fwrite(plain, 1, LONG, spool.file);
    fwrite("behind", 1, 6, spool.file);
    fflush(spool.file);
    struct os_slice slice = {.first = 6, .size = LONG}, found;
    strcpy(slice.spool, spool.path);
    assert_true(os_slice_of(&found, os_slice_path(&slice, path)));
    assert_string_equal(found.spool, slice.spool);
    assert_int_equal(found.first, 6);
    assert_int_equal(found.size, LONG);
    struct os_file *file = os_file_open(path, &error);
    assert_non_null(file);
    assert_true(os_file_can_reopen(file) && os_file_can_seek(file));
    assert_true(os_file_size(file, &size));
    assert_int_equal(size, LONG);
    assert_true(os_file_read_at(file, LONG - 3, bytes, sizeof bytes, &got, &error));
    assert_int_equal(got, 3);
    assert_memory_equal(bytes, plain + LONG - 3, 3);
    assert_true(os_file_read_at(file, LONG + 1, bytes, sizeof bytes, &got, &error));
    assert_int_equal(got, 0);
    assert_int_equal(read_all(file, 777, &error), LONG);
    os_file_close(file);
    file = os_file_open(path, &error);
    assert_false(os_file_skip(file, LONG));
    assert_true(os_file_skip(file, LONG - 2));
    assert_true(os_file_read(file, bytes, sizeof bytes, &got, &error));
    assert_int_equal(got, 2);
    assert_memory_equal(bytes, plain + LONG - 2, 2);
    os_file_close(file);
    os_spool_close(&spool);
}

static void other_paths_are_no_slices(void **state)
{
    (void)state;
    static const char *const paths[] = {"/proc/self/fd/3",
                                        "/proc/self/fd/3/5",
                                        "/proc/self/fd/3/5+",
                                        "/proc/self/fd/3/5+6x",
                                        "/proc/self/fd/3/9223372036854775807+9",
                                        "a.zip/b",
                                        "-",
                                        ""};
    struct os_slice slice;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_false(os_slice_of(&slice, paths[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_part_is_given_as_far_as_it_goes),
        cmocka_unit_test(what_is_not_compressed_stays_as_it_is),
        cmocka_unit_test(a_slice_is_a_file_of_its_own),
        cmocka_unit_test(other_paths_are_no_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
