/* Next steps that several causes share, worded once. Each can be pasted where it names a command. */
#ifndef TDSCOPE_ACTIONS_H
#define TDSCOPE_ACTIONS_H

#define TRACE_COMMAND                                                                                                  \
    "netsh trace start scenario=netconnection capture=yes tracefile=c:\\temp\\mycap.etl filemode=circular "            \
    "maxsize=2048 packettruncatebytes=180"

#define ACTION_TRACE_SERVER                                                                                            \
    "Capture on the server at the same time and give both files to tdscope: on Windows `" TRACE_COMMAND                \
    "` (stop it right after the error with `netsh trace stop`), on Linux `tcpdump -i any -s 180 -w server.pcap tcp`."
#define ACTION_TRACE_CLIENT                                                                                            \
    "Capture on the client at the same time and give both files to tdscope: on Windows `" TRACE_COMMAND                \
    "` (stop it right after the error with `netsh trace stop`), on Linux `tcpdump -i any -s 180 -w client.pcap tcp`."
#define ACTION_RING_BUFFER                                                                                             \
    "Read the server's connectivity ring buffer soon after the error (it wraps around): `SELECT CAST(record AS xml) "  \
    "FROM sys.dm_os_ring_buffers WHERE ring_buffer_type = 'RING_BUFFER_CONNECTIVITY'`."
#define ACTION_WORKERS                                                                                                 \
    "See whether SQL Server was out of worker threads: `SELECT max_workers_count FROM sys.dm_os_sys_info; SELECT "     \
    "SUM(current_workers_count), SUM(work_queue_count) FROM sys.dm_os_schedulers WHERE status = 'VISIBLE ONLINE'; "    \
    "SELECT * FROM sys.dm_os_wait_stats WHERE wait_type = 'THREADPOOL'`."
#define ACTION_ERRORLOG                                                                                                \
    "Search SQL Server's ERRORLOG around that time: `EXEC sp_readerrorlog 0, 1, N'longer than 15 seconds'; EXEC "      \
    "sp_readerrorlog 0, 1, N'non-yielding'; EXEC sp_readerrorlog 0, 1, N'terminat'`."
#define ACTION_FIREWALL_AUDIT                                                                                          \
    "Let Windows say whether its firewall or a filter dropped packets: `auditpol /set /subcategory:\"Filtering "       \
    "Platform Packet Drop\" /success:enable /failure:enable`, then look for event 5152 in the Security log."
#define ACTION_FILTER_DRIVERS                                                                                          \
    "List the filter drivers on the machine: `fltmc filters` and `Get-NetAdapterBinding | Where-Object Enabled`; "     \
    "make an exception for SQL Server in the antivirus and watch for 48 hours (switching it off leaves its driver "    \
    "loaded)."

#define SETTLE_BY_SERVER_CAPTURE "A capture taken on the server at the same time."
#define SETTLE_BY_CLIENT_CAPTURE "A capture taken on the client at the same time."
#define SETTLE_BY_BOTH_CAPTURES "Captures taken on client and server at the same time."

#endif
