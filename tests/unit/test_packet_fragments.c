/* Tests of reassembly: orders, overlaps, cuts, bounds. */
#include "packet_bench.h"

#include "fragments.h"

enum { MORE = 0x2000, TCP_PROTOCOL = 6, DATAGRAM_BYTES = 20 + 60 };

/* The TCP segment that the tests take apart: a header and sixty letters. */
static const uint8_t *segment(void)
{
    static const uint8_t header[20] = {TCP(5, TCP_ACK)};
    static uint8_t bytes[DATAGRAM_BYTES];
    memcpy(bytes, header, sizeof header);
    for (uint8_t i = 0; i < 60; i++)
        bytes[20 + i] = (uint8_t)('A' + i);
    return bytes;
}

static void add_part(struct bench *b, uint16_t id, uint16_t offset, uint16_t size)
{
    uint16_t more = offset + size < DATAGRAM_BYTES ? MORE : 0;
    ADD(b, ETHERNET(0x0800), IPV4_PART(size, TCP_PROTOCOL, id, more | offset / 8));
    bench_add(b, segment() + offset, size);
}

static enum packet_kind decode_part(struct bench *b, uint16_t id, uint16_t offset, uint16_t size)
{
    add_part(b, id, offset, size);
    return bench_decode(b)->kind;
}

static void assert_whole(const struct packet *packet)
{
    assert_is_tcp(packet);
    assert_int_equal(packet->payload_length, 60);
    assert_int_equal(packet->payload.size, 60);
    assert_memory_equal(packet->payload.data, segment() + 20, 60);
    assert_int_equal(packet->checksum, CHECKSUM_UNCHECKED);
}

static void test_in_order(void **state)
{
    struct bench *b = *state;
    assert_int_equal(decode_part(b, 7, 0, 32), PACKET_FRAGMENT);
    assert_int_equal(b->packet.source.port, 0);
    assert_address(&b->packet.source.address, "10.0.0.1");
    assert_int_equal(decode_part(b, 7, 32, 24), PACKET_FRAGMENT);
    assert_int_equal(decode_part(b, 7, 56, 24), PACKET_TCP);
    assert_whole(&b->packet);
    assert_int_equal(b->facts.tcp_packets, 1);
    assert_int_equal(b->facts.undecoded, 0);
}

static void test_in_reverse_order_and_mixed_with_another(void **state)
{
    struct bench *b = *state;
    assert_int_equal(decode_part(b, 7, 56, 24), PACKET_FRAGMENT);
    assert_int_equal(decode_part(b, 8, 56, 24), PACKET_FRAGMENT);
    assert_int_equal(decode_part(b, 7, 32, 24), PACKET_FRAGMENT);
    assert_int_equal(decode_part(b, 8, 0, 56), PACKET_TCP);
    assert_whole(&b->packet);
    assert_int_equal(decode_part(b, 7, 0, 32), PACKET_TCP);
    assert_whole(&b->packet);
}

static void test_repeated_fragment_is_nothing(void **state)
{
    struct bench *b = *state;
    assert_int_equal(decode_part(b, 7, 0, 32), PACKET_FRAGMENT);
    assert_int_equal(decode_part(b, 7, 0, 32), PACKET_FRAGMENT);
    assert_int_equal(decode_part(b, 7, 32, 48), PACKET_TCP);
    assert_whole(&b->packet);
    assert_int_equal(b->facts.notes.count, 0);
}

static void test_of_an_overlap_the_first_bytes_stay(void **state)
{
    struct bench *b = *state;
    decode_part(b, 7, 24, 8);
    decode_part(b, 7, 48, 32);
    ADD(b, ETHERNET(0x0800), IPV4_PART(40, TCP_PROTOCOL, 7, MORE | 24 / 8)); /* covers what is there and the hole */
    bench_add(b, (const uint8_t *)"????????", 8);
    bench_add(b, segment() + 32, 16);
    bench_add(b, (const uint8_t *)"????????????????", 16);
    assert_int_equal(bench_decode(b)->kind, PACKET_FRAGMENT);
    assert_int_equal(bench_noted(b, "fragments overlap"), 1);
    assert_int_equal(decode_part(b, 7, 0, 24), PACKET_TCP);
    assert_whole(&b->packet);
}

static void test_cut_by_the_capture(void **state)
{
    struct bench *b = *state;
    add_part(b, 7, 0, 56);
    assert_int_equal(bench_decode_cut(b, 14 + 20 + 30)->kind, PACKET_FRAGMENT);
    assert_int_equal(decode_part(b, 7, 56, 24), PACKET_TCP);
    assert_int_equal(b->packet.payload_length, 60);
    assert_int_equal(b->packet.payload.size, 10); /* up to the first byte that is missing */
    assert_memory_equal(b->packet.payload.data, segment() + 20, 10);
    add_part(b, 8, 0, 56); /* so short that the TCP header is missing */
    bench_decode_cut(b, 14 + 20 + 4);
    assert_int_equal(decode_part(b, 8, 56, 24), PACKET_OTHER);
    add_part(b, 9, 0, 56); /* nothing at all of it */
    bench_decode_cut(b, 14 + 20);
    assert_int_equal(decode_part(b, 9, 56, 24), PACKET_OTHER);
    assert_int_equal(b->facts.notes.count, 0);
}

static void test_impossible_fragments(void **state)
{
    struct bench *b = *state;
    add_part(b, 7, 0, 30); /* not in units of eight bytes */
    bench_decode(b);
    ADD(b, ETHERNET(0x0800), IPV4_PART(40, TCP_PROTOCOL, 7, 0x1fff)); /* past the end of any datagram */
    bench_add_filler(b, 'x', 40);
    bench_decode(b);
    ADD(b, ETHERNET(0x0800), IPV4_PART(0, TCP_PROTOCOL, 7, MORE | 1)); /* empty */
    bench_decode(b);
    assert_int_equal(bench_noted(b, "bad fragment"), 3);
    assert_int_equal(decode_part(b, 7, 0, 56), PACKET_FRAGMENT);
    assert_int_equal(decode_part(b, 7, 56, 24), PACKET_TCP);
}

static void test_two_ends(void **state)
{
    struct bench *b = *state;
    decode_part(b, 7, 56, 24);
    ADD(b, ETHERNET(0x0800), IPV4_PART(8, TCP_PROTOCOL, 7, 800 / 8)); /* another end, further on */
    bench_add_filler(b, 'x', 8);
    bench_decode(b);
    assert_int_equal(decode_part(b, 7, 0, 56), PACKET_TCP);
    assert_whole(&b->packet);
}

static void test_too_old(void **state)
{
    struct bench *b = *state;
    decode_part(b, 7, 0, 56);
    b->frame.moment.time_ns += 61 * NS_PER_SECOND;
    assert_int_equal(decode_part(b, 7, 56, 24), PACKET_FRAGMENT);
    assert_int_equal(bench_noted(b, "fragments given up"), 1);
    b->frame.moment.time_ns = INT64_MIN; /* a clock that leaps */
    decode_part(b, 7, 0, 56);
    b->frame.moment.time_ns = INT64_MAX;
    assert_int_equal(decode_part(b, 7, 56, 24), PACKET_FRAGMENT);
}

static void test_too_many_datagrams(void **state)
{
    struct bench *b = *state;
    for (uint16_t id = 0; id <= FRAGMENT_DATAGRAMS_MAX; id++)
        assert_int_equal(decode_part(b, id, 0, 56), PACKET_FRAGMENT);
    assert_int_equal(bench_noted(b, "fragments given up"), 1);
    assert_int_equal(decode_part(b, 1, 56, 24), PACKET_TCP);      /* the second is still there */
    assert_int_equal(decode_part(b, 0, 56, 24), PACKET_FRAGMENT); /* the first had to go */
}

static void test_too_many_bytes(void **state)
{
    struct bench *b = *state;
    for (uint16_t id = 0; id < 200; id++) {
        ADD(b, ETHERNET(0x0800), IPV4_PART(8, TCP_PROTOCOL, id, MORE | 65000 / 8));
        bench_add_filler(b, 'x', 8);
        bench_decode(b);
    }
    assert_int_equal(bench_noted(b, "fragments given up"), 200 - FRAGMENT_BYTES_MAX / 65536);
}

static void test_too_many_pieces(void **state)
{
    struct bench *b = *state;
    for (uint16_t i = 0; i <= FRAGMENT_PIECES_MAX; i++) {
        ADD(b, ETHERNET(0x0800), IPV4_PART(8, TCP_PROTOCOL, 7, MORE | i * 2));
        bench_add_filler(b, 'x', 8);
        bench_decode(b);
    }
    assert_int_equal(bench_noted(b, "fragments given up"), 1);
}

static void test_v6(void **state)
{
    struct bench *b = *state;
    /*                                          next  reserved  offset, more  id */
    ADD(b, ETHERNET(0x86dd), IPV6(8 + 24, 44), 60, 0, 0, 1, 1, 2, 3, 4);
    ADD(b, /* destination options: next */ 6, 0, 1, 4, 0, 0, 0, 0);
    bench_add(b, segment(), 16);
    assert_int_equal(bench_decode(b)->kind, PACKET_FRAGMENT);
    ADD(b, ETHERNET(0x86dd), IPV6(8 + 64, 44), /* told wrong, and not believed */ 17, 0, 0, 24, 1, 2, 3, 4);
    bench_add(b, segment() + 16, 64);
    assert_int_equal(bench_decode(b)->kind, PACKET_TCP);
    assert_whole(&b->packet);
    assert_address(&b->packet.destination.address, "2001:db8::2");
}

/* A fragmented tunnel, and in it a fragmented datagram that its last packet completes. */
static void test_fragments_in_fragments(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(20 + 56, 4), IPV4_PART(56, TCP_PROTOCOL, 7, MORE));
    bench_add(b, segment(), 56);
    assert_int_equal(bench_decode(b)->kind, PACKET_FRAGMENT);
    ADD(b, ETHERNET(0x0800), IPV4_PART(24, 4, 100, MORE), IPV4_PART(24, TCP_PROTOCOL, 7, 56 / 8));
    bench_add(b, segment() + 56, 4);
    assert_int_equal(bench_decode(b)->kind, PACKET_FRAGMENT);
    ADD(b, ETHERNET(0x0800), IPV4_PART(20, 4, 100, 24 / 8));
    bench_add(b, segment() + 60, 20);
    assert_int_equal(bench_decode(b)->kind, PACKET_TCP);
    assert_whole(&b->packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_in_order),
        BENCH_TEST(test_in_reverse_order_and_mixed_with_another),
        BENCH_TEST(test_repeated_fragment_is_nothing),
        BENCH_TEST(test_of_an_overlap_the_first_bytes_stay),
        BENCH_TEST(test_cut_by_the_capture),
        BENCH_TEST(test_impossible_fragments),
        BENCH_TEST(test_two_ends),
        BENCH_TEST(test_too_old),
        BENCH_TEST(test_too_many_datagrams),
        BENCH_TEST(test_too_many_bytes),
        BENCH_TEST(test_too_many_pieces),
        BENCH_TEST(test_v6),
        BENCH_TEST(test_fragments_in_fragments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
