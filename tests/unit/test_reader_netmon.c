/* Network Monitor's captures: versions, media types, and tables that are damaged. Whole captures: tests/formats. */
#include "reader_bench.h"

#include <stdio.h>

#include "netmon_header.h"
#include "netmon_media.h"

enum { HEAD = 128, ETHERNET = 1, TABLE_AT = 24 };

static uint32_t offsets[64];
static size_t count;

static int begin_file(void **state)
{
    count = 0;
    return begin(state);
}

static void put_head(uint8_t major, uint8_t minor, uint16_t media)
{
    for (const char *letter = major == 1 ? "RTSS" : "GMBU"; *letter; letter++)
        put_u8(&bytes, (uint8_t)*letter);
    put_u8(&bytes, minor);
    put_u8(&bytes, major);
    put_u16(&bytes, media);
    /* 2023-11-14 22:13:20.500, a Tuesday: 1700000000.5 */
    static const uint16_t start[] = {2023, 11, 2, 14, 22, 13, 20, 500};
    for (size_t i = 0; i < 8; i++)
        put_u16(&bytes, start[i]);
    put_fill(&bytes, 0, HEAD - bytes.size);
}

static void put_record(uint64_t microseconds, uint32_t wire, uint32_t captured, uint8_t fill)
{
    offsets[count++] = (uint32_t)bytes.size;
    put_u64(&bytes, microseconds);
    put_u32(&bytes, wire);
    put_u32(&bytes, captured);
    put_fill(&bytes, fill, captured);
}

static void set_u32(size_t at, uint32_t value)
{
    struct capture_bytes number = {.size = 0};
    put_u32(&number, value);
    memcpy(bytes.data + at, number.data, 4);
}

static void put_table(void)
{
    set_u32(TABLE_AT, (uint32_t)bytes.size);
    set_u32(TABLE_AT + 4, (uint32_t)count * 4);
    for (size_t i = 0; i < count; i++)
        put_u32(&bytes, offsets[i]);
}

static void open_bytes(void)
{
    assert_int_equal(capture_file_open_over(&capture, os_file_from_memory(capture_bytes_span(&bytes)), &facts, &error),
                     CAPTURE_OPENED);
    assert_string_equal(facts.format, "netmon");
}

#define START_NS 1700000000500000000

/* Version 2.0 has times of the machine's clock only, and they may lie before the start. */
static void the_first_version_has_local_times(void **state)
{
    (void)state;
    put_head(2, 0, ETHERNET);
    put_record(250, 60, 4, 1);
    put_record((uint64_t)(UINT64_MAX / 10 - 99), 60, 5, 2); /* -1 ms, nearly: made units of 100 ns, it wraps around */
    put_table();
    open_bytes();
    check_frame(START_NS + 250000, 4, 60, 1);
    assert_int_equal(frame.link_type, 1);
    assert_true(capture_file_next(&capture, &frame));
    assert_in_range(START_NS - frame.moment.time_ns, 99000, 101000);
    assert_int_equal(frame.moment.frame, 2);
    check_end(NULL);
    assert_string_equal(facts.notes.list[0].kind, "local time");
}

static void version_1_counts_milliseconds(void **state)
{
    (void)state;
    put_head(1, 1, ETHERNET);
    offsets[count++] = (uint32_t)bytes.size;
    put_u32(&bytes, 1500);
    put_u16(&bytes, 70);
    put_u16(&bytes, 3);
    put_fill(&bytes, 9, 3);
    put_table();
    open_bytes();
    check_frame(START_NS + 1500 * NS_PER_MS, 3, 70, 9);
    check_end(NULL);
}

/* Since 2.1 each packet says what it is, since 2.3 when it was by UTC. */
static void packets_tell_of_themselves(void **state)
{
    (void)state;
    put_head(2, 3, ETHERNET);
    static const uint16_t media[] = {1, 9, 0xE000 + 113, 0xFFFB, 0xFFFD, 0xFFE0, 4, 1};
    for (uint32_t i = 0; i < 8; i++) {
        put_record(i, 60, 6, (uint8_t)i);
        put_u16(&bytes, media[i]);
        put_u32(&bytes, UINT32_MAX);
        put_u64(&bytes, 116444736000000000ULL + 17000000000000000ULL + i);
        put_u8(&bytes, 0);
    }
    put_table();
    open_bytes();
    static const struct {
        uint32_t number, link_type;
        uint8_t fill;
    } wanted[] = {{1, 1, 0}, {2, 101, 1}, {3, 113, 2}, {7, 1, 7}};
    for (size_t i = 0; i < 4; i++) {
        check_frame(1700000000 * NS_PER_SECOND + 100 * wanted[i].fill, 6, 60, wanted[i].fill);
        assert_int_equal(frame.moment.frame, wanted[i].number);
        assert_int_equal(frame.link_type, wanted[i].link_type);
    }
    check_end(NULL);
    assert_int_equal(facts.notes.count, 2);
    assert_string_equal(facts.notes.list[0].text,
                        "packet 6 is of the media type 4 of Network Monitor, which is not read");
    assert_string_equal(facts.notes.list[1].kind, "events");
}

static void the_table_tells_the_order(void **state)
{
    (void)state;
    put_head(2, 0, ETHERNET);
    for (uint8_t i = 0; i < 4; i++) {
        put_fill(&bytes, 0xEE, i);
        put_record(i, 60, 10, i);
    }
    uint32_t last = offsets[3];
    offsets[3] = offsets[0];
    offsets[0] = last;
    put_table();
    open_bytes();
    for (uint8_t i = 0; i < 4; i++) {
        uint8_t fill = i == 0 ? 3 : i == 3 ? 0 : i;
        check_frame(START_NS + fill * NS_PER_US, 10, 60, fill);
        assert_int_equal(frame.moment.frame, i + 1);
    }
    check_end(NULL);
}

static void what_the_table_has_wrong_is_passed_over(void **state)
{
    (void)state;
    put_head(2, 0, ETHERNET);
    for (uint8_t i = 0; i < 4; i++)
        put_record(i, 60, 10, i);
    offsets[1] = 0xFFFFFFF0;
    offsets[2] = 3;
    put_table();
    open_bytes();
    check_frame(START_NS, 10, 60, 0);
    check_frame(START_NS + 3000, 10, 60, 3);
    assert_int_equal(frame.moment.frame, 4);
    check_end("2 of 4 records cannot be read, the first at offset 4294967280: the file is cut short or damaged");
}

/* A table that names one large record ever again would be read for ever. */
static void no_record_is_read_again_and_again(void **state)
{
    (void)state;
    put_head(2, 0, ETHERNET);
    put_record(0, 60, 1000, 1);
    for (count = 1; count < 60; count++)
        offsets[count] = offsets[0];
    put_table();
    open_bytes();
    check_frame(START_NS, 1000, 1000, 1);
    check_end("the table of records is damaged: it has bytes at offset 128 more than once");
}

static void a_file_without_its_table_is_read_in_a_row(void **state)
{
    (void)state;
    put_head(2, 0, ETHERNET);
    for (uint8_t i = 0; i < 3; i++)
        put_record(i, 60, 10, i);
    size_t whole = bytes.size;
    put_table();
    for (size_t size = whole; size < bytes.size; size++) {
        size_t kept = bytes.size;
        bytes.size = size;
        open_bytes();
        for (uint8_t i = 0; i < 3; i++)
            check_frame(START_NS + i * NS_PER_US, 10, 60, i);
        check_end("the file was cut short or not finished: its table of records is missing, and nothing is read from "
                  "offset 206 on");
        bytes.size = kept;
        end(NULL);
        facts = (struct capture_facts){0};
    }
}

static void an_empty_capture_is_whole(void **state)
{
    (void)state;
    put_head(2, 3, ETHERNET);
    open_bytes();
    check_end(NULL);
}

static void unknown_versions_are_refused(void **state)
{
    (void)state;
    put_head(3, 0, ETHERNET);
    assert_int_equal(capture_file_open_over(&capture, os_file_from_memory(capture_bytes_span(&bytes)), &facts, &error),
                     CAPTURE_UNREADABLE);
    assert_non_null(strstr(error.text, "version 3.0 is not known"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_version_has_local_times, begin_file, end),
        cmocka_unit_test_setup_teardown(version_1_counts_milliseconds, begin_file, end),
        cmocka_unit_test_setup_teardown(packets_tell_of_themselves, begin_file, end),
        cmocka_unit_test_setup_teardown(the_table_tells_the_order, begin_file, end),
        cmocka_unit_test_setup_teardown(what_the_table_has_wrong_is_passed_over, begin_file, end),
        cmocka_unit_test_setup_teardown(no_record_is_read_again_and_again, begin_file, end),
        cmocka_unit_test_setup_teardown(a_file_without_its_table_is_read_in_a_row, begin_file, end),
        cmocka_unit_test_setup_teardown(an_empty_capture_is_whole, begin_file, end),
        cmocka_unit_test_setup_teardown(unknown_versions_are_refused, begin_file, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
