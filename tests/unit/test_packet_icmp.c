/* Tests of ICMP errors: what they say, and of which packet. */
#include "packet_bench.h"

/* A router, 192.168.0.9, answers 10.0.0.1. */
#define FROM_ROUTER(payload) 0x45, 0, U16(20 + (payload)), 0, 1, 0, 0, 250, 1, 0, 0, 192, 168, 0, 9, 10, 0, 0, 1
#define FIRST_8_OF_TCP U16(50000), U16(1433), U32(0x01020304)

static void assert_quotes_tcp(const struct packet *packet)
{
    assert_int_equal(packet->kind, PACKET_ICMP_ERROR);
    assert_int_equal(packet->source.port, 50000);
    assert_int_equal(packet->destination.port, 1433);
    assert_int_equal(packet->icmp.protocol, 6);
    assert_true(packet->icmp.has_seq);
    assert_int_equal(packet->tcp.seq, 0x01020304);
}

static void test_unreachable(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), FROM_ROUTER(36), /* type, code */ 3, 13, 0, 0, 0, 0, 0, 0, IPV4(1000, 6), FIRST_8_OF_TCP);
    assert_quotes_tcp(bench_decode(b));
    assert_address(&b->packet.source.address, "10.0.0.1");
    assert_address(&b->packet.destination.address, "10.0.0.2");
    assert_address(&b->packet.icmp.reporter, "192.168.0.9");
    assert_int_equal(b->packet.icmp.version, 4);
    assert_int_equal(b->packet.icmp.type, 3);
    assert_int_equal(b->packet.icmp.code, 13);
    assert_int_equal(b->packet.icmp.next_hop_mtu, 0);
    assert_int_equal(b->facts.tcp_packets, 0);
    assert_int_equal(b->facts.notes.count, 0);
}

static void test_fragmentation_needed(void **state)
{
    struct bench *b = *state;
    /*                                           unused  MTU */
    ADD(b, ETHERNET(0x0800), FROM_ROUTER(36), 3, 4, 0, 0, 0, 0, U16(1400), IPV4(1480, 6), FIRST_8_OF_TCP);
    assert_quotes_tcp(bench_decode(b));
    assert_int_equal(b->packet.icmp.next_hop_mtu, 1400);
}

static void test_other_errors(void **state)
{
    static const uint8_t types[] = {4, 11, 12};
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof types; i++) {
        ADD(b, ETHERNET(0x0800), FROM_ROUTER(36), types[i], 0, 0, 0, 0, 0, 0, 0, IPV4(20, 6), FIRST_8_OF_TCP);
        assert_quotes_tcp(bench_decode(b));
        assert_int_equal(b->packet.icmp.type, types[i]);
    }
}

static void test_v6(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x86dd), IPV6(8 + 40 + 20, 58), 2, 0, 0, 0, U32(1280), IPV6(1440, 6), TCP(5, TCP_ACK));
    assert_quotes_tcp(bench_decode(b));
    assert_int_equal(b->packet.icmp.version, 6);
    assert_int_equal(b->packet.icmp.next_hop_mtu, 1280);
    ADD(b, ETHERNET(0x86dd), IPV6(8 + 40 + 8 + 20, 58), 1, 4, 0, 0, U32(0), IPV6(1440, 60));
    ADD(b, /* destination options */ 6, 0, 1, 4, 0, 0, 0, 0, TCP(5, TCP_ACK));
    assert_quotes_tcp(bench_decode(b));
    assert_int_equal(b->packet.icmp.next_hop_mtu, 0);
    ADD(b, ETHERNET(0x86dd), IPV6(8 + 40 + 20, 58), 2, 0, 0, 0, U32(9000000), IPV6(1440, 6), TCP(5, TCP_ACK));
    assert_quotes_tcp(bench_decode(b));
    assert_int_equal(b->packet.icmp.next_hop_mtu, 65535);
}

static void test_quoted_udp(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), FROM_ROUTER(36), 3, 3, 0, 0, 0, 0, 0, 0, IPV4(30, 17), UDP(22, 1434));
    assert_int_equal(bench_decode(b)->kind, PACKET_ICMP_ERROR);
    assert_int_equal(b->packet.icmp.protocol, 17);
    assert_int_equal(b->packet.destination.port, 1434);
    assert_false(b->packet.icmp.has_seq);
}

static void test_quoted_tunnel(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), FROM_ROUTER(56), 3, 1, 0, 0, 0, 0, 0, 0, IPV4(40, 4), IPV4(20, 6), FIRST_8_OF_TCP);
    assert_quotes_tcp(bench_decode(b));
    ADD(b, ETHERNET(0x0800), FROM_ROUTER(208), 3, 1, 0, 0, 0, 0, 0, 0); /* tunnels without end */
    for (int i = 0; i < 10; i++)
        ADD(b, IPV4(40, 4));
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
}

static void test_quote_cut(void **state)
{
    struct bench *b = *state;
    for (size_t captured = 14; captured < 14 + 56; captured++) {
        ADD(b, ETHERNET(0x0800), FROM_ROUTER(36), 3, 1, 0, 0, 0, 0, 0, 0, IPV4(1000, 6), FIRST_8_OF_TCP);
        const struct packet *packet = bench_decode_cut(b, captured);
        assert_int_equal(packet->kind, captured < 14 + 52 ? PACKET_OTHER : PACKET_ICMP_ERROR);
        assert_false(packet->icmp.has_seq);
    }
}

static void test_what_is_no_error_or_quotes_nothing(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), FROM_ROUTER(36), 8, 0, 0, 0, 0, 0, 0, 0, IPV4(20, 6), FIRST_8_OF_TCP); /* echo */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    ADD(b, ETHERNET(0x0800), FROM_ROUTER(36), 3, 1, 0, 0, 0, 0, 0, 0, IPV4_PART(20, 6, 1, 3),
        FIRST_8_OF_TCP); /* a part */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    ADD(b, ETHERNET(0x0800), FROM_ROUTER(36), 3, 1, 0, 0, 0, 0, 0, 0, IPV4(20, 1), FIRST_8_OF_TCP); /* quotes a ping */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    assert_address(&b->packet.source.address, "192.168.0.9");
    ADD(b, ETHERNET(0x0800), FROM_ROUTER(36), 3, 1, 0, 0, 0, 0, 0, 0); /* quotes rubbish */
    bench_add_filler(b, 0xff, 28);
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_unreachable),  BENCH_TEST(test_fragmentation_needed),
        BENCH_TEST(test_other_errors), BENCH_TEST(test_v6),
        BENCH_TEST(test_quoted_udp),   BENCH_TEST(test_quoted_tunnel),
        BENCH_TEST(test_quote_cut),    BENCH_TEST(test_what_is_no_error_or_quotes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
