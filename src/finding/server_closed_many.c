/* server.closed-many: the server closes several connections at one instant. */
#include "actions.h"
#include "count_words.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* Sessions end on their own at times that have nothing to do with each other. Two within a second may; three do not. */
#define INSTANT_NS (NS_PER_SECOND / 2)
enum { MANY = 3 };

/* A balancer that is drained and a proxy that is loaded anew close what is idle in good order, as a server that stops does. That stops to listen,
 * too; who serves new connections at once did not. */
static void doubt_idle_close(const struct conversation *c, const struct surroundings *s, const struct moment *close,
                             struct judgement *judgement)
{
    static const double at_most = 0.7;
    const struct server_record *record = surroundings_server(s, c);
    int64_t until_ns = close->time_ns + BURST_NS;
    if (surroundings_stands_at(s, c, SIDE_SERVER) || !conversation_closed_by_fin(c) || signs_of_pending_request(c) ||
        times_within(&record->refusals, close->time_ns, until_ns) > 0 ||
        time_spans_touching(&record->outages, close->time_ns, until_ns))
        return;
    judgement->would_settle = settle_by_server_capture;
    bool goes_on = times_within(&record->served, close->time_ns + INSTANT_NS, until_ns) > 0;
    if (!goes_on) {
        judgement->confidence = at_most;
        return;
    }
    judgement_leave_open(judgement, 0.6);
    judgement_say_more(judgement,
                       "They were idle, and new connections were served at once: it did not restart. "
                       "Sessions were ended there, or a proxy or load balancer in its place let go of them.");
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct moment close = conversation_first_close(c);
    if (!c->first_close_known || c->closed_first_by != SIDE_SERVER || !conversation_established(c) ||
        !signs_of_sql(c, s))
        return false;
    if (signs_of_silence(c).held || !signs_of_session(c) || signs_of_one_direction(c))
        return false;
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    bool reset = moment_seen(&server->reset) && !moment_seen(&server->fin);
    if (reset && (signs_of_foreign_reset(server) || signs_of_disowned_reset(c, s, SIDE_SERVER) ||
                  signs_of_giving_up(c, SIDE_SERVER)))
        return false;
    const struct server_record *record = surroundings_server(s, c);
    uint32_t together = times_within(&record->closes, close.time_ns - INSTANT_NS, close.time_ns + INSTANT_NS);
    if (together < MANY)
        return false;
    char name[ENDPOINT_TEXT_SIZE];
    bool open = reset && !signs_of_own_reset(c, s, SIDE_SERVER);
    judgement->confidence = open ? 0.6 : 0.9;
    if (open) {
        judgement->culprit = CULPRIT_UNKNOWN;
        judgement->would_settle = settle_by_server_capture;
    }
    judgement_prove(judgement, &c->sides[SIDE_CLIENT].last_data, "the client's last data");
    judgement_prove(judgement, &close, "the server closes");
    judgement_say(
        judgement, "%s closed this connection and %s within one second%s.", endpoint_text(&c->ends[SIDE_SERVER], name),
        count_words(together - 1, "other").text,
        open ? ", this one with a reset: a device on the way that restarts or drops its connections looks the same"
             : "");
    if (!open)
        doubt_idle_close(c, s, &close, judgement);
    return true;
}

static const char *const actions[] = {
    "See whether SQL Server stopped, restarted or failed over at that time: `EXEC sp_readerrorlog 0, 1, N'shut'; EXEC "
    "sp_readerrorlog 0, 1, N'Starting up database'`; `SELECT sqlserver_start_time FROM sys.dm_os_sys_info`.",
    ACTION_ERRORLOG,
    "See whether somebody set a database offline or killed sessions: `EXEC sp_readerrorlog 0, 1, N'was killed'; EXEC "
    "sp_readerrorlog 0, 1, N'Setting database option'`.",
    ACTION_RING_BUFFER,
    NULL,
};

const struct detector server_closed_many = {
    .cause = "server.closed-many",
    .title = "The server closes many connections at one instant",
    .holds_when = "The server's FIN or reset ends three or more sessions with one endpoint within a second, before "
                  "their clients closed. The culprit stays open where it is a reset, the capture was not given as the "
                  "server's, and the reset does not go on with the server's IP IDs, timestamps or window. An idle "
                  "session that is closed by FIN tells less there, for a balancer that is drained does so, too: the "
                  "culprit stays open where the endpoint serves new connections within 3 s, and it is the less sure "
                  "where it does not refuse or ignore any.",
    .means = "A path that fails sends no FIN, and clients do not agree on an instant: something happened to the SQL "
             "Server - a restart, a crash, a failover, a database taken offline, sessions killed, or resources running "
             "out. A proxy or load balancer that answers in its place closes in the same way when it is restarted. "
             "(Article, 1.5.6.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
};
