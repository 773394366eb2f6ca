/* Detectors, surroundings, grouping, verdict and workflow, on conversations built by hand: positives and near misses. */
#include "judge_bench.h"

static void test_normal(void **state)
{
    struct conversation *c = logged_in(*state, 1);
    fin(*state, c, SIDE_CLIENT, 1.2);
    expect(*state, c, "none.normal", CULPRIT_NONE);
}

static void test_open_session_is_normal(void **state)
{
    expect(*state, logged_in(*state, 1), "none.normal", CULPRIT_NONE);
}

static void test_reset_after_fin_is_normal(void **state)
{
    struct conversation *c = logged_in(*state, 1);
    fin(*state, c, SIDE_CLIENT, 1.2);
    reset(*state, c, SIDE_CLIENT, 1.21);
    expect(*state, c, "none.normal", CULPRIT_NONE);
}

static void test_mars_close(void **state)
{
    struct conversation *c = logged_in(*state, 1);
    c->tds->mars = true;
    c->tds->smp_fin[SIDE_CLIENT] = data(*state, c, SIDE_CLIENT, 1.19);
    fin(*state, c, SIDE_CLIENT, 1.2);
    c->tds->smp_fin[SIDE_SERVER] = data(*state, c, SIDE_SERVER, 1.205);
    reset(*state, c, SIDE_CLIENT, 1.21);
    expect(*state, c, "none.mars-close", CULPRIT_NONE);
}

static void test_other_traffic_is_not_accused(void **state)
{
    struct conversation *c = connected(*state, 1);
    c->ends[SIDE_SERVER].port = 80;
    data(*state, c, SIDE_CLIENT, 1.1);
    data(*state, c, SIDE_SERVER, 1.2);
    reset(*state, c, SIDE_SERVER, 9);
    expect(*state, c, "none.normal", CULPRIT_NONE);
}

static void test_refused(void **state)
{
    struct conversation *c = new_conversation(*state, 1);
    syn(*state, c, SIDE_CLIENT, 1);
    reset(*state, c, SIDE_SERVER, 1.001);
    expect(*state, c, "server.not-listening", CULPRIT_SERVER);
}

static void test_refused_between_accepts_is_backlog(void **state)
{
    logged_in(*state, 1);
    struct conversation *c = new_conversation(*state, 2);
    syn(*state, c, SIDE_CLIENT, 2);
    reset(*state, c, SIDE_SERVER, 2.001);
    logged_in(*state, 3);
    expect(*state, c, "server.backlog-full", CULPRIT_SERVER);
}

static void test_refused_long_after_accepts_is_stopped(void **state)
{
    logged_in(*state, 1);
    struct conversation *c = new_conversation(*state, 20);
    syn(*state, c, SIDE_CLIENT, 20);
    reset(*state, c, SIDE_SERVER, 20.001);
    logged_in(*state, 60);
    expect(*state, c, "server.not-listening", CULPRIT_SERVER);
}

/* Who sends data has had an answer to its SYN, which the capture missed: nothing was refused. */
static void test_a_client_that_sent_data_was_let_in(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = new_conversation(trace, 1);
    syn(trace, c, SIDE_CLIENT, 1);
    reset(trace, c, SIDE_SERVER, 9);
    expect(trace, c, "server.not-listening", CULPRIT_SERVER);
    c->sides[SIDE_CLIENT].payload_bytes = 100;
    assert_string_not_equal(judged(trace, c).detector->cause, "server.not-listening");
}

static void test_scan_is_a_probe(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = NULL;
    for (int i = 0; i < 20; i++) {
        if (i == 19)
            expect(trace, c, "server.not-listening", CULPRIT_SERVER);
        c = new_conversation(trace, 1 + i);
        c->ends[SIDE_SERVER].port = (uint16_t)(2000 + i);
        syn(trace, c, SIDE_CLIENT, 1 + i);
        reset(trace, c, SIDE_SERVER, 1.001 + i);
    }
    expect(trace, c, "none.probe", CULPRIT_NONE);
}

static void test_syn_not_repeated_says_nothing(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = new_conversation(trace, 1);
    syn(trace, c, SIDE_CLIENT, 1);
    expect(trace, c, "unknown.cut-off", CULPRIT_UNKNOWN);
    c->ends[SIDE_SERVER].port = 80;
    expect(trace, c, "none.normal", CULPRIT_NONE);
}

static struct conversation *unanswered(struct trace *trace, double time_s)
{
    struct conversation *c = new_conversation(trace, time_s);
    syn(trace, c, SIDE_CLIENT, time_s);
    syn(trace, c, SIDE_CLIENT, time_s + 1);
    syn(trace, c, SIDE_CLIENT, time_s + 3);
    return c;
}

static void test_unanswered_alone_stays_open(void **state)
{
    expect(*state, unanswered(*state, 1), "network.syn-lost", CULPRIT_UNKNOWN);
}

static void test_unanswered_while_others_are_served(void **state)
{
    struct conversation *c = unanswered(*state, 1);
    struct conversation *overlapping = unanswered(*state, 3.5);
    logged_in(*state, 2);
    expect(*state, c, "network.syn-lost", CULPRIT_UNKNOWN);
    expect(*state, overlapping, "network.syn-lost", CULPRIT_UNKNOWN);
}

static void test_unanswered_while_others_wait_is_backlog(void **state)
{
    struct conversation *waiting = connected(*state, 0.5);
    step(*state, waiting, LOGIN_STEP_PRELOGIN, SIDE_CLIENT, 0.6);
    ack(*state, waiting, SIDE_SERVER, 0.61);
    fin(*state, waiting, SIDE_CLIENT, 6);
    expect(*state, unanswered(*state, 1), "server.backlog-full", CULPRIT_SERVER);
}

static void test_unanswered_at_the_server(void **state)
{
    struct trace *trace = *state;
    trace->point.role = CAPTURE_ROLE_SERVER;
    expect(trace, unanswered(trace, 1), "server.no-answer", CULPRIT_SERVER);
}

/* A mirror port beside the server looks the same. */
static void test_unanswered_near_the_server(void **state)
{
    struct trace *trace = *state;
    trace->point.role = CAPTURE_ROLE_SERVER;
    trace->point.role_given = false;
    expect(trace, unanswered(trace, 1), "server.no-answer", CULPRIT_UNKNOWN);
}

static void test_one_syn_at_the_end_is_cut_off(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = new_conversation(trace, 599.5);
    syn(trace, c, SIDE_CLIENT, 599.5);
    expect(trace, c, "unknown.cut-off", CULPRIT_UNKNOWN);
}

static struct conversation *waiting_login(struct trace *trace)
{
    struct conversation *c = connected(trace, 1);
    step(trace, c, LOGIN_STEP_PRELOGIN, SIDE_CLIENT, 1.01);
    step(trace, c, LOGIN_STEP_PRELOGIN_ANSWER, SIDE_SERVER, 1.02);
    step(trace, c, LOGIN_STEP_LOGIN, SIDE_CLIENT, 1.03);
    return c;
}

static void test_login_stalled(void **state)
{
    struct conversation *c = waiting_login(*state);
    ack(*state, c, SIDE_SERVER, 1.04);
    fin(*state, c, SIDE_CLIENT, 16);
    expect(*state, c, "server.login-stalled", CULPRIT_SERVER);
}

static void test_login_not_acknowledged_is_no_stall(void **state)
{
    struct conversation *c = waiting_login(*state);
    for (int i = 0; i < 5; i++)
        retry(*state, c, SIDE_CLIENT, 1.3 + 0.3 * (1 << i));
    fin(*state, c, SIDE_CLIENT, 16);
    expect(*state, c, "network.drop-both-ways", CULPRIT_UNKNOWN);
}

static void test_login_stall_not_watched(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = waiting_login(trace);
    ack(trace, c, SIDE_SERVER, 1.04);
    trace->point.last_ns = START_NS + 3 * NS_PER_SECOND;
    expect(trace, c, "unknown.cut-off", CULPRIT_UNKNOWN);
}

static void test_login_stall_with_missed_packets_is_not_held_against_it(void **state)
{
    struct conversation *c = waiting_login(*state);
    ack(*state, c, SIDE_SERVER, 1.04);
    c->sides[SIDE_CLIENT].acknowledged_unseen = true;
    struct judgement judgement = judged(*state, c);
    assert_int_not_equal(judgement.culprit, CULPRIT_SERVER);
}

static void test_login_late(void **state)
{
    struct conversation *c = waiting_login(*state);
    ack(*state, c, SIDE_SERVER, 1.04);
    fin(*state, c, SIDE_CLIENT, 16);
    step(*state, c, LOGIN_STEP_LOGIN_ANSWER, SIDE_SERVER, 18);
    expect(*state, c, "server.login-late", CULPRIT_SERVER);
}

static void test_slow_login_that_succeeds_is_late_from_ten_seconds(void **state)
{
    struct conversation *c = waiting_login(*state);
    step(*state, c, LOGIN_STEP_LOGIN_ANSWER, SIDE_SERVER, 12);
    c->tds->steps[LOGIN_STEP_LOGIN_ACK] = c->tds->steps[LOGIN_STEP_LOGIN_ANSWER];
    fin(*state, c, SIDE_CLIENT, 13);
    expect(*state, c, "server.login-late", CULPRIT_SERVER);
}

static void test_slow_login_of_four_seconds_is_none(void **state)
{
    struct conversation *c = waiting_login(*state);
    step(*state, c, LOGIN_STEP_LOGIN_ANSWER, SIDE_SERVER, 5);
    c->tds->steps[LOGIN_STEP_LOGIN_ACK] = c->tds->steps[LOGIN_STEP_LOGIN_ANSWER];
    fin(*state, c, SIDE_CLIENT, 13);
    expect(*state, c, "none.normal", CULPRIT_NONE);
}

static void test_server_closes_in_login(void **state)
{
    struct conversation *c = waiting_login(*state);
    fin(*state, c, SIDE_SERVER, 1.1);
    fin(*state, c, SIDE_CLIENT, 1.2);
    expect(*state, c, "server.closed-in-login", CULPRIT_SERVER);
}

static void test_login_refused(void **state)
{
    struct conversation *c = waiting_login(*state);
    step(*state, c, LOGIN_STEP_LOGIN_ANSWER, SIDE_SERVER, 1.1);
    c->tds->steps[LOGIN_STEP_LOGIN_ERROR] = c->tds->steps[LOGIN_STEP_LOGIN_ANSWER];
    c->tds->login_error.number = 18456;
    fin(*state, c, SIDE_SERVER, 1.11);
    expect(*state, c, "client.login-refused", CULPRIT_CLIENT);
    c->tds->login_error.number = 18401;
    expect(*state, c, "client.login-refused", CULPRIT_SERVER);
}

static void test_client_closes_in_login(void **state)
{
    struct conversation *c = connected(*state, 1);
    step(*state, c, LOGIN_STEP_PRELOGIN, SIDE_CLIENT, 1.01);
    step(*state, c, LOGIN_STEP_PRELOGIN_ANSWER, SIDE_SERVER, 1.02);
    step(*state, c, LOGIN_STEP_CLIENT_HELLO, SIDE_CLIENT, 1.03);
    step(*state, c, LOGIN_STEP_SERVER_HELLO, SIDE_SERVER, 1.04);
    step(*state, c, LOGIN_STEP_KEY_EXCHANGE, SIDE_CLIENT, 1.05);
    step(*state, c, LOGIN_STEP_TLS_DONE, SIDE_SERVER, 1.06);
    fin(*state, c, SIDE_CLIENT, 1.2);
    /* It may not have got that. */
    expect(*state, c, "client.closed-in-login", CULPRIT_UNKNOWN);
    ack(*state, c, SIDE_CLIENT, 1.061);
    expect(*state, c, "client.closed-in-login", CULPRIT_CLIENT);
}

static void test_certificate_rejected(void **state)
{
    struct conversation *c = connected(*state, 1);
    step(*state, c, LOGIN_STEP_CLIENT_HELLO, SIDE_CLIENT, 1.03);
    step(*state, c, LOGIN_STEP_SERVER_HELLO, SIDE_SERVER, 1.04);
    ack(*state, c, SIDE_CLIENT, 1.041);
    fin(*state, c, SIDE_CLIENT, 1.05);
    expect(*state, c, "client.certificate-rejected", CULPRIT_CLIENT);
}

static void test_tls_refused(void **state)
{
    struct conversation *c = connected(*state, 1);
    step(*state, c, LOGIN_STEP_CLIENT_HELLO, SIDE_CLIENT, 1.03);
    ack(*state, c, SIDE_SERVER, 1.031);
    fin(*state, c, SIDE_SERVER, 1.04);
    expect(*state, c, "server.tls-refused", CULPRIT_SERVER);
    assert_non_null(strstr(judged(*state, c).says, "no TLS version or cipher suite in common"));
    c->tds->server_alert = c->sides[SIDE_SERVER].fin;
    c->tds->server_alert_code = 70;
    assert_non_null(strstr(judged(*state, c).says, "no TLS version in common"));
    c->tds->server_alert_code = 40;
    assert_non_null(strstr(judged(*state, c).says, "no cipher suite, hash or curve in common"));
}

static void test_gave_up_after_prelogin(void **state)
{
    struct conversation *c = connected(*state, 1);
    step(*state, c, LOGIN_STEP_PRELOGIN, SIDE_CLIENT, 1.01);
    fin(*state, c, SIDE_CLIENT, 1.011);
    ack(*state, c, SIDE_SERVER, 1.02);
    expect(*state, c, "client.gave-up-before-login", CULPRIT_CLIENT);
}

static void test_probe_and_gave_up_without_a_byte(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = connected(trace, 1);
    fin(trace, c, SIDE_CLIENT, 1.002);
    expect(trace, c, "none.probe", CULPRIT_NONE);
    struct conversation *other = logged_in(trace, 2);
    fin(trace, other, SIDE_CLIENT, 3);
    expect(trace, c, "none.probe", CULPRIT_NONE);
    struct conversation *early = connected(trace, 3);
    step(trace, early, LOGIN_STEP_PRELOGIN, SIDE_CLIENT, 3.01);
    fin(trace, early, SIDE_CLIENT, 3.011);
    expect(trace, c, "client.gave-up-before-login", CULPRIT_CLIENT);
    struct conversation *probe = connected(trace, 4);
    reset(trace, probe, SIDE_CLIENT, 4.002);
    expect(trace, probe, "none.probe", CULPRIT_NONE);
}

static void test_abort_and_habit(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    reset(trace, c, SIDE_CLIENT, 1.2);
    expect(trace, c, "client.abort", CULPRIT_CLIENT);
    reset(trace, logged_in(trace, 2), SIDE_CLIENT, 2.2);
    reset(trace, logged_in(trace, 3), SIDE_CLIENT, 3.2);
    expect(trace, c, "none.normal", CULPRIT_NONE);
}

static void test_abort_with_a_request_pending_is_no_habit(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    data(trace, c, SIDE_CLIENT, 1.2);
    reset(trace, c, SIDE_CLIENT, 1.3);
    for (int i = 0; i < 4; i++)
        reset(trace, logged_in(trace, 2 + i), SIDE_CLIENT, 2.2 + i);
    expect(trace, c, "client.abort", CULPRIT_CLIENT);
}

static void test_server_reset_and_device_reset(void **state)
{
    struct conversation *c = logged_in(*state, 1);
    reset(*state, c, SIDE_SERVER, 1.5);
    expect(*state, c, "server.reset", CULPRIT_UNKNOWN);
    c->sides[SIDE_SERVER].reset_goes_on = true;
    expect(*state, c, "server.reset", CULPRIT_SERVER);
    struct conversation *idle = logged_in(*state, 2);
    reset(*state, idle, SIDE_SERVER, 6);
    idle->sides[SIDE_SERVER].reset_goes_on = true;
    expect(*state, idle, "server.reset", CULPRIT_UNKNOWN);
    c->sides[SIDE_SERVER].reset_ttl_differs = true;
    c->sides[SIDE_SERVER].reset_ttl = 127;
    expect(*state, c, "network.device-reset", CULPRIT_NETWORK);
    c->sides[SIDE_SERVER].ttl_min -= 1; /* the way changes from packet to packet */
    expect(*state, c, "server.reset", CULPRIT_SERVER);
    c->sides[SIDE_SERVER].ttl_min += 1;
    c->sides[SIDE_SERVER].reset_ttl = 61; /* as far away, from an initial TTL of 64 */
    c->sides[SIDE_SERVER].reset_goes_on = false;
    expect(*state, c, "network.device-reset", CULPRIT_UNKNOWN);
}

static void test_closed_many(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    fin(trace, c, SIDE_SERVER, 9);
    expect(trace, c, "server.closed-session", CULPRIT_UNKNOWN);
    fin(trace, logged_in(trace, 2), SIDE_SERVER, 9.1);
    fin(trace, logged_in(trace, 3), SIDE_SERVER, 9.2);
    expect(trace, c, "server.closed-many", CULPRIT_SERVER);
}

static void test_drop_and_no_ack(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    data(trace, c, SIDE_SERVER, 2);
    for (int i = 0; i < 4; i++)
        retry(trace, c, SIDE_SERVER, 2.2 + i);
    expect(trace, c, "network.drop-both-ways",
           CULPRIT_UNKNOWN); /* a reset is due, and the capture goes on without it */
    reset(trace, c, SIDE_SERVER, 10);
    expect(trace, c, "client.no-ack", CULPRIT_CLIENT);
    trace->point.role = CAPTURE_ROLE_SERVER;
    expect(trace, c, "network.drop-both-ways", CULPRIT_UNKNOWN);
}

static void test_idle_drop(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    struct tcp_side *client = &c->sides[SIDE_CLIENT];
    client->keep_alive_run.first = packet(trace, c, SIDE_CLIENT, 300);
    for (int i = 1; i < 10; i++)
        client->keep_alive_run.last = packet(trace, c, SIDE_CLIENT, 300 + i);
    client->keep_alive_run.count = client->keep_alives = 10;
    client->silent_run = true;
    reset(trace, c, SIDE_CLIENT, 310);
    expect(trace, c, "network.idle-drop", CULPRIT_UNKNOWN); /* the server may be down */
    fin(trace, logged_in(trace, 320), SIDE_CLIENT, 321);
    expect(trace, c, "network.idle-drop", CULPRIT_NETWORK); /* it is not */
    /* What its own probes do not reach comes back: nothing was forgotten, and who stood still is not known. */
    packet(trace, c, SIDE_SERVER, 330);
    expect(trace, c, "network.idle-drop", CULPRIT_UNKNOWN);
    /* The server answers after all. */
    client->probes_answered = true;
    packet(trace, c, SIDE_SERVER, 309.5);
    client->silent_run = false;
    struct judgement judgement = judged(trace, c);
    assert_string_not_equal(judgement.detector->cause, "network.idle-drop");
}

/* The server repeats what the client acknowledged each time. */
static void test_deaf_server(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    for (int i = 0; i < 5; i++) {
        retry(trace, c, SIDE_SERVER, 1.3 + 0.2 * (1 << i));
        packet(trace, c, SIDE_CLIENT, 1.301 + 0.2 * (1 << i));
    }
    c->sides[SIDE_SERVER].silent_run = false;
    reset(trace, c, SIDE_CLIENT, 9);
    expect(trace, c, "network.drop-to-server", CULPRIT_UNKNOWN);
    trace->point.role = CAPTURE_ROLE_SERVER;
    expect(trace, c, "server.no-ack", CULPRIT_SERVER);
    trace->point.role = CAPTURE_ROLE_MIDDLE;
    expect(trace, c, "network.drop-both-ways", CULPRIT_UNKNOWN);
}

/* A packet of the server, and the client's next one, show that bytes before it never came. */
static struct conversation *lacks_bytes(struct trace *trace, uint32_t bytes)
{
    struct conversation *c = logged_in(trace, 1);
    struct tcp_side *server = &c->sides[SIDE_SERVER];
    server->ahead = packet(trace, c, SIDE_SERVER, 3);
    server->ahead_bytes = bytes;
    server->ahead_lacking = true;
    server->mss = 1460;
    server->largest_payload = 1460;
    packet(trace, c, SIDE_CLIENT, 3.1);
    return c;
}

/* RFC 7323, 2.3: no more than the receiver's window is under way, and it is scaled only if both ends offered to. */
static void test_no_more_is_lacking_than_a_window_holds(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = lacks_bytes(trace, 65535);
    struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    expect(trace, c, "network.drop-to-client", CULPRIT_NETWORK);
    server->ahead_bytes = 65536;
    expect(trace, c, "network.drop-to-client", CULPRIT_UNKNOWN);
    client->offers_window_scale = true;
    client->window_scale = 1;
    expect(trace, c, "network.drop-to-client", CULPRIT_UNKNOWN);
    server->offers_window_scale = true;
    expect(trace, c, "network.drop-to-client", CULPRIT_NETWORK);
    server->ahead_bytes = 2 * 65535 + 1;
    expect(trace, c, "network.drop-to-client", CULPRIT_UNKNOWN);
}

static void test_a_guessed_number_is_no_large_packet(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = lacks_bytes(trace, 65535);
    c->sides[SIDE_SERVER].largest_payload = 500;
    expect(trace, c, "network.mtu-black-hole", CULPRIT_NETWORK);
    c->sides[SIDE_SERVER].ahead_bytes = 65536;
    expect(trace, c, "network.drop-to-client", CULPRIT_UNKNOWN);
}

static void test_what_a_poor_capture_lacks_may_have_come(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = lacks_bytes(trace, 1000);
    expect(trace, c, "network.drop-to-client", CULPRIT_NETWORK);
    c->sides[SIDE_SERVER].unseen_segments = 1;
    expect(trace, c, "network.drop-to-client", CULPRIT_UNKNOWN);
}

static void test_two_repeats_are_no_drop(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    c->sides[SIDE_SERVER].data_packets = 1000;
    retry(trace, c, SIDE_SERVER, 1.3);
    retry(trace, c, SIDE_SERVER, 1.7);
    expect(trace, c, "none.normal", CULPRIT_NONE);
}

/* Answer and acknowledgement both come after the client has left: held up on the way, not by SQL Server. */
static void test_late_answer_without_acknowledgement_is_not_the_servers(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = waiting_login(trace);
    retry(trace, c, SIDE_CLIENT, 1.3);
    retry(trace, c, SIDE_CLIENT, 1.7);
    retry(trace, c, SIDE_CLIENT, 2.5);
    reset(trace, c, SIDE_CLIENT, 5);
    step(trace, c, LOGIN_STEP_LOGIN_ANSWER, SIDE_SERVER, 6);
    struct tcp_side *client = &c->sides[SIDE_CLIENT];
    client->data_run = (struct retry_run){0};
    client->silent_run = false;
    client->spurious_retransmits = 3;
    client->longest_recovery_ns = 5 * NS_PER_SECOND;
    expect(trace, c, "network.delay", CULPRIT_NETWORK);
}

static void test_fin_with_a_request_unanswered_is_an_abort(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    c->tds->last_request = data(trace, c, SIDE_CLIENT, 2);
    c->tds->request_unanswered = true;
    ack(trace, c, SIDE_SERVER, 2.01);
    fin(trace, c, SIDE_CLIENT, 2.5);
    expect(trace, c, "client.abort", CULPRIT_UNKNOWN); /* which the server does not heed */
    fin(trace, c, SIDE_SERVER, 2.6);
    expect(trace, c, "client.abort", CULPRIT_CLIENT);
    c->sides[SIDE_SERVER].last_data_answered = false; /* it crossed the request */
    expect(trace, c, "client.abort", CULPRIT_UNKNOWN);
    c->sides[SIDE_SERVER].last_data_answered = true;
    c->sides[SIDE_CLIENT].fin.time_ns = c->tds->last_request.time_ns + NS_PER_MS; /* a good-bye */
    expect(trace, c, "none.normal", CULPRIT_NONE);
}

static void test_reset_after_long_quiet_stays_open(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    reset(trace, c, SIDE_CLIENT, 20);
    expect(trace, c, "client.abort", CULPRIT_UNKNOWN);
    struct conversation *other = logged_in(trace, 1);
    reset(trace, other, SIDE_SERVER, 90);
    expect(trace, other, "server.reset", CULPRIT_UNKNOWN);
}

/* The capture begins when all data but the server's last was on its way. */
static void test_abort_without_data_before_it_is_timed_from_the_first_packet(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = new_conversation(trace, 1);
    c->starts_with_syn = false;
    ack(trace, c, SIDE_CLIENT, 1);
    reset(trace, c, SIDE_CLIENT, 7);
    data(trace, c, SIDE_SERVER, 7.01);
    expect(trace, c, "client.abort", CULPRIT_UNKNOWN);
    assert_non_null(strstr(judged(trace, c).says, "after 6.0 s without data"));
}

static void test_dhe_defect(void **state)
{
    struct conversation *c = connected(*state, 1);
    step(*state, c, LOGIN_STEP_CLIENT_HELLO, SIDE_CLIENT, 1.03);
    step(*state, c, LOGIN_STEP_SERVER_HELLO, SIDE_SERVER, 1.04);
    step(*state, c, LOGIN_STEP_KEY_EXCHANGE, SIDE_CLIENT, 1.05);
    ack(*state, c, SIDE_SERVER, 1.051);
    fin(*state, c, SIDE_SERVER, 1.06);
    c->tds->cipher_suite = 0x009f; /* TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 */
    expect(*state, c, "server.dhe-defect", CULPRIT_SERVER);
    c->tds->cipher_suite = 0xc030; /* ECDHE */
    expect(*state, c, "server.closed-in-login", CULPRIT_SERVER);
}

static void test_encrypted_refusal(void **state)
{
    struct conversation *c = waiting_login(*state);
    c->tds->encryption = LOGIN_ENCRYPTION_FULL;
    step(*state, c, LOGIN_STEP_LOGIN_ANSWER, SIDE_SERVER, 1.1);
    fin(*state, c, SIDE_SERVER, 1.11);
    c->sides[SIDE_CLIENT].last_data_answered = false;
    struct judgement answered_before = judged(*state, c); /* it acknowledges less than the login */
    assert_string_not_equal(answered_before.detector->cause, "client.login-refused");
    c->sides[SIDE_CLIENT].last_data_answered = true;
    expect(*state, c, "client.login-refused", CULPRIT_CLIENT);
    c->sides[SIDE_SERVER].fin.time_ns += 60 * NS_PER_SECOND;
    struct judgement judgement = judged(*state, c);
    assert_string_not_equal(judgement.detector->cause, "client.login-refused");
}

static void test_loss(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    struct tcp_side *client = &c->sides[SIDE_CLIENT];
    client->data_packets = 1000;
    retry(trace, c, SIDE_CLIENT, 1.3);
    client->data_run = (struct retry_run){0};
    client->silent_run = false;
    expect(trace, c, "none.normal", CULPRIT_NONE);
    client->data_packets = 100;
    client->retransmits = 5;
    expect(trace, c, "network.loss", CULPRIT_NETWORK);
    client->spurious_retransmits = 5;
    expect(trace, c, "none.normal", CULPRIT_NONE);
}

static void test_slow_reader(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    struct tcp_side *client = &c->sides[SIDE_CLIENT];
    client->zero_windows = 3;
    client->first_zero_window = client->last_zero_window = c->last;
    client->zero_window_longest_ns = 6 * NS_PER_SECOND;
    expect(trace, c, "client.slow-reader", CULPRIT_CLIENT);
    client->zero_window_longest_ns = 50 * NS_PER_MS;
    expect(trace, c, "none.normal", CULPRIT_NONE);
}

static void test_query_timeout(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    c->tds->last_request = data(trace, c, SIDE_CLIENT, 2);
    ack(trace, c, SIDE_SERVER, 2.01);
    c->tds->first_attention = data(trace, c, SIDE_CLIENT, 32);
    c->tds->messages[TDS_ATTENTION] = 1;
    c->tds->request_unanswered = true;
    expect(trace, c, "server.query-timeout", CULPRIT_SERVER);
}

static void test_one_direction_accuses_nobody(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = new_conversation(trace, 1);
    c->starts_with_syn = true;
    syn(trace, c, SIDE_CLIENT, 1);
    packet(trace, c, SIDE_CLIENT, 1.01);
    data(trace, c, SIDE_CLIENT, 1.02);
    reset(trace, c, SIDE_CLIENT, 9);
    expect(trace, c, "none.normal", CULPRIT_NONE);
}

static void test_findings_and_verdict(void **state)
{
    struct trace *trace = *state;
    for (int i = 0; i < 3; i++) {
        struct conversation *c = connected(trace, 10 + i);
        step(trace, c, LOGIN_STEP_PRELOGIN, SIDE_CLIENT, 10.1 + i);
        ack(trace, c, SIDE_SERVER, 10.2 + i);
        fin(trace, c, SIDE_CLIENT, 25 + i);
    }
    reset(trace, logged_in(trace, 1), SIDE_CLIENT, 2);
    for (int i = 0; i < 5; i++)
        fin(trace, logged_in(trace, 30 + i), SIDE_CLIENT, 50);
    for (uint32_t i = 0; i < casebook_conversations(&trace->casebook); i++)
        conversation_conclude(casebook_conversation(&trace->casebook, i));
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    assert_int_equal(trace->judge.finding_count, 2);
    const struct finding *finding = &trace->judge.findings[0];
    assert_string_equal(finding->detector->cause, "server.login-stalled");
    assert_int_equal(finding->conversation_count, 3);
    assert_int_equal(finding->conversations[0], 1);
    assert_int_equal(finding->scope, SCOPE_SERVER);
    assert_int_equal(finding->example_conversation, 1);
    assert_int_equal(trace->judge.verdict.culprit, CULPRIT_SERVER);
    assert_non_null(strstr(trace->judge.verdict.summary, "3 of 9 connections to 10.0.0.2:1433"));
    struct workflow_step steps[32];
    uint32_t count = judge_workflow(&trace->judge, steps, 32);
    assert_int_equal(count, 13);
    assert_string_equal(steps[0].step, "1.5.0");
    assert_int_equal(judge_workflow(&trace->judge, steps, 2), 13);
    judge_close(&trace->judge);
}

/* Article, 1.5.6: resets of conversations of six frames or fewer. A session that is reset has more. */
static void test_workflow_counts_short_resets(void **state)
{
    struct trace *trace = *state;
    for (int i = 0; i < 2; i++) {
        struct conversation *c = new_conversation(trace, 1 + i);
        syn(trace, c, SIDE_CLIENT, 1 + i);
        reset(trace, c, SIDE_SERVER, 1.001 + i);
    }
    reset(trace, logged_in(trace, 5), SIDE_CLIENT, 6);
    for (uint32_t i = 0; i < casebook_conversations(&trace->casebook); i++)
        conversation_conclude(casebook_conversation(&trace->casebook, i));
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    struct workflow_step steps[32];
    uint32_t count = judge_workflow(&trace->judge, steps, 32), at = 0;
    while (at < count && strcmp(steps[at].step, "1.5.6") != 0)
        at++;
    assert_true(at < count);
    assert_non_null(strstr(steps[at].says, "with a reset after six packets or fewer: 2."));
    judge_close(&trace->judge);
}

/* Two causes with two conversations each point to the server, one with three to the client: the server has more trouble. */
static void test_culprit_is_weighed_before_cause(void **state)
{
    struct trace *trace = *state;
    for (int i = 0; i < 3; i++) {
        struct conversation *c = logged_in(trace, 1 + i);
        data(trace, c, SIDE_CLIENT, 1.2 + i);
        reset(trace, c, SIDE_CLIENT, 1.3 + i);
    }
    for (int i = 0; i < 2; i++) {
        struct conversation *own = logged_in(trace, 100 + 60 * i);
        reset(trace, own, SIDE_SERVER, 100.5 + 60 * i);
        own->sides[SIDE_SERVER].reset_goes_on = true;
        struct conversation *c = new_conversation(trace, 50 + i);
        c->ends[SIDE_SERVER].address = ipv4(3);
        syn(trace, c, SIDE_CLIENT, 50 + i);
        reset(trace, c, SIDE_SERVER, 50.001 + i);
    }
    for (uint32_t i = 0; i < casebook_conversations(&trace->casebook); i++)
        conversation_conclude(casebook_conversation(&trace->casebook, i));
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    assert_int_equal(trace->judge.finding_count, 3);
    assert_string_equal(trace->judge.findings[0].detector->cause, "client.abort");
    assert_int_equal(trace->judge.verdict.culprit, CULPRIT_SERVER);
    judge_close(&trace->judge);
}

static void test_nothing_at_all(void **state)
{
    struct trace *trace = *state;
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    assert_int_equal(trace->judge.verdict.culprit, CULPRIT_UNKNOWN);
    assert_true(trace->judge.verdict.summary[0] != '\0');
    judge_close(&trace->judge);
    fin(trace, logged_in(trace, 1), SIDE_CLIENT, 2);
    conversation_conclude(casebook_conversation(&trace->casebook, 0));
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    assert_string_equal(trace->judge.verdict.cause, "none.normal");
    judge_close(&trace->judge);
}

/* Reports do not break lines inside `commands`. */
static bool is_sentence_with_whole_commands(const char *action)
{
    unsigned ticks = 0;
    for (const char *at = action; *at; at++)
        ticks += *at == '`';
    size_t length = strlen(action);
    return ticks % 2 == 0 && length > 0 && action[length - 1] == '.' && !strstr(action, "  ");
}

static void test_registry(void **state)
{
    (void)state;
    for (unsigned i = 0; i < detector_count; i++) {
        const struct detector *detector = detectors[i];
        assert_ptr_equal(detector_by_cause(detector->cause), detector);
        assert_true(detector->judge || detector->judge_pair || detector->survey);
        assert_true((detector->judge_pair != NULL) == (detector->holds_with_both != NULL));
        char limits[DETECTOR_LIMITS_SIZE];
        bool limited = detector_limits(detector, limits)[0] != '\0';
        assert_true(strlen(limits) + 1 < sizeof limits);
        assert_true(limited || !detector->judge || detector->culprit == CULPRIT_NONE ||
                    detector->culprit == CULPRIT_UNKNOWN);
        assert_true(!limited || !detector->rests_on_absence || strstr(limits, "missed packets"));
        assert_true(!limited || !detector->yields || strstr(limits, "comes before it"));
        assert_int_equal(
            strncmp(detector->cause, culprit_names[detector->culprit], strlen(culprit_names[detector->culprit])) == 0,
            strncmp(detector->cause, "capture.", 8) != 0);
        assert_true(detector->title[0] && detector->holds_when[0] && detector->means[0] && detector->actions[0]);
        for (unsigned j = 0; detector->actions[j]; j++)
            assert_true(is_sentence_with_whole_commands(detector->actions[j]));
    }
    assert_string_equal(detectors[detector_count - 1]->cause, "none.normal");
    assert_null(detector_by_cause("no.such"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_normal),
        CASE(test_open_session_is_normal),
        CASE(test_reset_after_fin_is_normal),
        CASE(test_mars_close),
        CASE(test_other_traffic_is_not_accused),
        CASE(test_refused),
        CASE(test_refused_between_accepts_is_backlog),
        CASE(test_refused_long_after_accepts_is_stopped),
        CASE(test_unanswered_alone_stays_open),
        CASE(test_unanswered_while_others_are_served),
        CASE(test_unanswered_while_others_wait_is_backlog),
        CASE(test_unanswered_at_the_server),
        CASE(test_unanswered_near_the_server),
        CASE(test_one_syn_at_the_end_is_cut_off),
        CASE(test_login_stalled),
        CASE(test_a_client_that_sent_data_was_let_in),
        CASE(test_scan_is_a_probe),
        CASE(test_syn_not_repeated_says_nothing),
        CASE(test_login_not_acknowledged_is_no_stall),
        CASE(test_login_stall_not_watched),
        CASE(test_login_stall_with_missed_packets_is_not_held_against_it),
        CASE(test_login_late),
        CASE(test_slow_login_that_succeeds_is_late_from_ten_seconds),
        CASE(test_slow_login_of_four_seconds_is_none),
        CASE(test_server_closes_in_login),
        CASE(test_login_refused),
        CASE(test_client_closes_in_login),
        CASE(test_certificate_rejected),
        CASE(test_tls_refused),
        CASE(test_gave_up_after_prelogin),
        CASE(test_probe_and_gave_up_without_a_byte),
        CASE(test_abort_and_habit),
        CASE(test_abort_with_a_request_pending_is_no_habit),
        CASE(test_server_reset_and_device_reset),
        CASE(test_closed_many),
        CASE(test_drop_and_no_ack),
        CASE(test_idle_drop),
        CASE(test_deaf_server),
        CASE(test_no_more_is_lacking_than_a_window_holds),
        CASE(test_a_guessed_number_is_no_large_packet),
        CASE(test_what_a_poor_capture_lacks_may_have_come),
        CASE(test_two_repeats_are_no_drop),
        CASE(test_late_answer_without_acknowledgement_is_not_the_servers),
        CASE(test_fin_with_a_request_unanswered_is_an_abort),
        CASE(test_reset_after_long_quiet_stays_open),
        CASE(test_abort_without_data_before_it_is_timed_from_the_first_packet),
        CASE(test_dhe_defect),
        CASE(test_encrypted_refusal),
        CASE(test_loss),
        CASE(test_slow_reader),
        CASE(test_query_timeout),
        CASE(test_one_direction_accuses_nobody),
        CASE(test_findings_and_verdict),
        CASE(test_workflow_counts_short_resets),
        CASE(test_culprit_is_weighed_before_cause),
        CASE(test_nothing_at_all),
        CASE(test_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
