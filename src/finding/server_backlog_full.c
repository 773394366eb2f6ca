/* server.backlog-full: connections refused or ignored in bursts by a port that otherwise accepts them. */
#include "count_words.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

static bool judge_refused(const struct conversation *c, const struct server_record *record, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    int64_t at_ns = client->syn.time_ns;
    bool accepted = moment_seen(&server->syn); /* it counts among those after */
    uint32_t before = times_within(&record->accepts, at_ns - BURST_NS, at_ns);
    uint32_t after = times_within(&record->accepts, at_ns, at_ns + BURST_NS);
    if (before == 0 || after == 0 || times_within(&record->closes, at_ns - BURST_NS, at_ns) > 0)
        return false;
    char name[ENDPOINT_TEXT_SIZE];
    uint32_t burst = times_within(&record->refusals, at_ns - BURST_NS, at_ns + BURST_NS);
    judgement->confidence = burst > 1 ? 0.85 : 0.82;
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, accepted ? &server->older_reset : &server->reset, "the server refuses it with a reset");
    if (accepted) {
        judgement_prove(judgement, &server->syn, "it accepts a repetition");
        if (client->syns == 1) { /* which is not in the capture */
            judgement_leave_open(judgement, 0.5);
            judgement->would_settle = settle_by_both_captures;
        }
        judgement_say(judgement,
                      "%s refused this connection at first and accepted it %.1f s later, and %s in the 3 s before: it "
                      "listens, but its queue of waiting connections was full.",
                      endpoint_text(&c->ends[SIDE_SERVER], name), seconds(server->syn.time_ns - at_ns),
                      count_words(before, "other").text);
        return true;
    }
    judgement_say(judgement,
                  "%s refused this connection, although it accepted %s in the 3 s before and %s in the 3 s after: it "
                  "listens, but its queue of waiting connections was full.",
                  endpoint_text(&c->ends[SIDE_SERVER], name), count_words(before, "other").text,
                  count_words(after, "other").text);
    return true;
}

/* Connections that the kernel accepted and no program serves are what a full queue is full of. */
static bool judge_ignored(const struct conversation *c, const struct server_record *record, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    int64_t from_ns = client->syn.time_ns, to_ns = client->syn_last.time_ns;
    if (!moment_seen(&client->syn) || client->syn_retransmits == 0)
        return false;
    bool answered = moment_seen(&server->syn);
    if (!answered && c->ending != ENDING_NO_ANSWER)
        return false;
    const struct time_span *stall = time_spans_touching(&record->stalls, from_ns, to_ns);
    if (!stall || times_within(&record->served, from_ns, to_ns) > 0)
        return false;
    char name[ENDPOINT_TEXT_SIZE];
    judgement->confidence = answered ? 0.65 : 0.72;
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &client->syn_last, "it asks for the last time: %s",
                    count_words(client->syn_retransmits, "repetition").text);
    judgement_prove(judgement, &server->syn, "now the server answers");
    judgement_say(
        judgement,
        "%s ignored the SYN %s while connections that it had accepted waited for an answer to their first packet: "
        "nobody takes connections from its queue, and the queue is full.",
        endpoint_text(&c->ends[SIDE_SERVER], name), answered ? "at first" : "and all its repetitions");
    judgement->would_settle = settle_by_server_capture;
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!c->starts_with_syn || signs_of_one_direction(c) || !signs_of_sql(c, s) || surroundings_scanned_by(s, c) ||
        signs_of_foreign_refusal(c, s))
        return false;
    const struct server_record *record = surroundings_server(s, c);
    bool refused = c->ending == ENDING_REFUSED || moment_seen(&c->sides[SIDE_SERVER].older_reset);
    return refused ? judge_refused(c, record, judgement) : judge_ignored(c, record, judgement);
}

static const char *const actions[] = {
    "See what kept SQL Server from taking connections (long waits, blocking, no free worker thread): `SELECT * FROM "
    "sys.dm_os_waiting_tasks WHERE blocking_session_id IS NOT NULL` and `SELECT * FROM sys.dm_os_wait_stats WHERE "
    "wait_type = 'THREADPOOL'`.",
    "Count the connections per second that the clients open, and let applications use connection pooling.",
    "On Linux see whether the queue overflowed: `nstat -az TcpExtListenOverflows TcpExtListenDrops` and `ss -ltn` "
    "(Recv-Q near Send-Q); raise `net.core.somaxconn` only after the cause is known.",
    "With SQL Server 2017 or older under many logins a second consider a newer version: from 2019 on logins have their "
    "own dispatcher.",
    NULL,
};

const struct detector server_backlog_full = {
    .cause = "server.backlog-full",
    .title = "The server's queue of waiting connections is full",
    .holds_when = "A SYN is refused while the same port accepts other connections within 3 s before and within 3 s "
                  "after it, or accepts others before and a repetition of this SYN (the culprit stays open where that "
                  "is not captured); or a SYN is ignored while accepted connections to that port wait a second or more "
                  "for an answer to their first packet, and none that was opened meanwhile gets one promptly. Not "
                  "where the refusal came over another number of hops than all that the machine says otherwise.",
    .means =
        "The kernel completes handshakes on behalf of the program and queues them until it accepts. When the program "
        "does not get round to it - SQL Server short of workers, blocking, high MAXDOP, too many new connections - the "
        "queue fills: Windows then refuses with a reset, Linux drops the SYN (tcp(7), tcp_abort_on_overflow). Many "
        "conversations of six frames or fewer are its mark (article, 1.5.6 and 1.5.7).",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
