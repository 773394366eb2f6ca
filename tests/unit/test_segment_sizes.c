/* Tests of the sizes of segments: what was sent, what arrived whole, and what never does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "segment_sizes.h"

enum { CLIENT = 0 };

struct bench {
    struct conversation conversation;
    struct flow flow;
};

static const struct tcp_side *facts_of(const struct bench *b)
{
    return &b->conversation.sides[SIDE_CLIENT];
}

static void sent(struct bench *b, uint32_t seq, uint32_t length, bool again)
{
    struct packet p = {.payload_length = length, .tcp = {.seq = seq}};
    b->flow.conversation = &b->conversation;
    segment_sizes_sent(&b->flow, CLIENT, &p, again);
}

static void acknowledged(struct bench *b, uint32_t ack)
{
    segment_sizes_acknowledged(&b->flow, CLIENT, ack);
}

static void assert_sizes(const struct bench *b, uint32_t largest, uint32_t arrived, uint32_t unanswered)
{
    assert_int_equal(facts_of(b)->largest_payload, largest);
    assert_int_equal(facts_of(b)->largest_acknowledged, arrived);
    assert_int_equal(facts_of(b)->largest_unanswered, unanswered);
}

static void test_acknowledged_as_far_as_it_goes(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0xfffffff0u, 500, false); /* the sequence space wraps */
    sent(&b, 0xfffffff0u + 500, 1000, false);
    sent(&b, 0xfffffff0u + 1500, 1460, false);
    assert_sizes(&b, 1460, 0, 0);
    acknowledged(&b, 0xfffffff0u + 500);
    assert_sizes(&b, 1460, 500, 0);
    acknowledged(&b, 0xfffffff0u + 1500);
    assert_sizes(&b, 1460, 500, 0); /* of three that wait the first and the largest are known */
    acknowledged(&b, 0xfffffff0u + 2960);
    assert_sizes(&b, 1460, 1460, 0);
    sent(&b, 0xfffffff0u + 2960, 200, false);
    acknowledged(&b, 0xfffffff0u + 3160);
    assert_sizes(&b, 1460, 1460, 0);
}

static void test_large_ones_never_arrive(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0, 88, false);
    acknowledged(&b, 88);
    sent(&b, 88, 1460, false);
    sent(&b, 1548, 300, false);
    assert_sizes(&b, 1460, 88, 0);
    sent(&b, 88, 1460, true);
    sent(&b, 88, 1460, true);
    assert_sizes(&b, 1460, 88, 1460);
}

/* The sender learns better, and cuts it into pieces: those arrive, and nothing is said of the whole. */
static void test_in_pieces_it_arrives(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0, 88, false);
    acknowledged(&b, 88);
    sent(&b, 88, 400, false);
    sent(&b, 488, 1460, false);
    sent(&b, 488, 1460, true);
    sent(&b, 488, 536, true);
    acknowledged(&b, 488);
    assert_sizes(&b, 1460, 400, 1460);
    sent(&b, 1024, 536, true);
    sent(&b, 1560, 388, true);
    acknowledged(&b, 1948);
    assert_sizes(&b, 1460, 400, 0);
}

/* The first one is cut up, the one behind it goes through. */
static void test_a_larger_one_behind_it_arrives(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0, 400, false);
    sent(&b, 400, 1460, false);
    sent(&b, 0, 200, true);
    acknowledged(&b, 400);
    assert_sizes(&b, 1460, 0, 0);
    acknowledged(&b, 1860);
    assert_sizes(&b, 1460, 1460, 0);
}

static void test_lost_by_chance_and_sent_again(void **state)
{
    (void)state;
    struct bench b = {0};
    sent(&b, 0, 1460, false);
    sent(&b, 0, 1460, true);
    assert_sizes(&b, 1460, 0, 1460);
    acknowledged(&b, 1460);
    assert_sizes(&b, 1460, 1460, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acknowledged_as_far_as_it_goes), cmocka_unit_test(test_large_ones_never_arrive),
        cmocka_unit_test(test_in_pieces_it_arrives),           cmocka_unit_test(test_a_larger_one_behind_it_arrives),
        cmocka_unit_test(test_lost_by_chance_and_sent_again),
    };
    return cmocka_run_group_tests_name("segment_sizes", tests, NULL, NULL);
}
