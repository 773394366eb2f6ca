/* Tests of pairing: which conversations of two captures are the same connection, how the clocks differ, and what is
 * concluded from what arrived. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "clock_steps.h"
#include "judge.h"
#include "memory.h"
#include "pairing.h"

enum { CLIENT_POINT, SERVER_POINT };

/* The server's clock is ahead by this much, and each way takes WAY_NS. */
#define AHEAD_NS (7 * NS_PER_SECOND)
#define WAY_NS (10 * NS_PER_MS)
#define BEGIN_NS (1000000 * NS_PER_SECOND)

static struct casebook casebook;
static uint32_t frames;

static int set_up(void **state)
{
    (void)state;
    frames = 0;
    casebook_open(&casebook);
    casebook.captures = memory_take_array(2, sizeof *casebook.captures);
    casebook.capture_count = 2;
    casebook.points = memory_take_array(2, sizeof *casebook.points);
    casebook.point_count = 2;
    for (uint32_t i = 0; i < 2; i++) {
        enum capture_role role = i == CLIENT_POINT ? CAPTURE_ROLE_CLIENT : CAPTURE_ROLE_SERVER;
        int64_t shift_ns = i == CLIENT_POINT ? 0 : AHEAD_NS;
        casebook.captures[i].role = role;
        casebook.captures[i].point = i;
        casebook.points[i] = (struct point_facts){.role = role,
                                                  .role_given = true,
                                                  .first_ns = BEGIN_NS - 60 * NS_PER_SECOND + shift_ns,
                                                  .last_ns = BEGIN_NS + 600 * NS_PER_SECOND + shift_ns,
                                                  .has_packets = true};
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    casebook_close(&casebook);
    return 0;
}

/* A moment ns after the beginning by the client's clock, as that point tells it. */
static struct moment at(uint32_t point, int64_t ns)
{
    return (struct moment){BEGIN_NS + ns + (point == SERVER_POINT ? AHEAD_NS : 0), ++frames, point};
}

/* An accepted connection with some TDS in it. Each packet is seen a way later at the other point. */
static struct conversation *connection(uint32_t point, uint16_t port, uint32_t isn)
{
    int64_t out_ns = point == SERVER_POINT ? WAY_NS : 0, back_ns = point == CLIENT_POINT ? WAY_NS : 0;
    struct conversation *c = casebook_add_conversation(&casebook);
    struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    c->point = point;
    c->protocol = PROTOCOL_TDS;
    c->starts_with_syn = true;
    c->role_evidence = ROLE_SYN;
    c->tds = casebook_add_tds(&casebook);
    c->ends[SIDE_CLIENT] = (struct endpoint){{4, {10, 0, 0, 1}}, port};
    c->ends[SIDE_SERVER] = (struct endpoint){{4, {10, 0, 0, 2}}, 1433};
    client->isn = isn;
    server->isn = isn ^ 0xffff;
    client->isn_known = server->isn_known = true;
    client->syns = server->syns = 1;
    client->syn = client->syn_last = client->first = at(point, out_ns);
    server->syn = server->syn_last = server->first = at(point, WAY_NS + back_ns);
    client->first_data = c->tds->steps[LOGIN_STEP_PRELOGIN] = at(point, 3 * WAY_NS + out_ns);
    server->first_data = server->last_data = at(point, 4 * WAY_NS + back_ns);
    c->tds->steps[LOGIN_STEP_LOGIN_ACK] = server->first_data;
    client->last = client->last_data = at(point, NS_PER_SECOND + out_ns);
    server->last = server->last_data = at(point, NS_PER_SECOND + WAY_NS + back_ns);
    client->ack_of_last_data = server->last;
    client->last_data_answered = true;
    client->packets = server->packets = 20;
    client->data_packets = server->data_packets = 8;
    client->payload_bytes = server->payload_bytes = 1000;
    client->ttl_first = client->ttl_min = client->ttl_max = point == CLIENT_POINT ? 128 : 127;
    server->ttl_first = server->ttl_min = server->ttl_max = point == SERVER_POINT ? 64 : 63;
    c->first = client->syn;
    c->last = server->last;
    c->packets = 40;
    c->capture_first = c->capture_last = point;
    return c;
}

static void check_judgement(const struct conversation *c, const char *cause, enum culprit culprit)
{
    struct judge judge;
    struct judgement judgement;
    judge_open(&judge, &casebook, &thresholds_usual);
    judge_conversation(&judge, c, &judgement);
    assert_string_equal(judgement.detector->cause, cause);
    assert_int_equal(judgement.culprit, culprit);
    judge_close(&judge);
}

static void conclude_all(void)
{
    for (uint32_t i = 0; i < casebook_conversations(&casebook); i++)
        conversation_conclude(casebook_conversation(&casebook, i));
    pairing_run(&casebook);
}

static void test_same_numbers_are_the_same_connection(void **state)
{
    (void)state;
    struct conversation *here = connection(CLIENT_POINT, 50001, 77), *there = connection(SERVER_POINT, 50001, 77);
    struct conversation *other = connection(SERVER_POINT, 50002, 78);
    conclude_all();
    assert_int_equal(here->twin, there->id);
    assert_int_equal(there->twin, here->id);
    assert_true(there->secondary && !here->secondary);
    assert_int_equal(other->twin, 0);
    assert_int_equal(casebook_connections(&casebook), 2);
    assert_true(casebook.clock.known);
    assert_int_equal(casebook.clock.server_minus_client_ns, AHEAD_NS);
    assert_in_range(casebook.clock.uncertainty_ns, WAY_NS, WAY_NS + NS_PER_MS / 10);
    check_judgement(here, "none.normal", CULPRIT_NONE);
}

/* Behind address translation only the connection's GUID and the sequence numbers are left. */
static void test_rewritten_addresses_are_seen_through(void **state)
{
    (void)state;
    struct conversation *here = connection(CLIENT_POINT, 50001, 77), *there = connection(SERVER_POINT, 61000, 77);
    struct conversation *by_id = connection(CLIENT_POINT, 50002, 5), *by_id_there = connection(SERVER_POINT, 61001, 6);
    there->ends[SIDE_CLIENT].address.bytes[3] = by_id_there->ends[SIDE_CLIENT].address.bytes[3] = 99;
    by_id->tds->has_connection_id = by_id_there->tds->has_connection_id = true;
    by_id->tds->connection_id[0] = by_id_there->tds->connection_id[0] = 42;
    conclude_all();
    assert_int_equal(here->twin, there->id);
    assert_int_equal(by_id->twin, by_id_there->id);
}

static void test_what_fits_twice_stays_unmatched(void **state)
{
    (void)state;
    struct conversation *here = connection(CLIENT_POINT, 50001, 77);
    connection(SERVER_POINT, 50001, 77);
    connection(SERVER_POINT, 50001, 77);
    conclude_all();
    assert_int_equal(here->twin, 0);
    assert_false(casebook.clock.known);
}

/* What the comparator found of it: so far, everything arrived. */
static struct comparison *compared(struct conversation *c)
{
    c->comparison = casebook_add_comparison(&casebook);
    for (unsigned i = 0; i < SIDES; i++)
        c->comparison->passages[i] =
            (struct passage){.arrived = 5, .timed = 5, .shortest_ns = WAY_NS, .longest_ns = WAY_NS};
    return c->comparison;
}

static void test_reset_that_nobody_sent(void **state)
{
    (void)state;
    struct conversation *here = connection(CLIENT_POINT, 50001, 77);
    connection(SERVER_POINT, 50001, 77);
    compared(here)->passages[SIDE_SERVER].injected_reset = at(CLIENT_POINT, 2 * NS_PER_SECOND);
    here->sides[SIDE_SERVER].reset = at(CLIENT_POINT, 2 * NS_PER_SECOND);
    here->sides[SIDE_SERVER].resets = 1;
    here->last = here->sides[SIDE_SERVER].reset;
    conclude_all();
    check_judgement(here, "network.device-reset", CULPRIT_NETWORK);
}

static void test_reset_that_the_server_sent(void **state)
{
    (void)state;
    struct conversation *here = connection(CLIENT_POINT, 50001, 77), *there = connection(SERVER_POINT, 50001, 77);
    here->sides[SIDE_SERVER].reset = at(CLIENT_POINT, 2 * NS_PER_SECOND);
    there->sides[SIDE_SERVER].reset = at(SERVER_POINT, 2 * NS_PER_SECOND - WAY_NS);
    here->sides[SIDE_SERVER].resets = there->sides[SIDE_SERVER].resets = 1;
    conclude_all();
    check_judgement(here, "server.reset", CULPRIT_SERVER);
}

/* The client repeats its last packet for six seconds; none of the repetitions is in the server's capture. */
static struct conversation *retries_that_do_not_arrive(void)
{
    struct conversation *here = connection(CLIENT_POINT, 50001, 77);
    struct tcp_side *client = &here->sides[SIDE_CLIENT];
    connection(SERVER_POINT, 50001, 77);
    client->packets += 5;
    client->retransmits = 5;
    client->data_run = (struct retry_run){5, at(CLIENT_POINT, 2 * NS_PER_SECOND), at(CLIENT_POINT, 7 * NS_PER_SECOND)};
    client->first_retransmit = client->data_run.first;
    client->last_retransmit = client->last = here->last = client->data_run.last;
    client->silent_run = true;
    client->unacknowledged_bytes = 100;
    struct passage *passage = &compared(here)->passages[SIDE_CLIENT];
    passage->last_arrival_sent = here->sides[SIDE_CLIENT].first_data;
    passage->lost = passage->lost_data = passage->lost_at_end = 6;
    passage->first_lost = passage->lost_at_end_first = client->data_run.first;
    passage->last_lost = client->last;
    return here;
}

static void test_packets_that_do_not_arrive(void **state)
{
    (void)state;
    struct conversation *here = retries_that_do_not_arrive();
    conclude_all();
    check_judgement(here, "network.drop-to-server", CULPRIT_NETWORK);
}

/* Near: one of them arrived after all. */
static void test_packets_of_which_the_last_arrives(void **state)
{
    (void)state;
    struct conversation *here = retries_that_do_not_arrive();
    here->comparison->passages[SIDE_CLIENT].lost_at_end = 0;
    conclude_all();
    check_judgement(here, "network.loss", CULPRIT_NETWORK);
}

/* Near: nobody sends again what is lacking. */
static void test_packets_that_nobody_needs(void **state)
{
    (void)state;
    struct conversation *here = retries_that_do_not_arrive();
    here->comparison->passages[SIDE_CLIENT].lost_at_end = 0;
    here->sides[SIDE_CLIENT].retransmits = 0;
    here->sides[SIDE_CLIENT].data_run = (struct retry_run){0};
    conclude_all();
    check_judgement(here, "none.normal", CULPRIT_NONE);
}

/* Three packets of the client are not in the server's capture; it sent one again. */
static struct conversation *lacks_three(void)
{
    struct conversation *here = connection(CLIENT_POINT, 50001, 77);
    struct tcp_side *client = &here->sides[SIDE_CLIENT];
    connection(SERVER_POINT, 50001, 77);
    client->retransmits = 1;
    client->first_retransmit = client->last_retransmit = at(CLIENT_POINT, 20 * WAY_NS);
    struct passage *passage = &compared(here)->passages[SIDE_CLIENT];
    passage->lost = passage->lost_data = 3;
    passage->first_lost = at(CLIENT_POINT, 10 * WAY_NS);
    passage->last_lost = at(CLIENT_POINT, 19 * WAY_NS);
    casebook.points[SERVER_POINT].compared = 10000;
    conclude_all();
    return here;
}

/* Where the server's capture missed packets, it missed those that nobody sent again, too: one loss is none to speak of. */
static void test_no_more_is_lost_than_was_sent_again(void **state)
{
    (void)state;
    struct conversation *here = lacks_three();
    check_judgement(here, "network.loss", CULPRIT_NETWORK);
    casebook.points[SERVER_POINT].missed = 1;
    check_judgement(here, "none.normal", CULPRIT_NONE);
}

/* Near: it was sent again each time; but that capture misses as large a share of what did pass. */
static void test_a_share_that_a_capture_misses_is_not_lost(void **state)
{
    (void)state;
    struct conversation *here = lacks_three();
    here->sides[SIDE_CLIENT].retransmits = 3;
    casebook.points[SERVER_POINT].missed = 1;
    check_judgement(here, "network.loss", CULPRIT_NETWORK);
    casebook.points[SERVER_POINT].missed = 2000; /* of 10000; here it is three of eight */
    check_judgement(here, "none.normal", CULPRIT_NONE);
}

/* Near: the capture of the server missed more than what is lacking. */
static void test_packets_that_a_capture_missed(void **state)
{
    (void)state;
    struct conversation *here = retries_that_do_not_arrive();
    struct passage *passage = &here->comparison->passages[SIDE_CLIENT];
    passage->missed = 9;
    passage->lost_at_end = passage->lost_data = 2;
    conclude_all();
    struct judge judge;
    struct judgement judgement;
    judge_open(&judge, &casebook, &thresholds_usual);
    judge_conversation(&judge, here, &judgement);
    assert_int_not_equal(judgement.culprit, CULPRIT_NETWORK);
    judge_close(&judge);
}

static struct conversation *unanswered_syns(void)
{
    struct conversation *here = connection(CLIENT_POINT, 50009, 99);
    struct tcp_side syns = {
        .syns = 4, .packets = 4, .syn_retransmits = 3, .retransmits = 3, .isn_known = true, .isn = 99, .ttl_max = 128};
    syns.syn = syns.first = at(CLIENT_POINT, 0);
    syns.syn_last = syns.last = at(CLIENT_POINT, 7 * NS_PER_SECOND);
    here->sides[SIDE_CLIENT] = syns;
    here->sides[SIDE_SERVER] = (struct tcp_side){0};
    here->tds = NULL;
    here->protocol = PROTOCOL_TCP;
    here->last = syns.last;
    return here;
}

static void test_syns_that_never_reach_the_server(void **state)
{
    (void)state;
    connection(CLIENT_POINT, 50001, 77);
    connection(SERVER_POINT, 50001, 77);
    struct conversation *here = unanswered_syns();
    conclude_all();
    check_judgement(here, "network.syn-lost", CULPRIT_NETWORK);
}

/* Near: they are in the server's capture, which shows no answer leaving. Then it is the server's machine. */
static void test_syns_that_the_server_ignores(void **state)
{
    (void)state;
    connection(CLIENT_POINT, 50001, 77);
    connection(SERVER_POINT, 50001, 77);
    struct conversation *here = unanswered_syns(), *there = casebook_add_conversation(&casebook);
    uint32_t id = there->id;
    *there = *here;
    there->id = id;
    there->point = SERVER_POINT;
    struct moment *moments[] = {&there->sides[SIDE_CLIENT].syn,
                                &there->sides[SIDE_CLIENT].syn_last,
                                &there->sides[SIDE_CLIENT].first,
                                &there->sides[SIDE_CLIENT].last,
                                &there->first,
                                &there->last};
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        moments[i]->time_ns += AHEAD_NS + WAY_NS;
        moments[i]->capture = SERVER_POINT;
    }
    conclude_all();
    assert_int_equal(here->twin, there->id);
    check_judgement(here, "server.no-answer", CULPRIT_SERVER);
}

/* A connection in both captures, `after_ns` later; the server's clock is off by `set_ns` then. */
static void both_views(uint16_t port, int64_t after_ns, int64_t set_ns)
{
    for (uint32_t point = CLIENT_POINT; point <= SERVER_POINT; point++) {
        struct conversation *c = connection(point, port, port);
        int64_t shift_ns = after_ns + (point == SERVER_POINT ? set_ns : 0);
        for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
            struct tcp_side *s = &c->sides[side];
            struct moment *moments[] = {&s->syn, &s->syn_last, &s->first, &s->first_data, &s->last_data, &s->last};
            for (unsigned i = 0; i < sizeof moments / sizeof *moments; i++)
                moments[i]->time_ns += shift_ns;
        }
        c->first = c->sides[SIDE_CLIENT].syn;
        c->last = c->sides[SIDE_SERVER].last;
    }
}

static void test_jump_of_a_clock_is_found(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 4; i++)
        both_views((uint16_t)(50001 + i), i * 10 * NS_PER_SECOND, i < 2 ? 0 : -3 * NS_PER_SECOND);
    conclude_all();
    const struct conversation *last_before = casebook_conversation(&casebook, 3),
                              *first_after = casebook_conversation(&casebook, 5);
    struct clock_steps steps;
    clock_steps_find(&casebook, &steps);
    assert_int_equal(steps.count, 1);
    int64_t by_ns = clock_step_by_ns(&steps.list[0], SIDE_SERVER);
    assert_in_range(-by_ns, 3 * NS_PER_SECOND - NS_PER_MS, 3 * NS_PER_SECOND + NS_PER_MS);
    assert_int_equal(clock_step_by_ns(&steps.list[0], SIDE_CLIENT), -by_ns);
    assert_true(steps.list[0].before[SIDE_SERVER].frame <= last_before->last.frame);
    assert_true(steps.list[0].after[SIDE_SERVER].frame >= first_after->first.frame);
    clock_steps_close(&steps);
}

static void test_late_packets_are_no_jump(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 4; i++)
        both_views((uint16_t)(50001 + i), i * 10 * NS_PER_SECOND, 0);
    for (uint32_t i = 4; i < 8; i++) {
        struct conversation *c = casebook_conversation(&casebook, i);
        struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
        client->syn.time_ns += c->point == SERVER_POINT ? 3 * NS_PER_SECOND : 0;
        client->first_data.time_ns += 3 * NS_PER_SECOND;
        server->syn.time_ns += 3 * NS_PER_SECOND;
        server->first_data.time_ns += 3 * NS_PER_SECOND;
    }
    conclude_all();
    struct clock_steps steps;
    clock_steps_find(&casebook, &steps);
    assert_int_equal(steps.count, 0);
    assert_false(casebook.clock.unsteady);
    clock_steps_close(&steps);
}

/* Neither ends nor sequence numbers are the same in both captures. */
static struct conversation *disguised(uint32_t point, uint16_t port)
{
    struct conversation *c = connection(point, port, port * 7919u + point);
    c->ends[SIDE_CLIENT].address.bytes[3] = (uint8_t)(1 + point);
    return c;
}

static void test_random_bytes_tell_what_is_disguised(void **state)
{
    (void)state;
    struct conversation *here = disguised(CLIENT_POINT, 50001), *there = disguised(SERVER_POINT, 61001);
    struct conversation *other = disguised(SERVER_POINT, 61002);
    here->sides[SIDE_CLIENT].traces.heads[0] = there->sides[SIDE_CLIENT].traces.heads[0] = 12345;
    other->sides[SIDE_CLIENT].traces.heads[0] = 54321;
    conclude_all();
    assert_int_equal(here->twin, there->id);
    assert_int_equal(here->matched_by, MATCHED_BY_TRACES);
    assert_int_equal(here->match_traces, TRACE_BY_CONTENTS);
    assert_in_range(here->match_bits, 20, 30);
    assert_int_equal(other->twin, 0);
    assert_false(other->doubtful);
}

/* The server's capture has SYNs that may be these, under other ports and numbers: nobody can say that they did not arrive. */
static void test_disguised_syns_are_not_said_to_be_lost(void **state)
{
    (void)state;
    disguised(CLIENT_POINT, 50001)->sides[SIDE_CLIENT].traces.heads[0] = 12345;
    disguised(SERVER_POINT, 61001)->sides[SIDE_CLIENT].traces.heads[0] = 12345;
    struct conversation *here = unanswered_syns(), *there = casebook_add_conversation(&casebook);
    uint32_t id = there->id;
    *there = *here;
    there->id = id;
    there->point = SERVER_POINT;
    there->ends[SIDE_CLIENT].port = 61002;
    there->sides[SIDE_CLIENT].isn = 5555;
    there->first = at(SERVER_POINT, WAY_NS);
    there->last = at(SERVER_POINT, 7 * NS_PER_SECOND + WAY_NS);
    conclude_all();
    assert_int_equal(here->twin, 0);
    assert_true(here->doubtful);
    check_judgement(here, "network.syn-lost", CULPRIT_UNKNOWN);
}

enum { PROGRAMS = 5 };

/* Each has messages of lengths that none else has, at moments of its own; there it begins so much later than it should. */
static void programs(struct conversation *here[static PROGRAMS], struct conversation *there[static PROGRAMS],
                     const int64_t later_ns[static PROGRAMS])
{
    for (unsigned i = 0; i < PROGRAMS; i++) {
        here[i] = disguised(CLIENT_POINT, (uint16_t)(50001 + i));
        there[i] = disguised(SERVER_POINT, (uint16_t)(61001 + i));
        here[i]->sides[SIDE_CLIENT].isn_known = there[i]->sides[SIDE_CLIENT].isn_known = false;
        here[i]->series[0] = there[i]->series[0] = (struct length_series){1000 + i, 100 + 777 * i};
        there[i]->series[0].begun += (uint32_t)(later_ns[i] / TRACE_TICK_NS);
    }
    conclude_all();
}

static void test_lengths_tell_where_moments_agree(void **state)
{
    (void)state;
    struct conversation *here[PROGRAMS], *there[PROGRAMS];
    programs(here, there, (const int64_t[PROGRAMS]){0, 2 * NS_PER_MS, 4 * NS_PER_MS, 0, NS_PER_MS});
    for (unsigned i = 0; i < PROGRAMS; i++) {
        assert_int_equal(here[i]->twin, there[i]->id);
        assert_int_equal(here[i]->match_traces, TRACE_BY_LENGTHS);
    }
}

/* Near: the same programs ran twice. */
static void test_lengths_alone_do_not_tell(void **state)
{
    (void)state;
    struct conversation *here[PROGRAMS], *there[PROGRAMS];
    programs(here, there,
             (const int64_t[PROGRAMS]){0, NS_PER_SECOND, 5 * NS_PER_SECOND, 11 * NS_PER_SECOND, 13 * NS_PER_SECOND});
    for (unsigned i = 0; i < PROGRAMS; i++)
        assert_int_equal(here[i]->twin, 0);
}

/* Near: two have the same lengths. */
static void test_lengths_that_two_have_do_not_tell(void **state)
{
    (void)state;
    struct conversation *here[PROGRAMS], *there[PROGRAMS], *other = disguised(SERVER_POINT, 62000);
    other->series[0] = (struct length_series){1000, 100};
    programs(here, there, (const int64_t[PROGRAMS]){0});
    assert_int_equal(here[0]->twin, 0);
    assert_int_equal(here[1]->twin, there[1]->id);
}

/* Near: plain text is no evidence, however few have it. */
static void test_plain_text_does_not_tell(void **state)
{
    (void)state;
    struct conversation *here = disguised(CLIENT_POINT, 50001), *there = disguised(SERVER_POINT, 61001);
    here->sides[SIDE_CLIENT].traces.heads[0] = there->sides[SIDE_CLIENT].traces.heads[0] = 12345 | TRACE_PLAIN;
    conclude_all();
    assert_int_equal(here->twin, 0);
    assert_true(here->doubtful && there->doubtful);
}

/* Near: two of the server's capture have them; nothing tells which it is. */
static void test_bytes_that_two_have_do_not_tell(void **state)
{
    (void)state;
    struct conversation *here = disguised(CLIENT_POINT, 50001);
    here->sides[SIDE_CLIENT].traces.heads[0] = 12345;
    for (uint16_t i = 0; i < 2; i++)
        disguised(SERVER_POINT, (uint16_t)(61001 + i))->sides[SIDE_CLIENT].traces.heads[0] = 12345;
    conclude_all();
    assert_int_equal(here->twin, 0);
    assert_true(here->doubtful);
}

/* Near: the client's view has more than there is by the FIN in the server's. */
static void test_what_contradicts_is_not_the_same(void **state)
{
    (void)state;
    struct conversation *here = disguised(CLIENT_POINT, 50001), *there = disguised(SERVER_POINT, 61001);
    struct tcp_side *client = &here->sides[SIDE_CLIENT], *seen = &there->sides[SIDE_CLIENT];
    client->traces.heads[0] = seen->traces.heads[0] = 12345;
    client->seqs_known = seen->seqs_known = true;
    client->seq_end = client->isn + 1001;
    seen->seq_end = seen->isn + 901;
    seen->fins = 1;
    conclude_all();
    assert_int_equal(here->twin, 0);
}

static void test_timestamps_and_ip_ids_tell_together(void **state)
{
    (void)state;
    struct conversation *here = disguised(CLIENT_POINT, 50001), *there = disguised(SERVER_POINT, 61001);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        for (unsigned i = 0; i < TRACE_STAMPS; i++) {
            here->sides[side].traces.stamps[i] = there->sides[side].traces.stamps[i] = 1000 + i;
            here->sides[side].traces.ip_ids[i] = there->sides[side].traces.ip_ids[i] = (uint16_t)(77 + i);
        }
    conclude_all();
    assert_int_equal(here->twin, there->id);
    assert_int_equal(here->match_traces, TRACE_BY_TIMESTAMPS | TRACE_BY_IP_IDS);
}

/* Near: another IP ID at the same tick is another packet. */
static void test_timestamps_of_other_packets_do_not_tell(void **state)
{
    (void)state;
    struct conversation *here = disguised(CLIENT_POINT, 50001), *there = disguised(SERVER_POINT, 61001);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        here->sides[side].traces.stamps[0] = there->sides[side].traces.stamps[0] = 1000;
        here->sides[side].traces.ip_ids[0] = 77;
        there->sides[side].traces.ip_ids[0] = 78;
    }
    conclude_all();
    assert_int_equal(here->twin, 0);
}

/* A capture beyond the eighth, of connections under way behind address translation. */
static void test_points_beyond_the_eighth_are_matched(void **state)
{
    (void)state;
    enum { POINTS = 12, LAST = POINTS - 1 };
    casebook.points = memory_grow(casebook.points, POINTS, sizeof *casebook.points);
    casebook.captures = memory_grow(casebook.captures, POINTS, sizeof *casebook.captures);
    for (uint32_t i = 2; i < POINTS; i++) {
        casebook.points[i] = casebook.points[SERVER_POINT];
        casebook.captures[i] = casebook.captures[SERVER_POINT];
        casebook.captures[i].point = i;
    }
    casebook.point_count = casebook.capture_count = POINTS;
    struct conversation *here = disguised(CLIENT_POINT, 50001), *there = disguised(LAST, 61001);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        here->sides[side].isn_known = there->sides[side].isn_known = false;
        here->sides[side].seqs_known = there->sides[side].seqs_known = true;
        here->sides[side].seq_first = there->sides[side].seq_first = 1000000;
        here->sides[side].seq_end = there->sides[side].seq_end = 1005000;
    }
    conclude_all();
    assert_int_equal(here->twin, there->id);
    assert_int_equal(here->matched_by, MATCHED_BY_BYTES_IN_FLIGHT);
}

int main(void)
{
#define PAIRING_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PAIRING_TEST(test_jump_of_a_clock_is_found),
        PAIRING_TEST(test_late_packets_are_no_jump),
        PAIRING_TEST(test_same_numbers_are_the_same_connection),
        PAIRING_TEST(test_rewritten_addresses_are_seen_through),
        PAIRING_TEST(test_what_fits_twice_stays_unmatched),
        PAIRING_TEST(test_reset_that_nobody_sent),
        PAIRING_TEST(test_reset_that_the_server_sent),
        PAIRING_TEST(test_packets_that_do_not_arrive),
        PAIRING_TEST(test_packets_of_which_the_last_arrives),
        PAIRING_TEST(test_packets_that_nobody_needs),
        PAIRING_TEST(test_no_more_is_lost_than_was_sent_again),
        PAIRING_TEST(test_a_share_that_a_capture_misses_is_not_lost),
        PAIRING_TEST(test_packets_that_a_capture_missed),
        PAIRING_TEST(test_syns_that_never_reach_the_server),
        PAIRING_TEST(test_syns_that_the_server_ignores),
        PAIRING_TEST(test_random_bytes_tell_what_is_disguised),
        PAIRING_TEST(test_disguised_syns_are_not_said_to_be_lost),
        PAIRING_TEST(test_lengths_tell_where_moments_agree),
        PAIRING_TEST(test_lengths_alone_do_not_tell),
        PAIRING_TEST(test_lengths_that_two_have_do_not_tell),
        PAIRING_TEST(test_plain_text_does_not_tell),
        PAIRING_TEST(test_bytes_that_two_have_do_not_tell),
        PAIRING_TEST(test_what_contradicts_is_not_the_same),
        PAIRING_TEST(test_timestamps_and_ip_ids_tell_together),
        PAIRING_TEST(test_timestamps_of_other_packets_do_not_tell),
        PAIRING_TEST(test_points_beyond_the_eighth_are_matched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
