/* The steps of a login in order, who was waited for, and where a TLS handshake stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "login_timeline.h"
#include "tls_handshake.h"

#define END_NS (30000 * NS_PER_MS) /* of the capture */
#define ENDS_WITH_LAST_PACKET 0

static struct moment at(int64_t ms, uint32_t frame)
{
    return (struct moment){.time_ns = ms * NS_PER_MS, .frame = frame};
}

struct login {
    struct conversation conversation;
    struct tds_facts tds;
    struct tls_facts tls;
};

/* TCP and PRELOGIN: 5 ms, 1 ms, 5 ms. */
static void begin(struct login *login)
{
    *login = (struct login){0};
    struct conversation *c = &login->conversation;
    c->tds = &login->tds;
    c->tds->tls = &login->tls;
    c->sides[SIDE_CLIENT].syn = at(0, 1);
    c->sides[SIDE_SERVER].syn = at(5, 2);
    c->tds->steps[LOGIN_STEP_PRELOGIN] = at(6, 4);
    c->tds->steps[LOGIN_STEP_PRELOGIN_ANSWER] = at(11, 5);
}

static void close_by(struct login *login, enum side side, int64_t ms, uint32_t frame)
{
    login->conversation.sides[side].fin = at(ms, frame);
    conversation_conclude(&login->conversation);
}

static void test_whole_login(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    struct moment *steps = login.tds.steps;
    steps[LOGIN_STEP_LOGIN] = at(12, 6);
    steps[LOGIN_STEP_LOGIN_ANSWER] = steps[LOGIN_STEP_LOGIN_ACK] = at(62, 7);
    steps[LOGIN_STEP_FIRST_REQUEST] = at(9000, 8);
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, END_NS, &timeline);
    static const enum timeline_step expected[] = {
        TIMELINE_SYN,   TIMELINE_SYN_ACK,   TIMELINE_PRELOGIN,     TIMELINE_PRELOGIN_ANSWER,
        TIMELINE_LOGIN, TIMELINE_LOGIN_ACK, TIMELINE_FIRST_REQUEST};
    assert_int_equal(timeline.count, sizeof expected / sizeof *expected);
    for (unsigned i = 0; i < timeline.count; i++)
        assert_int_equal(timeline.entries[i].step, expected[i]);
    assert_true(timeline.over);
    assert_int_equal(timeline.total_ns, 62 * NS_PER_MS);
    assert_int_equal(timeline.slowest, 5);
    assert_int_equal(timeline.entries[0].duration_ns, -1);
    assert_int_equal(timeline.entries[5].duration_ns, 50 * NS_PER_MS);
    assert_int_equal(timeline.entries[5].waited_for, WAITED_FOR_SERVER);
    assert_int_equal(timeline.entries[4].waited_for, WAITED_FOR_CLIENT);
}

static void test_retransmission_is_the_network(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    login.conversation.sides[SIDE_SERVER].syn = at(3005, 3);
    login.conversation.sides[SIDE_CLIENT].first_retransmit = login.conversation.sides[SIDE_CLIENT].last_retransmit =
        at(3000, 2);
    login.tds.steps[LOGIN_STEP_PRELOGIN] = at(3006, 4);
    login.tds.steps[LOGIN_STEP_PRELOGIN_ANSWER] = at(3011, 5);
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, ENDS_WITH_LAST_PACKET, &timeline);
    assert_int_equal(timeline.slowest, 1);
    assert_int_equal(timeline.entries[1].waited_for, WAITED_FOR_NETWORK);
    assert_int_equal(timeline.entries[2].waited_for, WAITED_FOR_CLIENT);
}

static void test_client_leaves_a_waiting_login(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    login.tds.steps[LOGIN_STEP_LOGIN] = at(12, 6);
    close_by(&login, SIDE_CLIENT, 15012, 7);
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, END_NS, &timeline);
    const struct timeline_entry *last = &timeline.entries[timeline.count - 1];
    assert_int_equal(last->step, TIMELINE_CLOSED);
    assert_int_equal(last->sender, SIDE_CLIENT);
    assert_int_equal(last->waited_for, WAITED_FOR_SERVER);
    assert_int_equal(timeline.slowest, (int)timeline.count - 1);
    assert_false(timeline.over);
    assert_int_equal(timeline.total_ns, 15012 * NS_PER_MS);
}

static void test_strict_order_follows_time(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    struct moment *steps = login.tds.steps;
    steps[LOGIN_STEP_CLIENT_HELLO] = at(6, 4);
    steps[LOGIN_STEP_SERVER_HELLO] = steps[LOGIN_STEP_TLS_DONE] = at(11, 5);
    steps[LOGIN_STEP_KEY_EXCHANGE] = at(12, 6);
    steps[LOGIN_STEP_PRELOGIN] = at(12, 7);
    steps[LOGIN_STEP_PRELOGIN_ANSWER] = at(17, 8);
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, ENDS_WITH_LAST_PACKET, &timeline);
    static const enum timeline_step expected[] = {
        TIMELINE_SYN,          TIMELINE_SYN_ACK,  TIMELINE_CLIENT_HELLO,   TIMELINE_SERVER_HELLO,
        TIMELINE_KEY_EXCHANGE, TIMELINE_PRELOGIN, TIMELINE_PRELOGIN_ANSWER};
    assert_int_equal(timeline.count, sizeof expected / sizeof *expected);
    for (unsigned i = 0; i < timeline.count; i++)
        assert_int_equal(timeline.entries[i].step, expected[i]);
}

static void test_key_and_prelogin_in_one_packet(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    struct moment *steps = login.tds.steps;
    steps[LOGIN_STEP_PRELOGIN_ANSWER] = (struct moment){0};
    steps[LOGIN_STEP_CLIENT_HELLO] = at(5, 3);
    steps[LOGIN_STEP_KEY_EXCHANGE] = steps[LOGIN_STEP_PRELOGIN];
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, ENDS_WITH_LAST_PACKET, &timeline);
    assert_int_equal(timeline.entries[3].step, TIMELINE_KEY_EXCHANGE);
    assert_int_equal(timeline.entries[4].step, TIMELINE_PRELOGIN);
}

static void test_handshake_stops(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    assert_int_equal(tls_handshake_of(&login.conversation).progress, TLS_NOT_SEEN);

    login.tds.steps[LOGIN_STEP_CLIENT_HELLO] = at(12, 6);
    struct tls_handshake handshake = tls_handshake_of(&login.conversation);
    assert_int_equal(handshake.progress, TLS_CLIENT_HELLO_SENT);
    assert_int_equal(handshake.turn, SIDE_SERVER);
    assert_false(handshake.stopped);

    login.tds.steps[LOGIN_STEP_SERVER_HELLO] = at(17, 7);
    close_by(&login, SIDE_SERVER, 30, 9);
    handshake = tls_handshake_of(&login.conversation);
    assert_int_equal(handshake.progress, TLS_SERVER_HELLO_SENT);
    assert_int_equal(handshake.turn, SIDE_CLIENT);
    assert_true(handshake.stopped);
    assert_false(handshake.by_alert);
    assert_int_equal(handshake.stopped_by, SIDE_SERVER);

    login.tls.alerts[0] = (struct tls_alert){.moment = at(18, 8), .side = SIDE_CLIENT, .level = 2, .number = 48};
    login.tls.alert_count = 1;
    handshake = tls_handshake_of(&login.conversation);
    assert_true(handshake.by_alert);
    assert_int_equal(handshake.stopped_by, SIDE_CLIENT);
    assert_int_equal(handshake.stop.frame, 8);

    login.tds.steps[LOGIN_STEP_KEY_EXCHANGE] = at(18, 8);
    assert_int_equal(tls_handshake_of(&login.conversation).turn, SIDE_SERVER);
    login.tds.steps[LOGIN_STEP_TLS_DONE] = at(22, 9);
    handshake = tls_handshake_of(&login.conversation);
    assert_int_equal(handshake.progress, TLS_ESTABLISHED);
    assert_false(handshake.stopped);
}

static void test_alert_is_told(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    login.tds.steps[LOGIN_STEP_CLIENT_HELLO] = at(12, 6);
    login.tls.alerts[0] = (struct tls_alert){.moment = at(18, 8), .side = SIDE_SERVER, .level = 2, .number = 70};
    login.tls.alert_count = 1;
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, ENDS_WITH_LAST_PACKET, &timeline);
    assert_int_equal(timeline.entries[timeline.count - 1].step, TIMELINE_TLS_ALERT);
    assert_int_equal(timeline.entries[timeline.count - 1].sender, SIDE_SERVER);

    /* Without a handshake in the capture, an alert is the end of an encrypted talk. */
    login.tds.steps[LOGIN_STEP_CLIENT_HELLO] = (struct moment){0};
    login_timeline_read(&login.conversation, ENDS_WITH_LAST_PACKET, &timeline);
    assert_int_equal(timeline.entries[timeline.count - 1].step, TIMELINE_PRELOGIN_ANSWER);
}

static const struct timeline_entry *last_of(const struct login_timeline *timeline)
{
    return &timeline->entries[timeline->count - 1];
}

static void test_hangs_until_the_capture_ends(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    struct moment *steps = login.tds.steps;
    steps[LOGIN_STEP_LOGIN] = at(12, 6);
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, END_NS, &timeline);
    const struct timeline_entry *last = last_of(&timeline);
    assert_int_equal(last->step, TIMELINE_WAITING);
    assert_false(moment_seen(&last->moment));
    assert_int_equal(last->duration_ns, 29988 * NS_PER_MS);
    assert_int_equal(last->waited_for, WAITED_FOR_SERVER);
    assert_int_equal(timeline.slowest, (int)timeline.count - 1);
    assert_int_equal(timeline.total_ns, END_NS);

    /* What was sent again meanwhile may have been lost. */
    login.conversation.sides[SIDE_CLIENT].first_retransmit = at(400, 7);
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_int_equal(last_of(&timeline)->waited_for, WAITED_FOR_NETWORK);

    /* The answer came, and what it says is not readable: nothing is known to be awaited. */
    steps[LOGIN_STEP_LOGIN_ANSWER] = at(20, 8);
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_int_equal(last_of(&timeline)->step, TIMELINE_LOGIN_ANSWER);

    steps[LOGIN_STEP_LOGIN_ACK] = steps[LOGIN_STEP_LOGIN_ANSWER];
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_int_equal(last_of(&timeline)->step, TIMELINE_LOGIN_ACK);
}

/* Nobody is held to have closed, or to wait, in a login of which the capture has one side. */
static void test_half_captured(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    login.conversation.sides[SIDE_SERVER].first_data = at(11, 5);
    login.conversation.sides[SIDE_SERVER].packets = 4;
    close_by(&login, SIDE_SERVER, 7000, 90);
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_true(login_half_captured(&login.conversation));
    assert_int_equal(last_of(&timeline)->step, TIMELINE_PRELOGIN_ANSWER);
    login.conversation.sides[SIDE_CLIENT].packets = 4;
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_false(login_half_captured(&login.conversation));
    assert_int_equal(last_of(&timeline)->step, TIMELINE_CLOSED);
}

static void test_waits_for_whom_spoke_not_last(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_int_equal(last_of(&timeline)->waited_for, WAITED_FOR_CLIENT);
    login.conversation.sides[SIDE_CLIENT].last_data = at(13, 6);
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_int_equal(last_of(&timeline)->waited_for, WAITED_FOR_SERVER);
    login.conversation.sides[SIDE_SERVER].last_data = at(14, 7);
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_int_equal(last_of(&timeline)->waited_for, WAITED_FOR_CLIENT);
}

/* LOGIN7 was the last word of all: what the server said before it is no answer to it. */
static void test_waits_for_the_server_that_spoke_before(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    login.tds.steps[LOGIN_STEP_LOGIN] = login.conversation.sides[SIDE_CLIENT].last_data = at(12, 6);
    login.conversation.sides[SIDE_SERVER].last_data = at(11, 5);
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_int_equal(last_of(&timeline)->waited_for, WAITED_FOR_SERVER);
}

static void test_retries_in_vain(void **state)
{
    (void)state;
    struct conversation c = {.ending = ENDING_NO_ANSWER, .last = at(21000, 5)};
    c.sides[SIDE_CLIENT].syn = at(0, 1);
    c.sides[SIDE_CLIENT].first_retransmit = at(3000, 2);
    c.sides[SIDE_CLIENT].last_retransmit = c.last;
    struct login_timeline timeline;
    login_timeline_read(&c, END_NS, &timeline);
    assert_int_equal(timeline.count, 2);
    assert_int_equal(timeline.entries[1].step, TIMELINE_UNANSWERED);
    assert_int_equal(timeline.entries[1].moment.frame, 5);
    assert_int_equal(timeline.entries[1].waited_for, WAITED_FOR_NETWORK);
    assert_int_equal(timeline.total_ns, 21000 * NS_PER_MS);
}

static void test_closed_before_the_late_answer(void **state)
{
    (void)state;
    struct login login;
    begin(&login);
    struct moment *steps = login.tds.steps;
    steps[LOGIN_STEP_LOGIN] = at(12, 6);
    steps[LOGIN_STEP_LOGIN_ANSWER] = steps[LOGIN_STEP_LOGIN_ACK] = at(20012, 8);
    close_by(&login, SIDE_CLIENT, 15012, 7);
    struct login_timeline timeline;
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_int_equal(timeline.count, 7);
    assert_int_equal(timeline.entries[5].step, TIMELINE_CLOSED);
    assert_int_equal(timeline.entries[5].waited_for, WAITED_FOR_SERVER);
    assert_int_equal(timeline.entries[6].step, TIMELINE_LOGIN_ACK);
    assert_int_equal(timeline.slowest, 5);
    assert_true(timeline.over);
    assert_int_equal(timeline.total_ns, 20012 * NS_PER_MS);

    /* A close after the answer is none of the login's. */
    steps[LOGIN_STEP_LOGIN_ANSWER] = steps[LOGIN_STEP_LOGIN_ACK] = at(1000, 7);
    login_timeline_read(&login.conversation, END_NS, &timeline);
    assert_int_equal(timeline.count, 6);
    assert_int_equal(timeline.entries[5].step, TIMELINE_LOGIN_ACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_login),
        cmocka_unit_test(test_retransmission_is_the_network),
        cmocka_unit_test(test_client_leaves_a_waiting_login),
        cmocka_unit_test(test_strict_order_follows_time),
        cmocka_unit_test(test_key_and_prelogin_in_one_packet),
        cmocka_unit_test(test_handshake_stops),
        cmocka_unit_test(test_alert_is_told),
        cmocka_unit_test(test_hangs_until_the_capture_ends),
        cmocka_unit_test(test_half_captured),
        cmocka_unit_test(test_waits_for_whom_spoke_not_last),
        cmocka_unit_test(test_waits_for_the_server_that_spoke_before),
        cmocka_unit_test(test_retries_in_vain),
        cmocka_unit_test(test_closed_before_the_late_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
