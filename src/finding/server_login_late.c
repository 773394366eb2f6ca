/* server.login-late: the answer to the login comes too late, or after the client has left. */
#include <stdio.h>

#include "actions.h"
#include "count_words.h"
#include "detector.h"
#include "login_signs.h"
#include "settling.h"
#include "signs.h"
#include "standstill.h"

/* A step that is still open after late_login_ns is called stalled (server.login-stalled): answered, it cannot be called normal. With
 * twice that, two thirds of the usual time-out, there is no doubt. */
enum { TOO_LATE = 2 };

static const struct {
    enum login_step asked, answered;
} turns[] = {
    {LOGIN_STEP_PRELOGIN, LOGIN_STEP_PRELOGIN_ANSWER}, {LOGIN_STEP_CLIENT_HELLO, LOGIN_STEP_SERVER_HELLO},
    {LOGIN_STEP_KEY_EXCHANGE, LOGIN_STEP_TLS_DONE},    {LOGIN_STEP_LOGIN, LOGIN_STEP_SSPI_CHALLENGE},
    {LOGIN_STEP_LOGIN, LOGIN_STEP_LOGIN_ANSWER},       {LOGIN_STEP_SSPI_RESPONSE, LOGIN_STEP_LOGIN_ANSWER},
};
enum { TURNS = sizeof turns / sizeof *turns };

/* How long the server took for one of its turns; -1: it had none. */
static int64_t turn_ns(const struct tds_facts *tds, unsigned turn)
{
    const struct moment *from = &tds->steps[turns[turn].asked], *to = &tds->steps[turns[turn].answered];
    bool answered_later = turns[turn].asked == LOGIN_STEP_LOGIN && turns[turn].answered == LOGIN_STEP_LOGIN_ANSWER &&
                          moment_seen(&tds->steps[LOGIN_STEP_SSPI_CHALLENGE]);
    return moment_seen(from) && moment_seen(to) && !answered_later ? to->time_ns - from->time_ns : -1;
}

/* The longest that the server took for one step of the login, and which one. */
static int64_t slowest_step(const struct tds_facts *tds, enum login_step *asked, enum login_step *answered)
{
    int64_t longest_ns = 0;
    for (unsigned i = 0; i < TURNS; i++) {
        if (turn_ns(tds, i) <= longest_ns)
            continue;
        longest_ns = turn_ns(tds, i);
        *asked = turns[i].asked;
        *answered = turns[i].answered;
    }
    return longest_ns;
}

/* What the server took for all its steps together, its acceptance of the connection too, beyond what the shortest of them
 * took: so much of each may be the path's round trip. */
static int64_t all_steps(const struct conversation *c)
{
    const struct moment *syn = &c->sides[SIDE_CLIENT].syn_last, *accepted = &c->sides[SIDE_SERVER].syn;
    int64_t sum_ns = 0, shortest_ns = INT64_MAX, count = 0;
    for (unsigned i = 0; i <= TURNS; i++) {
        int64_t took_ns = i < TURNS ? turn_ns(c->tds, i) : -1;
        if (i == TURNS && moment_seen(syn) && moment_seen(accepted))
            took_ns = accepted->time_ns - syn->time_ns;
        if (took_ns < 0)
            continue;
        sum_ns += took_ns;
        count++;
        if (took_ns < shortest_ns)
            shortest_ns = took_ns;
    }
    return count > 1 ? sum_ns - count * shortest_ns : 0;
}

/* No step took long, all of them together did. */
static bool judge_all_steps(const struct conversation *c, const struct surroundings *s, const struct login_halt *halt,
                            struct judgement *judgement)
{
    const struct moment *syn = &c->sides[SIDE_CLIENT].syn, *end = &c->tds->steps[LOGIN_STEP_LOGIN_ANSWER];
    bool gives_up = halt->halted && halt->closed && halt->stopped_by == SIDE_CLIENT && halt->turn == SIDE_CLIENT;
    if (gives_up && !halt->alert)
        end = &halt->since;
    if (!moment_seen(syn) || !moment_seen(end) || all_steps(c) < s->thresholds->late_login_ns ||
        signs_of_missed_packets_by(c, end->time_ns) || signs_of_retransmits_within(c, syn->time_ns, end->time_ns) ||
        login_signs_lost_before(c, s, syn->time_ns, end->time_ns) > 0 ||
        standstill_explains(s, c, syn->time_ns, end->time_ns))
        return false;
    judgement->confidence = 0.6;
    judgement_prove(judgement, syn, "the client opens the connection");
    judgement_prove(judgement, end, "the server answers %s",
                    gives_up ? "once more, and the client closes" : "the login");
    judgement_say(
        judgement,
        "The server took %.1f s for the steps of the login together; drivers usually give the whole login 15 s.",
        seconds(all_steps(c)));
    return true;
}

/* When a clock is set forward while nothing is under way, only timestamps tell (RFC 7323): by the capture's stamps all wait. */
static void doubt_silence(const struct conversation *c, const struct surroundings *s, const struct moment *from,
                          const struct moment *to, struct judgement *judgement)
{
    static const double at_most = 0.7;
    const struct capture_silences *silences = &s->casebook->points[c->point].silences;
    int64_t silent_ns = capture_silences_longest_ns(silences, from->time_ns, to->time_ns);
    bool needed = to->time_ns - from->time_ns - silent_ns < s->thresholds->late_login_ns,
         stamped = c->sides[SIDE_CLIENT].timestamps && c->sides[SIDE_SERVER].timestamps;
    if (!needed || stamped || judgement->confidence <= at_most)
        return;
    judgement->confidence = at_most;
    judgement->would_settle = settle_by_both_captures;
    char more[JUDGEMENT_TEXT_SIZE];
    snprintf(more, sizeof more,
             "For %.1f s of that the capture has no packet of anybody: only its own clock tells that they passed.",
             seconds(silent_ns));
    judgement_say_more(judgement, more);
}

/* The capture has no packet of anybody, no probe either, for longer than that: it stood still, or its clock was set. */
static void doubt_clock(const struct conversation *c, const struct surroundings *s, const struct moment *from,
                        const struct moment *to, struct judgement *judgement)
{
    const struct capture_silences *silences = &s->casebook->points[c->point].silences;
    if (capture_silences_longest_ns(silences, from->time_ns, to->time_ns) < UNPROBED_NS)
        return;
    judgement_leave_open(judgement, 0.5);
    judgement->would_settle = "A capture that stood still at no time, by a clock that nobody set: this one has no "
                              "packet of anybody for longer than SQL Server leaves a silent connection unprobed.";
}

/* What the server had sent meanwhile may have been the answer, which was lost until then. */
static void doubt_way(const struct conversation *c, const struct surroundings *s, const struct moment *from,
                      const struct moment *to, struct judgement *judgement)
{
    uint32_t lost = login_signs_lost_before(c, s, from->time_ns, to->time_ns);
    bool dead = standstill_explains(s, c, from->time_ns, to->time_ns);
    if (lost == 0 && !dead)
        return;
    judgement_doubt(judgement, 0.55);
    judgement->would_settle = settle_by_both_captures;
    char more[JUDGEMENT_TEXT_SIZE];
    if (dead)
        snprintf(more, sizeof more,
                 "But meanwhile other packets to it were repeated, and nothing of the server's machine came on any "
                 "connection: the way was dead, or that machine stood still.");
    else
        snprintf(more, sizeof more,
                 "But by its IP IDs the server had sent %s before that came here in vain: the answer may have been "
                 "lost again and again.",
                 count_words(lost, "packet").text);
    judgement_say_more(judgement, more);
}

static bool judge_after_close(const struct conversation *c, const struct surroundings *s, const struct login_halt *halt,
                              struct judgement *judgement)
{
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    if (!halt->halted || !halt->closed || halt->closed_by != SIDE_CLIENT || halt->turn != SIDE_SERVER ||
        !halt->acknowledged)
        return false;
    if (login_signs_client_slower(c, s, halt) || login_signs_server_time_ns(c, halt) < s->thresholds->slow_login_ns)
        return false; /* it had not so long to answer, or the client had taken longer before */
    if (server->last_data.time_ns <= halt->close.time_ns)
        return false;
    judgement->confidence = 0.95;
    judgement_prove(judgement, &halt->since, "the client sends %s", login_step_words(halt->last_step));
    judgement_prove(judgement, &halt->close, "the client gives up and closes");
    judgement_prove(judgement, &server->last_data, "now the server answers");
    judgement_say(judgement,
                  "The client waited %.1f s for an answer to %s and closed; the answer came %.1f s after that.",
                  seconds(halt->waited_ns), login_step_words(halt->last_step),
                  seconds(server->last_data.time_ns - halt->close.time_ns));
    struct login_halt own = *halt;
    own.waited_ns = login_signs_server_time_ns(c, halt);
    login_signs_doubt_server(c, s, &own, judgement);
    doubt_way(c, s, &halt->since, &server->last_data, judgement);
    doubt_clock(c, s, &halt->since, &server->last_data, judgement);
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!c->tds || signs_of_one_direction(c) || signs_of_silence(c).held)
        return false;
    struct login_halt halt = signs_of_login_halt(c, s);
    if (judge_after_close(c, s, &halt, judgement))
        return true;
    enum login_step asked = LOGIN_STEP_PRELOGIN, answered = LOGIN_STEP_PRELOGIN_ANSWER;
    int64_t longest_ns = slowest_step(c->tds, &asked, &answered);
    if (longest_ns < s->thresholds->late_login_ns)
        return judge_all_steps(c, s, &halt, judgement);
    const struct moment *from = &c->tds->steps[asked], *to = &c->tds->steps[answered];
    if (signs_of_missed_packets_by(c, to->time_ns))
        return false; /* the answer may have come before what was captured next */
    bool lossy = signs_of_retransmits_within(c, from->time_ns, to->time_ns);
    judgement->confidence = lossy ? 0.55 : longest_ns >= TOO_LATE * s->thresholds->late_login_ns ? 0.88 : 0.8;
    if (lossy) {
        judgement->culprit = CULPRIT_UNKNOWN;
        judgement->would_settle = settle_by_both_captures;
    }
    judgement_prove(judgement, from, "the client sends %s", login_step_words(asked));
    judgement_prove(judgement, to, "the server sends %s", login_step_words(answered));
    judgement_say(judgement, "The server took %.1f s to answer %s%s; drivers usually give the whole login 15 s.%s",
                  seconds(longest_ns), login_step_words(asked), lossy ? " (with retransmissions meanwhile)" : "",
                  signs_of_credentials_checked(asked));
    doubt_way(c, s, from, to, judgement);
    doubt_silence(c, s, from, to, judgement);
    doubt_clock(c, s, from, to, judgement);
    return true;
}

static const char *const actions[] = {
    ACTION_RING_BUFFER,
    ACTION_WORKERS,
    ACTION_ERRORLOG,
    "With Windows authentication see whether the server's domain controller was slow: `nltest /sc_query:DOMAIN`, event "
    "5719 (NETLOGON) in the System log.",
    "Look for blocking at that time: `SELECT session_id, wait_type, wait_time, blocking_session_id FROM "
    "sys.dm_exec_requests WHERE blocking_session_id <> 0`.",
    ACTION_MAXDOP,
    NULL,
};

const struct detector server_login_late = {
    .cause = "server.login-late",
    .title = "The answer to the login comes too late",
    .holds_when =
        "A login step is answered after the client has waited 2 s or more and closed, or the server takes 5 s or "
        "longer for a step, or for all of them beyond the path's round trips, to the login's answer or to the "
        "client's close when it was its turn. Not when the capture missed packets of the connection by then, for the "
        "answer may have come before. When packets were sent again meanwhile, the culprit of a slow step stays open, "
        "and slow steps together do not count. So it is when the server's IP IDs went on by 2 to 20 at the answer, "
        "its machine is not heard on other connections meanwhile, and the capture was not given as the server's: what "
        "it sent then was lost on the way; or when other packets to it were repeated for a second and more meanwhile, "
        "and nothing of that machine came. The culprit of a step stays open, too, where the capture has no packet of "
        "anybody for 31 s of that time: SQL Server and its drivers probe a silent connection after 30 s, so it stood "
        "still, or its clock was set. It is the less sure where only such a silence makes the wait so long, and the "
        "two ends send no timestamps that would tell of the time. What the client repeated until it was acknowledged "
        "counts from then on. Of a client that closes in less than 5 s: not when it had taken more than twice as long "
        "for its own steps (client.closed-in-login), and open when client and way had taken half as long as the "
        "server or longer. (--slow-login sets the 2 s, --late-login the 5 s.)",
    .means =
        "The packets went through and were acknowledged by the server's TCP, but SQL Server did not get round to "
        "answering in time: no free worker thread (blocking, high MAXDOP), slow disks, or a slow domain controller. "
        "Many that end together are the mark of thread starvation. (Article, 1.5.6: LoginAck \"Late\".)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
