/* client.login-refused: the server answers the login with an ERROR token (MS-TDS 2.2.7.10). */
#include "actions.h"
#include "detector.h"
#include "signs.h"

/* Refusals that are about the server's state and not about what the client presented. */
static const struct server_state_error {
    uint32_t number;
    const char *says;
} server_state_errors[] = {
    {701, "it has not enough memory"},
    {802, "its buffer pool has not enough memory"},
    {922, "the database is being recovered"},
    {927, "the database is in the middle of a restore"},
    {952, "the database is in transition"},
    {976, "the database is in an availability group, and this replica does not serve it now"},
    {983, "the database is in an availability group, and this replica is neither primary nor secondary now"},
    {6005, "SQL Server is shutting down"},
    {10928, "a limit of the database's resources is reached"},
    {10929, "the server is too busy for more than the database's guaranteed resources"},
    {17142, "SQL Server is paused: no new connections"},
    {17187, "SQL Server is not ready to accept connections yet"},
    {17188, "SQL Server is shutting down and accepts no new connections"},
    {17189, "SQL Server could not start a thread for the login"},
    {17197, "the login took SQL Server longer than it allows, which may mean heavy load"},
    {17809, "the maximum number of user connections is reached"},
    {17810, "the maximum number of dedicated administrator connections is reached"},
    {17830, "the network broke while the login was under way"},
    {18401, "SQL Server runs its upgrade scripts"},
    {18451, "only administrators may connect at present"},
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

static const struct server_state_error *state_error(uint32_t number)
{
    for (unsigned i = 0; i < sizeof server_state_errors / sizeof *server_state_errors; i++)
        if (server_state_errors[i].number == number)
            return &server_state_errors[i];
    return NULL;
}

/* Programs log in to ask something, and do so at once. A close this soon after the answer, with nothing asked, means
 * that the answer was no - or that somebody only tried whether he can log in. */
#define NOTHING_ASKED_NS NS_PER_SECOND

/* An answer may send the client on to another server (MS-TDS 2.2.7.9, routing: Azure SQL's redirect, read-only routing of availability
 * groups): it closes, and connects there at once, as the capture nearest to it shows. Conversations come in order of their begin; so many
 * others may begin in between. */
static bool goes_elsewhere(const struct conversation *c, const struct surroundings *s)
{
    enum { LOOKED_AT = 256 };
    const struct casebook *casebook = s->casebook;
    c = casebook_standing_view(casebook, c);
    if (!c->tds)
        return false;
    int64_t answer_ns = c->tds->steps[LOGIN_STEP_LOGIN_ANSWER].time_ns, close_ns = conversation_first_close(c).time_ns;
    uint32_t until = c->id + LOOKED_AT;
    for (uint32_t i = c->id; i < until && i < casebook_conversations(casebook); i++) {
        const struct conversation *next = casebook_conversation(casebook, i);
        const struct moment *syn = &next->sides[SIDE_CLIENT].syn;
        if (next->point == c->point && next->starts_with_syn && syn->time_ns >= answer_ns &&
            syn->time_ns - close_ns <= NOTHING_ASKED_NS &&
            address_equal(&next->ends[SIDE_CLIENT].address, &c->ends[SIDE_CLIENT].address) &&
            !endpoint_equal(&next->ends[SIDE_SERVER], &c->ends[SIDE_SERVER]) && !signs_of_other_service(next, s))
            return true;
    }
    return false;
}

/* With full encryption the answer cannot be read. SQL Server closes after a refusal, and keeps a session that
 * succeeded. */
static bool judge_encrypted(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tds_facts *tds = c->tds;
    struct moment close = conversation_first_close(c);
    if (!tds || !c->first_close_known || !signs_of_login_done(c) || signs_of_session(c))
        return false;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    const struct moment *answer = &tds->steps[LOGIN_STEP_LOGIN_ANSWER];
    /* It answers what came before the login, and was recorded after it. */
    if (!client->last_data_answered && client->last_data.time_ns <= answer->time_ns)
        return false;
    if (signs_of_more_sent(c, SIDE_CLIENT) || signs_of_more_sent(c, SIDE_SERVER))
        return false; /* something more was said */
    if (signs_of_one_direction(c) || signs_of_missed_packets(c) || close.time_ns - answer->time_ns > NOTHING_ASKED_NS)
        return false;
    bool by_server = c->closed_first_by == SIDE_SERVER;
    if (!by_server && goes_elsewhere(c, s))
        return false;
    judgement->confidence = by_server ? 0.75 : 0.5;
    if (!by_server)
        judgement->culprit = CULPRIT_UNKNOWN;
    judgement->would_settle = "The server's ERRORLOG: refused logins are in it as error 18456.";
    judgement_prove(judgement, &tds->steps[LOGIN_STEP_LOGIN], "the client sends its login, encrypted");
    judgement_prove(judgement, answer, "the server answers, encrypted");
    judgement_prove(judgement, &close, "the %s closes, with nothing asked", by_server ? "server" : "client");
    judgement_say(
        judgement,
        "The server answered the encrypted login, and %s later the %s closed with nothing asked: the answer was "
        "probably a refusal%s.",
        seconds_words(close.time_ns - answer->time_ns).text, by_server ? "server" : "client",
        by_server ? "" : ", or sent the client on to another server, or somebody only tested the login");
    return true;
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
    if (state) {
        judgement->culprit = CULPRIT_SERVER;
        judgement_say(judgement, "The server refused the login with error %u: %s.", error->number, state->says);
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
    "Check login name, password and database of the connection string; for error 4060 whether the database is "
    "online: `SELECT name, state_desc FROM sys.databases`.",
    "For Windows authentication check the service's SPN: `setspn -L ACCOUNT`.",
    NULL,
};

const struct detector client_login_refused = {
    .cause = "client.login-refused",
    .title = "The server answers the login with an error",
    .holds_when =
        "An ERROR token arrives in answer to the login, and no LOGINACK; one after a request is the request's. With "
        "full encryption, when it cannot be read: after the answer (which acknowledges all that the client had sent) "
        "nothing is asked, and within a second the server closes (or the client: then it stays open). Not when the "
        "client then connects to another server at once, as one does that is sent on.",
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
