/* Tests of IP: lengths, options, extension headers, tunnels. */
#include "packet_bench.h"
#include "plain_ipv4.h"

static void test_header_fields(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = LINK_RAW;
    ADD(b, IPV4(24, 6), TCP(5, TCP_ACK), 'd', 'a', 't', 'a');
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.ip_id, 0x1234);
    assert_int_equal(b->packet.ttl, 64);
    assert_true(b->packet.dont_fragment);
    assert_int_equal(b->packet.payload_length, 4);
    assert_memory_equal(b->packet.payload.data, "data", 4);
}

static void test_padding_is_not_payload(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(20, 6), TCP(5, TCP_ACK), 0, 0, 0, 0, 0, 0);
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.payload_length, 0);
    assert_int_equal(b->packet.payload.size, 0);
    ADD(b, ETHERNET(0x86dd), IPV6(20, 6), TCP(5, TCP_ACK), 0, 0, 0, 0, 0, 0);
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.payload_length, 0);
}

static void test_cut_payload_keeps_its_wire_length(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(20 + 1000, 6), TCP(5, TCP_ACK));
    bench_add_filler(b, 'x', 1000);
    assert_is_tcp(bench_decode_cut(b, 180));
    assert_int_equal(b->packet.payload_length, 1000);
    assert_int_equal(b->packet.payload.size, 180 - 14 - 40);
    assert_int_equal(b->packet.checksum, CHECKSUM_UNCHECKED);
    assert_int_equal(b->facts.notes.count, 0);
}

/* A tool has cut the packet without keeping its length: the IP header knows. */
static void test_length_beyond_frame_is_believed(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(20 + 1000, 6), TCP(5, TCP_ACK), 'x', 'y');
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.payload_length, 1000);
    assert_int_equal(b->packet.payload.size, 2);
    assert_int_equal(bench_noted(b, "IP length beyond frame"), 1);
}

static void test_length_zero_means_all_of_the_frame(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(-20, 6), TCP(5, TCP_ACK));
    bench_add_filler(b, 'x', 70000);
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.payload_length, 70000);
    ADD(b, ETHERNET(0x86dd), IPV6(0, 6), TCP(5, TCP_ACK));
    bench_add_filler(b, 'x', 70000);
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.payload_length, 70000);
}

static void test_length_zero_with_an_absurd_frame_length(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(-20, 6), TCP(5, TCP_ACK));
    bench_decode(b);
    b->frame.wire_length = UINT32_MAX;
    packet_decode(&b->decoder, &b->frame, &b->facts, &b->packet);
    assert_is_tcp(&b->packet);
    assert_true(b->packet.payload_length <= 524280);
}

static void test_options_are_skipped(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = LINK_RAW;
    /*     ihl 6                                                                                  router alert */
    ADD(b, 0x46, 0, 0, 44, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x94, 4, 0, 0, TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    assert_false(b->packet.dont_fragment);
}

static void test_impossible_headers(void **state)
{
    struct bench *b = *state;
    b->frame.link_type = LINK_RAW;
    ADD(b, 0x44, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, TCP(5, TCP_ACK)); /* 16 bytes */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    ADD(b, 0x45, 0, 0, 19, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, TCP(5, TCP_ACK)); /* below its header */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    ADD(b, 0x55, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, TCP(5, TCP_ACK)); /* version 5 */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    assert_int_equal(bench_noted(b, "malformed IP header"), 3);
    assert_int_equal(b->facts.undecoded, 3);
    ADD(b, 0x4f, 0, 0, 60, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        TCP(5, TCP_ACK)); /* options not captured */
    assert_int_equal(bench_decode_cut(b, 30)->kind, PACKET_OTHER);
    assert_int_equal(bench_noted(b, "malformed IP header"), 3);
}

static void test_extension_headers(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x86dd), IPV6(8 + 16 + 8 + 24 + 20, 0));
    ADD(b, /* hop by hop: next, units */ 60, 0, 1, 4, 0, 0, 0, 0);
    ADD(b, /* destination */ 44, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    ADD(b, /* a fragment that is the whole */ 51, 0, 0, 0, 1, 2, 3, 4);
    ADD(b, /* authentication: next, words - 2 */ 6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
        12);
    ADD(b, TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.payload_length, 0);
}

static void test_extension_headers_without_end(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x86dd), IPV6(8 * 100, 0));
    for (int i = 0; i < 100; i++)
        ADD(b, 60, 0, 1, 4, 0, 0, 0, 0);
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
    ADD(b, ETHERNET(0x86dd), IPV6(16, 0), 6, 255, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0); /* longer than the packet */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
}

/* TCP's checksum is made over the last destination, which this header does not show. */
static void test_routing_header_leaves_checksum_unjudged(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x86dd), IPV6(24 + 20, 43));
    ADD(b, /* next, units, type, left */ 6, 2, 2, 1, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        3);
    ADD(b, TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.checksum, CHECKSUM_UNCHECKED);
}

static void test_jumbo_payload(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x86dd), IPV6(0, 0), /* next, units, jumbo option */ 6, 0, 0xc2, 4, U32(8 + 20 + 70000));
    ADD(b, TCP(5, TCP_ACK));
    bench_add_filler(b, 'x', 70000 + 3);
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.payload_length, 70000);
    ADD(b, ETHERNET(0x86dd), IPV6(0, 0), 6, 0, 0xc2, 4, U32(0xffffffff), TCP(5, TCP_ACK), 'x');
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->packet.payload_length, 1);
}

static void test_ip_in_ip(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), 0x45, 0, 0, 120, 0, 1, 0, 0, 9, 41, 0, 0, 192, 168, 0, 1, 192, 168, 0,
        2); /* IPv6 in IPv4 */
    ADD(b, IPV6(60, 4), IPV4(40, 4), IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    assert_address(&b->packet.source.address, "10.0.0.1");
    assert_int_equal(b->packet.ttl, 64);
}

static void test_gre(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(4 + 40, 47), 0, 0, U16(0x0800), IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    /*                                         checksum, key, sequence */
    ADD(b, ETHERNET(0x0800), IPV4(16 + 54, 47), 0xb0, 0, U16(0x6558), 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2);
    ADD(b, ETHERNET(0x0800), IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    /*                                       PPTP: key, sequence, acknowledgement */
    ADD(b, ETHERNET(0x0800), IPV4(16 + 42, 47), 0x30, 0x81, U16(0x880b), 0, 42, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x00,
        0x21);
    ADD(b, IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    ADD(b, ETHERNET(0x0800), IPV4(4 + 40, 47), 0x40, 0, U16(0x0800), IPV4(20, 6), TCP(5, TCP_ACK)); /* source routes */
    assert_int_equal(bench_decode(b)->kind, PACKET_OTHER);
}

static void test_erspan(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(4 + 54, 47), 0, 0, U16(0x88be)); /* type I: no header */
    ADD(b, ETHERNET(0x0800), IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    ADD(b, ETHERNET(0x0800), IPV4(16 + 54, 47), 0x10, 0, U16(0x88be), 0, 0, 0, 1, /* II */ 0x10, 0, 0, 0, 0, 0, 0, 0);
    ADD(b, ETHERNET(0x0800), IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    ADD(b, ETHERNET(0x0800), IPV4(28 + 54, 47), 0x10, 0, U16(0x22eb), 0, 0, 0, 1);
    ADD(b, /* III, with the platform header */ 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    ADD(b, ETHERNET(0x0800), IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
}

static void test_tunnels_in_udp(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(16 + 54, 17), UDP(8 + 54, 4789), 0x08, 0, 0, 0, 0, 0, 7, 0); /* VXLAN */
    ADD(b, ETHERNET(0x0800), IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    /*                                                         Geneve: 1 word of options */
    ADD(b, ETHERNET(0x0800), IPV4(20 + 54, 17), UDP(12 + 54, 6081), 1, 0, U16(0x6558), 0, 0, 7, 0, 1, 2, 3, 4);
    ADD(b, ETHERNET(0x0800), IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    ADD(b, ETHERNET(0x0800), IPV4(16 + 60, 17), UDP(8 + 60, 3544), 0, 0, 1, 2, 3, 4, 5, 6); /* Teredo, with origin */
    ADD(b, IPV6(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    ADD(b, ETHERNET(0x0800), IPV4(16 + 40, 17), UDP(8 + 40, 2152), 0x30, 255, 0, 40, 0, 0, 0, 7); /* GTP-U */
    ADD(b, IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
}

static void test_tunnel_with_nothing_inside_stays_udp(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(16 + 18, 17), UDP(8 + 18, 4789), 0x08, 0, 0, 0, 0, 0, 7, 0, ETHERNET(0x0806), 1, 2, 3,
        4);
    assert_int_equal(bench_decode(b)->kind, PACKET_UDP);
    assert_int_equal(b->packet.destination.port, 4789);
    assert_int_equal(b->packet.payload_length, 26);
}

#define LIKE_VXLAN_WITH_TCP 0x08, 0, 0, 0, 0, 0, 7, 0, ETHERNET(0x0800), IPV4(20, 6), TCP(5, TCP_ACK)

static void test_tunnel_s_port_in_use_by_a_client_of_dns(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(8 + 8 + 54, 17), U16(53), U16(4789), U16(8 + 8 + 54), 0, 0, LIKE_VXLAN_WITH_TCP);
    assert_int_equal(bench_decode(b)->kind, PACKET_UDP);
    assert_int_equal(b->packet.source.port, 53);
    ADD(b, ETHERNET(0x0800), IPV4(8 + 8 + 54, 17), U16(4789), U16(53), U16(8 + 8 + 54), 0, 0, LIKE_VXLAN_WITH_TCP);
    assert_int_equal(bench_decode(b)->kind, PACKET_UDP);
    ADD(b, ETHERNET(0x0800), IPV4(8 + 8 + 54, 17), U16(4789), U16(50000), U16(8 + 8 + 54), 0, 0, LIKE_VXLAN_WITH_TCP);
    assert_is_tcp(bench_decode(b)); /* a tunnel, told by the port at its other end */
}

static void test_udp_lengths(void **state)
{
    struct bench *b = *state;
    ADD(b, ETHERNET(0x0800), IPV4(12, 17), UDP(2, 1434), 'a', 'b', 'x', 'x'); /* shorter than IP tells */
    assert_int_equal(bench_decode(b)->payload_length, 2);
    assert_memory_equal(b->packet.payload.data, "ab", 2);
    ADD(b, ETHERNET(0x0800), IPV4(12, 17), UDP(500, 1434), 'a', 'b', 'c', 'd'); /* longer */
    assert_int_equal(bench_decode(b)->payload_length, 4);
    ADD(b, ETHERNET(0x0800), IPV4(12, 17), UDP(-5, 1434), 'a', 'b', 'c', 'd'); /* shorter than its header */
    assert_int_equal(bench_decode(b)->payload_length, 4);
    assert_int_equal(bench_noted(b, "malformed UDP header"), 2);
}

/* Numbers that are the same in every run. */
static uint32_t next_number(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Most of what is added is a plain header; what may make it another one changes now and then. */
static void add_nearly_plain(struct bench *b, uint32_t *seed)
{
    bool odd = next_number(seed) % 2;
    uint16_t length = (uint16_t)(odd ? next_number(seed) % 90 : 40 + next_number(seed) % 40);
    uint16_t fragment = (uint16_t)(odd && next_number(seed) % 4 == 0 ? next_number(seed) : 0x4000);
    uint8_t first = (uint8_t)(odd && next_number(seed) % 4 == 0 ? next_number(seed) : 0x45);
    uint8_t protocol = (uint8_t)(odd && next_number(seed) % 4 == 0 ? next_number(seed) % 64 : 6);
    ADD(b, first, 0, U16(length), U16(next_number(seed)), U16(fragment), (uint8_t)next_number(seed), protocol, 0, 0, 10,
        0, 0, 1, 10, 0, 0, (uint8_t)next_number(seed), TCP(5, TCP_ACK));
    bench_add_filler(b, (uint8_t)next_number(seed), next_number(seed) % 60);
}

static void decode_with(struct bench *b, uint32_t link_type, const struct bench *ip, size_t captured)
{
    b->size = 0;
    b->frame.link_type = link_type;
    if (link_type == LINK_ETHERNET)
        ADD(b, ETHERNET(0x0800));
    size_t before = b->size;
    bench_add(b, ip->bytes, ip->size);
    bench_decode_cut(b, before + captured);
}

/* What plain_ipv4.c reads in one step is what the layers make of it: without Ethernet before it they read all of it. */
static void test_ethernet_before_it_changes_nothing(void **state)
{
    struct bench *plain = *state, *layers = calloc(1, sizeof *layers), *ip = calloc(1, sizeof *ip);
    uint32_t seed = 1, tcp = 0;
    packet_decoder_open(&layers->decoder);
    for (int i = 0; i < 20000; i++) {
        ip->size = 0;
        add_nearly_plain(ip, &seed);
        size_t captured = next_number(&seed) % 4 ? ip->size : next_number(&seed) % (ip->size + 1);
        decode_with(plain, LINK_ETHERNET, ip, captured);
        decode_with(layers, LINK_RAW, ip, captured);
        const struct packet *a = &plain->packet, *b = &layers->packet;
        tcp += a->kind == PACKET_TCP;
        assert_int_equal(a->kind, b->kind);
        assert_true(endpoint_equal(&a->source, &b->source) && endpoint_equal(&a->destination, &b->destination));
        assert_int_equal(a->ip_id, b->ip_id);
        assert_int_equal(a->ttl, b->ttl);
        assert_int_equal(a->dont_fragment, b->dont_fragment);
        assert_int_equal(a->checksum, b->checksum);
        assert_int_equal(a->payload.size, b->payload.size);
        assert_int_equal(a->payload_length, b->payload_length);
        assert_memory_equal(&a->tcp, &b->tcp, sizeof a->tcp);
    }
    assert_true(tcp > 10000);
    assert_int_equal(plain->facts.notes.count, layers->facts.notes.count);
    packet_decoder_close(&layers->decoder);
    notes_close(&layers->facts.notes);
    free(layers->decoded);
    free(layers);
    free(ip);
}

/* A TCP header with and without options, some of them damaged. */
static void add_options(struct bench *b, uint32_t *seed)
{
    static const uint8_t timestamps[] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
    uint8_t words = (uint8_t)(next_number(seed) % 3 ? 8 : next_number(seed) % 16);
    ADD(b, 0x45, 0, U16(40 + next_number(seed) % 60), U16(7), U16(0x4000), 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0,
        (uint8_t)next_number(seed), TCP(words, TCP_ACK));
    bench_add(b, timestamps, sizeof timestamps);
    if (next_number(seed) % 4 == 0)
        b->bytes[b->size - 1 - next_number(seed) % sizeof timestamps] = (uint8_t)next_number(seed);
    bench_add_filler(b, (uint8_t)next_number(seed), next_number(seed) % 60);
}

static uint64_t all_notes(const struct capture_facts *facts)
{
    uint64_t count = facts->notes.dropped;
    for (uint32_t i = 0; i < facts->notes.count; i++)
        count += facts->notes.list[i].count;
    return count;
}

/* Whoever is content with a glance misses nothing: it is of whom decoding says, and nothing odd is told of it. */
static void test_glance_tells_what_decoding_does(void **state)
{
    struct bench *b = *state, *ip = calloc(1, sizeof *ip);
    uint32_t seed = 5, told = 0;
    for (int i = 0; i < 40000; i++) {
        struct plain_ends ends;
        ip->size = 0;
        if (i % 2)
            add_nearly_plain(ip, &seed);
        else
            add_options(ip, &seed);
        uint64_t notes = all_notes(&b->facts);
        decode_with(b, LINK_ETHERNET, ip, next_number(&seed) % 4 ? ip->size : next_number(&seed) % (ip->size + 1));
        if (!plain_ipv4_ends(&b->frame, &ends))
            continue;
        told++;
        assert_int_equal(b->packet.kind, PACKET_TCP);
        assert_int_equal(ends.source_port, b->packet.source.port);
        assert_int_equal(ends.destination_port, b->packet.destination.port);
        assert_int_equal(ends.hash, b->packet.ends_hash);
        assert_int_equal(all_notes(&b->facts), notes);
    }
    assert_true(told > 10000);
    free(ip);
}

static bool wants_port(void *context, const struct packet *packet)
{
    return packet->destination.port == *(const uint16_t *)context;
}

static void test_what_nobody_wants_is_not_counted(void **state)
{
    struct bench *b = *state;
    uint16_t port = 1434;
    b->decoder.choice = wants_port;
    b->decoder.choice_context = &port;
    ADD(b, ETHERNET(0x0800), IPV4(20, 6), TCP(5, TCP_ACK));
    bench_decode(b);
    assert_int_equal(b->facts.tcp_packets, 0);
    port = 1433;
    ADD(b, ETHERNET(0x0800), IPV4(20, 6), TCP(5, TCP_ACK));
    assert_is_tcp(bench_decode(b));
    assert_int_equal(b->facts.tcp_packets, 1);
    b->decoder.choice = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_glance_tells_what_decoding_does),
        BENCH_TEST(test_what_nobody_wants_is_not_counted),
        BENCH_TEST(test_header_fields),
        BENCH_TEST(test_padding_is_not_payload),
        BENCH_TEST(test_cut_payload_keeps_its_wire_length),
        BENCH_TEST(test_length_beyond_frame_is_believed),
        BENCH_TEST(test_length_zero_means_all_of_the_frame),
        BENCH_TEST(test_length_zero_with_an_absurd_frame_length),
        BENCH_TEST(test_options_are_skipped),
        BENCH_TEST(test_impossible_headers),
        BENCH_TEST(test_extension_headers),
        BENCH_TEST(test_extension_headers_without_end),
        BENCH_TEST(test_routing_header_leaves_checksum_unjudged),
        BENCH_TEST(test_jumbo_payload),
        BENCH_TEST(test_ip_in_ip),
        BENCH_TEST(test_gre),
        BENCH_TEST(test_erspan),
        BENCH_TEST(test_tunnels_in_udp),
        BENCH_TEST(test_tunnel_with_nothing_inside_stays_udp),
        BENCH_TEST(test_tunnel_s_port_in_use_by_a_client_of_dns),
        BENCH_TEST(test_udp_lengths),
        BENCH_TEST(test_ethernet_before_it_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
