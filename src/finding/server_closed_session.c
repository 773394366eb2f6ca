/* server.closed-session: the server closes one session that was established and in good order. */
#include "actions.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"

/* A farewell (TLS close_notify, SMP FIN) leaves together with the FIN, which may arrive later, or not at all. */
#define FAREWELL_NS (2 * NS_PER_SECOND)

/* SQL Server ends the session itself after an error of this severity (sys.messages: 20 to 25 are fatal), and when it is shut down
 * ("SHUTDOWN is in progress"), which it calls no error. */
enum { FATAL_SEVERITY = 20, SHUTTING_DOWN = 6005 };

/* A session that had its answer so short a time ago was not idle. */
#define AT_ONCE_S 0.1

/* The client asked for the close: by a farewell before its FIN, or by the logout of TDS 5.0. */
static bool client_said_farewell(const struct conversation *c)
{
    enum { TDS_7_0 = 0x70000000 };
    const struct tds_facts *tds = c->tds;
    const struct moment *fin = &c->sides[SIDE_SERVER].fin;
    if (moment_seen(&tds->smp_fin[SIDE_CLIENT]) || tds->messages[TDS_OLD_LOGIN] > 0 ||
        (tds->tds_version != 0 && tds->tds_version < TDS_7_0))
        return true;
    for (unsigned i = 0; tds->tls && i < tds->tls->alert_count; i++) {
        int64_t before_ns = fin->time_ns - tds->tls->alerts[i].moment.time_ns;
        if (tds->tls->alerts[i].side == SIDE_CLIENT && before_ns >= 0 && before_ns <= FAREWELL_NS)
            return true;
    }
    return false;
}

static const struct tds_error_count *fatal_error(const struct tds_facts *tds)
{
    for (unsigned i = 0; i < tds->error_kinds; i++)
        if (tds->errors[i].severity >= FATAL_SEVERITY || tds->errors[i].number == SHUTTING_DOWN)
            return &tds->errors[i];
    return NULL;
}

static bool is_closed_by_server(const struct conversation *c, const struct surroundings *s)
{
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    if (!c->first_close_known || c->closed_first_by != SIDE_SERVER || !conversation_closed_by_fin(c) ||
        !moment_seen(&server->fin) || !c->tds || !conversation_established(c))
        return false;
    if (!signs_of_session(c) || signs_of_login_halt(c, s).halted || signs_of_silence(c).held ||
        signs_of_one_direction(c))
        return false;
    return !moment_seen(&c->tds->routed) && !client_said_farewell(c) && !signs_of_more_sent(c, SIDE_SERVER);
}

static const struct moment *last_word(const struct conversation *c)
{
    const struct moment *client = &c->sides[SIDE_CLIENT].last_data, *server = &c->sides[SIDE_SERVER].last_data;
    return server->time_ns > client->time_ns ? server : client;
}

static const char *somebody_words(const struct judgement *judgement)
{
    return judgement->culprit == CULPRIT_UNKNOWN
               ? ": somebody ended it there, or a proxy or load balancer on the way that answers for it"
               : ": somebody or something ended it there";
}

/* What the client had of it: an error at once, at its next request, or not until the connection is used again. */
static void say(const struct conversation *c, const struct tds_error_count *fatal, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    const struct moment *last = last_word(c);
    double quiet = seconds(server->fin.time_ns - last->time_ns);
    if (fatal && fatal->number == SHUTTING_DOWN)
        judgement_say(judgement, "The server closed the session after error %u: SQL Server is shutting down.",
                      fatal->number);
    else if (fatal)
        judgement_say(judgement, "The server closed the session after error %u, severity %u, which ends it.",
                      fatal->number, fatal->severity);
    else if (judgement->severity == SEVERITY_FAULT && last == &client->last_data && last->time_ns > server->fin.time_ns)
        judgement_say(judgement,
                      "The server closed the session, and the client's next request, %.3f s later, came too late.",
                      -quiet);
    else if (judgement->severity == SEVERITY_FAULT)
        judgement_say(judgement, "The server closed the session while it owed an answer, %.3f s after the request%s.",
                      quiet, judgement->culprit == CULPRIT_UNKNOWN ? somebody_words(judgement) : "");
    else if (quiet < AT_ONCE_S)
        judgement_say(judgement,
                      "The server closed the session right after an answer. SQL Server does not do that by itself%s.",
                      somebody_words(judgement));
    else
        judgement_say(judgement,
                      "The server closed the session, which had been idle for %.3f s. SQL Server does not do that by "
                      "itself%s.",
                      quiet, somebody_words(judgement));
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!is_closed_by_server(c, s))
        return false;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    const struct tds_error_count *fatal = fatal_error(c->tds);
    bool at_server = surroundings_stands_at(s, c, SIDE_SERVER);
    bool asked_after = moment_seen(&client->last_data) && client->last_data.time_ns > server->fin.time_ns;
    bool noticed = fatal || asked_after || signs_of_pending_request(c);
    bool long_wait = server->fin.time_ns - last_word(c)->time_ns >= DEVICE_PATIENCE_NS;
    bool open = !fatal && !at_server && (!noticed || asked_after || long_wait);
    judgement->severity = noticed ? SEVERITY_FAULT : SEVERITY_RISK;
    judgement->confidence = fatal ? 0.88 : at_server ? (noticed ? 0.85 : 0.7) : open ? 0.6 : 0.75;
    if (open) {
        judgement->culprit = CULPRIT_UNKNOWN;
        judgement->would_settle = settle_by_server_capture;
    }
    judgement_prove(judgement, &client->last_data, "the client's last data");
    judgement_prove(judgement, &server->last_data, "the server's last data");
    judgement_prove(judgement, &server->fin, "the server closes first (FIN)");
    say(c, fatal, judgement);
    return true;
}

static const char *const actions[] = {
    "See whether somebody ended the session, or set its database offline, to single user or read only: `EXEC "
    "sp_readerrorlog 0, 1, N'was killed'; EXEC sp_readerrorlog 0, 1, N'Setting database option'`.",
    "Look for fatal errors (severity 20 and above) and dumps at that time: `EXEC sp_readerrorlog 0, 1, N'Severity: 2'; "
    "SELECT * FROM sys.dm_server_memory_dumps`.",
    ACTION_RING_BUFFER,
    "If a proxy or load balancer stands in the server's place, compare its idle limit with the time that the session "
    "was idle: HAProxy `timeout client` and `timeout server`, Azure SQL 30 minutes.",
    NULL,
};

const struct detector server_closed_session = {
    .cause = "server.closed-session",
    .title = "The server closes an established session",
    .holds_when =
        "After the login the server's FIN comes first, and the client had said no farewell. A fault while a request is "
        "unanswered, after a fatal error, or when the client then asks in vain; of an idle session a risk. Unless the "
        "capture was given as the server's, the culprit stays open of an idle session, where the client asked only "
        "after the close, and where its request had waited for 30 s, for a proxy in the server's place does the same. "
        "Not when a sequence number of the server or the other side's SACK shows that it had sent more than arrived.",
    .means =
        "A session is the client's to close: SQL Server has no idle limit, and ends one only when it was killed (KILL, "
        "a database taken offline or to single user WITH ROLLBACK), at an error of severity 20 or above, or when it "
        "stops or fails over. A proxy or load balancer that answers in its place has an idle limit, and closes in the "
        "same way. An application sees it at its next request, as a transport-level error. (Article, 1.5.6.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
};
