/* client.memory-pressure, server.memory-pressure: the machine is short of memory, or SQL Server may take all of it. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    "See SQL Server's limit and what the machine has: `SELECT value_in_use FROM sys.configurations WHERE name = 'max "
    "server memory (MB)'; SELECT "
    "total_physical_memory_kb / 1024 AS total_mb, available_physical_memory_kb / 1024 AS free_mb, "
    "system_memory_state_desc FROM "
    "sys.dm_os_sys_memory`.",
    "Leave 4 to 8 GB to the operating system, and more where other instances or programs run. With 64 GB in the "
    "machine: `EXEC sp_configure 'show "
    "advanced options', 1; RECONFIGURE; EXEC sp_configure 'max server memory (MB)', 57344; RECONFIGURE`. On Linux: "
    "`sudo "
    "/opt/mssql/bin/mssql-conf set memory.memorylimitmb 57344` and restart SQL Server.",
    "See whether Windows was short of memory or of its kernel pools at that time: `Get-Counter '\\Memory\\Available "
    "MBytes', '\\Memory\\Pool Nonpaged "
    "Bytes', '\\Memory\\Pages/sec' -SampleInterval 5 -MaxSamples 12`, on Linux `free -m` and `vmstat 5 12`.",
    "Search the ERRORLOG: `EXEC sp_readerrorlog 0, 1, N'paged out'; EXEC sp_readerrorlog 0, 1, N'insufficient system "
    "memory'`.",
    NULL,
};

const struct detector host_memory_pressure[SIDES] = HOST_DETECTORS(
    "memory-pressure", .title = "The machine is short of memory, or SQL Server may take all of it",
    .holds_when = "SQL Server's max server memory is at its default of 2147483647 MB, or leaves the operating system "
                  "less than 4 GB; or the "
                  "ERRORLOG or the System log tells of memory that ran out (errors 17890, 701, 802; events 2019 and "
                  "2020) near the faults.",
    .means = "TCP takes the memory of its packets and connections from the kernel. When programs leave it none, "
             "packets are dropped, connects fail "
             "with error 10055, and SQL Server itself is paged out and stands still for seconds. (Article, 1.6.2.)",
    .actions = actions, .unread_evidence = "SQL Server's settings and ERRORLOG, events of the System log",
    .severity = SEVERITY_RISK);
