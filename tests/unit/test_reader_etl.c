/* Event traces: decompressing, times, and a trace of pktmon beside what Microsoft's tool made of it. Whole traces: tests/formats. */
#include "reader_bench.h"

#include <stdio.h>

#include "etl_header.h"
#include "etl_packet.h"
#include "memory.h"
#include "xpress.h"

static const char *shared; /* a folder with real traces */

struct piece {
    struct span bytes;
    size_t at_most; /* handed over at once */
};

static size_t read_piece(void *context, uint8_t *buffer, size_t size)
{
    struct piece *piece = context;
    struct span part = span_part(piece->bytes, 0, size < piece->at_most ? size : piece->at_most);
    if (part.size > 0)
        memcpy(buffer, part.data, part.size);
    piece->bytes = span_from(piece->bytes, part.size);
    return part.size;
}

/* Decodes all of it, size bytes at a time. Returns how many there were. */
static size_t decode(struct span from, size_t input_step, size_t output_step, uint8_t *out, size_t room, bool *broken)
{
    struct piece piece = {from, input_step};
    struct xpress *xpress = memory_take(sizeof *xpress);
    xpress->source = (struct xpress_source){read_piece, &piece};
    size_t made = 0;
    for (size_t got = 1; got > 0 && made < room; made += got)
        got = xpress_decode(xpress, out + made, room - made < output_step ? room - made : output_step);
    *broken = xpress->broken;
    memory_give(xpress);
    return made;
}

/* The examples of MS-XCA 3.1. */
static void decodes_the_examples_of_the_specification(void **state)
{
    (void)state;
    static const uint8_t letters[] = "\x3f\0\0\0abcdefghijklmnopqrstuvwxyz";
    static const uint8_t repeated[] = {0xFF, 0xFF, 0xFF, 0x1F, 'a', 'b', 'c', 0x17, 0x00, 0x0F, 0xFF, 0x26, 0x01};
    uint8_t out[300];
    bool broken;
    for (size_t step = 1; step <= 300; step += 13) {
        assert_int_equal(decode((struct span){letters, sizeof letters - 1}, step, step, out, 26, &broken), 26);
        assert_memory_equal(out, "abcdefghijklmnopqrstuvwxyz", 26);
        assert_false(broken);
        assert_int_equal(decode((struct span){repeated, sizeof repeated}, step, step, out, 300, &broken), 300);
        for (size_t i = 0; i < 300; i++)
            assert_int_equal(out[i], "abc"[i % 3]);
        assert_false(broken);
    }
}

/* Two lengths share a byte, though a literal stands between their matches. */
static void halves_of_a_byte(void **state)
{
    (void)state;
    /* a | match 1 back, 3 + 7 + 2 | b | match 1 back, 3 + 7 + 5 */
    static const uint8_t packed[] = {0xFF, 0xFF, 0xFF, 0x5F, 'a', 0x07, 0x00, 0x52, 'b', 0x07, 0x00};
    uint8_t out[64];
    bool broken;
    assert_int_equal(decode((struct span){packed, sizeof packed}, 64, 64, out, 29, &broken), 29);
    for (size_t i = 0; i < 29; i++)
        assert_int_equal(out[i], i < 13 ? 'a' : 'b');
}

static void a_match_before_the_begin_is_no_match(void **state)
{
    (void)state;
    static const uint8_t packed[] = {0, 0, 0, 0x40, 'a', 0x08, 0x00, 'b'};
    uint8_t out[64];
    bool broken;
    assert_int_equal(decode((struct span){packed, sizeof packed}, 64, 64, out, 64, &broken), 1);
    assert_true(broken);
}

static void a_stream_may_be_cut_anywhere(void **state)
{
    (void)state;
    static const uint8_t packed[] = {0xFF, 0xFF, 0xFF, 0x1F, 'a', 'b', 'c', 0x17, 0x00, 0x0F, 0xFF, 0x26, 0x01};
    uint8_t out[300];
    bool broken;
    for (size_t size = 0; size < sizeof packed; size++) {
        size_t made = decode((struct span){packed, size}, 64, 64, out, 300, &broken);
        assert_true(broken);
        assert_int_equal(made, size < 4 ? 0 : size - 4 < 3 ? size - 4 : 3);
    }
}

static void days_of_ticks_do_not_overflow(void **state)
{
    (void)state;
    const int64_t day = 86400;
    struct etl_header header = {.frequency = 10000000, .first_ticks = 7, .start_ns = 1700000000 * NS_PER_SECOND};
    assert_int_equal(etl_header_time_ns(&header, 7 + 400 * day * 10000000 + 5),
                     (1700000000 + 400 * day) * NS_PER_SECOND + 500);
    assert_int_equal(etl_header_time_ns(&header, 7 - 10000000), 1699999999 * NS_PER_SECOND);
    header.frequency = 3117777;
    assert_int_equal(etl_header_time_ns(&header, 7 + 3117777 * day), (1700000000 + day) * NS_PER_SECOND);
    assert_int_equal(etl_header_time_ns(&header, INT64_MAX), 0);
    assert_int_equal(etl_header_time_ns(&header, INT64_MIN), 0);
}

static void lengths_come_from_ip(void **state)
{
    (void)state;
    uint8_t packet[64] = {[12] = 0x81, 0x00, 0, 5, 0x08, 0x00, 0x45, 0, 0x05, 0xDC};
    struct span whole = {packet, sizeof packet};
    assert_true(etl_packet_is_ethernet(whole));
    assert_int_equal(etl_packet_ip_length(LINKTYPE_ETHERNET, whole), 18 + 1500);
    packet[20] = packet[21] = 0; /* left to the card */
    assert_int_equal(etl_packet_ip_length(LINKTYPE_ETHERNET, whole), 64);
    for (size_t size = 0; size < 22; size++)
        assert_int_equal(etl_packet_ip_length(LINKTYPE_ETHERNET, span_part(whole, 0, size)), size);
    uint8_t raw[64] = {0x60, 0, 0, 0, 0x01, 0x00};
    assert_int_equal(etl_packet_ip_length(LINKTYPE_RAW_IP, (struct span){raw, sizeof raw}), 40 + 256);
}

static bool open_shared(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", shared, name);
    return capture_file_open(&capture, path, &facts, &error) == CAPTURE_OPENED;
}

enum { CONVERTED_MOST = 114 };

static uint64_t hash_of(struct span content)
{
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < content.size; i++)
        hash = (hash ^ content.data[i]) * 1099511628211U;
    return hash;
}

/* Each packet that is kept has the number, the time and the bytes that it has in the converted capture. */
static void pktmon_converts_to_the_same(void **state)
{
    (void)state;
    struct {
        int64_t time_ns;
        uint32_t wire;
        uint64_t hash;
    } converted[CONVERTED_MOST + 1];
    size_t count = 0;
    assert_true(open_shared("pktmon_ws2022.converted-by-pktmon.pcapng"));
    for (; count < CONVERTED_MOST && capture_file_next(&capture, &frame); count++) {
        converted[count + 1].time_ns = frame.moment.time_ns;
        converted[count + 1].wire = frame.wire_length;
        converted[count + 1].hash = hash_of(frame.bytes);
    }
    end(NULL);
    begin(NULL);
    assert_int_equal(count, CONVERTED_MOST);
    assert_true(open_shared("pktmon_ws2022.etl"));
    for (count = 0; capture_file_next(&capture, &frame); count++) {
        uint32_t number = frame.moment.frame;
        assert_in_range(number, 1, CONVERTED_MOST);
        assert_int_equal(frame.moment.time_ns / 1000 * 1000, converted[number].time_ns);
        assert_int_equal(frame.wire_length, converted[number].wire);
        assert_int_equal(hash_of(frame.bytes), converted[number].hash);
    }
    assert_int_equal(count, 38);
}

/* The group of a packet is counted once: 298 appear in the trace of Windows 10, by the events themselves. */
static void traces_of_other_things_have_no_packets(void **state)
{
    (void)state;
    static const char *const names[] = {
        "amsi.etl",   "lxcore.etl",     "sonde.etl", "pv_small.etl", "pv_selfdescribing.etl",
        "s4_sih.etl", "pv_gcevents.etl"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(open_shared(names[i]));
        assert_false(capture_file_next(&capture, &frame));
        assert_int_equal(facts.notes.count, 1);
        assert_string_equal(facts.notes.list[0].kind, "no packets");
        end(NULL);
        begin(NULL);
    }
}

/* The argument: where real traces are, if they are there. */
int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_the_examples_of_the_specification),
        cmocka_unit_test(halves_of_a_byte),
        cmocka_unit_test(a_match_before_the_begin_is_no_match),
        cmocka_unit_test(a_stream_may_be_cut_anywhere),
        cmocka_unit_test(days_of_ticks_do_not_overflow),
        cmocka_unit_test(lengths_come_from_ip),
        cmocka_unit_test_setup_teardown(pktmon_converts_to_the_same, begin, end),
        cmocka_unit_test_setup_teardown(traces_of_other_things_have_no_packets, begin, end),
    };
    enum { OF_REAL_TRACES = 2 };
    shared = count > 1 ? arguments[1] : "";
    begin(NULL);
    bool are_there = open_shared("pktmon_ws2022.etl");
    end(NULL);
    size_t last = sizeof tests / sizeof *tests - (are_there ? 0 : OF_REAL_TRACES);
    return _cmocka_run_group_tests("etl", tests, last, NULL, NULL);
}
