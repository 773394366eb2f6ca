/* What the judge does beyond the rules: nothing rests on what falls into a hole of a capture, and faults come before risks. */
#include "judge_bench.h"

/* The trace has nothing from one time to the other, since a file of it is not there. */
static void leave_file_out(struct trace *trace, double from_s, double to_s)
{
    int64_t to_ns = START_NS + (int64_t)(to_s * 1e9);
    capture_silences_see(&trace->point.silences, START_NS + (int64_t)(from_s * 1e9));
    assert_true(capture_silences_lack_file(&trace->point.silences, to_ns));
    capture_silences_see(&trace->point.silences, to_ns);
}

static void test_a_hole_ends_what_was_watched(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = connected(trace, 1);
    step(trace, c, LOGIN_STEP_PRELOGIN, SIDE_CLIENT, 2);
    ack(trace, c, SIDE_SERVER, 2.1);
    expect(trace, c, "server.login-stalled", CULPRIT_SERVER);
    leave_file_out(trace, 2.5, 500);
    expect(trace, c, "unknown.cut-off", CULPRIT_UNKNOWN);
}

static void test_nothing_rests_on_what_spans_a_hole(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    c->tds->slowest_request = data(trace, c, SIDE_CLIENT, 30);
    c->tds->slowest_response_ns = 16500 * NS_PER_MS;
    ack(trace, c, SIDE_SERVER, 30.1);
    data(trace, c, SIDE_SERVER, 46.5);
    ack(trace, c, SIDE_CLIENT, 46.6);
    leave_file_out(trace, 5, 29);
    leave_file_out(trace, 50, 60);
    expect(trace, c, "server.slow-response", CULPRIT_SERVER);
    capture_silences_close(&trace->point.silences);
    leave_file_out(trace, 31, 46);
    expect(trace, c, "server.slow-response", CULPRIT_UNKNOWN);
    assert_true(judged(trace, c).confidence < 0.5);
    assert_non_null(judged(trace, c).would_settle);
}

/* Its request is answered slowly, and the server has closed the session when it asks for the next: that is the error. */
static void test_a_fault_comes_before_a_risk(void **state)
{
    struct trace *trace = *state;
    struct conversation *c = logged_in(trace, 1);
    c->tds->slowest_request = data(trace, c, SIDE_CLIENT, 10);
    c->tds->slowest_response_ns = 16500 * NS_PER_MS;
    ack(trace, c, SIDE_SERVER, 10.1);
    data(trace, c, SIDE_SERVER, 26.5);
    ack(trace, c, SIDE_CLIENT, 26.6);
    assert_int_equal(judged(trace, c).severity, SEVERITY_RISK);
    double sure = judged(trace, c).confidence;
    c->tds->last_request = data(trace, c, SIDE_CLIENT, 30);
    c->tds->request_unanswered = true;
    ack(trace, c, SIDE_SERVER, 30.1);
    reset(trace, c, SIDE_SERVER, 31);
    struct judgement judgement = judged(trace, c);
    assert_string_equal(judgement.detector->cause, "server.reset");
    assert_int_equal(judgement.severity, SEVERITY_FAULT);
    assert_true(judgement.confidence < sure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_hole_ends_what_was_watched),
        CASE(test_nothing_rests_on_what_spans_a_hole),
        CASE(test_a_fault_comes_before_a_risk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
