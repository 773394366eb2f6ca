/* server.login-late: the answer to the login comes too late, or after the client has left. */
#include "actions.h"
#include "detector.h"
#include "signs.h"

/* A step that is still open after late_login_ns is called stalled (server.login-stalled): answered, it cannot be called normal. With
 * twice that, two thirds of the usual time-out, there is no doubt. */
enum { TOO_LATE = 2 };

/* The longest that the server took for one step of the login, and which one. */
static int64_t slowest_step(const struct tds_facts *tds, enum login_step *asked, enum login_step *answered)
{
    static const struct {
        enum login_step asked, answered;
    } turns[] = {
        {LOGIN_STEP_PRELOGIN, LOGIN_STEP_PRELOGIN_ANSWER}, {LOGIN_STEP_CLIENT_HELLO, LOGIN_STEP_SERVER_HELLO},
        {LOGIN_STEP_KEY_EXCHANGE, LOGIN_STEP_TLS_DONE},    {LOGIN_STEP_LOGIN, LOGIN_STEP_SSPI_CHALLENGE},
        {LOGIN_STEP_LOGIN, LOGIN_STEP_LOGIN_ANSWER},       {LOGIN_STEP_SSPI_RESPONSE, LOGIN_STEP_LOGIN_ANSWER},
    };
    int64_t longest_ns = 0;
    for (unsigned i = 0; i < sizeof turns / sizeof *turns; i++) {
        const struct moment *from = &tds->steps[turns[i].asked], *to = &tds->steps[turns[i].answered];
        if (!moment_seen(from) || !moment_seen(to) || to->time_ns - from->time_ns <= longest_ns)
            continue;
        if (turns[i].asked == LOGIN_STEP_LOGIN && turns[i].answered == LOGIN_STEP_LOGIN_ANSWER &&
            moment_seen(&tds->steps[LOGIN_STEP_SSPI_CHALLENGE]))
            continue;
        longest_ns = to->time_ns - from->time_ns;
        *asked = turns[i].asked;
        *answered = turns[i].answered;
    }
    return longest_ns;
}

static bool judge_after_close(const struct conversation *c, const struct surroundings *s, const struct login_halt *halt,
                              struct judgement *judgement)
{
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    if (!halt->halted || !halt->closed || halt->closed_by != SIDE_CLIENT || halt->turn != SIDE_SERVER ||
        !halt->acknowledged)
        return false;
    if (halt->waited_ns < s->thresholds->slow_login_ns || server->last_data.time_ns <= halt->close.time_ns)
        return false;
    judgement->confidence = 0.95;
    judgement_prove(judgement, &halt->since, "the client sends %s", login_step_words(halt->last_step));
    judgement_prove(judgement, &halt->close, "the client gives up and closes");
    judgement_prove(judgement, &server->last_data, "now the server answers");
    judgement_say(judgement,
                  "The client waited %.1f s for an answer to %s and closed; the answer came %.1f s after that.",
                  seconds(halt->waited_ns), login_step_words(halt->last_step),
                  seconds(server->last_data.time_ns - halt->close.time_ns));
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
        return false;
    const struct moment *from = &c->tds->steps[asked], *to = &c->tds->steps[answered];
    bool lossy = signs_of_retransmits_within(c, from->time_ns, to->time_ns);
    judgement->confidence = lossy ? 0.55 : longest_ns >= TOO_LATE * s->thresholds->late_login_ns ? 0.88 : 0.8;
    if (lossy) {
        judgement->culprit = CULPRIT_UNKNOWN;
        judgement->would_settle = SETTLE_BY_BOTH_CAPTURES;
    }
    judgement_prove(judgement, from, "the client sends %s", login_step_words(asked));
    judgement_prove(judgement, to, "the server sends %s", login_step_words(answered));
    judgement_say(judgement, "The server took %.1f s to answer %s%s; drivers give the whole login 15 s.%s",
                  seconds(longest_ns), login_step_words(asked), lossy ? " (with retransmissions meanwhile)" : "",
                  signs_of_credentials_checked(asked));
    return true;
}

static const char *const actions[] = {
    ACTION_RING_BUFFER,
    ACTION_WORKERS,
    ACTION_ERRORLOG,
    "With Windows authentication see whether the server's domain controller was slow: `nltest /sc_query:DOMAIN`, "
    "event 5719 (NETLOGON) in the System log.",
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
        "longer for a step. (--slow-login sets the 2 s, --late-login the 5 s.)",
    .means = "The packets went through and were acknowledged by the server's TCP, but SQL Server did not get round "
             "to answering in time: no free worker thread (blocking, high MAXDOP), slow disks, or a slow domain "
             "controller. Many that end together are the mark of thread starvation. (Article, 1.5.6: LoginAck "
             "\"Late\".)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
