/* The pcapng reader: sections, interfaces, every kind of packet block, times, drops, and damage. */
#include "reader_bench.h"

#define TIME_US UINT64_C(1700000000000000)
#define TIME_NS 1700000000000000000

static void open_bytes(void)
{
    struct os_file *file = os_file_from_memory(capture_bytes_span(&bytes));
    assert_int_equal(capture_file_open_over(&capture, file, &facts, &error), CAPTURE_OPENED);
}

static void reads_bytes_as_the_draft_lists_them(void **state)
{
    (void)state;
    static const uint8_t file[] = {
        /* section header      | length 28  | byte order             | 1.0       | section length */
        0x0A, 0x0D, 0x0D, 0x0A, 28, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
        /* length              | interface  | length 20  | link type 1 | snap length 96 | length */
        28, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 96, 0, 0, 0, 20, 0, 0, 0,
        /* enhanced packet     | length 48  | interface 0 | time high | low 2000000 us       | captured 2 | wire 60 */
        6, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x84, 0x1E, 0, 2, 0, 0, 0, 60, 0, 0, 0,
        /* bytes, padding      | flags, 4 bytes: inbound       | end         | length */
        0xAA, 0xAA, 0, 0, 2, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0};
    memcpy(bytes.data, file, sizeof file);
    bytes.size = sizeof file;
    open_bytes();
    check_frame(2 * NS_PER_SECOND, 2, 60, 0xAA);
    assert_int_equal(frame.direction, FRAME_INBOUND);
    assert_int_equal(frame.link_type, 1);
    assert_int_equal(frame.file_offset, 76);
    check_end(NULL);
    assert_string_equal(facts.format, "pcapng");
    assert_int_equal(facts.notes.count, 0);
}

static void sections_change_byte_order_and_interfaces(void **state)
{
    (void)state;
    put_section(&bytes);
    put_interface(&bytes, 1, 0);
    put_interface(&bytes, 113, 0);
    put_enhanced_packet(&bytes, 1, TIME_US, 9, 9, 1);
    bytes.big_endian = true;
    put_section(&bytes);
    put_interface(&bytes, 101, 0);
    put_enhanced_packet(&bytes, 0, TIME_US + 1, 7, 7, 2);
    open_bytes();
    check_frame(TIME_NS, 9, 9, 1);
    assert_int_equal(frame.link_type, 113);
    assert_int_equal(frame.interface, 1);
    check_frame(TIME_NS + 1000, 7, 7, 2);
    assert_int_equal(frame.link_type, 101);
    assert_int_equal(frame.interface, 2);
    check_end(NULL);
}

static void put_clock(uint8_t resolution, uint64_t offset_s)
{
    size_t block = put_block_begin(&bytes, 1);
    put_u16(&bytes, 1);
    put_u16(&bytes, 0);
    put_u32(&bytes, 0);
    put_u16(&bytes, 9); /* if_tsresol */
    put_u16(&bytes, 1);
    put_u8(&bytes, resolution);
    put_fill(&bytes, 0, 3);
    put_u16(&bytes, 14); /* if_tsoffset */
    put_u16(&bytes, 8);
    put_u64(&bytes, offset_s);
    put_u32(&bytes, 0);
    put_block_end(&bytes, block);
}

static void times_of_any_resolution(void **state)
{
    (void)state;
    static const struct {
        uint8_t resolution;
        int64_t offset_s;
        uint64_t time;
        int64_t time_ns;
    } clocks[] = {
        {0, 0, 1700000000, TIME_NS},
        {3, 0, 1700000000123, TIME_NS + 123000000},
        {9, 3600, TIME_NS + 1, TIME_NS + 3600 * NS_PER_SECOND + 1},
        {9, -3600, TIME_NS, TIME_NS - 3600 * NS_PER_SECOND},
        {10, 0, UINT64_C(17000000000000000005), TIME_NS},
        {19, 0, UINT64_C(12345678901234567890), 1234567890},
        {0x80, 0, 3, 3 * NS_PER_SECOND},
        {0x80 | 1, 0, 7, 3500000000},
        {0x80 | 20, 0, (UINT64_C(5) << 20) + (1 << 19), 5500000000},
        {0x80 | 32, 0, (UINT64_C(1700000000) << 32) + (1U << 31), TIME_NS + 500000000},
        {0x80 | 63, 0, UINT64_C(3) << 62, 1500000000},
        {0x80 | 127, 0, UINT64_MAX, 0}, /* hostile from here on: any result, but defined */
        {127, 0, UINT64_MAX, 1},
        {0, 0, UINT64_MAX, TIME_LATEST_NS},
        {9, TIME_LATEST_NS, 1, TIME_LATEST_NS},
        {9, INT64_MIN, 1, 0},
        {0x80, 0, UINT64_MAX, TIME_LATEST_NS},
    };
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        begin(NULL);
        put_section(&bytes);
        put_clock(clocks[i].resolution, (uint64_t)clocks[i].offset_s);
        put_enhanced_packet(&bytes, 0, clocks[i].time, 4, 4, 1);
        open_bytes();
        check_frame(clocks[i].time_ns, 4, 4, 1);
        check_end(NULL);
        end(NULL);
    }
}

static void a_time_out_of_range_is_noted_once(void **state)
{
    (void)state;
    put_section(&bytes);
    put_clock(0, 0);
    put_enhanced_packet(&bytes, 0, UINT64_MAX, 4, 4, 1);
    open_bytes();
    check_frame(TIME_LATEST_NS, 4, 4, 1);
    check_end(NULL);
    assert_int_equal(facts.notes.count, 1);
    assert_int_equal(facts.notes.list[0].count, 1);
}

static void packets_without_time(void **state)
{
    (void)state;
    put_section(&bytes);
    put_interface(&bytes, 1, 6);
    put_enhanced_packet(&bytes, 0, TIME_US, 4, 4, 1);
    size_t block = put_block_begin(&bytes, 3);
    put_u32(&bytes, 100);      /* on the wire */
    put_fill(&bytes, 0x55, 8); /* 6 by the snap length, padding */
    put_block_end(&bytes, block);
    open_bytes();
    check_frame(TIME_NS, 4, 4, 1);
    check_frame(TIME_NS, 6, 100, 0x55);
    assert_true(frame.timeless);
    check_end(NULL);
    assert_int_equal(facts.notes.list[0].count, 1);
}

static void put_statistics(uint32_t interface, uint64_t by_interface, uint64_t by_system)
{
    size_t block = put_block_begin(&bytes, 5);
    put_u32(&bytes, interface);
    put_u64(&bytes, 0);
    put_u16(&bytes, 5); /* isb_ifdrop */
    put_u16(&bytes, 8);
    put_u64(&bytes, by_interface);
    put_u16(&bytes, 7); /* isb_osdrop */
    put_u16(&bytes, 8);
    put_u64(&bytes, by_system);
    put_block_end(&bytes, block);
}

static void drops_are_the_latest_of_each_interface(void **state)
{
    (void)state;
    put_section(&bytes);
    put_interface(&bytes, 1, 0);
    put_interface(&bytes, 1, 0);
    put_statistics(0, 1, 2);
    put_statistics(1, 10, 0);
    put_statistics(0, 3, 4); /* instead of the first */
    put_statistics(9, 9, 9); /* of no interface */
    put_section(&bytes);
    put_interface(&bytes, 1, 0);
    put_statistics(0, 100, 0);
    size_t block = put_block_begin(&bytes, 2); /* the old packet block: 5 dropped, fewer than the statistics know of */
    put_u16(&bytes, 0);
    put_u16(&bytes, 5);
    put_u64(&bytes, 0);
    put_u32(&bytes, 4);
    put_u32(&bytes, 40);
    put_fill(&bytes, 0x66, 4);
    put_block_end(&bytes, block);
    open_bytes();
    check_frame(0, 4, 40, 0x66);
    check_end(NULL);
    assert_true(facts.dropped_known);
    assert_int_equal(facts.dropped_by_capture, 7 + 10 + 100);
    assert_int_equal(facts.notes.count, 1);
}

static void other_blocks_are_skipped(void **state)
{
    (void)state;
    static const uint32_t types[] = {4, 9, 10, 0xBAD, 0x40000BAD, 0x80001234};
    put_section(&bytes);
    put_interface(&bytes, 1, 0);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t block = put_block_begin(&bytes, types[i]);
        put_fill(&bytes, 0xFF, 5 + i);
        put_block_end(&bytes, block);
    }
    put_enhanced_packet(&bytes, 0, TIME_US, 4, 4, 1);
    open_bytes();
    check_frame(TIME_NS, 4, 4, 1);
    assert_int_equal(frame.moment.frame, 4); /* after the journal entry and two custom blocks, as Wireshark counts */
    check_end(NULL);
    assert_int_equal(facts.packets, 1);
    assert_int_equal(facts.notes.count, 3);
}

static void damaged_options_are_noted(void **state)
{
    (void)state;
    put_section(&bytes);
    put_interface(&bytes, 1, 0);
    size_t block = put_block_begin(&bytes, 6);
    put_fill(&bytes, 0, 12);
    put_u32(&bytes, 4);
    put_u32(&bytes, 4);
    put_fill(&bytes, 0x77, 4);
    put_u16(&bytes, 1); /* comment */
    put_u16(&bytes, 400);
    put_block_end(&bytes, block);
    put_enhanced_packet(&bytes, 0, TIME_US, 4, 4, 1);
    open_bytes();
    check_frame(0, 4, 4, 0x77);
    check_frame(TIME_NS, 4, 4, 1);
    check_end(NULL);
    assert_int_equal(facts.notes.count, 1);
}

static void put_option(uint16_t code, uint8_t fill)
{
    put_u16(&bytes, code);
    put_u16(&bytes, 4);
    put_fill(&bytes, fill, 4);
}

/* A later section may be another file's, put behind it. */
static void the_first_section_tells_machine_and_interface(void **state)
{
    (void)state;
    for (uint8_t section = 0; section < 2; section++) {
        size_t block = put_block_begin(&bytes, 0x0A0D0D0A);
        put_u32(&bytes, 0x1A2B3C4D);
        put_u16(&bytes, 1);
        put_u16(&bytes, 0);
        put_u64(&bytes, UINT64_MAX);
        put_option(2, (uint8_t)('a' + section)); /* hardware */
        put_option(3, (uint8_t)('k' + section)); /* operating system */
        put_block_end(&bytes, block);
        block = put_block_begin(&bytes, 1);
        put_u32(&bytes, 1);
        put_u32(&bytes, 0);
        put_option(2, (uint8_t)('t' + section)); /* name */
        put_block_end(&bytes, block);
        put_enhanced_packet(&bytes, 0, TIME_US, 4, 4, 1);
    }
    open_bytes();
    check_frame(TIME_NS, 4, 4, 1);
    struct capture_maker first = facts.maker;
    check_frame(TIME_NS, 4, 4, 1);
    check_end(NULL);
    assert_true(first.hardware != 0 && first.system != 0 && first.interface != 0);
    assert_true(first.hardware != first.system && first.system != first.interface);
    assert_memory_equal(&facts.maker, &first, sizeof first);
}

static void damaged_frames_end_the_reading(void **state)
{
    (void)state;
    static const struct {
        uint32_t length, trailer;
        const char *sentence;
    } blocks[] = {
        {8, 8, "the block at offset 88 says that it has 8 bytes, fewer than any block"},
        {16, 20, "the block at offset 88 has length 16 at its begin and 20 at its end"},
        {1000, 16, "the file ends in the middle of block 4 at offset 88: 16 of 1000 bytes are there"},
        {UINT32_MAX, 16, "the file ends in the middle of block 4 at offset 88: 16 of 4294967296 bytes are there"},
    };
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        begin(NULL);
        put_section(&bytes);
        put_interface(&bytes, 1, 0);
        put_enhanced_packet(&bytes, 0, TIME_US, 8, 8, 1);
        put_u32(&bytes, 0x80001234);
        put_u32(&bytes, blocks[i].length);
        put_u32(&bytes, 0);
        put_u32(&bytes, blocks[i].trailer);
        open_bytes();
        check_frame(TIME_NS, 8, 8, 1);
        check_end(blocks[i].sentence);
        end(NULL);
    }
}

static void packets_of_no_interface_end_the_reading(void **state)
{
    (void)state;
    put_section(&bytes);
    put_interface(&bytes, 1, 0);
    put_enhanced_packet(&bytes, 3, TIME_US, 8, 8, 1);
    open_bytes();
    check_end("packet 1 at offset 48 is of interface 3, but its section describes only 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_bytes_as_the_draft_lists_them, begin, end),
        cmocka_unit_test_setup_teardown(sections_change_byte_order_and_interfaces, begin, end),
        cmocka_unit_test(times_of_any_resolution),
        cmocka_unit_test_setup_teardown(a_time_out_of_range_is_noted_once, begin, end),
        cmocka_unit_test_setup_teardown(packets_without_time, begin, end),
        cmocka_unit_test_setup_teardown(drops_are_the_latest_of_each_interface, begin, end),
        cmocka_unit_test_setup_teardown(other_blocks_are_skipped, begin, end),
        cmocka_unit_test_setup_teardown(damaged_options_are_noted, begin, end),
        cmocka_unit_test_setup_teardown(the_first_section_tells_machine_and_interface, begin, end),
        cmocka_unit_test(damaged_frames_end_the_reading),
        cmocka_unit_test_setup_teardown(packets_of_no_interface_end_the_reading, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
