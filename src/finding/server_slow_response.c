/* server.slow-response: a request is acknowledged, and its answer takes long to begin. */
#include "actions.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"

/* Half of the answers of the connection are this quick, an eighth of that, where a slow one is an exception. The histogram
 * of times counts in powers of two. */
#define QUICK_NS (256 * NS_PER_MS)

static bool is_exception(const struct tds_facts *tds)
{
    int64_t half_below_ns = response_times_below_ns(&tds->first_bytes, 50);
    return tds->first_bytes.count > 1 && half_below_ns >= 0 && half_below_ns <= QUICK_NS;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tds_facts *tds = c->tds;
    if (!tds || !moment_seen(&tds->slowest_request) || signs_of_one_direction(c) || signs_of_missed_packets(c))
        return false;
    int64_t wait_ns = tds->slowest_response_ns;
    bool exception = is_exception(tds);
    if (wait_ns < (exception ? s->thresholds->slow_query_ns : s->thresholds->slow_query_alone_ns) ||
        signs_of_set_time(wait_ns))
        return false;
    struct moment answer = {.time_ns = tds->slowest_request.time_ns + wait_ns};
    /* Right after the answer, too: copies of it that come together with it were held up on the way. */
    if (signs_of_retransmits_within(c, tds->slowest_request.time_ns, answer.time_ns + HELD_TOGETHER_NS))
        return false;
    bool at_server = surroundings_stands_at(s, c, SIDE_SERVER);
    judgement->confidence = at_server ? 0.8 : 0.72;
    if (!at_server)
        judgement->would_settle = settle_by_server_capture;
    judgement_prove(judgement, &tds->slowest_request, "the client sends a request; its answer begins after %.3f s",
                    seconds(wait_ns));
    judgement_say(judgement,
                  "SQL Server took %.1f s to begin its answer to a request%s. Nothing had to be sent again meanwhile, "
                  "so the request was there and was acknowledged.",
                  seconds(wait_ns), exception ? ", where it answers others on the same connection at once" : "");
    return true;
}

static const char *const actions[] = {
    "Find the statement: `SELECT TOP 20 max_elapsed_time / 1000 AS ms, execution_count, text FROM "
    "sys.dm_exec_query_stats CROSS APPLY sys.dm_exec_sql_text(sql_handle) ORDER BY max_elapsed_time DESC`.",
    "See what it waits for while it runs: `SELECT session_id, wait_type, wait_time, blocking_session_id FROM "
    "sys.dm_exec_requests WHERE session_id > 50`.",
    ACTION_WORKERS,
    "Search the ERRORLOG for slow disks at that time: `EXEC sp_readerrorlog 0, 1, N'longer than 15 seconds'`.",
    NULL,
};

const struct detector server_slow_response = {
    .cause = "server.slow-response",
    .title = "The server takes long to answer a request",
    .holds_when =
        "An answer begins 2 s or more after its request where half of the connection's answers come within a quarter "
        "of a second, or 15 s or more in any case; nothing is sent again meanwhile. Not when the wait is a whole "
        "number of seconds, as WAITFOR and time-outs make it. (--slow-query sets both times.)",
    .means = "The request reached the server, and the time went into executing it, or into waiting for a lock, a disk, "
             "memory or a free worker. Whether it is too long, only those who know the request can say: a report may "
             "take its time. An answer that begins soon and goes on for long is not meant. (Article, 1.5.6.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_RISK,
    .yields = true,
    .judge = judge,
};
