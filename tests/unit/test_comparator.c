/* Tests of comparing two captures of one connection packet by packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "comparator.h"

/* The server's clock is ahead by this much, and each way takes WAY_NS. */
#define AHEAD_NS (7 * NS_PER_SECOND)
#define WAY_NS (10 * NS_PER_MS)
#define BEGIN_NS (1000000 * NS_PER_SECOND)

enum { NOWHERE = -1, CLIENT_ISN = 1000, SERVER_ISN = 9000 };

struct talk {
    struct conversation client, server;
    struct clock_facts clock;
    struct comparison comparison;
    struct comparator comparator;
    uint32_t frames[SIDES];
    uint16_t ids[SIDES];
    uint32_t shift[SIDES]; /* of each side's sequence numbers in the server's capture */
};

static void begin(struct talk *talk, uint32_t client_shift, uint32_t server_shift)
{
    *talk = (struct talk){.shift = {client_shift, server_shift}, .ids = {100, 5000}};
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        uint32_t isn = side == SIDE_CLIENT ? CLIENT_ISN : SERVER_ISN;
        talk->client.sides[side].isn = isn;
        talk->server.sides[side].isn = isn + talk->shift[side];
        talk->client.sides[side].isn_known = talk->server.sides[side].isn_known = true;
        talk->client.sides[side].mss = talk->server.sides[side].mss = 1460;
    }
    talk->clock = (struct clock_facts){.known = true, .server_minus_client_ns = AHEAD_NS, .uncertainty_ns = NS_PER_MS};
    comparator_open(&talk->comparator, &talk->comparison, &talk->client, &talk->server, &talk->clock);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        talk->comparator.coverage[side] =
            (struct coverage){BEGIN_NS - 60 * NS_PER_SECOND, BEGIN_NS + 600 * NS_PER_SECOND};
}

static struct packet packet_of(struct talk *talk, enum side sender, uint32_t seq, uint32_t length, uint8_t flags,
                               uint32_t ack)
{
    return (struct packet){.kind = PACKET_TCP,
                           .ip_id = talk->ids[sender]++,
                           .payload_length = length,
                           .tcp = {.seq = (sender == SIDE_CLIENT ? CLIENT_ISN : SERVER_ISN) + seq,
                                   .ack = (sender == SIDE_CLIENT ? SERVER_ISN : CLIENT_ISN) + ack,
                                   .flags = flags,
                                   .window = 500}};
}

/* As the capture of that side has it, ns after the beginning by the client's clock. */
static void seen(struct talk *talk, enum side at, enum side sender, struct packet p, int64_t ns)
{
    p.moment = (struct moment){BEGIN_NS + ns + (at == SIDE_SERVER ? AHEAD_NS : 0), ++talk->frames[at], (uint32_t)at};
    if (at == SIDE_SERVER) {
        p.tcp.seq += talk->shift[sender];
        p.tcp.ack += talk->shift[side_other(sender)];
    }
    comparator_add(&talk->comparator, at, sender, &p, false);
}

/* Sent at that time; arrives way_ns later, or NOWHERE. */
static void send_packet(struct talk *talk, enum side sender, struct packet p, int64_t ns, int64_t way_ns)
{
    seen(talk, sender, sender, p, ns);
    if (way_ns != NOWHERE)
        seen(talk, side_other(sender), sender, p, ns + way_ns);
}

static struct passage *end(struct talk *talk, enum side sender)
{
    comparator_close(&talk->comparator);
    return &talk->comparison.passages[sender];
}

static void test_everything_arrives_under_other_numbers(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 12345, 0);
    for (uint32_t i = 0; i < 5000; i++)
        send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1 + 100 * i, 100, TCP_ACK, 1), i * NS_PER_MS,
                    WAY_NS);
    struct passage *passage = end(&talk, SIDE_CLIENT);
    assert_int_equal(passage->arrived, 5000);
    assert_int_equal(passage->lost + passage->injected + passage->missed + passage->unsent + passage->open, 0);
    assert_int_equal(passage->shortest_ns, WAY_NS);
    assert_int_equal(passage->longest_ns, WAY_NS);
    assert_int_equal(passage->changes, CHANGED_SEQUENCE_NUMBERS);
}

static void test_a_lost_packet_that_is_repeated(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 0, 0);
    send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1, 100, TCP_ACK, 1), 0, NOWHERE);
    send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1, 100, TCP_ACK, 1), NS_PER_SECOND, WAY_NS);
    send_packet(&talk, SIDE_SERVER, packet_of(&talk, SIDE_SERVER, 1, 0, TCP_ACK, 101), 2 * NS_PER_SECOND, WAY_NS);
    struct passage *passage = end(&talk, SIDE_CLIENT);
    assert_int_equal(passage->arrived, 1);
    assert_int_equal(passage->lost_data, 1);
    assert_int_equal(passage->lost_at_end, 0);
    assert_int_equal(passage->first_lost.frame, 1);
    assert_int_equal(passage->longest_ns, WAY_NS); /* of the second one, not from the first */
}

/* The same packets, but the bytes were acknowledged and sent only once: the capture missed the packet. */
static void test_a_packet_that_a_capture_missed(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 0, 0);
    send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1, 100, TCP_ACK, 1), 0, NOWHERE);
    send_packet(&talk, SIDE_SERVER, packet_of(&talk, SIDE_SERVER, 1, 0, TCP_ACK, 101), 2 * WAY_NS, WAY_NS);
    struct passage *passage = end(&talk, SIDE_CLIENT);
    assert_int_equal(passage->missed, 1);
    assert_int_equal(passage->lost, 0);
}

static void test_packets_that_stop_arriving(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 0, 0);
    send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1, 100, TCP_ACK, 1), 0, WAY_NS);
    for (int i = 0; i < 5; i++)
        send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 101, 100, TCP_ACK, 1), (1 + i) * NS_PER_SECOND,
                    NOWHERE);
    send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 201, 0, TCP_RST | TCP_ACK, 1), 9 * NS_PER_SECOND,
                WAY_NS);
    struct passage *passage = end(&talk, SIDE_CLIENT);
    assert_int_equal(passage->lost_at_end, 5); /* that a reset gets through in the end does not change it */
    assert_int_equal(passage->lost_at_end_first.frame, 2);
    assert_false(passage->probe_first);
}

/* Near: the other capture was over by then. */
static void test_packets_after_the_other_capture_s_end(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 0, 0);
    talk.comparator.coverage[SIDE_SERVER].to_ns = BEGIN_NS + NS_PER_SECOND;
    send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1, 100, TCP_ACK, 1), 0, WAY_NS);
    for (int i = 0; i < 5; i++)
        send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 101, 100, TCP_ACK, 1), (2 + i) * NS_PER_SECOND,
                    NOWHERE);
    struct passage *passage = end(&talk, SIDE_CLIENT);
    assert_int_equal(passage->lost, 0);
    assert_int_equal(passage->open_at_end, 5);
}

static void test_keep_alives_that_do_not_arrive(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 0, 0);
    send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1, 100, TCP_ACK, 1), 0, WAY_NS);
    for (int i = 0; i < 4; i++)
        send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 100, 1, TCP_ACK, 1), (30 + i) * NS_PER_SECOND,
                    NOWHERE);
    struct passage *passage = end(&talk, SIDE_CLIENT);
    assert_true(passage->probe_first);
    assert_int_equal(passage->probes_lost_at_end, 4);
}

static void test_a_reset_that_nobody_sent(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 0, 0);
    send_packet(&talk, SIDE_SERVER, packet_of(&talk, SIDE_SERVER, 1, 300, TCP_ACK, 1), 0, WAY_NS);
    seen(&talk, SIDE_CLIENT, SIDE_SERVER, packet_of(&talk, SIDE_SERVER, 301, 0, TCP_RST | TCP_ACK, 1), NS_PER_SECOND);
    struct passage *passage = end(&talk, SIDE_SERVER);
    assert_int_equal(passage->injected, 1);
    assert_int_equal(passage->injected_reset.frame, 2);
}

/* A card splits a large segment, and the other end's joins two. */
static void test_pieces_and_joined_packets(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 0, 0);
    seen(&talk, SIDE_CLIENT, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1, 4380, TCP_ACK, 1), 0);
    for (uint32_t i = 0; i < 3; i++)
        seen(&talk, SIDE_SERVER, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1 + 1460 * i, 1460, TCP_ACK, 1), WAY_NS);
    seen(&talk, SIDE_SERVER, SIDE_SERVER, packet_of(&talk, SIDE_SERVER, 1, 1460, TCP_ACK, 4381), 2 * WAY_NS);
    seen(&talk, SIDE_SERVER, SIDE_SERVER, packet_of(&talk, SIDE_SERVER, 1461, 1460, TCP_ACK, 4381), 2 * WAY_NS);
    seen(&talk, SIDE_CLIENT, SIDE_SERVER, packet_of(&talk, SIDE_SERVER, 1, 2920, TCP_ACK, 4381), 3 * WAY_NS);
    struct passage *out = end(&talk, SIDE_CLIENT), *back = &talk.comparison.passages[SIDE_SERVER];
    assert_int_equal(out->arrived, 1);
    assert_int_equal(back->arrived, 2);
    assert_int_equal(out->lost + out->lost_data + out->injected + out->duplicated, 0);
    assert_int_equal(back->lost + back->lost_data + back->injected + back->duplicated, 0);
    assert_int_equal(out->largest_arrived, 1460);
}

/* A card joins what it gets; the large packet has the IP ID and the timestamp of the first piece. */
static void test_joined_packets_with_timestamps(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 0, 0);
    struct packet joined = {0};
    for (uint32_t i = 0; i < 3; i++) {
        struct packet p = packet_of(&talk, SIDE_SERVER, 1 + 1000 * i, 1000, TCP_ACK, 1);
        p.tcp.has_timestamp = true;
        p.tcp.timestamp_value = 70 + i;
        if (i == 0)
            joined = p;
        send_packet(&talk, SIDE_SERVER, p, i * NS_PER_MS, NOWHERE);
    }
    joined.payload_length = 3000;
    seen(&talk, SIDE_CLIENT, SIDE_SERVER, joined, 2 * NS_PER_MS + WAY_NS);
    send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1, 0, TCP_ACK, 3001), 20 * NS_PER_MS, WAY_NS);
    struct passage *passage = end(&talk, SIDE_SERVER);
    assert_int_equal(passage->arrived, 3);
    assert_int_equal(passage->missed + passage->lost, 0);
}

static void test_late_packets(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 0, 0);
    for (uint32_t i = 0; i < 4; i++)
        send_packet(&talk, SIDE_SERVER, packet_of(&talk, SIDE_SERVER, 1 + 10 * i, 10, TCP_ACK, 1),
                    i * 10 * NS_PER_SECOND, i == 2 ? 2 * NS_PER_SECOND : WAY_NS);
    struct passage *passage = end(&talk, SIDE_SERVER);
    assert_int_equal(passage->late, 1);
    assert_int_equal(passage->longest_ns, 2 * NS_PER_SECOND);
    assert_int_equal(passage->longest_sent.frame, 3);
}

/* The server's capture has nothing of ten seconds, in which data was acknowledged: what it lacks of them was not lost, and whether
 * it missed what arrived from there nobody asks. Without the hole, both would be said. */
static void test_a_hole_hides(void **state)
{
    (void)state;
    for (int is_known = 0; is_known < 2; is_known++) {
        struct talk talk;
        struct capture_silences silences = {0};
        begin(&talk, 0, 0);
        talk.comparator.silences[SIDE_SERVER] = &silences;
        capture_silences_see(&silences, BEGIN_NS + AHEAD_NS);
        capture_silences_see(&silences, BEGIN_NS + AHEAD_NS + 10 * NS_PER_SECOND);
        for (int i = 0; is_known && i < 5; i++)
            capture_silences_miss(&silences, BEGIN_NS + AHEAD_NS + NS_PER_SECOND, BEGIN_NS + AHEAD_NS + NS_PER_SECOND);
        send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1, 100, TCP_ACK, 1), 0, WAY_NS);
        for (int i = 0; i < 4; i++)
            send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 101, 0, TCP_ACK, 1), (2 + i) * NS_PER_SECOND,
                        NOWHERE);
        seen(&talk, SIDE_CLIENT, SIDE_SERVER, packet_of(&talk, SIDE_SERVER, 1, 50, TCP_ACK, 101), 7 * NS_PER_SECOND);
        struct passage *passage = end(&talk, SIDE_CLIENT);
        assert_int_equal(passage->lost, is_known ? 0 : 4);
        assert_int_equal(passage->open, is_known ? 4 : 0);
        assert_int_equal(talk.comparison.passages[SIDE_SERVER].unsent, is_known ? 0 : 1); /* no device makes up data */
        assert_int_equal(talk.comparison.passages[SIDE_SERVER].injected, 0);
        assert_int_equal(talk.comparison.hidden[SIDE_SERVER], is_known ? 5 : 0);
        assert_int_equal(talk.comparison.hidden[SIDE_CLIENT], 0);
        capture_silences_close(&silences);
    }
}

/* The request is acknowledged with the server's address; less is what the server itself acknowledges a second later, or at once, or never. */
static struct passage *end_of_a_vouched_one(struct talk *talk, int64_t server_ns, uint32_t server_ack)
{
    begin(talk, 0, 0);
    send_packet(talk, SIDE_CLIENT, packet_of(talk, SIDE_CLIENT, 1, 100, TCP_ACK, 1), 0, WAY_NS);
    send_packet(talk, SIDE_SERVER, packet_of(talk, SIDE_SERVER, 1, 50, TCP_ACK, 101), 20 * NS_PER_MS, WAY_NS);
    seen(talk, SIDE_CLIENT, SIDE_CLIENT, packet_of(talk, SIDE_CLIENT, 101, 100, TCP_ACK, 51), NS_PER_SECOND);
    seen(talk, SIDE_CLIENT, SIDE_SERVER, packet_of(talk, SIDE_SERVER, 51, 0, TCP_ACK, 201),
         NS_PER_SECOND + 2 * NS_PER_MS);
    if (server_ns != NOWHERE)
        send_packet(talk, SIDE_SERVER, packet_of(talk, SIDE_SERVER, 50, 1, TCP_ACK, server_ack), server_ns, WAY_NS);
    return end(talk, SIDE_CLIENT);
}

static void test_who_says_that_a_missed_packet_arrived(void **state)
{
    (void)state;
    struct talk talk;
    struct passage *passage = end_of_a_vouched_one(&talk, 30 * NS_PER_SECOND, 101);
    assert_int_equal(passage->missed, 1);
    assert_int_equal(passage->vouched_at_end, 1);
    assert_int_equal(passage->vouched_first.frame, 3);
    assert_true(moment_seen(&passage->acked_less));

    passage = end_of_a_vouched_one(&talk, 30 * NS_PER_SECOND, 201);
    assert_int_equal(passage->missed, 1);
    assert_int_equal(passage->vouched_at_end, 0);
    assert_false(moment_seen(&passage->acked_less));

    passage = end_of_a_vouched_one(&talk, NS_PER_SECOND + 500 * NS_PER_MS, 101);
    assert_int_equal(passage->vouched_at_end, 1);
    assert_false(moment_seen(&passage->acked_less));

    passage = end_of_a_vouched_one(&talk, NOWHERE, 0);
    assert_int_equal(passage->vouched_at_end, 1);
    assert_false(moment_seen(&passage->acked_less));
}

/* What is missed is told of to the silence in which it passed. */
static void test_what_is_missed_makes_a_hole(void **state)
{
    (void)state;
    struct talk talk;
    struct capture_silences silences = {0};
    begin(&talk, 0, 0);
    talk.comparator.silences[SIDE_SERVER] = &silences;
    capture_silences_see(&silences, BEGIN_NS + AHEAD_NS - NS_PER_SECOND);
    capture_silences_see(&silences, BEGIN_NS + AHEAD_NS + NS_PER_SECOND);
    capture_silences_see(&silences, BEGIN_NS + AHEAD_NS + 3 * NS_PER_SECOND);
    send_packet(&talk, SIDE_CLIENT, packet_of(&talk, SIDE_CLIENT, 1, 100, TCP_ACK, 1), 0, NOWHERE);
    send_packet(&talk, SIDE_SERVER, packet_of(&talk, SIDE_SERVER, 1, 0, TCP_ACK, 101), 2 * WAY_NS, WAY_NS);
    assert_int_equal(end(&talk, SIDE_CLIENT)->missed, 1);
    assert_int_equal(silences.list[0].missed, 1);
    assert_int_equal(silences.list[1].missed, 0);
    capture_silences_close(&silences);
}

/* The client goes on repeating after its capture's end: the copies that arrive then are not those of before, held up for so long. */
static void test_repetitions_after_the_own_capture_s_end(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 0, 0);
    talk.comparator.coverage[SIDE_CLIENT].to_ns = BEGIN_NS + 500 * NS_PER_MS;
    for (int i = 0; i < 6; i++) {
        struct packet p = packet_of(&talk, SIDE_CLIENT, 1, 100, TCP_ACK, 1);
        p.ip_id = 0;
        if (i < 2)
            seen(&talk, SIDE_CLIENT, SIDE_CLIENT, p, (1 << i) * 200 * NS_PER_MS);
        seen(&talk, SIDE_SERVER, SIDE_CLIENT, p, (1 << i) * 200 * NS_PER_MS + WAY_NS);
    }
    struct passage *passage = end(&talk, SIDE_CLIENT);
    assert_int_equal(passage->arrived, 2);
    assert_int_equal(passage->late, 0);
    assert_int_equal(passage->open, 4);
}

/* Both initial numbers differ, and so does the rest of the SYN: two connections that a device has joined. */
static void test_two_connections_with_the_same_bytes(void **state)
{
    (void)state;
    struct talk talk;
    begin(&talk, 777, 888);
    struct packet syn = packet_of(&talk, SIDE_CLIENT, 0, 0, TCP_SYN, 0);
    syn.tcp.has_timestamp = true;
    syn.tcp.timestamp_value = 5;
    seen(&talk, SIDE_CLIENT, SIDE_CLIENT, syn, 0);
    syn.tcp.timestamp_value = 99999;
    seen(&talk, SIDE_SERVER, SIDE_CLIENT, syn, WAY_NS);
    struct passage *passage = end(&talk, SIDE_CLIENT);
    assert_true(talk.comparison.relayed);
    assert_int_equal(passage->arrived + passage->lost + passage->injected, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_arrives_under_other_numbers),
        cmocka_unit_test(test_a_lost_packet_that_is_repeated),
        cmocka_unit_test(test_a_packet_that_a_capture_missed),
        cmocka_unit_test(test_packets_that_stop_arriving),
        cmocka_unit_test(test_packets_after_the_other_capture_s_end),
        cmocka_unit_test(test_keep_alives_that_do_not_arrive),
        cmocka_unit_test(test_a_reset_that_nobody_sent),
        cmocka_unit_test(test_pieces_and_joined_packets),
        cmocka_unit_test(test_joined_packets_with_timestamps),
        cmocka_unit_test(test_late_packets),
        cmocka_unit_test(test_a_hole_hides),
        cmocka_unit_test(test_who_says_that_a_missed_packet_arrived),
        cmocka_unit_test(test_what_is_missed_makes_a_hole),
        cmocka_unit_test(test_repetitions_after_the_own_capture_s_end),
        cmocka_unit_test(test_two_connections_with_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
