/* server.query-timeout: the client's command time-out runs out while the server works (MS-TDS 2.2.1.7, Attention). */
#include "actions.h"
#include "detector.h"
#include "signs.h"

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

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    (void)s;
    if (!c->tds || !moment_seen(&c->tds->first_attention) || signs_of_silence(c).held || signs_of_one_direction(c))
        return false;
    struct moment request;
    int64_t waited_ns = waited_for_ns(c->tds, &request);
    if (waited_ns < LEAST_NS)
        return false;
    bool lossy = signs_of_retransmits_within(c, request.time_ns, c->tds->first_attention.time_ns);
    judgement->confidence = lossy || signs_of_missed_packets(c) ? 0.6 : waited_ns >= 5 * NS_PER_SECOND ? 0.9 : 0.85;
    if (lossy) {
        judgement->culprit = CULPRIT_UNKNOWN;
        judgement->would_settle = SETTLE_BY_SERVER_CAPTURE;
    }
    judgement_prove(judgement, &request, "the client sends a request");
    judgement_prove(judgement, &c->tds->first_attention, "after %.1f s without an answer it sends an attention",
                    seconds(waited_ns));
    judgement_say(judgement,
                  "The client waited %.1f s for the answer to a request and then called it off (attention): its "
                  "command time-out ran out, or its user cancelled, while the server worked.",
                  seconds(waited_ns));
    return true;
}

static const char *const actions[] = {
    "Find the statement: `SELECT TOP 20 * FROM sys.dm_exec_query_stats CROSS APPLY sys.dm_exec_sql_text(sql_handle) "
    "ORDER BY max_elapsed_time DESC`; the Query Store marks aborted executions (execution_type = 3).",
    "See what it waited for while it runs: `SELECT session_id, wait_type, wait_time, blocking_session_id FROM "
    "sys.dm_exec_requests WHERE session_id > 50`.",
    "Make the statement faster or remove the blocking; a longer command time-out only hides it.",
    NULL,
};

const struct detector server_query_timeout = {
    .cause = "server.query-timeout",
    .title = "The client's command time-out runs out while the server works",
    .holds_when = "The client sends an attention after a request that had no byte of an answer for a second or more.",
    .means = "The connection is sound: the request arrived and was acknowledged, and the attention is the driver's "
             "own way to call a statement off. The time went into executing or blocking. \"Timeout expired\" of this "
             "kind is not a network fault. (MS-TDS 2.2.1.7.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
