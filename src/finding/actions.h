/* Next steps that several causes share, worded once. Each can be pasted where it names a command. */
#ifndef TDSCOPE_ACTIONS_H
#define TDSCOPE_ACTIONS_H

#define TRACE_COMMAND                                                                                                  \
    "netsh trace start scenario=netconnection capture=yes tracefile=c:\\temp\\mycap.etl filemode=circular "            \
    "maxsize=2048 packettruncatebytes=180"

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
    "Platform Packet Drop\" /success:enable /failure:enable`, and after the error `Get-WinEvent -FilterHashtable "     \
    "@{LogName='Security'; Id=5152,5157} -MaxEvents 200`. On Linux let the firewall count: `nft list ruleset` or "     \
    "`iptables -nvL`."
#define ACTION_FILTER_DRIVERS                                                                                          \
    "List the filter drivers on the machine: `fltmc filters` and `Get-NetAdapterBinding | Where-Object Enabled`; "     \
    "make an exception for SQL Server in the antivirus and watch for 48 hours (switching it off leaves its driver "    \
    "loaded)."

#define ACTION_UNINSTALL_FILTER                                                                                        \
    "If an exception does not help, uninstall the filter product for a test and restart the machine: where the "       \
    "network "                                                                                                         \
    "is protected otherwise, and with those who are responsible for its security."

#define ACTION_FIREWALL_RULES                                                                                          \
    "Look at the firewall rules for the port: `Get-NetFirewallPortFilter | Where-Object LocalPort -eq 1433 | "         \
    "Get-NetFirewallRule`, on Linux `nft list ruleset`."
#define ACTION_LOGS_OF_ONE_WAY                                                                                         \
    "Ask for the logs of firewalls, load balancers and switches on the way at that time; routes that differ by "       \
    "direction make one direction fail alone (`tracert` from both ends)."
#define ACTION_NETWORK_DRIVER                                                                                          \
    "See how old the network driver is: `Get-NetAdapter | Format-List Name, InterfaceDescription, DriverDate, "        \
    "DriverVersion`, on Linux `ethtool -i eth0`."
#define ACTION_MAXDOP                                                                                                  \
    "Look for large parallel queries and at what limits them: `SELECT name, value_in_use FROM sys.configurations "     \
    "WHERE name IN ('max degree of parallelism', 'cost threshold for parallelism')`."
#define ACTION_TLS_VERSIONS                                                                                            \
    "Compare the TLS versions that both machines allow: `Get-ChildItem -Recurse "                                      \
    "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols` on each (SQLCHECK prints "     \
    "them as a table; what is not there has the default of its Windows)."
#define ACTION_TLS_SUITES                                                                                              \
    "If the versions agree, compare the cipher suites and their hashes: `Get-TlsCipherSuite | Format-Table Name`; on " \
    "Windows before Server 2016 `reg query "                                                                           \
    "HKLM\\SOFTWARE\\Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002 /v Functions`."
#define ACTION_DISABLE_DHE                                                                                             \
    "Disable the TLS_DHE cipher suites on both machines (ECDHE suites stay): `Get-TlsCipherSuite -Name TLS_DHE | "     \
    "ForEach-Object { Disable-TlsCipherSuite -Name $_.Name }`. Before Windows Server 2016 take them out of the Group " \
    "Policy \"SSL Cipher Suite Order\" (Computer Configuration, Administrative Templates, Network, SSL Configuration " \
    "Settings)."
#define ACTION_FIXED_WINDOWS                                                                                           \
    "Or bring both machines to a Windows build with the fix: Windows Server 2016 from build 14393.3542 on, Windows "   \
    "Server 2019 and later."
#define ACTION_PORT_RANGE                                                                                              \
    "See the range and how much of it is taken. Windows: `netsh int ipv4 show dynamicport tcp`, "                      \
    "`Get-NetTCPConnection | Group-Object State`. Linux: `sysctl net.ipv4.ip_local_port_range`, `ss -Htan state "      \
    "time-wait | wc -l`. macOS: `sysctl net.inet.ip.portrange.first net.inet.ip.portrange.last`."
#define ACTION_WIDEN_RANGE                                                                                             \
    "Until then, widen the range. Windows: `netsh int ipv4 set dynamicport tcp start=10000 num=55000`. Linux: "        \
    "`sysctl -w net.ipv4.ip_local_port_range=\"10240 65535\"`. Windows 2003: `reg add "                                \
    "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters /v MaxUserPort /t REG_DWORD /d 65534` and restart."
#define ACTION_SHORTEN_TIME_WAIT                                                                                       \
    "Or let ports be used again sooner. Windows: `reg add "                                                            \
    "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters /v TcpTimedWaitDelay /t REG_DWORD /d 30` and "       \
    "restart. Linux: `sysctl -w net.ipv4.tcp_tw_reuse=1`."
#define ACTION_POOLING                                                                                                 \
    "Let the application use connection pooling: that is the cure (see `tdscope explain client.no-pooling`)."
#define ACTION_DRIVER_TRACE                                                                                            \
    "Look inside the client's driver and its TCP at once. On Windows SQLTrace (of Microsoft's SQL networking tools) "  \
    "takes a BID trace and a network trace together: `.\\SQLTrace.ps1 -Setup`, restart the application, "              \
    "`.\\SQLTrace.ps1 -Start`, and right after the error `.\\SQLTrace.ps1 -Stop`. The network trace alone: "           \
    "`" TRACE_COMMAND                                                                                                  \
    "`, then `netsh trace stop`. The JDBC driver and SqlClient on .NET (Core) have traces of their own."

#endif
