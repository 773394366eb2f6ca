/* The sliding window: peeks and skips over memory, files and pipes. */
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "capture_bytes.h"
#include "os_file.h"
#include "window.h"

enum { LONG_BYTES = 5 << 20 };

static uint8_t *long_bytes;

static uint8_t long_byte_at(size_t i)
{
    return (uint8_t)(i * 2654435761U >> 24);
}

static int make_long_bytes(void **state)
{
    (void)state;
    long_bytes = malloc(LONG_BYTES);
    for (size_t i = 0; long_bytes && i < LONG_BYTES; i++)
        long_bytes[i] = long_byte_at(i);
    return long_bytes ? 0 : -1;
}

static int free_long_bytes(void **state)
{
    (void)state;
    free(long_bytes);
    return 0;
}

static void peek_is_short_only_at_the_end(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5};
    struct os_file *file = os_file_from_memory((struct span){bytes, sizeof bytes});
    struct window window;
    window_open(&window, file);
    assert_int_equal(window_peek(&window, 3).size, 3);
    assert_int_equal(window_peek(&window, 3).data[0], 1);
    assert_int_equal(window_skip(&window, 2), 2);
    struct span rest = window_peek(&window, 10);
    assert_int_equal(rest.size, 3);
    assert_int_equal(rest.data[0], 3);
    assert_int_equal(window.offset, 2);
    assert_int_equal(window_skip(&window, 100), 3);
    assert_int_equal(window.offset, 5);
    assert_int_equal(window_peek(&window, 1).size, 0);
    assert_string_equal(window.error.text, "");
    window_close(&window);
    os_file_close(file);
}

static void check_walk(struct os_file *file)
{
    static const size_t steps[] = {16, 800, 1, 65536, 3 << 20, 7, 70000};
    struct window window;
    window_open(&window, file);
    size_t at = 0;
    for (size_t i = 0; at < LONG_BYTES; i = (i + 1) % (sizeof steps / sizeof steps[0])) {
        size_t expected = steps[i] < LONG_BYTES - at ? steps[i] : LONG_BYTES - at;
        struct span bytes = window_peek(&window, steps[i]);
        assert_int_equal(bytes.size, expected);
        assert_int_equal(bytes.data[0], long_byte_at(at));
        assert_int_equal(bytes.data[expected - 1], long_byte_at(at + expected - 1));
        assert_int_equal(window_skip(&window, expected), expected);
        assert_int_equal(bytes.data[0], long_byte_at(at)); /* a skip past what was peeked leaves it in place */
        at += expected;
        assert_int_equal(window.offset, at);
    }
    window_close(&window);
    os_file_close(file);
}

static void every_byte_comes_in_its_turn(void **state)
{
    (void)state;
    check_walk(os_file_from_memory((struct span){long_bytes, LONG_BYTES}));
    char path[TEMPORARY_PATH_SIZE];
    write_temporary((struct span){long_bytes, LONG_BYTES}, path);
    struct error error = {0};
    check_walk(os_file_open(path, &error));
    unlink(path);
}

static void a_large_record_grows_it_for_a_while(void **state)
{
    (void)state;
    struct os_file *file = os_file_from_memory((struct span){long_bytes, LONG_BYTES});
    struct window window;
    window_open(&window, file);
    assert_int_equal(window_peek(&window, 3 << 20).size, 3 << 20);
    assert_true(window.capacity > WINDOW_BYTES);
    window_skip(&window, 4 << 20);
    assert_int_equal(window_peek(&window, 16).data[0], long_byte_at(4 << 20));
    assert_int_equal(window.capacity, WINDOW_BYTES);
    window_close(&window);
    os_file_close(file);
}

static void check_far_skip(struct os_file *file)
{
    struct window window;
    window_open(&window, file);
    assert_int_equal(window_peek(&window, 4).size, 4);
    assert_int_equal(window_skip(&window, 4 << 20), 4 << 20);
    assert_int_equal(window_peek(&window, 1).data[0], long_byte_at(4 << 20));
    assert_int_equal(window.offset, 4 << 20);
    assert_int_equal(window_skip(&window, UINT64_MAX), LONG_BYTES - (4 << 20));
    window_close(&window);
    os_file_close(file);
}

static void far_skips_seek_or_read(void **state)
{
    (void)state;
    check_far_skip(os_file_from_memory((struct span){long_bytes, LONG_BYTES}));
    char path[TEMPORARY_PATH_SIZE];
    write_temporary((struct span){long_bytes, LONG_BYTES}, path);
    struct error error = {0};
    check_far_skip(os_file_open(path, &error));
    unlink(path);
}

static void what_the_system_refuses_is_told(void **state)
{
    (void)state;
    struct error error = {0};
    assert_null(os_file_open("/nonexistent/capture.pcap", &error));
    assert_string_equal(error.text, "/nonexistent/capture.pcap cannot be opened: No such file or directory");
    assert_null(os_file_open("/tmp", &error));
    assert_string_equal(error.text, "/tmp is a folder, not a file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peek_is_short_only_at_the_end),       cmocka_unit_test(every_byte_comes_in_its_turn),
        cmocka_unit_test(a_large_record_grows_it_for_a_while), cmocka_unit_test(far_skips_seek_or_read),
        cmocka_unit_test(what_the_system_refuses_is_told),
    };
    return cmocka_run_group_tests(tests, make_long_bytes, free_long_bytes);
}
