/* server.slow-domain-controller: while a login waits, the server's machine waits for its domain controller. */
#include "actions.h"
#include "detector.h"
#include "log_survey.h"
#include "signs.h"

struct login_wait {
    enum login_step asked;
    struct moment from;
    int64_t to_ns;
    bool answered;
};

/* The controller is asked once the credentials are there: with the last SSPI message, or with the login itself (Kerberos, and
 * where encryption hides the SSPI messages). */
static bool wait_of(const struct conversation *c, const struct surroundings *s, struct login_wait *wait)
{
    const struct moment *steps = c->tds->steps;
    wait->asked = moment_seen(&steps[LOGIN_STEP_SSPI_RESPONSE]) ? LOGIN_STEP_SSPI_RESPONSE : LOGIN_STEP_LOGIN;
    wait->from = steps[wait->asked];
    wait->to_ns = steps[LOGIN_STEP_LOGIN_ANSWER].time_ns;
    struct login_halt halt = signs_of_login_halt(c, s);
    wait->answered = !halt.halted;
    if (halt.halted)
        wait->to_ns = halt.since.time_ns + halt.waited_ns;
    if (halt.halted && (halt.turn != SIDE_SERVER || !halt.acknowledged))
        return false;
    return moment_seen(&wait->from);
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct login_wait wait;
    if (!c->tds || signs_of_one_direction(c) || signs_of_silence(c).held || !wait_of(c, s, &wait) ||
        wait.to_ns - wait.from.time_ns < s->thresholds->slow_login_ns)
        return false;
    const struct controller_wait *controller = controller_waits_within(
        &s->casebook->controller_waits, &c->ends[SIDE_SERVER].address, wait.from.time_ns, wait.to_ns);
    if (!controller)
        return false;
    bool silent = controller->until_ns == INT64_MAX;
    char name[ENDPOINT_TEXT_SIZE];
    struct endpoint end = {.address = controller->controller, .port = controller->port};
    endpoint_text(&end, name);
    struct moment close = conversation_first_close(c);
    judgement->confidence = 0.96;
    judgement_prove(judgement, &wait.from, "the client sends %s", login_step_words(wait.asked));
    judgement_prove(judgement, &controller->asked, "the server's machine asks %s", name);
    if (wait.answered)
        judgement_prove(judgement, &c->tds->steps[LOGIN_STEP_LOGIN_ANSWER], "the server answers the login");
    else
        judgement_prove(judgement, &close, "the login ends without an answer");
    judgement_say(judgement,
                  "The login waited %.1f s for the server, which meanwhile had asked its domain controller %s and %s.",
                  seconds(wait.to_ns - wait.from.time_ns), name, silent ? "got no answer" : "got the answer only then");
    return true;
}

/* The usual threshold of a slow login: the security package answers in milliseconds. */
enum { LONG_SSPI_MS = 2000 };

static bool tells_of_controller(const struct log_record *record)
{
    return record->event == LOG_CONTROLLER_FAILED || record->times.sspi >= LONG_SSPI_MS;
}

/* Its credentials were sent, and they are Windows' as far as is known. */
static bool waits_for_credentials(const struct conversation *c)
{
    return c->tds && moment_seen(&c->tds->steps[LOGIN_STEP_LOGIN]) && c->tds->authentication != LOGIN_SQL;
}

static void survey_logs(struct survey *survey)
{
    static const struct log_question question = {
        .counts = tells_of_controller,
        .concerns = waits_for_credentials,
        .one = "message of a domain controller that failed, or of a login that waited for it",
        .several = "messages of a domain controller that failed, or of logins that waited for it",
    };
    log_survey_server(survey, &question);
}

static const char *const actions[] = {
    "See which domain controller the server uses and whether its secure channel works: `nltest /sc_query:DOMAIN`, "
    "`nltest /dsgetdc:DOMAIN`; choose another one with `nltest /sc_reset:DOMAIN\\DC`.",
    "Look for event 5719 (NETLOGON) and 5783 in the server's System log, and in SQL Server's ERRORLOG for error 17806 "
    "with 0x80090311 or 0x80090304: `EXEC sp_readerrorlog 0, 1, N'SSPI'`.",
    "Watch how many credentials wait: `Get-Counter '\\Netlogon(*)\\Semaphore Waiters', '\\Netlogon(*)\\Semaphore "
    "Timeouts'` (MaxConcurrentApi). Kerberos instead of NTLM spares the question: see the SPNs with `setspn -L "
    "ACCOUNT`.",
    ACTION_RING_BUFFER,
    NULL,
};

const struct detector server_slow_domain_controller = {
    .cause = "server.slow-domain-controller",
    .title = "The login waits for the server's domain controller",
    .holds_when =
        "In a capture that shows the server's own traffic, a login is unanswered for 2 s or more after its credentials "
        "came, and for at least half of that time the server's machine waits for an answer of its domain controller "
        "that it has asked since. (--slow-login sets the 2 s.) Or within a minute of logins with Windows credentials "
        "that wait, the server's logs have event 5719 of NETLOGON, error 17806 with 0x80090304 or 0x80090311, or a "
        "login that spent 2 s or more in SSPI (ring buffer, error 17830).",
    .means = "With Windows authentication SQL Server lets Windows check the credentials, and Windows asks a domain "
             "controller: for NTLM with each login. When that one is slow, far, or not reachable, logins wait and "
             "their clients' time-outs run out. In the client's capture alone it looks like a server that does not "
             "answer. (Article, 1.5.5 and 1.5.6; MS-NLMP 1.4.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .survey = survey_logs,
};
