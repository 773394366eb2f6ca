/* Tests of TCP headers, their options and checksums. */
#include "packet_bench.h"

enum { IPV4_BYTES = 20, CHECKSUM_AT = IPV4_BYTES + 16 };

static int open_raw(void **state)
{
    int result = bench_open(state);
    ((struct bench *)*state)->frame.link_type = LINK_RAW;
    return result;
}

static void test_fields(void **state)
{
    struct bench *b = *state;
    ADD(b, IPV4(22, 6), TCP(5, TCP_ACK | TCP_PSH | 0xc0), 'h', 'i'); /* 0xc0: congestion flags */
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.tcp.ack, 0x05060708);
    assert_int_equal(b->packet.tcp.window, 8192);
    assert_int_equal(b->packet.tcp.flags, TCP_ACK | TCP_PSH);
    assert_int_equal(b->packet.payload.size, 2);
    assert_false(b->packet.tcp.has_timestamp || b->packet.tcp.has_window_scale || b->packet.tcp.sack_permitted);
}

/* A frame of 46 bytes: below the least size of Ethernet's. */
static void test_zeros_may_fill_a_frame(void **state)
{
    struct bench *b = *state;
    ADD(b, IPV4(26, 6), TCP(5, TCP_ACK), 0, 0, 0, 0, 0, 0);
    assert_is_tcp(bench_decode(b));
    assert_true(b->packet.maybe_filling);
    ADD(b, IPV4(22, 6), TCP(5, TCP_ACK | TCP_FIN), 0, 0);
    assert_is_tcp(bench_decode(b));
    assert_true(b->packet.maybe_filling);
}

static void test_what_only_looks_like_filling_is_data(void **state)
{
    struct bench *b = *state;
    ADD(b, IPV4(22, 6), TCP(5, TCP_ACK | TCP_PSH), 0, 0); /* a program's last bytes are pushed */
    assert_is_tcp(bench_decode(b));
    assert_false(b->packet.maybe_filling);
    ADD(b, IPV4(22, 6), TCP(5, TCP_ACK), 0, 1);
    assert_is_tcp(bench_decode(b));
    assert_false(b->packet.maybe_filling);
    ADD(b, IPV4(21, 6), TCP(5, TCP_ACK), 0); /* a keep-alive */
    assert_is_tcp(bench_decode(b));
    assert_false(b->packet.maybe_filling);
}

#define SYN_OPTIONS /* MSS */ 2, 4, U16(1460), /* window scale */ 1, 3, 3, 200, /* SACK permitted */ 4, 2
#define TIMESTAMPS 8, 10, U32(0x11223344), U32(0x55667788)

static void test_options_of_a_syn(void **state)
{
    struct bench *b = *state;
    ADD(b, IPV4(40, 6), TCP(10, TCP_SYN), SYN_OPTIONS, TIMESTAMPS);
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.tcp.mss, 1460);
    assert_true(b->packet.tcp.has_window_scale);
    assert_int_equal(b->packet.tcp.window_scale, 14); /* RFC 7323: use 14 for more */
    assert_true(b->packet.tcp.sack_permitted);
    assert_true(b->packet.tcp.has_timestamp);
    assert_int_equal(b->packet.tcp.timestamp_value, 0x11223344);
    assert_int_equal(b->packet.tcp.timestamp_echo, 0x55667788);
    assert_int_equal(b->packet.payload_length, 0);
}

static void test_options_of_a_syn_elsewhere_mean_nothing(void **state)
{
    struct bench *b = *state;
    ADD(b, IPV4(32, 6), TCP(8, TCP_ACK), SYN_OPTIONS, 0, 0);
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.tcp.mss, 0);
    assert_false(b->packet.tcp.has_window_scale || b->packet.tcp.sack_permitted);
}

static void test_sack_blocks(void **state)
{
    struct bench *b = *state;
    ADD(b, IPV4(56, 6), TCP(14, TCP_ACK), 1, 1, 5, 34, U32(1), U32(2), U32(3), U32(4), U32(5), U32(6), U32(7), U32(8));
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.tcp.sack_count, 4);
    assert_int_equal(b->packet.tcp.sack[0].left, 1);
    assert_int_equal(b->packet.tcp.sack[3].right, 8);
    ADD(b, IPV4(24, 6), TCP(6, TCP_ACK), 5, 4, 0, 0); /* half a block */
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.tcp.sack_count, 0);
    ADD(b, IPV4(60, 6), TCP(15, TCP_ACK), 5, 18, U32(1), U32(2), U32(3), U32(4), 5, 18, U32(5), U32(6), U32(7), U32(8),
        0, 0, 0, 0);
    assert_is_tcp(bench_decode(b)); /* twice: the last counts, and nothing is written past the array */
    assert_int_equal(b->packet.tcp.sack_count, 2);
}

static void test_hostile_option_lengths(void **state)
{
    struct bench *b = *state;
    ADD(b, IPV4(24, 6), TCP(6, TCP_SYN), 2, 0, 0, 0); /* would not move on */
    assert_is_tcp(bench_decode(b));
    ADD(b, IPV4(24, 6), TCP(6, TCP_SYN), 2, 1, 0, 0);
    assert_is_tcp(bench_decode(b));
    ADD(b, IPV4(24, 6), TCP(6, TCP_SYN), 2, 255, 0, 0); /* past the header */
    assert_is_tcp(bench_decode(b));
    ADD(b, IPV4(24, 6), TCP(6, TCP_SYN), 1, 1, 1, 2); /* no length at all */
    assert_is_tcp(bench_decode(b));
    assert_int_equal(bench_noted(b, "malformed TCP options"), 4);
    ADD(b, IPV4(24, 6), TCP(6, TCP_SYN), 2, 3, 9, 0); /* a length that is not MSS's: left alone */
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.tcp.mss, 0);
}

static void test_options_cut_by_the_capture(void **state)
{
    struct bench *b = *state;
    for (size_t captured = 40; captured <= 60; captured++) {
        ADD(b, IPV4(44, 6), TCP(10, TCP_SYN), SYN_OPTIONS, TIMESTAMPS, 'd', 'a', 't', 'a');
        assert_is_tcp(bench_decode_cut(b, captured));
        assert_int_equal(b->packet.tcp.options_cut, captured < 60);
        assert_int_equal(b->packet.tcp.mss, captured < 44 ? 0 : 1460);
        assert_int_equal(b->packet.payload_length, 4);
        assert_int_equal(b->packet.payload.size, 0);
    }
    assert_int_equal(b->facts.notes.count, 0);
    ADD(b, IPV4(44, 6), TCP(10, TCP_SYN), SYN_OPTIONS, TIMESTAMPS, 'd', 'a', 't', 'a');
    assert_int_equal(bench_decode_cut(b, 39)->kind, PACKET_OTHER);
}

static void test_impossible_data_offsets(void **state)
{
    struct bench *b = *state;
    ADD(b, IPV4(20, 6), TCP(4, TCP_ACK));
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    ADD(b, IPV4(20, 6), TCP(6, TCP_ACK));
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    ADD(b, IPV4(12, 6), TCP(5, TCP_ACK));
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    assert_int_equal(bench_noted(b, "malformed TCP header"), 3);
    assert_int_equal(b->facts.tcp_packets, 0);
    assert_int_equal(b->facts.undecoded, 0);
}

/* The checksum as RFC 1071 puts it, two bytes at a time, over pseudo header and segment; not complemented. */
static uint16_t plain_sum(const uint8_t *addresses, size_t address_bytes, const uint8_t *segment, size_t size,
                          size_t told)
{
    uint64_t sum = 6 + (told >> 16) + (told & 0xffff);
    for (size_t i = 0; i < address_bytes; i += 2)
        sum += (uint64_t)(addresses[i] << 8 | addresses[i + 1]);
    for (size_t i = 0; i < size; i++)
        sum += (uint64_t)(i % 2 ? segment[i] : segment[i] << 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static enum checksum_state judge(struct bench *b, size_t at, uint16_t field)
{
    b->bytes[at] = (uint8_t)(field >> 8);
    b->bytes[at + 1] = (uint8_t)field;
    assert_is_tcp(bench_decode(b));
    return b->packet.checksum;
}

static size_t add_segment(struct bench *b, size_t data_bytes)
{
    ADD(b, IPV4((int)(20 + data_bytes), 6), TCP(5, TCP_ACK));
    for (size_t i = 0; i < data_bytes; i++)
        ADD(b, (uint8_t)(i * 37 + i / 256 + 0xf0));
    return 20 + data_bytes;
}

static void test_checksums_of_all_sizes(void **state)
{
    struct bench *b = *state;
    for (size_t data_bytes = 0; data_bytes < 300; data_bytes++) {
        size_t size = add_segment(b, data_bytes);
        uint16_t good = (uint16_t)~plain_sum(b->bytes + 12, 8, b->bytes + IPV4_BYTES, size, size);
        assert_int_equal(judge(b, CHECKSUM_AT, good), CHECKSUM_GOOD);
        add_segment(b, data_bytes);
        assert_int_equal(judge(b, CHECKSUM_AT, good ^ 0x0100), CHECKSUM_BAD);
    }
    assert_int_equal(b->facts.bad_checksums, 300);
    assert_int_equal(b->facts.offload_checksums, 0);
}

static void test_checksums_left_to_the_card(void **state)
{
    struct bench *b = *state;
    for (size_t data_bytes = 0; data_bytes < 40000; data_bytes += 7777) {
        size_t size = add_segment(b, data_bytes);
        uint16_t pseudo = plain_sum(b->bytes + 12, 8, NULL, 0, size);
        uint16_t without_length = plain_sum(b->bytes + 12, 8, NULL, 0, 0);
        assert_int_equal(judge(b, CHECKSUM_AT, pseudo), CHECKSUM_OFFLOADED);
        add_segment(b, data_bytes);
        assert_int_equal(judge(b, CHECKSUM_AT, (uint16_t)~pseudo), CHECKSUM_OFFLOADED);
        add_segment(b, data_bytes);
        assert_int_equal(judge(b, CHECKSUM_AT, without_length), CHECKSUM_OFFLOADED);
        add_segment(b, data_bytes);
        assert_int_equal(judge(b, CHECKSUM_AT, 0), CHECKSUM_OFFLOADED);
    }
    assert_int_equal(b->facts.bad_checksums, 0);
}

static void test_checksum_of_v6(void **state)
{
    struct bench *b = *state;
    ADD(b, IPV6(23, 6), TCP(5, TCP_ACK), 'o', 'd', 'd');
    uint16_t good = (uint16_t)~plain_sum(b->bytes + 8, 32, b->bytes + 40, 23, 23);
    assert_int_equal(judge(b, 40 + 16, good), CHECKSUM_GOOD);
    ADD(b, IPV6(23, 6), TCP(5, TCP_ACK), 'o', 'd', 'd');
    assert_int_equal(judge(b, 40 + 16, good ^ 1), CHECKSUM_BAD);
}

static void test_checksum_needs_all_bytes(void **state)
{
    struct bench *b = *state;
    size_t size = add_segment(b, 100);
    bench_decode_cut(b, IPV4_BYTES + size - 1);
    assert_int_equal(b->packet.checksum, CHECKSUM_UNCHECKED);
    assert_int_equal(b->facts.bad_checksums + b->facts.offload_checksums, 0);
}

#define TCP_TEST(test) cmocka_unit_test_setup_teardown(test, open_raw, bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TCP_TEST(test_fields),
        TCP_TEST(test_zeros_may_fill_a_frame),
        TCP_TEST(test_what_only_looks_like_filling_is_data),
        TCP_TEST(test_options_of_a_syn),
        TCP_TEST(test_options_of_a_syn_elsewhere_mean_nothing),
        TCP_TEST(test_sack_blocks),
        TCP_TEST(test_hostile_option_lengths),
        TCP_TEST(test_options_cut_by_the_capture),
        TCP_TEST(test_impossible_data_offsets),
        TCP_TEST(test_checksums_of_all_sizes),
        TCP_TEST(test_checksums_left_to_the_card),
        TCP_TEST(test_checksum_of_v6),
        TCP_TEST(test_checksum_needs_all_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
