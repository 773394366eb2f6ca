/* Readings of a login's first packets that several detectors share (MS-TDS 2.2.6.5, 3.2.5.1). */
#include "login_signs.h"

#include <stdio.h>
#include <string.h>

#include "login_timeline.h"
#include "ttl_signs.h"

bool login_signs_foreign_answer(const struct conversation *conversation)
{
    return conversation->tds && moment_seen(&conversation->tds->foreign_answer);
}

bool login_signs_turning_away(const struct conversation *c, const struct surroundings *s)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!c->starts_with_syn || !moment_seen(&server->syn) || !conversation_established(c) || !c->first_close_known ||
        c->closed_first_by != SIDE_SERVER || client->payload_bytes + server->payload_bytes > 0)
        return false;
    if (signs_of_one_direction(c) || signs_of_missed_packets(c) || signs_of_more_sent(c, SIDE_CLIENT) ||
        signs_of_more_sent(c, SIDE_SERVER) || signs_of_foreign_reset(server) || server->fin_missed)
        return false;
    return signs_of_sql(c, s) && conversation_first_close(c).time_ns - server->syn.time_ns <= LEAVES_AT_ONCE_NS;
}

struct encryption_clash login_signs_encryption_clash(const struct conversation *conversation)
{
    enum { VALUES = 0x7f, ON = 1, NOT_SUPPORTED = 2, REQUIRED = 3, UNKNOWN = 0xff };
    struct encryption_clash clash = {.lacking = SIDE_CLIENT};
    const struct tds_facts *tds = conversation->tds;
    if (!tds || tds->prelogin_client_encryption == UNKNOWN || tds->prelogin_server_encryption == UNKNOWN)
        return clash;
    unsigned client = tds->prelogin_client_encryption & VALUES, server = tds->prelogin_server_encryption & VALUES;
    clash.lacking = server == NOT_SUPPORTED ? SIDE_SERVER : SIDE_CLIENT;
    clash.held = (client == NOT_SUPPORTED && (server == REQUIRED || server == ON)) ||
                 (server == NOT_SUPPORTED && (client == REQUIRED || client == ON));
    return clash;
}

/* Programs log in to ask something, and do so at once. A close this soon after the answer, with nothing asked, means that the answer was no, or
 * where else to go - or that somebody only tried whether he can log in. */
#define NOTHING_ASKED_NS NS_PER_SECOND

/* An answer may send the client on to another server (MS-TDS 2.2.7.9, routing: Azure SQL's redirect, read-only routing of availability
 * groups): it closes, and connects there at once, as the capture nearest to it shows. */
static const struct conversation *next_server(const struct conversation *c, const struct surroundings *s)
{
    const struct casebook *casebook = s->casebook;
    c = casebook_standing_view(casebook, c);
    if (!c->tds)
        return NULL;
    int64_t answer_ns = c->tds->steps[LOGIN_STEP_LOGIN_ANSWER].time_ns, close_ns = conversation_first_close(c).time_ns;
    uint32_t until = c->id + NEIGHBOURS_LOOKED_AT;
    for (uint32_t i = c->id; i < until && i < casebook_conversations(casebook); i++) {
        const struct conversation *next = casebook_conversation(casebook, i);
        const struct moment *syn = &next->sides[SIDE_CLIENT].syn;
        if (next->point == c->point && next->starts_with_syn && syn->time_ns >= answer_ns &&
            syn->time_ns - close_ns <= NOTHING_ASKED_NS &&
            address_equal(&next->ends[SIDE_CLIENT].address, &c->ends[SIDE_CLIENT].address) &&
            !endpoint_equal(&next->ends[SIDE_SERVER], &c->ends[SIDE_SERVER]) && !signs_of_other_service(next, s))
            return next;
    }
    return NULL;
}

/* TLS's good-bye, or an error, sent since the answer and before the server's FIN: who gets one closes in its turn (RFC 5246, 7.2.1; RFC 8446,
 * 6.1). A FIN that comes first tells by what it acknowledges whether the server had it; of FINs that cross nobody knows. NULL: there is none. */
static const struct tls_alert *good_bye_before_close(const struct conversation *c)
{
    const struct tls_facts *tls = c->tds->tls;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    const struct moment *until = c->closed_first_by == SIDE_SERVER ? &client->ack_of_last_data : &server->fin;
    if (!tls || !moment_seen(until) || until->time_ns > server->fin.time_ns)
        return NULL;
    for (unsigned i = 0; i < tls->alert_count; i++) {
        const struct tls_alert *alert = &tls->alerts[i];
        if (alert->side == SIDE_CLIENT && alert->moment.time_ns <= until->time_ns &&
            alert->moment.time_ns >= c->tds->steps[LOGIN_STEP_LOGIN_ANSWER].time_ns)
            return alert;
    }
    return NULL;
}

/* Its FIN does not acknowledge the client's: it left before that came. */
static bool closes_of_its_own_accord(const struct conversation *c)
{
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    return c->closed_first_by == SIDE_SERVER || (conversation_closed_by_fin(c) && moment_seen(&server->fin) &&
                                                 !server->fin_answers && !server->fin_order_open);
}

struct unasked_close login_signs_unasked_close(const struct conversation *c, const struct surroundings *s)
{
    struct unasked_close left = {.close = conversation_first_close(c)};
    const struct tds_facts *tds = c->tds;
    if (!tds || !c->first_close_known || !signs_of_login_done(c) || signs_of_session(c))
        return left;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    const struct moment *answer = &tds->steps[LOGIN_STEP_LOGIN_ANSWER];
    /* It answers what came before the login, and was recorded after it. */
    if (!client->last_data_answered && client->last_data.time_ns <= answer->time_ns)
        return left;
    if (signs_of_more_sent(c, SIDE_CLIENT) || signs_of_more_sent(c, SIDE_SERVER))
        return left; /* something more was said */
    if (signs_of_one_direction(c) || signs_of_missed_packets(c) ||
        left.close.time_ns - answer->time_ns > NOTHING_ASKED_NS)
        return left;
    left.held = true;
    const struct tls_alert *good_bye = good_bye_before_close(c);
    left.by = closes_of_its_own_accord(c) && !good_bye ? SIDE_SERVER : SIDE_CLIENT;
    if (good_bye && c->closed_first_by == SIDE_SERVER)
        left.close = good_bye->moment;
    left.next = next_server(c, s);
    return left;
}

bool login_signs_strict_unanswered(const struct conversation *conversation)
{
    const struct tds_facts *tds = conversation->tds;
    return tds && tds->encryption == LOGIN_ENCRYPTION_STRICT && conversation->sides[SIDE_SERVER].payload_bytes == 0;
}

bool login_signs_time_spent(const struct conversation *conversation, const struct surroundings *surroundings)
{
    if (!conversation->tds || conversation->closed_first_by != SIDE_CLIENT ||
        login_signs_foreign_answer(conversation) || login_signs_encryption_clash(conversation).held)
        return false;
    struct login_halt halt = signs_of_login_halt(conversation, surroundings);
    bool early = halt.halted && halt.closed && halt.closed_by == SIDE_CLIENT;
    bool answered = halt.last_step == LOGIN_STEP_PRELOGIN_ANSWER && halt.turn == SIDE_CLIENT &&
                    halt.waited_ns < surroundings->thresholds->slow_login_ns;
    bool unanswered = halt.last_step == LOGIN_STEP_PRELOGIN && halt.waited_ns < LEAVES_AT_ONCE_NS;
    return early && (answered || unanswered) && !signs_of_missed_packets(conversation) &&
           !signs_of_more_sent(conversation, SIDE_CLIENT) && !signs_of_foreign_reset(&conversation->sides[SIDE_CLIENT]);
}

int64_t login_signs_server_time_ns(const struct conversation *c, const struct login_halt *halt)
{
    const struct moment *ack = &c->sides[SIDE_CLIENT].ack_of_last_data;
    int64_t way_ns = ack->time_ns - halt->since.time_ns;
    bool late = moment_seen(ack) && way_ns >= ACKNOWLEDGED_BY_NS && way_ns <= halt->waited_ns;
    return late ? halt->waited_ns - way_ns : halt->waited_ns;
}

/* What that side took for its turns; alone: without those in which something had to be sent again. */
static int64_t turns_ns(const struct conversation *c, enum side side, bool alone)
{
    struct login_timeline timeline;
    int64_t sum_ns = 0;
    login_timeline_read(c, c->last.time_ns, &timeline);
    for (unsigned i = 1; i < timeline.count && timeline.entries[i].step != TIMELINE_CLOSED; i++) {
        const struct timeline_entry *entry = &timeline.entries[i];
        bool turn = entry->step < TIMELINE_CLOSED && entry->sender == side && (entry - 1)->sender != side;
        bool own = !alone || entry->waited_for != WAITED_FOR_NETWORK;
        sum_ns += turn && own && entry->duration_ns > 0 ? entry->duration_ns : 0;
    }
    return sum_ns;
}

int64_t login_signs_client_time_ns(const struct conversation *c)
{
    return turns_ns(c, SIDE_CLIENT, true);
}

/* What had to be sent again is nobody's own, but who waits for the server waits for that, too. */
static int64_t time_of(const struct conversation *c, const struct login_halt *halt, enum side side)
{
    return turns_ns(c, side, side == SIDE_CLIENT) + (halt->turn == side ? halt->waited_ns : 0);
}

static bool client_gives_up(const struct conversation *c, const struct login_halt *halt)
{
    return halt->halted && halt->closed && halt->closed_by == SIDE_CLIENT && !halt->alert && c->starts_with_syn;
}

/* A time-out runs out over the sum: without either part it would have run on. Who took more than half as much as the other is not beside the
 * point. */
static bool is_clearly_longer(int64_t time_ns, int64_t other_ns)
{
    return time_ns > 2 * other_ns;
}

static bool runs_out_at_server(const struct conversation *c, const struct surroundings *s,
                               const struct login_halt *halt)
{
    return client_gives_up(c, halt) && halt->turn == SIDE_SERVER && halt->waited_ns < s->thresholds->late_login_ns;
}

bool login_signs_client_slower(const struct conversation *c, const struct surroundings *s,
                               const struct login_halt *halt)
{
    return runs_out_at_server(c, s, halt) &&
           is_clearly_longer(time_of(c, halt, SIDE_CLIENT), time_of(c, halt, SIDE_SERVER));
}

static const char settle_by_error_text[] = "The client's error text, which names a time-out, or what it disliked.";

void login_signs_doubt_server(const struct conversation *c, const struct surroundings *s, const struct login_halt *halt,
                              struct judgement *judgement)
{
    int64_t server_ns = turns_ns(c, SIDE_SERVER, true) + halt->waited_ns,
            all_ns = halt->close.time_ns - c->sides[SIDE_CLIENT].syn.time_ns;
    if (!runs_out_at_server(c, s, halt) || is_clearly_longer(server_ns, all_ns - server_ns))
        return;
    judgement_doubt(judgement, 0.5);
    judgement->would_settle = settle_by_error_text;
    char more[JUDGEMENT_TEXT_SIZE];
    snprintf(more, sizeof more,
             "But of the %.1f s since the client's SYN the server took %.1f s: the time ran out over the rest, too.",
             seconds(all_ns), seconds(server_ns));
    judgement_say_more(judgement, more);
}

void login_signs_doubt_client(const struct conversation *c, const struct surroundings *s, const struct login_halt *halt,
                              struct judgement *judgement)
{
    int64_t server_ns = time_of(c, halt, SIDE_SERVER);
    if (!client_gives_up(c, halt) || judgement->culprit != CULPRIT_CLIENT || server_ns < s->thresholds->slow_login_ns ||
        is_clearly_longer(time_of(c, halt, SIDE_CLIENT), server_ns))
        return;
    judgement_doubt(judgement, 0.5);
    judgement->would_settle = settle_by_error_text;
    char more[JUDGEMENT_TEXT_SIZE];
    snprintf(more, sizeof more,
             "It had waited %.1f s for the server until then, and its time may have run out over that.",
             seconds(server_ns));
    judgement_say_more(judgement, more);
}

uint32_t login_signs_lost_before(const struct conversation *c, const struct surroundings *s, int64_t asked_ns,
                                 int64_t answered_ns)
{
    const struct skipping_pause *pause = &c->skipping_pause;
    int64_t from_ns = pause->to_ns - pause->lasted_ms * NS_PER_MS;
    bool before_it = pause->lasted_ms > 0 && pause->to_ns > asked_ns && pause->to_ns <= answered_ns;
    return before_it && !surroundings_stands_at(s, c, SIDE_SERVER) &&
                   !hearing_within(&surroundings_host(s, c)->host_heard, from_ns + NS_PER_MS, pause->to_ns - 1)
               ? pause->packets
               : 0;
}

static bool names_tds(const char *alpn)
{
    return alpn && strstr(alpn, "tds/8.0");
}

void login_signs_doubt_tds8(const struct conversation *c, struct judgement *judgement)
{
    const struct tds_facts *tds = c->tds;
    if (!tds || tds->encryption != LOGIN_ENCRYPTION_STRICT || moment_seen(&tds->steps[LOGIN_STEP_LOGIN]) ||
        moment_seen(&tds->steps[LOGIN_STEP_PRELOGIN]) ||
        (tds->tls && (names_tds(tds->tls->alpn_offered) || names_tds(tds->tls->alpn))))
        return;
    judgement_doubt(judgement, 0.5);
    judgement->would_settle = "The client's first packet in full: a client of TDS 8 names \"tds/8.0\" in it (ALPN).";
    judgement_say_more(judgement, "Its first packet was not captured far enough to tell whether it speaks TDS 8: what "
                                  "only looks at the port's TLS, a scanner or monitoring, does the same.");
}
