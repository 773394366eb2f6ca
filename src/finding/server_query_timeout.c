/* server.query-timeout: the client's command time-out runs out while the server works (MS-TDS 2.2.1.7, Attention). */
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* Command time-outs are whole seconds; an attention within a second of the request is a program that changed its
 * mind. */
#define LEAST_NS (NS_PER_SECOND * 9 / 10)

/* The request that the attention broke off: the last one, or the one with the slowest answer, if the attention lies
 * within. */
static int64_t waited_for_ns(const struct tds_facts *tds, struct moment *request)
{
    int64_t attention_ns = tds->first_attention.time_ns;
    *request = tds->slowest_request;
    if (moment_seen(request) && request->time_ns <= attention_ns &&
        request->time_ns + tds->slowest_response_ns >= attention_ns)
        return attention_ns - request->time_ns;
    *request = tds->last_request;
    if (moment_seen(request) && request->time_ns <= attention_ns &&
        (!moment_seen(&tds->last_response) || tds->last_response.time_ns < request->time_ns ||
         tds->last_response.time_ns >= attention_ns))
        return attention_ns - request->time_ns;
    return 0;
}

/* What the client sends next acknowledges all that came: an answer that the capture missed is among what it knows of that (RFC 9293, 3.4). */
static bool may_have_missed_answer(const struct conversation *c, const struct moment *request)
{
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    uint32_t before = server->first_unseen_ns <= request->time_ns;
    return server->unseen_segments > before;
}

/* SQL Server answers a request when its last packet has come. Nothing of this one was sent again, and the server's window is open: the client had
 * not produced the rest. */
static void clear_server(int64_t waited_ns, const char *what, struct judgement *judgement)
{
    judgement_leave_open(judgement, 0.6);
    judgement->would_settle = "What the client's program waits for while it sends: its own log, or a profiler.";
    judgement_say(judgement,
                  "The client %s %.1f s after it had begun a request, of which the last packet was not sent by then: "
                  "the server had nothing to answer. Its program was too slow to produce what it wanted to send, as a "
                  "bulk copy from a slow source is.",
                  what, seconds(waited_ns));
}

/* Drivers that close instead of sending an attention, and those whose time-out counts from the connection's begin, do so when
 * a set time is over. Shorter ones are set for the network, not for a statement. */
#define CLOSED_LEAST_NS (5 * NS_PER_SECOND)

/* The client closes while its request is unanswered. Only who is at the server, or sees the server's machine answer the close at
 * once, knows that no answer got lost on the way. */
static bool judge_closed(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    struct moment close = conversation_first_close(c);
    if (!c->tds || !c->first_close_known || c->closed_first_by != SIDE_CLIENT || !signs_of_login_done(c))
        return false;
    if (!c->tds->request_unanswered || !signs_of_pending_request(c) || !moment_seen(&c->tds->last_request))
        return false;
    int64_t waited_ns = close.time_ns - client->last_data.time_ns;
    bool at_server = surroundings_stands_at(s, c, SIDE_SERVER);
    bool path_lives = moment_seen(&client->fin) && client->last_progress.time_ns >= client->fin.time_ns &&
                      client->fin_retransmits == 0;
    /* Devices have timers of whole seconds, too. */
    bool own = conversation_closed_by_fin(c) || signs_of_own_reset(c, s, SIDE_CLIENT);
    if (waited_ns < CLOSED_LEAST_NS || !signs_of_set_time(waited_ns) || (!at_server && !path_lives) || !own ||
        signs_of_foreign_reset(client) || signs_of_retransmits_within(c, c->tds->last_request.time_ns, close.time_ns))
        return false;
    judgement->rests_on_absence = may_have_missed_answer(c, &c->tds->last_request);
    judgement->confidence = at_server ? 0.85 : 0.8;
    judgement_prove(judgement, &c->tds->last_request, "the client sends a request");
    judgement_prove(judgement, &close, "after %.1f s without an answer it closes", seconds(waited_ns));
    judgement_prove(judgement, &c->sides[SIDE_SERVER].last, "the server's last packet: no answer among them");
    if (c->tds->client_unfinished) {
        clear_server(close.time_ns - c->tds->last_request.time_ns, "closed the connection", judgement);
        return true;
    }
    judgement_say(judgement,
                  "The client waited %.1f s for the answer to a request and then closed the connection: a time-out of "
                  "its own ran out while the server worked.",
                  seconds(waited_ns));
    return true;
}

/* The server's window is shut to the end (RFC 9293, 3.8.6): its machine is there and says so, and SQL Server does not read what the client
 * wants to send. Nothing of an answer can be lost then: the request is not complete. A client whose own window is shut does not read either, and
 * the server may wait for that. */
static bool judge_not_read(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    bool own = conversation_closed_by_fin(c) || signs_of_own_reset(c, s, SIDE_CLIENT);
    if (!c->first_close_known || c->closed_first_by != SIDE_CLIENT || !own || signs_of_foreign_reset(client) ||
        client->zero_window_at_end || !server->zero_window_at_end || server->zero_window_longest_ns < CLOSED_LEAST_NS ||
        !signs_of_session(c) || !signs_of_pending_request(c))
        return false;
    judgement->confidence = 0.88;
    judgement_prove(judgement, &server->first_zero_window, "the server announces a receive window of zero");
    judgement_prove(judgement, &server->last_zero_window, "the last of %u such packets", server->zero_windows);
    struct moment close = conversation_first_close(c);
    judgement_prove(judgement, &close, "the client gives up");
    judgement_say(judgement,
                  "The server's receive window was shut for %.1f s, until the client gave up: SQL Server did not read "
                  "what the client wanted to send, so its request could not be completed.",
                  seconds(server->zero_window_longest_ns));
    return true;
}

/* TDS asks and answers in turn (MS-TDS 2.2.1): who speaks again before the answer, when a set time is over, calls the request off, though
 * it is encrypted. The server's machine acknowledges that, so the path lives. */
static bool judge_called_off_unread(const struct conversation *c, const struct surroundings *s,
                                    struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    if (!c->tds || c->tds->encrypted_requests == 0 || moment_seen(&c->tds->first_attention) ||
        !c->tds->request_unanswered || !moment_seen(&c->tds->last_request))
        return false;
    int64_t waited_ns = client->last_data.time_ns - c->tds->last_request.time_ns;
    if (waited_ns < CLOSED_LEAST_NS || !signs_of_set_time(waited_ns) || signs_of_missed_packets(c) ||
        client->ack_of_last_data.time_ns < client->last_data.time_ns ||
        signs_of_retransmits_within(c, c->tds->last_request.time_ns, client->ack_of_last_data.time_ns))
        return false;
    judgement->confidence = surroundings_stands_at(s, c, SIDE_SERVER) ? 0.88 : 0.8;
    judgement_prove(judgement, &c->tds->last_request, "the client sends a request, encrypted");
    judgement_prove(judgement, &client->last_data, "after %.1f s without an answer it sends something more",
                    seconds(waited_ns));
    judgement_prove(judgement, &client->ack_of_last_data, "the server's machine acknowledges that");
    judgement_say(
        judgement,
        "The client waited %.1f s for the answer to an encrypted request and then spoke again, which can only have "
        "called it off (attention): its command time-out ran out while the server worked.",
        seconds(waited_ns));
    return true;
}

/* An answer stops in its midst when the server has nothing more to send yet, or when the client's window is shut: it does not read then. */
static bool judge_stopped(const struct conversation *c, struct judgement *judgement)
{
    const struct tds_facts *tds = c->tds;
    int64_t waited_ns = tds->answer_stopped_ms * NS_PER_MS;
    struct moment stopped = {.time_ns = tds->first_attention.time_ns - waited_ns};
    if (waited_ns < LEAST_NS || c->sides[SIDE_CLIENT].zero_windows > 0)
        return false;
    judgement->rests_on_absence = may_have_missed_answer(c, &stopped);
    judgement->confidence = waited_ns >= CLOSED_LEAST_NS ? 0.9 : 0.85;
    /* What is repeated later than that is not the answer's last packet alone (RFC 8985, 7.2). */
    if (signs_of_retransmits_within(c, stopped.time_ns + FIRST_RTO_NS, tds->first_attention.time_ns)) {
        judgement_leave_open(judgement, 0.6);
        judgement->would_settle = settle_by_server_capture;
    }
    judgement_prove(judgement, &tds->last_request, "the client's last request");
    judgement_prove(judgement, &tds->first_attention, "after %.1f s without more of an answer it sends an attention",
                    seconds(waited_ns));
    judgement_say(judgement,
                  "The server's answer stopped in its midst, and after %.1f s the client called the request off "
                  "(attention): its command time-out ran out, or its user cancelled, while the server worked.",
                  seconds(waited_ns));
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    /* The server did answer, and a part of that, at least, did not arrive. */
    if (signs_of_silence(c).held || signs_of_one_direction(c) || signs_of_more_sent(c, SIDE_SERVER))
        return false;
    if (judge_not_read(c, s, judgement) || judge_closed(c, s, judgement) || judge_called_off_unread(c, s, judgement))
        return true;
    if (!c->tds || !moment_seen(&c->tds->first_attention))
        return false;
    struct moment request;
    int64_t waited_ns = waited_for_ns(c->tds, &request);
    if (waited_ns < LEAST_NS)
        return judge_stopped(c, judgement);
    bool lossy = signs_of_retransmits_within(c, request.time_ns, c->tds->first_attention.time_ns);
    judgement->rests_on_absence = may_have_missed_answer(c, &request);
    judgement->confidence = lossy ? 0.6 : waited_ns >= 5 * NS_PER_SECOND ? 0.9 : 0.85;
    if (lossy) {
        judgement->culprit = CULPRIT_UNKNOWN;
        judgement->would_settle = settle_by_server_capture;
    }
    judgement_prove(judgement, &request, "the client sends a request");
    judgement_prove(judgement, &c->tds->first_attention, "after %.1f s without an answer it sends an attention",
                    seconds(waited_ns));
    if (c->tds->attention_amid_request && !lossy) {
        clear_server(waited_ns, "called its request off (attention)", judgement);
        return true;
    }
    judgement_say(judgement,
                  "The client waited %.1f s for the answer to a request and then called it off (attention): its "
                  "command time-out ran out, or its user cancelled, while the server worked.",
                  seconds(waited_ns));
    return true;
}

static const char *const actions[] = {
    "Find the statement in the Query Store (SQL Server 2016 and later), which keeps those that clients called off: "
    "`SELECT TOP 20 t.query_sql_text, r.count_executions, r.max_duration / 1000 AS ms, r.last_execution_time FROM "
    "sys.query_store_runtime_stats AS r JOIN sys.query_store_plan AS p ON p.plan_id = r.plan_id JOIN "
    "sys.query_store_query AS q ON q.query_id = p.query_id JOIN sys.query_store_query_text AS t ON t.query_text_id = "
    "q.query_text_id WHERE r.execution_type = 3 ORDER BY r.last_execution_time DESC`.",
    "See what it waited for while it runs: `SELECT session_id, wait_type, wait_time, blocking_session_id FROM "
    "sys.dm_exec_requests WHERE session_id > 50`.",
    "Make the statement faster or remove the blocking; a longer command time-out only hides it.",
    NULL,
};

const struct detector server_query_timeout = {
    .cause = "server.query-timeout",
    .title = "The client's command time-out runs out before the answer",
    .holds_when =
        "The client sends an attention after a request that had no byte of an answer for a second or more, or whose "
        "answer had stopped in its midst for so long while the client's window was open; encrypted, it sends something "
        "after a whole number of seconds, five at least, and the server's machine acknowledges it. "
        "Or it closes after a whole number of seconds, five at least, with nothing sent again meanwhile - in the "
        "server's capture, or where the server's machine confirms the close at once. A reset is held for the client's "
        "only when it goes on where the client's packets were: devices have timers of whole seconds, too. When packets "
        "were sent again before the attention, the culprit stays open. Not when a sequence number of the server or the "
        "client's SACK shows that an answer was sent and did not arrive. Where the capture missed packets of the "
        "server since the request, the culprit stays open. Or the client closes in the midst of a request while the "
        "server's receive window has been shut for 5 s or more, and its own is open. Where the client had not sent the "
        "last packet of its request (MS-TDS 2.2.3.1.2, EOM), and nothing was sent again, the culprit stays open, too: "
        "it is not the server.",
    .means = "The connection is sound: what the client sent arrived and was acknowledged, and the attention is the "
             "driver's own way to call a statement off. The time went into executing or blocking, unless the request "
             "was not complete: then into the client's own program. \"Timeout expired\" of this kind is not a network "
             "fault. (MS-TDS 2.2.1.7.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
