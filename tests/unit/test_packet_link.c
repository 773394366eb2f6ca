/* Tests of the link layers: each leads to the same TCP packet, and none reads what is not there. */
#include "packet_bench.h"

#define IP_AND_TCP IPV4(20, 6), TCP(5, TCP_ACK)

static void test_ethernet(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    assert_address(&b->packet.source.address, "10.0.0.1");
    assert_address(&b->packet.destination.address, "10.0.0.2");
    assert_int_equal(b->facts.tcp_packets, 1);
    assert_int_equal(b->facts.undecoded, 0);
}

/* Shorter than its header: counted as not understood, and what comes after is read (W15). */
static void test_runts(void **state)
{
    struct bench *b = *state;
    for (size_t size = 0; size < 14; size++) {
        b->size = 0;
        bench_add_filler(b, 2, size);
        assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
        b->size = 0;
        ADD(b, ETHERNET(0x0800), IP_AND_TCP);
        assert_is_tcp(bench_decode(b));
        assert_int_equal(b->facts.tcp_packets, size + 1);
    }
}

static void test_stacked_tags(void **state)
{
    struct bench *b = *state;
    /*                    tag 100  802.1Q        tag 200  old stacking  tag 300  IPv4 */
    ADD(b, ETHERNET(0x88a8), 0, 100, U16(0x8100), 0, 200, U16(0x9100), 1, 44, U16(0x0800), IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
}

static void test_snap(void **state)
{
    struct bench *b = *state;
    /*     length: LLC, SNAP, IP  DSAP  SSAP  UI    organisation  EtherType                  trailer */
    ADD(b, ETHERNET(8 + 40), 0xaa, 0xaa, 0x03, 0, 0, 0, U16(0x0800), IP_AND_TCP, 0xff, 0xff, 0xff);
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.payload_length, 0);
}

static void test_llc_that_is_not_ip(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(38), 0x42, 0x42, 0x03, 0, 0, 0, 0, 0); /* spanning tree */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    assert_int_equal(b->facts.undecoded, 1);
}

static void test_cooked(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = 113;
    /*     sent by us  Ethernet  length  address                protocol */
    ADD(b, 0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, U16(0x0800), IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    assert_true(b->packet.outbound && !b->packet.inbound);
    b->frame.direction = FRAME_INBOUND; /* the capture file knows better */
    ADD(b, 0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, U16(0x0800), IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    assert_true(b->packet.inbound && !b->packet.outbound);
}

static void test_cooked_2(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = 276;
    /*     protocol     reserved  interface   Ethernet  to us  length  address */
    ADD(b, U16(0x8100), 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, /* tag */ 0, 7, U16(0x0800), IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    assert_true(b->packet.inbound && !b->packet.outbound);
}

static void test_raw(void **state)
{
    static const uint32_t types[] = {101, 12, 14, 228, 229};
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        b->frame.link_type = types[i];
        ADD(b, IP_AND_TCP);
        assert_is_tcp(bench_decode(b));
        ADD(b, IPV6(20, 6), TCP(5, TCP_ACK));
        assert_is_tcp(bench_decode(b));
        assert_address(&b->packet.source.address, "2001:db8::1");
    }
}

static void test_loopback_in_both_byte_orders(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = 0;
    ADD(b, 2, 0, 0, 0, IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    ADD(b, 0, 0, 0, 24, IPV6(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    b->frame.link_type = 108;
    ADD(b, 0, 0, 0, 2, IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    ADD(b, 7, 0, 0, 0, IP_AND_TCP); /* OSI */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
}

static void test_ppp(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = 9;
    ADD(b, 0xff, 0x03, 0x00, 0x21, IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    ADD(b, 0x21, IP_AND_TCP); /* both fields compressed */
    assert_is_tcp(bench_decode(b));
    ADD(b, 0xff, 0x03, 0xc0, 0x21, IP_AND_TCP); /* link control */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    b->frame.link_type = 50;
    ADD(b, 0x0f, 0x00, 0x08, 0x00, IP_AND_TCP); /* Cisco's framing */
    assert_is_tcp(bench_decode(b));
}

static void test_pppoe(void **state)
{
    struct bench *b = *state;
    /*                       version  data  session  length       PPP: IPv4              padding */
    ADD(b, ETHERNET(0x8864), 0x11, 0, 0, 9, U16(2 + 40), 0x00, 0x21, IP_AND_TCP, 0, 0, 0, 0);
    assert_is_tcp(bench_decode(b));
    ADD(b, ETHERNET(0x8864), 0x11, 9, 0, 9, U16(2 + 40), 0x00, 0x21, IP_AND_TCP); /* discovery */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    b->frame.link_type = 51;
    ADD(b, 0x11, 0, 0, 9, U16(2 + 40), 0x00, 0x21, IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
}

static void test_mpls(void **state)
{
    struct bench *b = *state;
    /*                       label          label, bottom of stack */
    ADD(b, ETHERNET(0x8847), 0, 0, 0x10, 64, 0, 0, 0x21, 64, IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    /*                                       control word */
    ADD(b, ETHERNET(0x8847), 0, 0, 0x21, 64, 0, 0, 0, 0, ETHERNET(0x0800), IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    ADD(b, ETHERNET(0x8847)); /* a stack without a bottom */
    bench_add_filler(b, 0, 400);
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
}

#define THREE_ADDRESSES 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3
#define SNAP_IPV4 0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00

static void test_wlan(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = 105;
    /*     data  flags  duration            sequence */
    ADD(b, 0x08, 0x01, 0, 0, THREE_ADDRESSES, 0, 0, SNAP_IPV4, IP_AND_TCP, /* checksum */ 1, 2, 3, 4);
    assert_is_tcp(bench_decode(b));
    ADD(b, 0x08, 0x41, 0, 0, THREE_ADDRESSES, 0, 0, SNAP_IPV4, IP_AND_TCP); /* encrypted */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    /*     QoS                                    aggregated: destination, source                           length */
    ADD(b, 0x88, 0x02, 0, 0, THREE_ADDRESSES, 0, 0, 0x80, 0, 2, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 5, U16(8 + 40), SNAP_IPV4,
        IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
}

static void test_radiotap(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = 127;
    /*     version   length  present: TSFT, flags      time                    flags: padded */
    ADD(b, 0, 0, 17, 0, 0x03, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x20);
    /*     QoS                                            padding to 28 */
    ADD(b, 0x88, 0x01, 0, 0, THREE_ADDRESSES, 0, 0, 0, 0, 0, 0, SNAP_IPV4, IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    ADD(b, 0, 0, 255, 255, 0xff, 0xff, 0xff, 0xff); /* longer than the packet */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    ADD(b, 0, 0, 12, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff); /* bitmaps without end */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
}

static void test_ppi(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = 192;
    /*     version, flags  length  link type   a field of four bytes */
    ADD(b, 0, 0, 16, 0, 1, 0, 0, 0, 9, 9, 4, 0, 1, 2, 3, 4, ETHERNET(0x0800), IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    ADD(b, 0, 0, 8, 0, 192, 0, 0, 0, 0, 0, 8, 0, 192, 0, 0, 0); /* itself */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
}

static void test_hdlc_and_fddi(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = 104;
    ADD(b, 0x0f, 0, 0x08, 0x00, IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    b->frame.link_type = 10;
    ADD(b, 0x50, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, SNAP_IPV4, IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
}

static void test_netfilter_log(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = 239;
    /*     IPv4  version  group  length 5, prefix, padded       length, payload */
    ADD(b, 2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 44, 0, 9, 0, IP_AND_TCP);
    assert_is_tcp(bench_decode(b));
    ADD(b, 2, 0, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 44, 0, 9, IP_AND_TCP); /* of a big-endian machine */
    assert_is_tcp(bench_decode(b));
}

static void test_unknown_link_type(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = 4711;
    for (int i = 0; i < 3; i++) {
        ADD(b, IP_AND_TCP);
        assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    }
    assert_int_equal(b->facts.undecoded, 3);
    assert_int_equal(b->facts.notes.count, 1);
    assert_non_null(strstr(b->facts.notes.list[0].text, "4711"));
}

static void test_too_many_headers(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x8100));
    for (int i = 0; i < 1000; i++)
        ADD(b, 0, 1, U16(0x8100));
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    assert_int_equal(bench_noted(b, "too many headers"), 1);
}

static void test_every_cut_is_survived(void **state)
{
    static const uint32_t types[] = {0, 1, 9, 10, 50, 51, 101, 104, 105, 108, 113, 127, 192, 239, 276};
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (size_t cut = 0; cut < 60; cut++) {
            b->frame.link_type = types[i];
            ADD(b, ETHERNET(0x0800), IP_AND_TCP);
            bench_add_filler(b, 0, 20);
            bench_decode_cut(b, cut);
            if (types[i] == 1)
                assert_int_equal(b->packet.kind, cut < 14 + 40 ? PACKET_OTHER : PACKET_TCP);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_ethernet),
        BENCH_TEST(test_runts),
        BENCH_TEST(test_stacked_tags),
        BENCH_TEST(test_snap),
        BENCH_TEST(test_llc_that_is_not_ip),
        BENCH_TEST(test_cooked),
        BENCH_TEST(test_cooked_2),
        BENCH_TEST(test_raw),
        BENCH_TEST(test_loopback_in_both_byte_orders),
        BENCH_TEST(test_ppp),
        BENCH_TEST(test_pppoe),
        BENCH_TEST(test_mpls),
        BENCH_TEST(test_wlan),
        BENCH_TEST(test_radiotap),
        BENCH_TEST(test_ppi),
        BENCH_TEST(test_hdlc_and_fddi),
        BENCH_TEST(test_netfilter_log),
        BENCH_TEST(test_unknown_link_type),
        BENCH_TEST(test_too_many_headers),
        BENCH_TEST(test_every_cut_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
