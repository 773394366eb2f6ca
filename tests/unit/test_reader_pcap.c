/* The pcap reader: byte orders, variants of the record header, and damage. */
#include "reader_bench.h"

#define MICROSECONDS 0xA1B2C3D4U
#define NANOSECONDS 0xA1B23C4DU
#define MODIFIED 0xA1B2CD34U

static enum capture_opening open_bytes(void)
{
    return capture_file_open_over(&capture, os_file_from_memory(capture_bytes_span(&bytes)), &facts, &error);
}

static void reads_bytes_as_the_draft_lists_them(void **state)
{
    (void)state;
    static const uint8_t file[] = {/* magic               | 2.4                 | time zone, accuracy               */
                                   0xD4, 0xC3, 0xB2, 0xA1, 0x02, 0, 0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                   /* snap length         | link type 1 (Ethernet), 4 bytes of FCS at the end */
                                   0x60, 0, 0, 0, 0x01, 0, 0, 0x44,
                                   /* seconds 1700000000  | 250000 microseconds | captured 2  | wire 60     | bytes */
                                   0x00, 0xF1, 0x53, 0x65, 0x90, 0xD0, 0x03, 0, 2, 0, 0, 0, 60, 0, 0, 0, 0xAA, 0xAA};
    assert_int_equal(
        capture_file_open_over(&capture, os_file_from_memory((struct span){file, sizeof file}), &facts, &error),
        CAPTURE_OPENED);
    check_frame(1700000000250000000, 2, 60, 0xAA);
    assert_int_equal(frame.link_type, 1);
    assert_int_equal(frame.moment.frame, 1);
    assert_int_equal(frame.file_offset, 40);
    check_end(NULL);
    assert_string_equal(facts.format, "pcap");
    assert_int_equal(facts.packets, 1);
    assert_int_equal(facts.cut_packets, 1);
    assert_int_equal(facts.longest_cut, 2);
    assert_int_equal(facts.wire_bytes, 60);
}

static void both_byte_orders_and_resolutions(void **state)
{
    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        begin(NULL);
        bytes.big_endian = variant & 1;
        put_pcap_header(&bytes, variant & 2 ? NANOSECONDS : MICROSECONDS, 65535, 113);
        put_pcap_record(&bytes, 5, 7, 10, 10, 1);
        put_pcap_record(&bytes, 4294967295U, 8, 0, 0, 2);
        assert_int_equal(open_bytes(), CAPTURE_OPENED);
        check_frame(variant & 2 ? 5000000007 : 5000007000, 10, 10, 1);
        assert_int_equal(frame.link_type, 113);
        check_frame(4294967295 * NS_PER_SECOND + (variant & 2 ? 8 : 8000), 0, 0, 2);
        check_end(NULL);
        end(NULL);
    }
}

/* A frame shorter than an Ethernet header is as good as any; known analyzers end there (W15). */
static void short_frames_end_nothing(void **state)
{
    (void)state;
    put_pcap_header(&bytes, MICROSECONDS, 65535, 1);
    for (uint32_t size = 0; size < 14; size++) {
        put_pcap_record(&bytes, 5 + size, 0, size, size, 1);
        put_pcap_record(&bytes, 5 + size, 1, 60, 60, 2);
    }
    assert_int_equal(open_bytes(), CAPTURE_OPENED);
    for (uint32_t size = 0; size < 14; size++) {
        check_frame((5 + size) * NS_PER_SECOND, size, size, 1);
        check_frame((5 + size) * NS_PER_SECOND + NS_PER_US, 60, 60, 2);
    }
    check_end(NULL);
}

static void put_long_record(uint32_t seconds, uint32_t captured, uint32_t extra)
{
    put_pcap_record(&bytes, seconds, 1, 0, 0, 0);
    bytes.size -= 8;
    put_u32(&bytes, captured);
    put_u32(&bytes, captured);
    put_fill(&bytes, 0, extra); /* interface, protocol, packet type: not needed */
    put_fill(&bytes, 0xBB, captured);
}

/* 24 bytes with a magic of its own, or without; 28; and Nokia's 20. */
static void longer_record_headers(void **state)
{
    (void)state;
    static const struct {
        uint32_t magic, extra;
    } variants[] = {{MODIFIED, 8}, {MODIFIED, 12}, {MICROSECONDS, 8}, {MICROSECONDS, 4}};
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        begin(NULL);
        put_pcap_header(&bytes, variants[i].magic, 65535, 1);
        for (uint32_t n = 0; n < 5; n++)
            put_long_record(1000000000 + n, 60 + n, variants[i].extra);
        assert_int_equal(open_bytes(), CAPTURE_OPENED);
        for (uint32_t n = 0; n < 5; n++)
            check_frame((1000000000 + n) * NS_PER_SECOND + 1000, 60 + n, 60 + n, 0xBB);
        check_end(NULL);
        end(NULL);
    }
}

static void odd_numbers_are_tolerated(void **state)
{
    (void)state;
    put_pcap_header(&bytes, MICROSECONDS, 0, 1);
    put_pcap_record(&bytes, 10, 1000000, 4, 4, 1); /* a whole second of microseconds */
    put_pcap_record(&bytes, 12, 0, 4, 2, 2);       /* captured more than was on the wire */
    put_pcap_record(&bytes, 10, 0, 4, 4, 3);       /* earlier */
    assert_int_equal(open_bytes(), CAPTURE_OPENED);
    check_frame(11 * NS_PER_SECOND, 4, 4, 1);
    check_frame(12 * NS_PER_SECOND, 4, 4, 2);
    check_frame(10 * NS_PER_SECOND, 4, 4, 3);
    check_end(NULL);
    assert_int_equal(facts.notes.count, 1);
    assert_int_equal(facts.time_backwards, 1);
    assert_int_equal(facts.first_ns, 10 * NS_PER_SECOND);
    assert_int_equal(facts.last_ns, 12 * NS_PER_SECOND);
}

static void a_cut_record_is_not_delivered(void **state)
{
    (void)state;
    put_pcap_header(&bytes, MICROSECONDS, 65535, 1);
    put_pcap_record(&bytes, 1, 0, 8, 8, 1);
    put_pcap_record(&bytes, 2, 0, 60, 60, 2);
    bytes.size -= 56;
    assert_int_equal(open_bytes(), CAPTURE_OPENED);
    check_frame(NS_PER_SECOND, 8, 8, 1);
    check_end("the file ends in the middle of packet 2 at offset 48: 20 of 76 bytes are there");
    assert_int_equal(facts.packets, 1);
}

static void an_absurd_length_ends_the_reading(void **state)
{
    (void)state;
    put_pcap_header(&bytes, MICROSECONDS, UINT32_MAX, 1);
    put_pcap_record(&bytes, 1, 0, 8, 8, 1);
    put_pcap_record(&bytes, 2, 0, 0, 0, 2);
    bytes.size -= 8;
    put_u64(&bytes, UINT64_MAX);
    assert_int_equal(open_bytes(), CAPTURE_OPENED);
    check_frame(NS_PER_SECOND, 8, 8, 1);
    check_end("packet 2 at offset 48 says that 4294967295 bytes of it were captured; more than 262144 cannot be");
}

static void what_is_no_capture_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        size_t size;
        enum capture_opening opening;
        const char *sentence;
    } files[] = {
        {"", 0, CAPTURE_NOT_A_CAPTURE, "memory is empty"},
        {"2026-01-01 spid5s Starting\r\n", 28, CAPTURE_NOT_A_CAPTURE,
         "memory looks like plain text: no packet capture, and no log or report that can be read"},
        {"\x1F\x8B\x08\0", 4, CAPTURE_UNREADABLE,
         "memory looks like a gzip-compressed file: it is compressed more often than is unpacked: decompress it first"},
        {"\xD4\xC3\xB2\xA1\x02\0\x04\0", 8, CAPTURE_UNREADABLE,
         "memory is a pcap file that cannot be read: the file ends in the middle of file header 1 at offset 0: 8 of 24 "
         "bytes are there"},
        {"\x01\x02\x03\x04", 4, CAPTURE_NOT_A_CAPTURE,
         "memory is not a packet capture that is known (pcap, pcapng, etl and netmon are)"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        begin(NULL);
        struct span content = {(const uint8_t *)files[i].content, files[i].size};
        assert_int_equal(capture_file_open_over(&capture, os_file_from_memory(content), &facts, &error),
                         files[i].opening);
        assert_string_equal(error.text, files[i].sentence);
        assert_true(facts.failed);
        end(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_bytes_as_the_draft_lists_them, begin, end),
        cmocka_unit_test(both_byte_orders_and_resolutions),
        cmocka_unit_test_setup_teardown(short_frames_end_nothing, begin, end),
        cmocka_unit_test(longer_record_headers),
        cmocka_unit_test_setup_teardown(odd_numbers_are_tolerated, begin, end),
        cmocka_unit_test_setup_teardown(a_cut_record_is_not_delivered, begin, end),
        cmocka_unit_test_setup_teardown(an_absurd_length_ends_the_reading, begin, end),
        cmocka_unit_test(what_is_no_capture_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
