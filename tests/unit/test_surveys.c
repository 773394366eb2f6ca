/* Surveys over many conversations built by hand: ports, pools, and the times of failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "failure_times.h"
#include "judge.h"

#define START_NS 1700000000000000000LL

enum { WINDOWS_TTL = 128, LINUX_TTL = 64, WINDOWS_FIRST_PORT = 49152, WINDOWS_PORTS = 16384 };

struct trace {
    struct casebook casebook;
    struct point_facts point;
    struct judge judge;
    uint32_t frame;
};

static int trace_open(void **state)
{
    static struct trace trace;
    trace = (struct trace){.point = {.role = CAPTURE_ROLE_CLIENT,
                                     .role_given = true,
                                     .first_ns = START_NS,
                                     .last_ns = START_NS + 400 * NS_PER_SECOND,
                                     .has_packets = true}};
    casebook_open(&trace.casebook);
    trace.casebook.points = &trace.point;
    trace.casebook.point_count = 1;
    *state = &trace;
    return 0;
}

static int trace_close(void **state)
{
    struct trace *trace = *state;
    judge_close(&trace->judge);
    trace->casebook.points = NULL;
    trace->casebook.point_count = 0;
    casebook_close(&trace->casebook);
    return 0;
}

static struct moment at(struct trace *trace, double time_s)
{
    return (struct moment){START_NS + (int64_t)(time_s * 1e9), ++trace->frame, 0};
}

/* A login, a request and its answer within a hundredth of a second; then that side closes, and the other follows. */
static struct conversation *short_connection(struct trace *trace, uint8_t client, uint16_t port, uint8_t server,
                                             double time_s, enum side closes)
{
    struct conversation *c = casebook_add_conversation(&trace->casebook);
    c->ends[SIDE_CLIENT] = (struct endpoint){{4, {10, 0, 0, client}}, port};
    c->ends[SIDE_SERVER] = (struct endpoint){{4, {10, 0, 1, server}}, 1433};
    c->starts_with_syn = true;
    c->packets = 14;
    c->first = at(trace, time_s);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        struct tcp_side *self = &c->sides[side];
        self->packets = 7;
        self->data_packets = 2;
        self->payload_bytes = 200;
        self->syns = self->fins = 1;
        self->ttl_first = self->ttl_min = self->ttl_max = WINDOWS_TTL;
        self->syn = self->first = at(trace, time_s + 0.001 * (int)side);
        self->first_data = at(trace, time_s + 0.002 + 0.001 * (int)side);
        self->last_data = at(trace, time_s + 0.004 + 0.001 * (int)side);
        self->fin = self->last = at(trace, time_s + (side == closes ? 0.008 : 0.009));
    }
    c->sides[SIDE_CLIENT].last_data_answered = true;
    c->last = at(trace, time_s + 0.01);
    c->tds = casebook_add_tds(&trace->casebook);
    c->tds->steps[LOGIN_STEP_LOGIN_ACK] = at(trace, time_s + 0.003);
    c->tds->steps[LOGIN_STEP_FIRST_REQUEST] = at(trace, time_s + 0.004);
    conversation_conclude(c);
    return c;
}

/* As many connections at a steady rate, one port after the other from the first on. */
static void use_ports(struct trace *trace, uint32_t count, double seconds_in_all, uint16_t first_port, uint8_t server,
                      enum side closes, uint8_t ttl)
{
    for (uint32_t i = 0; i < count; i++) {
        struct conversation *c =
            short_connection(trace, 1, (uint16_t)(first_port + i), server, seconds_in_all * i / count, closes);
        c->sides[SIDE_CLIENT].ttl_first = c->sides[SIDE_CLIENT].ttl_min = c->sides[SIDE_CLIENT].ttl_max = ttl;
    }
}

static const struct finding *finding_of(const struct judge *judge, const char *cause)
{
    for (uint32_t i = 0; i < judge->finding_count; i++)
        if (strcmp(judge->findings[i].detector->cause, cause) == 0)
            return &judge->findings[i];
    return NULL;
}

static double measured(const struct finding *finding, const char *name)
{
    for (unsigned i = 0; i < finding->measure_count; i++)
        if (strcmp(finding->measures[i].name, name) == 0)
            return finding->measures[i].value;
    return -1;
}

static void test_windows_ports_used_up(void **state)
{
    struct trace *trace = *state;
    use_ports(trace, WINDOWS_PORTS, 100, WINDOWS_FIRST_PORT, 1, SIDE_CLIENT, WINDOWS_TTL);
    short_connection(trace, 1, WINDOWS_FIRST_PORT, 1, 121, SIDE_CLIENT);
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    const struct finding *finding = finding_of(&trace->judge, "client.port-exhaustion");
    assert_non_null(finding);
    assert_int_equal(finding->severity, SEVERITY_FAULT);
    assert_int_equal(finding->concerned, WINDOWS_PORTS + 1);
    assert_int_equal(finding->conversation_count, 1000);
    assert_true(measured(finding, "ports_used_peak") == WINDOWS_PORTS);
    assert_true(measured(finding, "pause_s") > 20);
    assert_string_equal(trace->judge.verdict.cause, "client.port-exhaustion");
    assert_int_equal(trace->judge.verdict.culprit, CULPRIT_CLIENT);
}

/* With 240 s in TIME_WAIT all ports are taken, with 120 s three in five: nobody knows which, so nobody is accused. */
static void test_windows_wait_undecided(void **state)
{
    struct trace *trace = *state;
    use_ports(trace, WINDOWS_PORTS, 200, WINDOWS_FIRST_PORT, 1, SIDE_CLIENT, WINDOWS_TTL);
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    const struct finding *finding = finding_of(&trace->judge, "client.port-exhaustion");
    assert_non_null(finding);
    assert_int_equal(finding->severity, SEVERITY_RISK);
    assert_true(measured(finding, "ports_used_peak") < WINDOWS_PORTS * 0.65);
    assert_true(measured(finding, "ports_used_peak_with_longest_wait") == WINDOWS_PORTS);
    assert_int_equal(trace->judge.verdict.culprit, CULPRIT_NONE);
    assert_non_null(strstr(trace->judge.verdict.summary, "Risk: client.port-exhaustion (10.0.0.1)."));
}

static void test_below_the_warning(void **state)
{
    struct trace *trace = *state;
    use_ports(trace, WINDOWS_PORTS * 3 / 4, 100, WINDOWS_FIRST_PORT, 1, SIDE_CLIENT, WINDOWS_TTL);
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    assert_null(finding_of(&trace->judge, "client.port-exhaustion"));
}

/* Who closes first holds TIME_WAIT: here the server does. */
static void test_server_closes_first(void **state)
{
    struct trace *trace = *state;
    use_ports(trace, WINDOWS_PORTS, 100, WINDOWS_FIRST_PORT, 1, SIDE_SERVER, WINDOWS_TTL);
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    assert_null(finding_of(&trace->judge, "client.port-exhaustion"));
    assert_null(finding_of(&trace->judge, "client.no-pooling"));
}

/* Windows shares its ports between destinations; Linux has the range for each. */
static void test_destinations(void **state)
{
    struct trace *trace = *state;
    for (uint8_t server = 1; server <= 2; server++)
        use_ports(trace, 20000, 50, 33000, server, SIDE_CLIENT, LINUX_TTL);
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    assert_null(finding_of(&trace->judge, "client.port-exhaustion"));
    judge_close(&trace->judge);
    use_ports(trace, 7000, 50, 53000, 2, SIDE_CLIENT, LINUX_TTL);
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    const struct finding *finding = finding_of(&trace->judge, "client.port-exhaustion");
    assert_non_null(finding);
    assert_int_equal(finding->severity, SEVERITY_FAULT);
    assert_int_equal(finding->server.address.bytes[3], 2);
}

static void test_many_clients_without_a_pool(void **state)
{
    struct trace *trace = *state;
    for (unsigned i = 0; i < 25; i++)
        for (unsigned client = 1; client <= 80; client++)
            short_connection(trace, (uint8_t)client, (uint16_t)(50000 + i), 1, i + 0.001 * client, SIDE_CLIENT);
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    unsigned findings = 0, told = 0;
    for (uint32_t i = 0; i < trace->judge.finding_count; i++) {
        findings += strcmp(trace->judge.findings[i].detector->cause, "client.no-pooling") == 0;
        told += strstr(trace->judge.findings[i].example.says, "So do 79 others, of which 49 are listed.") != NULL;
    }
    assert_int_equal(findings, 50);
    assert_int_equal(told, 1);
    assert_int_equal(trace->judge.verdict.culprit, CULPRIT_NONE);
    assert_non_null(strstr(trace->judge.verdict.summary, "Risk: client.no-pooling (10.0.0.1 and 49 others)."));
}

static struct failure_pattern tested(const double *times_s, uint32_t count)
{
    struct failure_burst bursts[64];
    int64_t times_ns[64];
    struct failure_pattern pattern = {0};
    for (uint32_t i = 0; i < count; i++)
        times_ns[i] = START_NS + (int64_t)(times_s[i] * 1e9);
    failure_times_test(bursts, failure_times_gather(times_ns, count, bursts), &pattern);
    return pattern;
}

static void test_periods(void **state)
{
    (void)state;
    static const double regular[] = {0, 61, 119.5, 180, 241, 299}, with_a_hole[] = {0, 60, 120, 240, 300, 360, 420},
                        in_bursts[] = {0, 1, 2, 300, 302, 601, 900, 900.5, 1200}, few[] = {0, 60, 120, 180},
                        irregular[] = {0, 12, 80, 101, 220, 241, 400}, together[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    assert_true(tested(regular, 6).periodic);
    assert_true(tested(regular, 6).period_ns > 59 * NS_PER_SECOND && tested(regular, 6).period_ns < 61 * NS_PER_SECOND);
    assert_true(tested(with_a_hole, 7).periodic);
    assert_int_equal(tested(with_a_hole, 7).period_ns, 60 * NS_PER_SECOND);
    assert_true(tested(in_bursts, 9).periodic);
    assert_false(tested(few, 4).periodic);
    assert_true(tested(few, 4).p_value == 1);
    assert_false(tested(irregular, 7).periodic);
    assert_false(tested(together, 9).periodic);
}

/* The server's capture is older and has other clients: that says nothing of the client's. When it has the same client before, it
 * does. */
static void test_windows_of_other_clients(void **state)
{
    struct trace *trace = *state;
    static struct point_facts points[2];
    for (unsigned i = 0; i < 2; i++)
        points[i] = (struct point_facts){.role = i ? CAPTURE_ROLE_SERVER : CAPTURE_ROLE_CLIENT,
                                         .role_given = true,
                                         .first_ns = START_NS + (i ? 0 : 100 * NS_PER_SECOND),
                                         .last_ns = START_NS + (i ? 400 : 101) * NS_PER_SECOND,
                                         .has_packets = true};
    trace->casebook.points = points;
    trace->casebook.point_count = 2;
    trace->casebook.clock.known = points[0].clock.known = points[1].clock.known = true;
    point_pairs_need(&trace->casebook.pairs, 0, 1)->clock.known = true;
    struct conversation *here = short_connection(trace, 1, 50000, 1, 100, SIDE_CLIENT);
    struct conversation *there = short_connection(trace, 1, 50000, 1, 100, SIDE_CLIENT);
    there->point = 1;
    there->secondary = true;
    there->twin = here->id;
    here->twin = here->next_view = there->id;
    trace->casebook.secondary_count = 1;
    short_connection(trace, 2, 50000, 1, 10, SIDE_CLIENT)->point = 1;
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    assert_null(finding_of(&trace->judge, "capture.windows-differ"));
    judge_close(&trace->judge);
    short_connection(trace, 1, 50001, 1, 10, SIDE_CLIENT)->point = 1;
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    const struct finding *finding = finding_of(&trace->judge, "capture.windows-differ");
    assert_non_null(finding);
    assert_true(measured(finding, "conversations_outside") == 1);
}

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* Times without a rule look regular less than once in a thousand, as the test claims: here events that may come at any second. */
static void test_chance(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252ULL;
    unsigned unlikely = 0, found = 0;
    for (unsigned series = 0; series < 20000; series++) {
        double times_s[6] = {0};
        for (unsigned i = 1; i < 6; i++) {
            times_s[i] = times_s[i - 1] + 6;
            while (next_random(&random) % 200 != 0)
                times_s[i]++;
        }
        struct failure_pattern pattern = tested(times_s, 6);
        unlikely += pattern.p_value < 0.05;
        found += pattern.periodic;
    }
    assert_in_range(unlikely, 20000 * 0.04, 20000 * 0.06);
    assert_true(found <= 20000 * 0.001);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, trace_open, trace_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_windows_ports_used_up),    CASE(test_windows_wait_undecided), CASE(test_below_the_warning),
        CASE(test_server_closes_first),      CASE(test_destinations),           CASE(test_many_clients_without_a_pool),
        CASE(test_windows_of_other_clients), cmocka_unit_test(test_periods),    cmocka_unit_test(test_chance),
    };
    return cmocka_run_group_tests_name("surveys", tests, NULL, NULL);
}
