/* server.scheduler-stall: SQL Server's schedulers stand still, or logins wait for a worker thread. */
#include "actions.h"
#include "log_survey.h"

/* A free worker takes a login up at once. */
enum { LONG_QUEUE_MS = 1000 };

static bool is_stall(const struct log_record *record)
{
    return record->event == LOG_SCHEDULER_STALL || record->times.enqueued >= LONG_QUEUE_MS;
}

static void survey_logs(struct survey *survey)
{
    static const struct log_question question = {
        .scope = SCOPE_SERVER,
        .counts = is_stall,
        .one = "message of schedulers that stand still, or of a login that waited for a thread",
        .several = "messages of schedulers that stand still, or of logins that waited for a thread",
    };
    log_survey_server(survey, &question);
}

static const char *const actions[] = {
    "Read the messages: `EXEC sp_readerrorlog 0, 1, N'non-yielding'; EXEC sp_readerrorlog 0, 1, N'deadlocked'; EXEC "
    "sp_readerrorlog 0, 1, N'have not been picked up'; EXEC sp_readerrorlog 0, 1, N'paged out'`.",
    ACTION_WORKERS,
    ACTION_RING_BUFFER,
    "See who blocks whom, through the dedicated administrator connection if need be (`sqlcmd -A -S SERVER`): `SELECT "
    "session_id, wait_type, wait_time, blocking_session_id, dop FROM sys.dm_exec_requests WHERE session_id > 50 ORDER "
    "BY wait_time DESC`.",
    ACTION_MAXDOP,
    "See whether something else took the processors: `Get-Counter '\\Processor(_Total)\\% Processor Time', "
    "'\\System\\Processor Queue Length'`, on Linux `top -b -n 1`; on a virtual machine the host's ready time.",
    NULL,
};

const struct detector server_scheduler_stall = {
    .cause = "server.scheduler-stall",
    .title = "SQL Server's schedulers stand still, and logins wait for a thread",
    .holds_when =
        "Within a minute of the failed connections the ERRORLOG has error 17883, 17884, 17887 or 17888 (non-yielding "
        "or deadlocked schedulers, requests that no thread picks up); or the connectivity ring buffer's login timers "
        "show a second or more between a login's arrival and its begin (LoginTaskEnqueued, EnqueueTime).",
    .means = "A login needs a worker thread. When all are taken - blocking, high MAXDOP with large parallel queries, a "
             "thread that does not yield, too little processor time - logins wait in a queue. The kernel goes on "
             "acknowledging packets, so the network looks sound and the server dead. (Article, 1.5.6; Microsoft: How "
             "to diagnose and correct errors 17883, 17884, 17887 and 17888.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .survey = survey_logs,
};
