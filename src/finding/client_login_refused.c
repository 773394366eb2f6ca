/* client.login-refused: the server answers the login with an ERROR token (MS-TDS 2.2.7.10). */
#include "actions.h"
#include "detector.h"
#include "login_signs.h"
#include "signs.h"

/* Refusals that are about the server's state and not about what the client presented. */
static const struct server_state_error {
    uint32_t number;
    const char *says;
} server_state_errors[] = {
    {701, "it has not enough memory"},
    {802, "its buffer pool has not enough memory"},
    {921, "the database has not been recovered yet"},
    {922, "the database is being recovered"},
    {923, "the database is in restricted mode"},
    {924, "the database is in single-user mode, and is in use"},
    {926, "the database is marked suspect"},
    {927, "the database is in the middle of a restore"},
    {942, "the database is offline"},
    {945, "files of the database cannot be reached, or memory or disk space lacks"},
    {952, "the database is in transition"},
    {954, "the database is a mirror, and its principal is elsewhere now"},
    {955, "the mirrored database lacks a quorum"},
    {956, "the mirrored database has not synchronized yet"},
    {976, "the database is in an availability group, and this replica does not serve it now"},
    {982, "no secondary replica of the database is open for reading"},
    {983, "the database is in an availability group, and this replica is neither primary nor secondary now"},
    {988, "the database lacks a quorum of nodes"},
    {6005, "SQL Server is shutting down"},
    {9001, "the log of the database is not available"},
    {10928, "a limit of the database's resources is reached"},
    {10929, "the server is too busy for more than the database's guaranteed resources"},
    {17142, "SQL Server is paused: no new connections"},
    {17187, "SQL Server is not ready to accept connections yet"},
    {17188, "SQL Server is shutting down and accepts no new connections"},
    {17189, "SQL Server could not start a thread for the login"},
    {17197, "the login took SQL Server longer than it allows, which may mean heavy load"},
    {17803, "it has not enough memory for the connection"},
    {17809, "the maximum number of user connections is reached"},
    {17810, "the maximum number of dedicated administrator connections is reached"},
    {18401, "SQL Server runs its upgrade scripts"},
    {18451, "only administrators may connect at present"},
    {18458, "as many users as it is licensed for are there already"},
    {18459, "as many machines as it is licensed for are there already"},
    {18460, "as many users as it is licensed for are there already"},
    {18461, "SQL Server runs in single-user mode"},
    {40143, "the service met an error while it worked on the request"},
    {40197, "the service met an error while it worked on the request"},
    {40501, "the service is busy"},
    {40613, "the database is not available at present"},
    {42108, "the pool of the database is paused"},
    {42109, "the pool of the database is warming up"},
    {49918, "the service has not enough resources for the request"},
    {49919, "too many databases are being created or changed"},
    {49920, "too many operations are under way in the subscription"},
};

/* Its time for logins ran out, or the connection broke in one: that counts what it waits for the client, too, and for the way. */
enum { LOGIN_TIMED_OUT_ERROR = 17197, LOGIN_BROKEN_ERROR = 17830 };

/* A logon trigger of the server's rolls the login back, and no reason is told: it refuses whom it is meant to refuse, or it failed. */
#define LOGON_TRIGGER_ERROR 17892

static const struct server_state_error *state_error(uint32_t number)
{
    for (unsigned i = 0; i < sizeof server_state_errors / sizeof *server_state_errors; i++)
        if (server_state_errors[i].number == number)
            return &server_state_errors[i];
    return NULL;
}

/* With full encryption the answer cannot be read. A server that refuses a login closes, one that sends the client on does not (MS-TDS
 * 3.3.5.7, "Final State" and "Routing Completed"), and it keeps a session that succeeded. */
static bool judge_encrypted(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct unasked_close left = login_signs_unasked_close(c, s);
    bool by_server = left.by == SIDE_SERVER;
    if (!left.held || (!by_server && left.next))
        return false;
    const struct moment *answer = &c->tds->steps[LOGIN_STEP_LOGIN_ANSWER];
    bool let_in_elsewhere = left.next && left.next->tds && signs_of_session(left.next);
    judgement->confidence = !by_server ? 0.5 : let_in_elsewhere ? 0.6 : 0.75;
    if (!by_server || let_in_elsewhere)
        judgement->culprit = CULPRIT_UNKNOWN;
    judgement->would_settle = "The server's ERRORLOG: refused logins are in it as error 18456.";
    judgement_prove(judgement, &c->tds->steps[LOGIN_STEP_LOGIN], "the client sends its login, encrypted");
    judgement_prove(judgement, answer, "the server answers, encrypted");
    judgement_prove(judgement, &left.close, "the %s closes, with nothing asked", side_name(left.by));
    judgement_say(
        judgement,
        "The server answered the encrypted login, and %s later the %s closed with nothing asked: the answer was "
        "probably a refusal%s.",
        seconds_words(left.close.time_ns - answer->time_ns).text, side_name(left.by),
        by_server ? "" : ", or sent the client on to another server, or somebody only tested the login");
    if (by_server && let_in_elsewhere)
        judgement_say_more(judgement, "At once the client logged in to another server, which let it in: the reason may "
                                      "lie in what this server was in at that moment.");
    return true;
}

/* By the server's account. The client may have been what it waited for. */
static bool ran_out_of_time(const struct conversation *c, const struct surroundings *s, uint32_t error)
{
    return error == LOGIN_BROKEN_ERROR ||
           (error == LOGIN_TIMED_OUT_ERROR && login_signs_client_time_ns(c) >= s->thresholds->late_login_ns);
}

static void leave_time_open(const struct conversation *c, uint32_t error, struct judgement *judgement)
{
    judgement_leave_open(judgement, 0.6);
    judgement->would_settle =
        "The server's ERRORLOG, which says beside error 17830 on what the login's time was spent.";
    judgement_say(judgement,
                  "The server gave the login up with error %u: its time ran out, or the connection broke meanwhile. "
                  "%.1f s of that the client had taken for its own steps.",
                  error, seconds(login_signs_client_time_ns(c)));
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!signs_of_login_refused(c))
        return judge_encrypted(c, s, judgement);
    const struct tds_facts *tds = c->tds;
    const struct tds_error *error = &tds->login_error;
    judgement_prove(judgement, &tds->steps[LOGIN_STEP_LOGIN], "the client sends its login");
    judgement_prove(judgement, &tds->steps[LOGIN_STEP_LOGIN_ERROR], "the server answers with error %u, state %u",
                    error->number, error->state);
    judgement->confidence = 0.97;
    const struct server_state_error *state = state_error(error->number);
    if (ran_out_of_time(c, s, error->number)) {
        leave_time_open(c, error->number, judgement);
    } else if (state) {
        judgement->culprit = CULPRIT_SERVER;
        judgement_say(judgement, "The server refused the login with error %u: %s.", error->number, state->says);
    } else if (error->number == LOGON_TRIGGER_ERROR) {
        judgement_leave_open(judgement, 0.6);
        judgement->would_settle = "The server's ERRORLOG, which has what the trigger printed or why it failed; and the "
                                  "trigger itself: `SELECT name, is_disabled FROM sys.server_triggers`.";
        judgement_say(judgement,
                      "A logon trigger of the server refused the login (error %u): it is meant to refuse such logins, "
                      "or it failed.",
                      error->number);
    } else if (error->number == 0) {
        judgement->confidence = 0.9;
        judgement_say(judgement, "The server answered the login with an error; its number was not captured.");
    } else {
        judgement_say(judgement, "The server refused the login with error %u, state %u%s%s", error->number,
                      error->state, error->message ? ": " : ".", error->message ? error->message : "");
    }
    return true;
}

static const char *const actions[] = {
    "Read the reason in SQL Server's ERRORLOG, which knows more than the client is told: `EXEC sp_readerrorlog 0, 1, "
    "N'Login failed'`. The state of error 18456 tells it: 5 no such login, 7 login disabled, 8 wrong password, 38 or "
    "40 database not available, 58 SQL logins not allowed.",
    "Check login name, password and database of the connection string; for error 4060 whether the database is online: "
    "`SELECT name, state_desc FROM sys.databases`.",
    "For Windows authentication check the service's SPN: `setspn -L ACCOUNT`.",
    NULL,
};

const struct detector client_login_refused = {
    .cause = "client.login-refused",
    .title = "The server answers the login with an error",
    .holds_when =
        "An ERROR token arrives in answer to the login, and no LOGINACK; one after a request is the request's. With "
        "full encryption, when it cannot be read: after the answer (which acknowledges all that the client had sent) "
        "nothing is asked, and within a second the server closes of its own accord, also while the client does (or the "
        "client alone, or with a TLS alert before the server's FIN: then it stays open, and does not count when the "
        "client connects to another server at once, as one does that is sent on). The culprit stays open, too, where "
        "another server lets the client in at once, where a logon trigger refuses (17892), where "
        "the connection broke in the login by the server's account (17830), and where the server's time for it ran out "
        "(17197) and the client had taken 5 s or more of that for its own steps (--late-login).",
    .means =
        "Network and server did their work: the server looked at what the client presented and said no - wrong "
        "password, unknown login, a database that it may not open. That is not a connectivity fault. Some numbers tell "
        "of the server's own state (paused, starting, out of connections or memory, a database that is being "
        "recovered); then the server is named. (MS-TDS 2.2.7.10; article, 1.1.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity =
        SEVERITY_RISK, /* a clear answer, not a broken connection: where something is broken, that comes first */
    .judge = judge,
};
