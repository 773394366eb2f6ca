/* Several files as one stream in order of time, and what files an argument means. */
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture_bytes.h"
#include "capture_chain.h"
#include "os_files.h"

enum { FILES_MAX = 100 };

static struct capture_chain chain;
static struct capture_facts facts[FILES_MAX];
static char paths[FILES_MAX][TEMPORARY_PATH_SIZE];
static uint32_t file_count;
static struct capture_bytes bytes;

static int begin(void **state)
{
    (void)state;
    memset(facts, 0, sizeof facts);
    file_count = 0;
    capture_chain_open(&chain);
    return 0;
}

static int end(void **state)
{
    (void)state;
    capture_chain_close(&chain);
    for (uint32_t i = 0; i < file_count; i++) {
        notes_close(&facts[i].notes);
        unlink(paths[i]);
    }
    return 0;
}

static void begin_file(void)
{
    bytes.size = 0;
    put_pcap_header(&bytes, 0xA1B2C3D4, 65535, 1);
}

static void put_packet(uint32_t seconds)
{
    put_pcap_record(&bytes, seconds, 0, 20, 20, (uint8_t)seconds);
}

static enum capture_opening add_file(void)
{
    struct error error = {0};
    write_temporary(capture_bytes_span(&bytes), paths[file_count]);
    enum capture_opening opening = capture_chain_add(&chain, paths[file_count], file_count, &facts[file_count], &error);
    file_count++;
    return opening;
}

static void check_stream(const uint32_t *seconds, const uint32_t *captures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct frame *frame = capture_chain_next(&chain);
        assert_non_null(frame);
        assert_int_equal(frame->moment.time_ns, seconds[i] * NS_PER_SECOND);
        assert_int_equal(frame->moment.capture, captures[i]);
        assert_int_equal(frame->bytes.data[19], (uint8_t)seconds[i]);
    }
    assert_null(capture_chain_next(&chain));
    assert_null(capture_chain_next(&chain));
}

static void files_come_in_order_of_time(void **state)
{
    (void)state;
    begin_file(); /* 0: the last piece of a ring, added first */
    put_packet(30);
    put_packet(31);
    assert_int_equal(add_file(), CAPTURE_OPENED);
    begin_file(); /* 1: overlaps with the next */
    put_packet(10);
    put_packet(13);
    put_packet(14);
    assert_int_equal(add_file(), CAPTURE_OPENED);
    begin_file(); /* 2: its clock goes backwards inside; the order of a file is kept */
    put_packet(12);
    put_packet(11);
    put_packet(13);
    assert_int_equal(add_file(), CAPTURE_OPENED);
    begin_file(); /* 3: no packets */
    assert_int_equal(add_file(), CAPTURE_OPENED);
    uint64_t consumed;
    uint64_t total;
    capture_chain_progress(&chain, &consumed, &total);
    assert_int_equal(consumed, 0);
    assert_int_equal(total, 4 * 24 + 8 * 36);
    static const uint32_t seconds[] = {10, 12, 11, 13, 13, 14, 30, 31};
    static const uint32_t captures[] = {1, 2, 2, 1, 2, 1, 0, 0};
    check_stream(seconds, captures, 8);
    capture_chain_progress(&chain, &consumed, &total);
    assert_int_equal(consumed, total);
    assert_int_equal(facts[0].packets, 2);
    assert_int_equal(facts[1].packets, 3);
    assert_int_equal(facts[1].first_ns, 10 * NS_PER_SECOND);
    assert_int_equal(facts[2].packets, 3);
    assert_int_equal(facts[3].packets, 0);
}

static void what_breaks_does_not_stop_the_others(void **state)
{
    (void)state;
    begin_file();
    put_packet(1);
    put_packet(5);
    bytes.size -= 4;
    assert_int_equal(add_file(), CAPTURE_OPENED);
    begin_file();
    put_packet(2);
    assert_int_equal(add_file(), CAPTURE_OPENED);
    begin_file();
    put_packet(3);
    assert_int_equal(add_file(), CAPTURE_OPENED);
    bytes.size = 0;
    assert_int_equal(add_file(), CAPTURE_NOT_A_CAPTURE);
    unlink(paths[1]); /* a ring buffer moved on in between */
    static const uint32_t seconds[] = {1, 3};
    static const uint32_t captures[] = {0, 2};
    check_stream(seconds, captures, 2);
    assert_true(facts[0].incomplete);
    assert_string_equal(facts[0].notes.list[0].text,
                        "the file ends in the middle of packet 2 at offset 60: 32 of 36 bytes are there");
    assert_true(facts[1].failed);
    assert_int_equal(facts[1].notes.count, 1);
    assert_true(facts[3].failed);
}

static void a_pipe_is_read_along(void **state)
{
    (void)state;
    begin_file();
    put_packet(2);
    assert_int_equal(add_file(), CAPTURE_OPENED);
    begin_file();
    put_packet(1);
    put_packet(3);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes.data, bytes.size), bytes.size);
    close(ends[1]);
    char path[TEMPORARY_PATH_SIZE];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    struct error error = {0};
    assert_int_equal(capture_chain_add(&chain, path, 7, &facts[1], &error), CAPTURE_OPENED);
    uint64_t consumed;
    uint64_t total;
    capture_chain_progress(&chain, &consumed, &total);
    assert_int_equal(total, 0);
    static const uint32_t seconds[] = {1, 2, 3};
    static const uint32_t captures[] = {7, 0, 7};
    check_stream(seconds, captures, 3);
    assert_int_equal(facts[1].packets, 2);
    close(ends[0]);
}

static void more_files_than_may_be_open_overlap(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < FILES_MAX; i++) {
        begin_file();
        put_packet(i);
        put_packet(1000 + i);
        assert_int_equal(add_file(), CAPTURE_OPENED);
    }
    uint32_t packets = 0;
    while (capture_chain_next(&chain))
        packets++;
    assert_int_equal(packets, 2 * FILES_MAX);
    assert_int_equal(facts[CHAIN_OPEN_MAX - 1].notes.count, 0);
    assert_int_equal(facts[FILES_MAX - 1].notes.count, 1);
}

static void make_file(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void arguments_mean_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/tdscope_test_XXXXXX";
    char path[256];
    char sentence[300];
    struct os_files files = {0};
    struct notes notes = {0};
    struct error error = {0};
    assert_non_null(mkdtemp(folder));
    assert_false(os_files_expand(&files, folder, &notes, &error));
    snprintf(sentence, sizeof sentence, "there is no file to read in %s", folder);
    assert_string_equal(error.text, sentence);
    make_file(folder, "b.pcap");
    make_file(folder, "a[1].pcap");
    make_file(folder, ".hidden");
    snprintf(path, sizeof path, "%s/below", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    make_file(path, "c.pcap");
    snprintf(path, sizeof path, "%s/below/loop", folder);
    assert_int_equal(symlink(folder, path), 0);
    snprintf(path, sizeof path, "%s/link.pcap", folder);
    assert_int_equal(symlink("b.pcap", path), 0);

    assert_true(os_files_expand(&files, folder, &notes, &error));
    static const char *const names[] = {"a[1].pcap", "b.pcap", "below/c.pcap", "link.pcap"};
    assert_int_equal(files.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(files.names[i].path + strlen(folder) + 1, names[i]);

    snprintf(path, sizeof path, "%s/a[1].pcap", folder); /* exists: no pattern */
    assert_true(os_files_expand(&files, path, &notes, &error));
    assert_int_equal(files.count, 5);
    snprintf(path, sizeof path, "%s/?.pcap", folder);
    assert_true(os_files_expand(&files, path, &notes, &error));
    assert_int_equal(files.count, 6);
    snprintf(path, sizeof path, "%s/b*", folder); /* b.pcap, and the folder */
    assert_true(os_files_expand(&files, path, &notes, &error));
    assert_int_equal(files.count, 8);
    assert_false(os_files_expand(&files, "/tmp/tdscope*nothing", &notes, &error));
    assert_string_equal(error.text, "no file matches the pattern /tmp/tdscope*nothing");
    assert_false(os_files_expand(&files, "/nonexistent", &notes, &error));
    assert_string_equal(error.text, "/nonexistent cannot be opened: No such file or directory");
    assert_int_equal(files.count, 8);
    assert_int_equal(notes.count, 0);
    os_files_close(&files);

    static const char *const made[] = {"b.pcap",     "a[1].pcap", ".hidden", "below/c.pcap",
                                       "below/loop", "link.pcap", "below",   ""};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        assert_int_equal(remove(path), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_come_in_order_of_time, begin, end),
        cmocka_unit_test_setup_teardown(what_breaks_does_not_stop_the_others, begin, end),
        cmocka_unit_test_setup_teardown(a_pipe_is_read_along, begin, end),
        cmocka_unit_test_setup_teardown(more_files_than_may_be_open_overlap, begin, end),
        cmocka_unit_test(arguments_mean_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
