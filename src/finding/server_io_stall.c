/* server.io-stall: the server's disks let requests wait for more than 15 seconds (SQL Server's error 833). */
#include "actions.h"
#include "log_survey.h"

static bool is_stall(const struct log_record *record)
{
    return record->event == LOG_IO_STALL;
}

static void survey_logs(struct survey *survey)
{
    static const struct log_question question = {
        .scope = SCOPE_SERVER,
        .counts = is_stall,
        .one = "message of I/O that took longer than 15 seconds",
        .several = "messages of I/O that took longer than 15 seconds",
    };
    log_survey_server(survey, &question);
}

static const char *const actions[] = {
    "Read the messages, with their files and times: `EXEC sp_readerrorlog 0, 1, N'longer than 15 seconds'` (0 is the "
    "current ERRORLOG, 1 the one before it). Compare the times with those of the failed connections.",
    "See which files are slow, from the server's start on: `SELECT DB_NAME(database_id) AS db, file_id, "
    "io_stall_read_ms / NULLIF(num_of_reads, 0) AS read_ms, io_stall_write_ms / NULLIF(num_of_writes, 0) AS write_ms "
    "FROM sys.dm_io_virtual_file_stats(NULL, NULL) ORDER BY io_stall DESC`.",
    "Measure the disks themselves: `Get-Counter '\\LogicalDisk(*)\\Avg. Disk sec/Read', '\\LogicalDisk(*)\\Avg. Disk "
    "sec/Write' -SampleInterval 5 -MaxSamples 12`, on Linux `iostat -x 5 12`. More than 0.02 s for long is slow.",
    "List the filter drivers in the path of the files: `fltmc instances`. Except SQL Server's files from the "
    "antivirus.",
    "Look in the System log for errors of disk, controller and multipath drivers, and for backups and snapshots at "
    "that time: `Get-WinEvent -FilterHashtable @{LogName='System'; Level=1,2,3} -MaxEvents 200`.",
    NULL,
};

const struct detector server_io_stall = {
    .cause = "server.io-stall",
    .title = "The server's disks let requests wait for more than 15 seconds",
    .holds_when =
        "The ERRORLOG has error 833 (\"I/O requests taking longer than 15 seconds to complete\") within a minute of "
        "the failed connections.",
    .means = "A request to a disk takes milliseconds. While it takes seconds, statements hold their locks and their "
             "threads, and new logins find no free thread: connections time out, and the packets show a server that "
             "acknowledges and does not answer. The network has no part in it. (Article, 1.5.6; Microsoft: "
             "MSSQLSERVER_833.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .survey = survey_logs,
};
