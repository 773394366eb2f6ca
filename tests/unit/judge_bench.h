/* What the tests of the judge share: a trace, and conversations that are put together packet by packet. */
#ifndef TDSCOPE_JUDGE_BENCH_H
#define TDSCOPE_JUDGE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "judge.h"

#define START_NS 1700000000000000000LL

/* A casebook of one capture point that was recorded for ten minutes. */
struct trace {
    struct casebook casebook;
    struct point_facts point;
    struct judge judge;
    uint32_t frame;
};

static inline int trace_open(void **state)
{
    static struct trace trace;
    trace = (struct trace){.point = {.role = CAPTURE_ROLE_CLIENT,
                                     .role_given = true,
                                     .first_ns = START_NS,
                                     .last_ns = START_NS + 600 * NS_PER_SECOND,
                                     .has_packets = true}};
    casebook_open(&trace.casebook);
    trace.casebook.points = &trace.point;
    trace.casebook.point_count = 1;
    *state = &trace;
    return 0;
}

static inline int trace_close(void **state)
{
    struct trace *trace = *state;
    capture_silences_close(&trace->point.silences);
    trace->casebook.points = NULL;
    trace->casebook.point_count = 0;
    casebook_close(&trace->casebook);
    return 0;
}

static inline struct moment at(struct trace *trace, double time_s)
{
    return (struct moment){START_NS + (int64_t)(time_s * 1e9), ++trace->frame, 0};
}

static inline struct address ipv4(uint8_t last)
{
    return (struct address){4, {10, 0, 0, last}};
}

static inline struct conversation *new_conversation(struct trace *trace, double time_s)
{
    struct conversation *c = casebook_add_conversation(&trace->casebook);
    c->id = casebook_conversations(&trace->casebook);
    c->ends[SIDE_CLIENT] = (struct endpoint){ipv4(1), (uint16_t)(50000 + c->id)};
    c->ends[SIDE_SERVER] = (struct endpoint){ipv4(2), 1433};
    c->starts_with_syn = true;
    c->sides[SIDE_CLIENT].bare = 1; /* the end of the handshake */
    c->sides[SIDE_CLIENT].ttl_first = c->sides[SIDE_CLIENT].ttl_min = c->sides[SIDE_CLIENT].ttl_max = 128;
    c->sides[SIDE_SERVER].ttl_first = c->sides[SIDE_SERVER].ttl_min = c->sides[SIDE_SERVER].ttl_max = 125;
    c->first = c->last = at(trace, time_s);
    return c;
}

static inline struct moment packet(struct trace *trace, struct conversation *c, enum side side, double time_s)
{
    struct tcp_side *self = &c->sides[side];
    struct moment moment = at(trace, time_s);
    if (self->packets++ == 0)
        self->first = moment;
    self->last = c->last = moment;
    c->packets++;
    return moment;
}

static inline void syn(struct trace *trace, struct conversation *c, enum side side, double time_s)
{
    struct tcp_side *self = &c->sides[side];
    struct moment moment = packet(trace, c, side, time_s);
    if (self->syns++ == 0)
        self->syn = moment;
    else {
        self->syn_retransmits++;
        self->retransmits++;
        if (!moment_seen(&self->first_retransmit))
            self->first_retransmit = moment;
        self->last_retransmit = moment;
    }
    self->syn_last = moment;
}

static inline void ack(struct trace *trace, struct conversation *c, enum side side, double time_s)
{
    struct tcp_side *other = &c->sides[side_other(side)];
    other->ack_of_last_data = other->last_progress = packet(trace, c, side, time_s);
    other->unacknowledged_bytes = 0;
}

static inline struct moment data(struct trace *trace, struct conversation *c, enum side side, double time_s)
{
    struct tcp_side *self = &c->sides[side];
    ack(trace, c, side, time_s);
    if (self->payload_bytes == 0)
        self->first_data = self->last;
    self->last_data = self->last;
    self->payload_bytes += 100;
    self->unacknowledged_bytes += 100;
    self->data_packets++;
    self->last_data_answered = false;
    c->sides[side_other(side)].last_data_answered = c->sides[side_other(side)].data_packets > 0;
    return self->last;
}

static inline void fin(struct trace *trace, struct conversation *c, enum side side, double time_s)
{
    c->sides[side].fin = packet(trace, c, side, time_s);
    c->sides[side].fins++;
}

static inline void reset(struct trace *trace, struct conversation *c, enum side side, double time_s)
{
    c->sides[side].reset = packet(trace, c, side, time_s);
    c->sides[side].resets++;
    c->sides[side].reset_with_ack = true;
    c->sides[side].reset_ttl = c->sides[side].ttl_max;
}

static inline void retry(struct trace *trace, struct conversation *c, enum side side, double time_s)
{
    struct tcp_side *self = &c->sides[side];
    struct moment moment = packet(trace, c, side, time_s);
    self->retransmits++;
    if (!moment_seen(&self->first_retransmit))
        self->first_retransmit = moment;
    self->last_retransmit = moment;
    if (self->data_run.count++ == 0)
        self->data_run.first = moment;
    self->data_run.last = moment;
    self->silent_run = true;
}

static inline struct conversation *connected(struct trace *trace, double time_s)
{
    struct conversation *c = new_conversation(trace, time_s);
    syn(trace, c, SIDE_CLIENT, time_s);
    syn(trace, c, SIDE_SERVER, time_s + 0.001);
    packet(trace, c, SIDE_CLIENT, time_s + 0.0011);
    return c;
}

static inline void step(struct trace *trace, struct conversation *c, enum login_step step, enum side side,
                        double time_s)
{
    if (!c->tds) {
        c->tds = casebook_add_tds(&trace->casebook);
        c->protocol = PROTOCOL_TDS;
    }
    c->tds->steps[step] = data(trace, c, side, time_s);
}

/* Logged in and a first request answered; everything acknowledged; 0.1 s long. */
static inline struct conversation *logged_in(struct trace *trace, double time_s)
{
    struct conversation *c = connected(trace, time_s);
    step(trace, c, LOGIN_STEP_PRELOGIN, SIDE_CLIENT, time_s + 0.01);
    step(trace, c, LOGIN_STEP_PRELOGIN_ANSWER, SIDE_SERVER, time_s + 0.02);
    step(trace, c, LOGIN_STEP_LOGIN, SIDE_CLIENT, time_s + 0.03);
    step(trace, c, LOGIN_STEP_LOGIN_ANSWER, SIDE_SERVER, time_s + 0.04);
    c->tds->steps[LOGIN_STEP_LOGIN_ACK] = c->tds->steps[LOGIN_STEP_LOGIN_ANSWER];
    step(trace, c, LOGIN_STEP_FIRST_REQUEST, SIDE_CLIENT, time_s + 0.05);
    c->tds->last_request = c->tds->steps[LOGIN_STEP_FIRST_REQUEST];
    c->tds->last_response = data(trace, c, SIDE_SERVER, time_s + 0.06);
    ack(trace, c, SIDE_CLIENT, time_s + 0.1);
    return c;
}

static inline struct judgement judged(struct trace *trace, const struct conversation *c)
{
    static struct judgement judgement;
    for (uint32_t i = 0; i < casebook_conversations(&trace->casebook); i++)
        conversation_conclude(casebook_conversation(&trace->casebook, i));
    judge_open(&trace->judge, &trace->casebook, &thresholds_usual);
    judge_conversation(&trace->judge, c, &judgement);
    judge_close(&trace->judge);
    return judgement;
}

static inline void expect(struct trace *trace, const struct conversation *c, const char *cause, enum culprit culprit)
{
    struct judgement judgement = judged(trace, c);
    assert_string_equal(judgement.detector->cause, cause);
    assert_int_equal(judgement.culprit, culprit);
    assert_true(judgement.confidence > 0 && judgement.confidence <= 1);
    assert_true(judgement.says[0] != '\0');
    for (unsigned i = 1; i < judgement.proof_count; i++)
        assert_true(judgement.proofs[i - 1].moment.time_ns <= judgement.proofs[i].moment.time_ns);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, trace_open, trace_close)

#endif
