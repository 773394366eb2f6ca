/* Tests of the flow floor: what sleeps, what lingers, and what leaves the table. */
#include "flow_bench.h"
#include "sleeping_flows.h"

static void test_finished_conversations_leave_the_table(void **state)
{
    struct bench *b = *state;
    for (uint32_t i = 0; i < 20000; i++) {
        b->port = (uint16_t)(1024 + i % 60000);
        send(b, SIDE_CLIENT, TCP_SYN, i, 0, "");
        send(b, SIDE_SERVER, TCP_RST | TCP_ACK, 0, i + 1, "");
        wait_ms(b, 1000);
    }
    /* One a second, each for four minutes, and for another round of ten seconds at most. */
    assert_true(b->table.flows.in_use >= 240);
    assert_true(b->table.flows.in_use < 2000);
    flow_table_close(&b->table);
    assert_int_equal(casebook_conversations(&b->casebook), 20000);
}

static void close_both(struct bench *b)
{
    send(b, SIDE_CLIENT, TCP_FIN | TCP_ACK, 1, 1, "");
    send(b, SIDE_SERVER, TCP_FIN | TCP_ACK, 1, 2, "");
    send(b, SIDE_CLIENT, TCP_ACK, 2, 2, "");
}

/* So many that what lingers of the first ones sleeps. */
static void open_and_close_many(struct bench *b)
{
    for (uint16_t i = 0; i < 2000; i++) {
        b->port = (uint16_t)(1024 + i);
        handshake(b);
        close_both(b);
    }
    assert_true(b->table.flows.in_use < 1100);
}

static void test_a_late_packet_wakes_what_lingers(void **state)
{
    struct bench *b = *state;
    open_and_close_many(b);
    b->port = 1030;
    send(b, SIDE_SERVER, TCP_FIN | TCP_ACK, 1, 2, "");
    flow_table_close(&b->table);
    assert_int_equal(casebook_conversations(&b->casebook), 2000);
    const struct conversation *c = casebook_conversation(&b->casebook, 6);
    assert_int_equal(c->ends[SIDE_CLIENT].port, 1030);
    assert_int_equal(c->packets, 7);
    assert_int_equal(c->sides[SIDE_SERVER].fins, 2);
    assert_int_equal(c->sides[SIDE_SERVER].fin_retransmits, 1);
    assert_int_equal(c->ending, ENDING_FIN);
    assert_int_equal(casebook_conversation(&b->casebook, 7)->packets, 6);
}

static void test_ports_are_used_anew_while_what_was_lingers(void **state)
{
    struct bench *b = *state;
    open_and_close_many(b);
    b->port = 1030;
    send(b, SIDE_CLIENT, TCP_SYN, 7000, 0, "");
    flow_table_close(&b->table);
    assert_int_equal(casebook_conversations(&b->casebook), 2001);
    assert_int_equal(casebook_conversation(&b->casebook, 6)->packets, 6);
    assert_true(casebook_conversation(&b->casebook, 2000)->tuple_reused);
}

static void test_what_sleeps_leaves_the_table_in_time(void **state)
{
    struct bench *b = *state;
    open_and_close_many(b);
    assert_true(b->table.index.count == 2000);
    b->port = 50000;
    for (unsigned i = 0; i < 300; i++) {
        wait_ms(b, 1000);
        for (unsigned j = 0; j < 1024; j++)
            send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "");
    }
    assert_int_equal(b->table.index.count, 1);
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "");
    flow_table_close(&b->table);
}

enum { SILENT = 60 };

/* Conversations that take turns, so that each is silent while all others speak. */
static void talk_in_turns(struct bench *b)
{
    for (uint16_t i = 0; i < SILENT; i++) {
        b->port = (uint16_t)(50000 + i);
        handshake(b);
    }
    for (uint32_t round = 0; round < 5; round++)
        for (uint16_t i = 0; i < SILENT; i++) {
            b->port = (uint16_t)(50000 + i);
            send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1 + 4 * round, 1 + 6 * round, "asks");
            if (i % 7 != round)
                send(b, SIDE_SERVER, TCP_ACK | TCP_PSH, 1 + 6 * round, 5 + 4 * round, "answer");
            if (i % 5 == round)
                send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1 + 4 * round, 1 + 6 * round, "asks");
        }
}

static void test_silent_ones_sleep_and_nobody_can_tell(void **state)
{
    static struct conversation without[SILENT];
    struct bench *b = *state;
    talk_in_turns(b);
    flow_table_close(&b->table);
    for (uint32_t i = 0; i < SILENT; i++)
        without[i] = *casebook_conversation(&b->casebook, i);
    assert_int_equal(b->folds, 0);
    tear_down(state);
    set_up(state);
    b->table.awake_most = 4;
    b->restless = 50003;
    talk_in_turns(b);
    assert_int_equal(b->table.flows.in_use, 4);
    assert_int_equal(b->table.sleeping->open_count, SILENT - 4);
    flow_table_close(&b->table);
    assert_true(b->folds > 4 * (SILENT - 4));
    assert_int_equal(b->unfolds, b->folds);
    assert_int_equal(casebook_conversations(&b->casebook), SILENT);
    for (uint32_t i = 0; i < SILENT; i++) {
        const struct conversation *c = casebook_conversation(&b->casebook, i);
        assert_memory_equal(c->sides, without[i].sides, sizeof c->sides);
        assert_int_equal(c->ends[SIDE_CLIENT].port, without[i].ends[SIDE_CLIENT].port);
        assert_int_equal(c->packets, without[i].packets);
        assert_int_equal(c->last.time_ns, without[i].last.time_ns);
        assert_int_equal(c->ending, without[i].ending);
    }
}

static void test_ceiling_concludes_those_that_sleep_before_those_that_speak(void **state)
{
    struct bench *b = *state;
    b->table.awake_most = 4;
    b->table.ceiling = 40;
    for (uint16_t i = 0; i < 42; i++) {
        b->port = (uint16_t)(50000 + i);
        handshake(b);
    }
    for (uint32_t round = 0; round < 6; round++)
        for (uint16_t i = 38; i < 42; i++) {
            b->port = (uint16_t)(50000 + i);
            send(b, SIDE_CLIENT, TCP_ACK | TCP_PSH, 1 + 4 * round, 1, "asks");
        }
    assert_int_equal(b->table.evicted, 2);
    flow_table_close(&b->table);
    assert_int_equal(casebook_conversations(&b->casebook), 42);
    for (uint32_t i = 38; i < 42; i++)
        assert_int_equal(casebook_conversation(&b->casebook, i)->packets, 9);
}

static void test_folded_conversations_are_followed_no_more(void **state)
{
    struct bench *b = *state;
    open_and_close_many(b);
    uint32_t moved[2000], kept = 0, awake = b->table.flows.in_use;
    for (uint32_t i = 0; i < 2000; i++)
        moved[i] = i < 500 && i % 2 ? SLAB_NONE : kept++;
    flow_table_renumber(&b->table, moved);
    assert_int_equal(b->table.index.count, 1750);
    assert_int_equal(b->table.flows.in_use, awake);
    flow_table_close(&b->table);
}

/* Sent and not acknowledged: what the server's packet stands beyond. With all before it acknowledged that is the way's doing. */
static void test_ceiling_concludes_the_longest_silent(void **state)
{
    struct bench *b = *state;
    b->table.ceiling = 100;
    for (uint32_t i = 0; i < 500; i++) {
        b->port = (uint16_t)(1024 + i);
        send(b, SIDE_CLIENT, TCP_SYN, i, 0, "");
    }
    assert_int_equal(b->table.flows.in_use, 100);
    assert_int_equal(b->table.evicted, 400);
    flow_table_close(&b->table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLOW_TEST(test_finished_conversations_leave_the_table),
        FLOW_TEST(test_a_late_packet_wakes_what_lingers),
        FLOW_TEST(test_ports_are_used_anew_while_what_was_lingers),
        FLOW_TEST(test_what_sleeps_leaves_the_table_in_time),
        FLOW_TEST(test_silent_ones_sleep_and_nobody_can_tell),
        FLOW_TEST(test_ceiling_concludes_those_that_sleep_before_those_that_speak),
        FLOW_TEST(test_folded_conversations_are_followed_no_more),
        FLOW_TEST(test_ceiling_concludes_the_longest_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
