/* Tests of the time that a capture's clock tells, and the timestamps of both sides do not. */
#include "flow_bench.h"

/* What the clocks of both machines show, in ticks; the capture's goes on by itself. */
struct ticking {
    struct bench *bench;
    uint32_t ticks[SIDES];
    uint32_t ms_of_tick;
    uint32_t pending_ms;
};

static void say(struct ticking *t, enum side side, uint8_t flags, uint32_t seq, uint32_t ack, const char *payload)
{
    struct packet p = packet_from(t->bench, side, flags, seq, ack, payload);
    t->pending_ms++;
    t->ticks[SIDE_CLIENT] += t->pending_ms / t->ms_of_tick;
    t->ticks[SIDE_SERVER] += t->pending_ms / t->ms_of_tick;
    t->pending_ms %= t->ms_of_tick;
    p.tcp.has_timestamp = true;
    p.tcp.timestamp_value = t->ticks[side];
    flow_table_packet(&t->bench->table, &p);
}

/* A login of some 60 ms, until the server has acknowledged the last question. */
static struct ticking until_question(struct bench *b, uint32_t ms_of_tick)
{
    struct ticking t = {.bench = b, .ticks = {0xffffffff, 70000}, .ms_of_tick = ms_of_tick};
    say(&t, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    say(&t, SIDE_SERVER, TCP_SYN | TCP_ACK, 0, 1, "");
    say(&t, SIDE_CLIENT, TCP_ACK, 1, 1, "");
    for (uint32_t i = 0; i < 20; i++) {
        say(&t, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1 + i, 1 + i, "q");
        say(&t, SIDE_SERVER, TCP_ACK | TCP_PSH, 1 + i, 2 + i, "a");
    }
    say(&t, SIDE_CLIENT, TCP_ACK | TCP_PSH, 21, 21, "q");
    say(&t, SIDE_SERVER, TCP_ACK, 21, 22, "");
    return t;
}

static const struct conversation *with_answer(struct ticking *t)
{
    say(t, SIDE_SERVER, TCP_ACK | TCP_PSH, 21, 22, "a");
    say(t, SIDE_CLIENT, TCP_ACK, 22, 22, "");
    return only(t->bench);
}

static void test_a_clock_that_was_set_forward(void **state)
{
    struct ticking t = until_question(*state, 1);
    wait_ms(*state, 5000);
    const struct conversation *c = with_answer(&t);
    assert_true(c->stamps_tell);
    assert_in_range((c->left_alone.to_ns - c->left_alone.from_ns) / NS_PER_MS, 5000, 5002);
}

static void test_ticks_of_ten_ms(void **state)
{
    struct ticking t = until_question(*state, 10);
    wait_ms(*state, 5000);
    assert_true(with_answer(&t)->stamps_tell);
}

/* Near: the time did pass, on both machines. */
static void test_time_that_passed(void **state)
{
    struct ticking t = until_question(*state, 10);
    wait_ms(*state, 5000);
    t.ticks[SIDE_CLIENT] += 500;
    t.ticks[SIDE_SERVER] += 500;
    const struct conversation *c = with_answer(&t);
    assert_false(c->stamps_tell);
    assert_int_equal(c->left_alone.to_ns, 0);
}

/* Near: one machine stood still, and the other waited for it. */
static void test_one_machine_that_stood_still(void **state)
{
    struct ticking t = until_question(*state, 1);
    wait_ms(*state, 5000);
    t.ticks[SIDE_CLIENT] += 5000;
    assert_false(with_answer(&t)->stamps_tell);
}

/* Near: more than half of the time did pass. */
static void test_most_of_the_time_passed(void **state)
{
    struct ticking t = until_question(*state, 1);
    wait_ms(*state, 5000);
    t.ticks[SIDE_CLIENT] += 2600;
    t.ticks[SIDE_SERVER] += 2600;
    assert_false(with_answer(&t)->stamps_tell);
}

/* Near: a tick of a second shows no rate within such a short time. */
static void test_ticks_of_a_second(void **state)
{
    struct ticking t = until_question(*state, 1000);
    wait_ms(*state, 5000);
    assert_false(with_answer(&t)->stamps_tell);
}

/* Some stacks send a zero in their SYN; the rate is that of the other packets. */
static void test_a_syn_with_another_value(void **state)
{
    struct bench *b = *state;
    struct ticking t = {.bench = b, .ticks = {0, 0}, .ms_of_tick = 1000};
    say(&t, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    say(&t, SIDE_SERVER, TCP_SYN | TCP_ACK, 0, 1, "");
    t.ticks[SIDE_CLIENT] = t.ticks[SIDE_SERVER] = 900000;
    say(&t, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1, 1, "q");
    say(&t, SIDE_SERVER, TCP_ACK, 1, 2, "");
    wait_ms(b, 5000);
    say(&t, SIDE_SERVER, TCP_ACK | TCP_PSH, 1, 2, "a");
    say(&t, SIDE_CLIENT, TCP_ACK, 2, 2, "");
    assert_false(only(b)->stamps_tell);
}

/* A longer time that did pass does not hide it. */
static void test_a_long_wait_beside_it(void **state)
{
    struct ticking t = until_question(*state, 1);
    wait_ms(*state, 5000);
    say(&t, SIDE_SERVER, TCP_ACK | TCP_PSH, 21, 22, "a");
    say(&t, SIDE_CLIENT, TCP_ACK, 22, 22, "");
    wait_ms(*state, 20000);
    t.ticks[SIDE_CLIENT] += 20000;
    t.ticks[SIDE_SERVER] += 20000;
    say(&t, SIDE_CLIENT, TCP_ACK | TCP_PSH, 22, 22, "q");
    say(&t, SIDE_SERVER, TCP_ACK, 22, 23, "");
    const struct conversation *c = only(*state);
    assert_true(c->stamps_tell);
    assert_in_range((c->left_alone.to_ns - c->left_alone.from_ns) / NS_PER_MS, 5000, 5002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(test_a_clock_that_was_set_forward),
        FLOW_TEST(test_ticks_of_ten_ms),
        FLOW_TEST(test_time_that_passed),
        FLOW_TEST(test_one_machine_that_stood_still),
        FLOW_TEST(test_most_of_the_time_passed),
        FLOW_TEST(test_ticks_of_a_second),
        FLOW_TEST(test_a_syn_with_another_value),
        FLOW_TEST(test_a_long_wait_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
