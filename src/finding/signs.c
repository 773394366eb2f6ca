/* Readings of the facts that several detectors share. */
#include "signs.h"

#include <assert.h>
#include <stdio.h>

#include "certificate_faults.h"
#include "tls_names.h"
#include "ttl_signs.h"

/* No stack repeats a SYN sooner than after a first time-out; one seen twice within a tenth of that was recorded twice. */
#define SYN_RECORDED_TWICE_NS (FIRST_RTO_NS / 10)

bool signs_of_sql(const struct conversation *conversation, const struct surroundings *surroundings)
{
    const struct casebook *casebook = surroundings->casebook;
    uint16_t port = conversation->ends[SIDE_SERVER].port;
    return conversation->tds || port == SQL_SERVER_PORT || (port != 0 && port == casebook->server_port) ||
           surroundings_server(surroundings, conversation)->speaks_tds > 0 ||
           casebook_instance_lookup_for(casebook, conversation);
}

bool signs_of_other_service(const struct conversation *conversation, const struct surroundings *surroundings)
{
    enum { SYSTEM_PORTS_END = 1024 };
    return conversation->ends[SIDE_SERVER].port < SYSTEM_PORTS_END && !signs_of_sql(conversation, surroundings);
}

bool signs_of_one_direction(const struct conversation *conversation)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *seen = &conversation->sides[side];
        if (conversation->sides[side_other(side)].packets > 0 || seen->packets == 0)
            continue;
        /* A SYN alone has no other side yet, and a reset may be its refusal. Anything more answers somebody unseen. */
        if (side == SIDE_SERVER || seen->packets > (uint32_t)seen->syns + seen->capture_duplicates ||
            seen->data_packets)
            return true;
    }
    return false;
}

bool signs_of_missed_packets(const struct conversation *conversation)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        if (conversation->sides[side].unseen_segments > 0 || conversation->sides[side].acknowledged_unseen)
            return true;
    return false;
}

bool signs_of_missed_packets_by(const struct conversation *conversation, int64_t time_ns)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *self = &conversation->sides[side];
        if (self->unseen_segments > 0 && self->first_unseen_ns <= time_ns)
            return true;
    }
    return false;
}

/* What it sent is not acknowledged, and it repeated it before that. */
static bool repeats_until(const struct tcp_side *self, const struct moment *end)
{
    return self->unacknowledged_bytes > 0 && self->data_run.count > 0 && self->data_run.first.time_ns <= end->time_ns;
}

bool signs_of_giving_up(const struct conversation *conversation, enum side side)
{
    const struct tcp_side *self = &conversation->sides[side], *other = &conversation->sides[side_other(side)];
    if (!moment_seen(&self->reset))
        return false;
    if (repeats_until(other, &self->reset) || (self->keep_alive_run.count > 0 && !self->probes_answered &&
                                               self->keep_alive_run.last.time_ns <= self->reset.time_ns))
        return true;
    if (moment_seen(&self->last_data) && self->last_retransmit.time_ns >= self->last_data.time_ns &&
        self->last_progress.time_ns - self->last_data.time_ns >= OLD_FIRST_RTO_NS &&
        self->reset.time_ns - self->last_progress.time_ns < NS_PER_SECOND)
        return true; /* nothing had got through until moments before */
    if (self->late_answers > 0 && self->late_answer.time_ns - other->last.time_ns >= NS_PER_SECOND)
        return true; /* what it had not got then, came later */
    if (self->unacknowledged_bytes == 0)
        return false;
    return repeats_until(self, &self->reset) ||
           (moment_seen(&self->last_data) && self->reset.time_ns - self->last_data.time_ns >= OLD_FIRST_RTO_NS);
}

bool signs_of_more_sent(const struct conversation *conversation, enum side side)
{
    const struct tcp_side *self = &conversation->sides[side];
    return moment_seen(&self->ahead) || self->hole_bytes > 0 || (moment_seen(&self->reset) && self->reset_beyond);
}

/* No more than the largest window is ever under way (RFC 7323, 2.3): a number beyond it is of another connection, or somebody's guess. */
static bool fits_window(const struct conversation *c, enum side receiver, uint32_t bytes)
{
    enum { LARGEST_SHIFT = 14 };
    const struct tcp_side *self = &c->sides[receiver];
    bool scaled = self->offers_window_scale && c->sides[side_other(receiver)].offers_window_scale;
    uint32_t shift = !scaled ? 0 : self->window_scale < LARGEST_SHIFT ? self->window_scale : LARGEST_SHIFT;
    return bytes <= (uint32_t)UINT16_MAX << shift;
}

bool signs_of_lacking(const struct conversation *c, enum side sender)
{
    const struct tcp_side *self = &c->sides[sender];
    return moment_seen(&self->ahead) && self->ahead_lacking && fits_window(c, side_other(sender), self->ahead_bytes);
}

bool signs_of_forgotten(const struct conversation *conversation, enum side side)
{
    const struct tcp_side *self = &conversation->sides[side];
    return moment_seen(&self->reset) && !self->reset_with_ack;
}

/* An SSPI challenge is a first answer to the login, but not the one that ends it. */
static bool seen_step(const struct tds_facts *tds, enum login_step step)
{
    const struct moment *moment = &tds->steps[step], *challenge = &tds->steps[LOGIN_STEP_SSPI_CHALLENGE];
    if (step == LOGIN_STEP_LOGIN_ANSWER && moment_seen(challenge) && moment->time_ns <= challenge->time_ns)
        return false;
    return moment_seen(moment);
}

bool signs_of_login_refused(const struct conversation *conversation)
{
    const struct tds_facts *tds = conversation->tds;
    if (!tds || !seen_step(tds, LOGIN_STEP_LOGIN_ERROR) || seen_step(tds, LOGIN_STEP_LOGIN_ACK))
        return false;
    /* Who asks has logged in: the error is its answer, and the capture missed the login. */
    return !seen_step(tds, LOGIN_STEP_FIRST_REQUEST) ||
           tds->steps[LOGIN_STEP_FIRST_REQUEST].time_ns > tds->steps[LOGIN_STEP_LOGIN_ERROR].time_ns;
}

bool signs_of_login_done(const struct conversation *conversation)
{
    const struct tds_facts *tds = conversation->tds;
    if (!tds || signs_of_login_refused(conversation))
        return false;
    if (seen_step(tds, LOGIN_STEP_LOGIN_ACK) || seen_step(tds, LOGIN_STEP_FIRST_REQUEST))
        return true;
    if (seen_step(tds, LOGIN_STEP_LOGIN_ANSWER))
        return true;
    for (unsigned step = LOGIN_STEP_PRELOGIN; step < LOGIN_STEPS; step++)
        if (seen_step(tds, step))
            return false;
    return true; /* recognised by its requests: the login lies before the capture */
}

bool signs_of_session(const struct conversation *conversation)
{
    const struct tds_facts *tds = conversation->tds;
    if (!tds)
        return !conversation->starts_with_syn &&
               conversation->sides[SIDE_CLIENT].payload_bytes + conversation->sides[SIDE_SERVER].payload_bytes > 0;
    if (!signs_of_login_done(conversation))
        return false;
    return seen_step(tds, LOGIN_STEP_LOGIN_ACK) || seen_step(tds, LOGIN_STEP_FIRST_REQUEST) ||
           !seen_step(tds, LOGIN_STEP_LOGIN_ANSWER);
}

static enum side step_speaker(enum login_step step)
{
    switch (step) {
    case LOGIN_STEP_PRELOGIN:
    case LOGIN_STEP_CLIENT_HELLO:
    case LOGIN_STEP_KEY_EXCHANGE:
    case LOGIN_STEP_LOGIN:
    case LOGIN_STEP_SSPI_RESPONSE:
    case LOGIN_STEP_FIRST_REQUEST:
        return SIDE_CLIENT;
    default:
        return SIDE_SERVER;
    }
}

const char *login_step_words(enum login_step step)
{
    static const char *const words[] = {
        [LOGIN_STEP_PRELOGIN] = "PRELOGIN",
        [LOGIN_STEP_PRELOGIN_ANSWER] = "the PRELOGIN answer",
        [LOGIN_STEP_CLIENT_HELLO] = "the TLS ClientHello",
        [LOGIN_STEP_SERVER_HELLO] = "the TLS ServerHello",
        [LOGIN_STEP_KEY_EXCHANGE] = "the TLS key exchange",
        [LOGIN_STEP_TLS_DONE] = "the end of the TLS handshake",
        [LOGIN_STEP_LOGIN] = "the login packet",
        [LOGIN_STEP_SSPI_CHALLENGE] = "the authentication challenge",
        [LOGIN_STEP_SSPI_RESPONSE] = "the authentication response",
        [LOGIN_STEP_LOGIN_ANSWER] = "the login answer",
        [LOGIN_STEP_LOGIN_ACK] = "LOGINACK",
        [LOGIN_STEP_LOGIN_ERROR] = "the login error",
        [LOGIN_STEP_FIRST_REQUEST] = "the first request",
    };
    static_assert(sizeof words / sizeof *words == LOGIN_STEPS, "each step has its words");
    return words[step];
}

const char *signs_of_credentials_checked(enum login_step step)
{
    return step == LOGIN_STEP_SSPI_RESPONSE
               ? " It was checking Windows credentials then: suspect its domain controller first."
               : "";
}

/* The latest step at or before limit; false: none. Of steps that came in one packet the later in the usual order
 * wins. */
static bool latest_step(const struct tds_facts *tds, int64_t limit_ns, enum login_step *latest)
{
    bool found = false;
    for (unsigned step = LOGIN_STEP_PRELOGIN; step < LOGIN_STEPS; step++) {
        const struct moment *moment = &tds->steps[step];
        if (!seen_step(tds, step) || moment->time_ns > limit_ns)
            continue;
        if (!found || moment->time_ns >= tds->steps[*latest].time_ns)
            *latest = (enum login_step)step;
        found = true;
    }
    return found;
}

/* An acknowledgement that comes only after the close says that packets were held up, not that the server was - unless it was under
 * way: no longer than a first time-out, and nothing was repeated. */
static bool acknowledged(const struct tcp_side *speaker, const struct moment *word, int64_t limit_ns)
{
    const struct moment *ack = &speaker->ack_of_last_data;
    bool repeated = moment_seen(&speaker->last_retransmit) && speaker->last_retransmit.time_ns >= word->time_ns;
    if (moment_seen(ack) && ack->time_ns >= word->time_ns)
        return ack->time_ns <= limit_ns || (ack->time_ns - word->time_ns < FIRST_RTO_NS && !repeated);
    return speaker->unacknowledged_bytes == 0;
}

/* The client talked before the first step that was understood: cut too short to be read, or picked up somewhere later. Then
 * the last step that was understood need not be the last one there was. */
static bool begins_before_its_steps(const struct conversation *c)
{
    const struct moment *first_data = &c->sides[SIDE_CLIENT].first_data;
    for (unsigned step = 0; step < LOGIN_STEPS; step++)
        if (moment_seen(&c->tds->steps[step]) && c->tds->steps[step].time_ns <= first_data->time_ns)
            return false;
    return moment_seen(first_data);
}

/* Whoever sends a fatal alert closes at once, and so does who gets it; a packet of that may be lost and sent again. */
#define CLOSE_FOLLOWS_ALERT_NS NS_PER_SECOND

/* An alert of the handshake that ends it: one that is encrypted may be any, but until the handshake is complete only an error, or a
 * farewell, makes one. Warnings (level 1) are none, but for the farewell (close_notify). */
static const struct tls_alert *stopping_alert(const struct login_halt *halt, const struct tls_facts *tls)
{
    if (!tls || !halt->closed || halt->last_step < LOGIN_STEP_CLIENT_HELLO || halt->last_step > LOGIN_STEP_TLS_DONE)
        return NULL;
    for (unsigned i = 0; i < tls->alert_count; i++) {
        const struct tls_alert *alert = &tls->alerts[i];
        bool warning = !alert->encrypted && alert->level == 1 && alert->number != 0;
        int64_t before_close_ns = halt->close.time_ns - alert->moment.time_ns;
        if (!warning && alert->moment.time_ns >= halt->since.time_ns && before_close_ns >= 0 &&
            before_close_ns <= CLOSE_FOLLOWS_ALERT_NS)
            return alert;
    }
    return NULL;
}

/* TLS 1.3: the server's part is done with its first flight, the handshake is not. */
static bool is_before_finished(const struct tds_facts *tds, enum login_step last_step)
{
    return last_step == LOGIN_STEP_TLS_DONE && tds->tls_version == TLS_VERSION_1_3 &&
           !seen_step(tds, LOGIN_STEP_KEY_EXCHANGE) && seen_step(tds, LOGIN_STEP_SERVER_HELLO);
}

static bool speaks_between(const struct tcp_side *side, int64_t after_ns, int64_t until_ns)
{
    return moment_seen(&side->last_data) && side->last_data.time_ns > after_ns && side->last_data.time_ns <= until_ns;
}

/* Whose FIN the capture missed had closed before, nobody knows when: its reset answers what came after that. */
static void find_close(const struct conversation *c, struct login_halt *halt)
{
    halt->close = conversation_first_close(c);
    halt->closed = moment_seen(&halt->close) && c->first_close_known && !c->sides[c->closed_first_by].fin_missed;
    halt->closed_by = halt->closed ? c->closed_first_by : SIDE_CLIENT;
}

/* Further packets may have gone to and fro since the last step that was understood. */
static enum side last_speaker(const struct conversation *c, const struct login_halt *halt, int64_t limit_ns)
{
    enum side spoke = step_speaker(halt->last_step);
    const struct tcp_side *other = &c->sides[side_other(spoke)];
    const struct moment *unasked = &c->tds->unasked;
    bool only_unasked =
        halt->last_step == LOGIN_STEP_PRELOGIN && moment_seen(unasked) && other->last_data.time_ns <= unasked->time_ns;
    bool other_spoke = speaks_between(other, halt->since.time_ns, limit_ns) && !only_unasked,
         spoke_again = speaks_between(&c->sides[spoke], other->last_data.time_ns, limit_ns);
    return other_spoke && !spoke_again ? side_other(spoke) : spoke;
}

/* The server's answer acknowledges what the client said, and was recorded before it: that was a repetition, and the capture began in
 * between, or it stamps what arrives later than what leaves. */
static bool was_answered_before(const struct conversation *c, const struct login_halt *halt)
{
    return halt->turn == SIDE_SERVER && c->sides[SIDE_CLIENT].last_data_answered &&
           c->sides[SIDE_SERVER].last_data.time_ns <= halt->since.time_ns;
}

struct login_halt signs_of_login_halt(const struct conversation *conversation, const struct surroundings *surroundings)
{
    struct login_halt halt = {.turn = SIDE_CLIENT};
    const struct tds_facts *tds = conversation->tds;
    find_close(conversation, &halt);
    int64_t limit_ns = halt.closed ? halt.close.time_ns : INT64_MAX;
    if (!tds || moment_seen(&tds->last_request) || signs_of_login_refused(conversation) ||
        !latest_step(tds, limit_ns, &halt.last_step))
        return halt;
    if (halt.last_step >= LOGIN_STEP_LOGIN_ANSWER || begins_before_its_steps(conversation))
        return halt;
    halt.halted = true;
    if (is_before_finished(tds, halt.last_step))
        halt.last_step = LOGIN_STEP_SERVER_HELLO;
    halt.since = tds->steps[halt.last_step];
    halt.stopped_by = halt.closed_by;
    halt.alert = stopping_alert(&halt, tds->tls);
    if (halt.alert) {
        halt.stopped_by = (enum side)halt.alert->side;
        limit_ns = halt.alert->moment.time_ns - 1;
    }
    enum side spoke = last_speaker(conversation, &halt, limit_ns);
    const struct tcp_side *speaker = &conversation->sides[spoke];
    if (speaks_between(speaker, halt.since.time_ns, limit_ns))
        halt.since = speaker->last_data;
    halt.turn = side_other(spoke);
    if (was_answered_before(conversation, &halt))
        return (struct login_halt){.turn = SIDE_CLIENT};
    /* TLS 1.3: the server had done its part, and the client's Finished asks for nothing. */
    if (halt.last_step == LOGIN_STEP_KEY_EXCHANGE && seen_step(tds, LOGIN_STEP_TLS_DONE))
        halt.turn = SIDE_CLIENT;
    halt.unfinished = halt.turn == SIDE_SERVER && tds->client_unfinished;
    halt.acknowledged = acknowledged(speaker, &halt.since, limit_ns);
    int64_t until_ns = halt.alert                 ? halt.alert->moment.time_ns
                       : moment_seen(&halt.close) ? halt.close.time_ns
                                                  : surroundings_end_ns(surroundings, conversation);
    halt.waited_ns = until_ns - halt.since.time_ns;
    return halt;
}

const char *signs_alert_number_words(uint8_t number, char text[static ALERT_WORDS_SIZE])
{
    const char *name = tls_alert_name(number);
    snprintf(text, ALERT_WORDS_SIZE, "TLS alert %u%s%s%s", number, name ? " (" : "", name ? name : "", name ? ")" : "");
    return text;
}

const char *signs_alert_words(const struct tls_alert *alert, char text[static ALERT_WORDS_SIZE])
{
    if (alert->encrypted)
        snprintf(text, ALERT_WORDS_SIZE, "an encrypted TLS alert");
    else
        signs_alert_number_words(alert->number, text);
    return text;
}

bool signs_of_certificate_disliked(const struct conversation *conversation, const struct login_halt *halt)
{
    struct certificate_faults faults = certificate_faults_of(conversation);
    return halt->halted && halt->closed && halt->closed_by == SIDE_CLIENT && conversation_closed_by_fin(conversation) &&
           halt->last_step == LOGIN_STEP_TLS_DONE && halt->waited_ns <= CERTIFICATE_LOOKED_AT_NS &&
           certificate_is_faulty(&faults);
}

bool signs_of_stuck_large(const struct conversation *conversation, enum side side)
{
    const struct tcp_side *self = &conversation->sides[side];
    const struct retry_run *run = &self->data_run;
    return self->larger_unacknowledged >= LARGE_PAYLOAD && self->unacknowledged_bytes > 0 &&
           run->count >= RETRIES_OF_A_SILENCE && run->last.time_ns - run->first.time_ns >= SILENCE_LEAST_NS &&
           !conversation->sides[side_other(side)].zero_window_at_end;
}

static bool later(const struct moment *a, const struct moment *b)
{
    return moment_seen(a) && (!moment_seen(b) || a->time_ns > b->time_ns);
}

static bool is_edited(const struct conversation *c, const struct surroundings *s)
{
    const struct capture_facts *capture = &s->casebook->captures[c->first.capture];
    return capture->bad_checksums * 2 >= capture->tcp_packets;
}

bool signs_of_damage(const struct conversation *c, const struct surroundings *s, enum side sender)
{
    enum { DAMAGED_LEAST = 2 };
    const struct tcp_side *side = &c->sides[sender];
    return side->damaged >= DAMAGED_LEAST && (side->sound || !is_edited(c, s));
}

bool signs_of_damage_between(const struct conversation *c, const struct surroundings *s, enum side sender)
{
    return surroundings_pair(s, c)->damaged[sender] > 0 && !is_edited(c, s);
}

bool signs_of_holding(const struct conversation *c, const struct surroundings *s, enum side here)
{
    const struct tcp_side *arriving = &c->sides[side_other(here)];
    /* Copies that came at once were held up before they came. */
    return arriving->held_copies >= RETRIES_OF_A_SILENCE && arriving->longest_recovery_ns >= SILENCE_LEAST_NS &&
           arriving->damaged == 0 && surroundings_stands_at(s, c, here) && !signs_of_one_direction(c) &&
           !signs_of_missed_packets(c);
}

/* After the other side's reset there is nobody left to answer; what came before it counts when it lasted long enough
 * to be RETRIES_OF_A_SILENCE doubling time-outs. */
static bool ends_by_reset_of(const struct tcp_side *other, const struct retry_run *run)
{
    return moment_seen(&other->reset) && other->reset.time_ns <= run->last.time_ns &&
           other->reset.time_ns - run->first.time_ns < SILENCE_LEAST_NS;
}

/* Of a run of repeated packets. A packet that only follows the retrier's own reset answers that reset (RFC 5961,
 * 3.2). */
static enum silence_kind kind_of(const struct tcp_side *self, const struct tcp_side *other)
{
    const struct retry_run *run = &self->data_run;
    bool owed = self->unacknowledged_bytes > 0 && !self->run_acknowledged;
    bool closes_late = moment_seen(&other->fin) && other->fin.time_ns - run->first.time_ns >= SILENCE_LEAST_NS;
    bool talks =
        other->data_run.count > 0 || other->keep_alives > 0 || closes_late || later(&other->last_data, &run->last);
    bool answers_reset = moment_seen(&self->reset) && self->reset.time_ns >= run->last.time_ns &&
                         other->last.time_ns >= self->reset.time_ns;
    if (!later(&other->last, &run->first) || (owed && !talks && answers_reset))
        return SILENCE_TOTAL;
    if (run->last.time_ns - run->first.time_ns < HELD_TOGETHER_NS)
        return SILENCE_NONE; /* its sender spaced them out: they were held up, and came at once */
    if (!owed && self->fins == 0)
        return SILENCE_DEAF;
    return owed && talks ? SILENCE_UNHEARD : SILENCE_NONE;
}

/* Probes go unanswered while the other side sends of its own accord: it lives, and does not hear them. Its reset ends them. */
static bool probes_unheard(const struct tcp_side *self, const struct tcp_side *other)
{
    const struct retry_run *probes = &self->keep_alive_run;
    return !self->probes_answered &&
           (later(&other->keep_alive_run.last, &probes->first) || later(&other->last_retransmit, &probes->first));
}

/* The retries of self that count: a run of probes or of repeated packets. */
static struct silence silence_of(const struct tcp_side *self, const struct tcp_side *other)
{
    struct silence silence = {.kind = SILENCE_NONE};
    const struct retry_run *probes = &self->keep_alive_run, *data = &self->data_run;
    if (probes->count < RETRIES_OF_A_SILENCE && data->count < RETRIES_OF_A_SILENCE)
        return silence;
    bool unheard = probes_unheard(self, other);
    /* What came after it had given up is no answer. */
    bool gave_up = !self->probes_answered && later(&self->reset, &probes->last) && later(&other->last, &self->reset);
    if (probes->count >= RETRIES_OF_A_SILENCE && probes->last.time_ns - probes->first.time_ns >= SILENCE_LEAST_NS &&
        (unheard || gave_up || !later(&other->last, &probes->last)))
        silence = (struct silence){.kind = unheard ? SILENCE_UNHEARD : SILENCE_TOTAL,
                                   .retries = probes->count,
                                   .first = probes->first,
                                   .last = probes->last,
                                   .keep_alives = true};
    else if (data->count >= RETRIES_OF_A_SILENCE && !other->zero_window_at_end &&
             (!later(&other->last_data, &data->last) || (self->unacknowledged_bytes > 0 && !self->run_acknowledged)) &&
             !ends_by_reset_of(other, data))
        silence = (struct silence){
            .kind = kind_of(self, other), .retries = data->count, .first = data->first, .last = data->last};
    silence.held = silence.kind != SILENCE_NONE;
    return silence;
}

struct silence signs_of_silence(const struct conversation *conversation)
{
    struct silence silence = {.kind = SILENCE_NONE};
    if (!conversation_established(conversation))
        return silence;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *self = &conversation->sides[side], *other = &conversation->sides[side_other(side)];
        struct silence candidate = silence_of(self, other);
        if (!candidate.held || (silence.held && silence.retries >= candidate.retries))
            continue;
        silence = candidate;
        silence.retrier = side;
        silence.lost_from = silence.kind == SILENCE_DEAF ? side_other(side) : side;
        if (silence.kind == SILENCE_TOTAL && moment_seen(&other->last))
            silence.quiet_before_ns = later(&other->last, &silence.first) ? self->probes_after_ns
                                                                          : silence.first.time_ns - other->last.time_ns;
    }
    return silence;
}

uint64_t signs_of_segments(const struct tcp_side *side)
{
    uint64_t needed = side->mss != 0 ? (side->payload_bytes + side->mss - 1) / side->mss : 0;
    return needed > side->data_packets ? needed : side->data_packets;
}

/* Of this side's repetitions, those that came to the machine that the capture was taken at, which had the packet and had not answered. */
static uint32_t come_before(const struct conversation *c, const struct surroundings *s, enum side side)
{
    const struct tcp_side *self = &c->sides[side], *other = &c->sides[side_other(side)];
    if (!surroundings_stands_at(s, c, side_other(side)))
        return 0;
    bool unanswered = side == SIDE_CLIENT && moment_seen(&other->syn) && other->syn.time_ns > self->syn_last.time_ns;
    return self->held_total + (unanswered ? self->syn_retransmits : 0);
}

bool signs_of_held_up(const struct conversation *c, const struct moment *until)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *self = &c->sides[side];
        bool repeats = self->data_run.count >= 2 && self->data_run.first.time_ns < until->time_ns;
        if (self->retransmits > 0 && self->first_retransmit.time_ns < until->time_ns &&
            (repeats || self->longest_repeated_wait_ns >= NS_PER_SECOND))
            return true;
    }
    return false;
}

uint32_t signs_of_loss(const struct conversation *conversation, const struct surroundings *surroundings)
{
    uint32_t lost = 0;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *self = &conversation->sides[side];
        uint32_t needless = self->spurious_retransmits + self->data_run.count,
                 came = come_before(conversation, surroundings, side);
        needless = came > needless ? came : needless;
        bool refused = moment_seen(&conversation->sides[side_other(side)].older_reset);
        if (self->syn_retransmits > 0 &&
            (refused || self->syn_last.time_ns - self->syn.time_ns < SYN_RECORDED_TWICE_NS))
            needless += self->syn_retransmits;
        lost += self->retransmits > needless ? self->retransmits - needless : 0;
    }
    return lost;
}

bool signs_of_only_asking_again(const struct conversation *c, const struct surroundings *s, uint64_t lost)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return !surroundings_stands_at(s, c, SIDE_SERVER) && server->syn_retransmits == 0 &&
           lost <= client->syn_retransmits;
}

bool signs_of_retransmits_within(const struct conversation *conversation, int64_t from_ns, int64_t to_ns)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *self = &conversation->sides[side];
        if (self->retransmits > 0 && moment_seen(&self->first_retransmit) && self->first_retransmit.time_ns <= to_ns &&
            self->last_retransmit.time_ns >= from_ns)
            return true;
    }
    return false;
}

static bool is_hollow(const struct conversation *c, const struct surroundings *s)
{
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    return c->starts_with_syn && moment_seen(&server->syn) && server->payload_bytes == 0 &&
           !signs_of_missed_packets(c) && surroundings_role(s, c) != CAPTURE_ROLE_SERVER;
}

int64_t signs_of_lead_ns(const struct conversation *c, const struct surroundings *s)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    const struct server_record *record = surroundings_server(s, c);
    int64_t usual_ns = record->shortest_handshake_ns, answer_ns = server->syn.time_ns - client->syn.time_ns;
    bool sooner = is_hollow(c, s) && client->syns == 1 && record->timed_handshakes >= HANDSHAKES_TO_COMPARE &&
                  answer_ns * 2 < usual_ns;
    return sooner ? usual_ns - answer_ns : 0;
}

bool signs_of_quick_answer(const struct conversation *c, const struct surroundings *s)
{
    return signs_of_lead_ns(c, s) >= HANDSHAKE_CHANCE_NS;
}

bool signs_of_answer_elsewhere(const struct conversation *c, const struct surroundings *s)
{
    return is_hollow(c, s) && signs_of_other_way(c->sides[SIDE_SERVER].ttl_first, surroundings_server(s, c)->spoken);
}

bool signs_of_mistaken_answer(const struct conversation *c)
{
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    return c->starts_with_syn && signs_of_forgotten(c, SIDE_SERVER) && server->payload_bytes == 0 &&
           server->syn_last.time_ns > server->reset.time_ns;
}

bool signs_of_stand_in(const struct conversation *c, const struct surroundings *s)
{
    return signs_of_quick_answer(c, s) || signs_of_answer_elsewhere(c, s) || c->sides[SIDE_SERVER].answers_differ;
}

bool signs_of_own_reset(const struct conversation *conversation, const struct surroundings *surroundings,
                        enum side side)
{
    return conversation->sides[side].reset_goes_on || surroundings_stands_at(surroundings, conversation, side);
}

/* A machine's answer to a packet that it has no connection for bears no marks of one. Seen from the client, it comes as late as the answer
 * to the SYN came; that of a device on the way comes sooner. */
static bool answers_from_afar(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    int64_t way_ns = client->syns == 1 && server->syns > 0 ? server->syn.time_ns - client->syn.time_ns : INT64_MAX;
    return c->closed_first_by == SIDE_SERVER && signs_of_forgotten(c, SIDE_SERVER) &&
           server->reset.time_ns - client->last_data.time_ns >= way_ns - way_ns / 10;
}

bool signs_of_hasty_reset(const struct conversation *c, const struct surroundings *s)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    const struct moment *acknowledged = &client->ack_of_last_data;
    int64_t way_ns = server->syn.time_ns - client->syn.time_ns,
            took_ns = server->reset.time_ns - client->last_data.time_ns,
            usual_ns = surroundings_server(s, c)->shortest_trip_ns;
    if (usual_ns > 0 && usual_ns < way_ns)
        way_ns = usual_ns;
    return c->closed_first_by == SIDE_SERVER && c->starts_with_syn && moment_seen(&server->syn) && client->syns == 1 &&
           moment_seen(&server->reset) && acknowledged->frame == server->reset.frame &&
           acknowledged->capture == server->reset.capture && took_ns >= 0 && took_ns * 2 < way_ns &&
           way_ns - took_ns >= HANDSHAKE_CHANCE_NS && !surroundings_stands_at(s, c, SIDE_SERVER);
}

bool signs_of_doubtful_close(const struct conversation *c, const struct surroundings *s)
{
    bool breaks_off = c->sides[c->closed_first_by].reset_breaks_off && !answers_from_afar(c);
    return c->first_close_known && !conversation_closed_by_fin(c) && (breaks_off || signs_of_hasty_reset(c, s)) &&
           !surroundings_stands_at(s, c, c->closed_first_by);
}

bool signs_of_disowned_reset(const struct conversation *conversation, const struct surroundings *surroundings,
                             enum side side)
{
    return moment_seen(&conversation->sides[side].alive_after_reset) &&
           !surroundings_stands_at(surroundings, conversation, side);
}

bool signs_of_pending_request(const struct conversation *conversation)
{
    const struct tcp_side *client = &conversation->sides[SIDE_CLIENT], *server = &conversation->sides[SIDE_SERVER];
    if (client->last_data_answered)
        return false; /* the answer may have been recorded before its request */
    if (conversation->tds && conversation->tds->request_unanswered)
        return true;
    return moment_seen(&client->last_data) &&
           (!moment_seen(&server->last_data) || server->last_data.time_ns < client->last_data.time_ns);
}

bool signs_of_name_wait(const struct conversation *conversation, const struct surroundings *surroundings,
                        struct name_wait *wait)
{
    *wait = casebook_name_wait_for(surroundings->casebook, conversation);
    return wait->wait_ns >= surroundings->thresholds->slow_login_ns;
}

bool signs_of_set_time(int64_t wait_ns)
{
    return wait_ns >= NS_PER_SECOND && wait_ns % NS_PER_SECOND <= TIMER_SLACK_NS;
}

/* A single lost packet costs a first time-out: nobody gives a server less than two. */
#define TIME_OUT_LEAST_NS (2 * FIRST_RTO_NS)

bool signs_of_time_out(int64_t wait_ns)
{
    return wait_ns >= TIME_OUT_LEAST_NS && signs_of_set_time(wait_ns);
}

double seconds(int64_t ns)
{
    return (double)ns / (double)NS_PER_SECOND;
}

struct count_words seconds_words(int64_t ns)
{
    struct count_words words;
    if (ns >= 0 && ns < NS_PER_MS)
        snprintf(words.text, sizeof words.text, "less than 0.001 s");
    else if (ns < 3600 * NS_PER_SECOND)
        snprintf(words.text, sizeof words.text, "%.3f s", seconds(ns));
    else if (ns < 48 * 3600 * NS_PER_SECOND)
        snprintf(words.text, sizeof words.text, "%.1f hours", seconds(ns) / 3600);
    else
        snprintf(words.text, sizeof words.text, "%.0f days", seconds(ns) / 86400);
    return words;
}

bool signs_of_packet_too_big(const struct conversation *c)
{
    enum { UNREACHABLE = 3, FRAGMENTATION_NEEDED = 4, PACKET_TOO_BIG = 2 };
    const struct icmp_facts *icmp = &c->icmp;
    return icmp->count > 0 && (icmp->version == 4 ? icmp->type == UNREACHABLE && icmp->code == FRAGMENTATION_NEEDED
                                                  : icmp->type == PACKET_TOO_BIG);
}
