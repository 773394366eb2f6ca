/* Tests of the sizes of segments: what was sent, what was acknowledged, and what never is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tcp_sizes.h"

enum { CLIENT = 0, SERVER = 1 };

struct bench {
    struct conversation conversation;
    struct flow flow;
};

static const struct tcp_side *facts_of(const struct bench *b)
{
    return &b->conversation.sides[SIDE_CLIENT];
}

static struct packet segment(uint32_t seq, uint32_t length)
{
    return (struct packet){.payload_length = length, .tcp = {.flags = TCP_ACK, .seq = seq}};
}

static void sent(struct bench *b, uint32_t seq, uint32_t length)
{
    struct packet p = segment(seq, length);
    b->flow.conversation = &b->conversation;
    flow_set_client(&b->flow, 0);
    tcp_sizes_new(&b->flow, CLIENT, &p);
}

static void sent_again(struct bench *b, uint32_t seq, uint32_t length)
{
    struct packet p = segment(seq, length);
    tcp_sizes_again(&b->flow, CLIENT, &p);
}

/* With what the other side has beyond that, if anything. */
static void acknowledged(struct bench *b, uint32_t ack, uint32_t left, uint32_t right)
{
    struct packet p = {.moment = {.time_ns = 1 + ack, .frame = 1}, .tcp = {.flags = TCP_ACK, .ack = ack}};
    p.tcp.sack_count = left != right;
    p.tcp.sack[0].left = left;
    p.tcp.sack[0].right = right;
    tcp_sizes_acknowledged(&b->flow, SERVER, &p);
    b->flow.directions[CLIENT].acked = ack;
    b->flow.directions[CLIENT].acked_known = true;
}

static void assert_sizes(const struct bench *b, uint32_t largest, uint32_t arrived, uint32_t unacknowledged)
{
    assert_int_equal(facts_of(b)->largest_payload, largest);
    assert_int_equal(facts_of(b)->largest_acknowledged, arrived);
    assert_int_equal(facts_of(b)->larger_unacknowledged, unacknowledged);
}

/* What is sent again may be what is seen of it for the first time. */
static void test_a_large_repetition_came_through(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 1, 100);
    sent_again(&b, 101, 1460);
    assert_int_equal(facts_of(&b)->largest_payload, 1460);
}

static void test_acknowledged_as_far_as_it_goes(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0xfffffff0u, 500); /* the sequence space wraps */
    sent(&b, 0xfffffff0u + 500, 1000);
    assert_sizes(&b, 1000, 0, 500); /* of two that wait the oldest is watched */
    acknowledged(&b, 0xfffffff0u + 499, 0, 0);
    assert_sizes(&b, 1000, 0, 500);
    acknowledged(&b, 0xfffffff0u + 500, 0, 0);
    assert_sizes(&b, 1000, 500, 0);
    sent(&b, 0xfffffff0u + 1500, 1460);
    acknowledged(&b, 0xfffffff0u + 2960, 0, 0);
    assert_sizes(&b, 1460, 1460, 0);
    sent(&b, 0xfffffff0u + 2960, 200);
    assert_sizes(&b, 1460, 1460, 0);
}

static void test_large_ones_never_arrive(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0, 88);
    acknowledged(&b, 88, 0, 0);
    sent(&b, 88, 1460);
    sent(&b, 1548, 300);
    acknowledged(&b, 88, 1548, 1848);
    sent_again(&b, 88, 1460);
    assert_sizes(&b, 1460, 88, 1460);
    assert_int_equal(facts_of(&b)->hole_bytes, 1460);
    assert_int_equal(facts_of(&b)->beyond_hole_bytes, 300);
    assert_true(moment_seen(&facts_of(&b)->hole));
}

/* Blocks below the acknowledgement report duplicates, and leave no hole. */
static void test_duplicates_leave_no_hole(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0, 400);
    acknowledged(&b, 400, 0, 400);
    assert_int_equal(facts_of(&b)->hole_bytes, 0);
    assert_false(moment_seen(&facts_of(&b)->hole));
}

static void test_a_hole_is_filled(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0, 400);
    acknowledged(&b, 0, 400, 500);
    assert_int_equal(facts_of(&b)->hole_bytes, 400);
    acknowledged(&b, 500, 0, 0);
    assert_int_equal(facts_of(&b)->hole_bytes, 0);
    assert_int_equal(facts_of(&b)->beyond_hole_bytes, 0);
    assert_false(moment_seen(&facts_of(&b)->hole));
}

/* An acknowledgement that a newer one has overtaken tells of what was. */
static void test_an_overtaken_one_leaves_no_hole(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0, 400);
    sent(&b, 400, 100);
    acknowledged(&b, 500, 0, 0);
    acknowledged(&b, 0, 400, 500);
    assert_int_equal(facts_of(&b)->hole_bytes, 0);
    assert_false(moment_seen(&facts_of(&b)->hole));
}

/* The sender learns better, and cuts it into pieces: those arrive, and nothing is said of the whole. */
static void test_in_pieces_it_arrives(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0, 88);
    acknowledged(&b, 88, 0, 0);
    sent(&b, 88, 1460);
    sent_again(&b, 88, 1460);
    assert_sizes(&b, 1460, 88, 1460);
    sent_again(&b, 88, 536);
    sent_again(&b, 624, 536);
    sent_again(&b, 1160, 388);
    assert_sizes(&b, 1460, 88, 536);
    acknowledged(&b, 1548, 0, 0);
    assert_sizes(&b, 1460, 536, 0);
}

static void test_lost_by_chance_and_sent_again(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0, 1460);
    sent_again(&b, 0, 1460);
    assert_sizes(&b, 1460, 0, 1460);
    acknowledged(&b, 1460, 0, 0);
    assert_sizes(&b, 1460, 1460, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_large_repetition_came_through),
        cmocka_unit_test(test_acknowledged_as_far_as_it_goes),
        cmocka_unit_test(test_large_ones_never_arrive),
        cmocka_unit_test(test_duplicates_leave_no_hole),
        cmocka_unit_test(test_a_hole_is_filled),
        cmocka_unit_test(test_an_overtaken_one_leaves_no_hole),
        cmocka_unit_test(test_in_pieces_it_arrives),
        cmocka_unit_test(test_lost_by_chance_and_sent_again),
    };
    return cmocka_run_group_tests_name("tcp_sizes", tests, NULL, NULL);
}
