/* client.memory-pressure, server.memory-pressure: the machine is short of memory, or SQL Server may take all of it. */
#include "actions.h"
#include "finding_list.h"
#include "host_survey.h"
#include "log_survey.h"

/* Of SQL Server when nobody set it: all that a machine could have. */
enum { LIMIT_NONE_MB = 2147483647, LEFT_LEAST_MB = 4096 };

static bool is_pressure(const struct log_record *record)
{
    return record->event == LOG_MEMORY_PRESSURE;
}

static void survey_logs(struct survey *survey)
{
    static const struct log_question question = {
        .scope = SCOPE_HOST,
        .counts = is_pressure,
        .one = "message of memory that ran out",
        .several = "messages of memory that ran out",
    };
    log_survey_server(survey, &question);
}

/* The last one that the log tells: it holds from then on. */
static const struct setting_record *latest(struct survey *survey, const struct host *host, enum machine_setting setting)
{
    const struct setting_record *record, *last = NULL;
    for (uint32_t n = 0; (record = host_setting(survey, host, setting, n)); n++)
        last = record;
    return last;
}

static void judge_machine(struct survey *survey, const struct host *host)
{
    char words[HOST_TEXT_SIZE];
    const struct setting_record *limit = latest(survey, host, SETTING_MEMORY_MAX_MB),
                                *memory = latest(survey, host, SETTING_MEMORY_MB);
    bool unlimited = limit && limit->value >= LIMIT_NONE_MB;
    bool little_left = limit && memory && !unlimited && limit->value > memory->value - LEFT_LEAST_MB;
    if (!unlimited && !little_left)
        return;
    struct finding *finding = host_survey_add(survey, host);
    finding->example.confidence = 0.7;
    judgement_prove(&finding->example, &limit->at, "max server memory is set to %lld MB", (long long)limit->value);
    if (memory)
        judgement_prove(&finding->example, &memory->at, "the machine has %lld MB", (long long)memory->value);
    finding_measure(finding, "max_server_memory_mb", (double)limit->value);
    if (unlimited)
        judgement_say(&finding->example,
                      "%s lets SQL Server take all its memory: max server memory is at its default, %lld MB.",
                      host_words(host, words), (long long)limit->value);
    else
        judgement_say(
            &finding->example,
            "%s has %lld MB of memory and lets SQL Server take %lld MB: less than %d MB are left to the system.",
            host_words(host, words), (long long)memory->value, (long long)limit->value, LEFT_LEAST_MB);
}

static void survey_machines(struct survey *survey)
{
    if (survey->detector->culprit == CULPRIT_SERVER)
        survey_logs(survey);
    host_survey(survey, judge_machine);
}

static const char *const actions[] = {
    "See SQL Server's limit and what the machine has: `SELECT value_in_use FROM sys.configurations WHERE name = 'max "
    "server memory (MB)'; SELECT total_physical_memory_kb / 1024 AS total_mb, available_physical_memory_kb / 1024 AS "
    "free_mb, system_memory_state_desc FROM sys.dm_os_sys_memory`.",
    "Leave 4 to 8 GB to the operating system, and more where other instances or programs run. With 64 GB in the "
    "machine: `EXEC sp_configure 'show advanced options', 1; RECONFIGURE; EXEC sp_configure 'max server memory (MB)', "
    "57344; RECONFIGURE`. On Linux: `sudo /opt/mssql/bin/mssql-conf set memory.memorylimitmb 57344` and restart SQL "
    "Server.",
    "See whether Windows was short of memory or of its kernel pools at that time: `Get-Counter '\\Memory\\Available "
    "MBytes', '\\Memory\\Pool Nonpaged Bytes', '\\Memory\\Pages/sec' -SampleInterval 5 -MaxSamples 12`, on Linux `free "
    "-m` and `vmstat 5 12`.",
    "Search the ERRORLOG: `EXEC sp_readerrorlog 0, 1, N'paged out'; EXEC sp_readerrorlog 0, 1, N'insufficient system "
    "memory'`.",
    NULL,
};

const struct detector host_memory_pressure[SIDES] = HOST_DETECTORS(
    "memory-pressure", .title = "The machine is short of memory, or SQL Server may take all of it",
    .holds_when = "The ERRORLOG says that max server memory was set to its default of 2147483647 MB, or to less than 4 "
                  "GB below the machine's memory; or that memory ran out (errors 701, 802, 8645, 17300, 17803, 17890): "
                  "a fault, when connections waited for the server within a minute.",
    .means = "TCP takes the memory of its packets and connections from the kernel. When programs leave it none, "
             "packets are dropped, connects fail with error 10055, and SQL Server itself is paged out and stands still "
             "for seconds. (Article, 1.6.2.)",
    .actions = actions, .severity = SEVERITY_RISK, .survey = survey_machines);
