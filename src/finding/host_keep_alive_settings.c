/* client.keep-alive-settings, server.keep-alive-settings: keep-alives or retries were set to other values. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    "See the values of Windows: `reg query HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters` "
    "(KeepAliveTime, KeepAliveInterval, "
    "TcpMaxDataRetransmissions; what is not there has its default), `netsh int tcp show global`.",
    "See those of the client's driver: `reg query HKLM\\SOFTWARE\\Microsoft\\MSSQLServer\\Client /s` (under SNI..., "
    "tcp: Property2 is "
    "the keep-alive time, Property3 the interval, in ms). Of SQL Server: Configuration Manager, Protocols, TCP/IP, "
    "Keep Alive.",
    "See those of Linux: `sysctl net.ipv4.tcp_keepalive_time net.ipv4.tcp_keepalive_intvl "
    "net.ipv4.tcp_keepalive_probes "
    "net.ipv4.tcp_retries2`, and whether the connections use them: `ss -tno dport = :1433` (timer:(keepalive,...)).",
    "Put them back: 30000 ms and 1000 ms for driver and server, five retransmissions; keep-alives must come more often "
    "than the shortest idle "
    "time-out of the devices on the way.",
    NULL,
};

const struct detector host_keep_alive_settings[SIDES] =
    HOST_DETECTORS("keep-alive-settings", .title = "The machine's keep-alives or retries were changed",
                   .holds_when = "SQLCHECK shows a keep-alive interval of driver or instance other than 30000 ms, a "
                                 "retry interval other than 1000 ms, or "
                                 "TCPMaxDataRetransmissions below 4 or above 8; or sysctl shows keep-alives of a "
                                 "program that relies on the system's two hours.",
                   .means = "Keep-alives let devices on the way know that an idle connection lives, and let the two "
                            "ends notice that it is dead. Sent too "
                            "seldom, firewalls and load balancers forget pooled connections (network.idle-drop); with "
                            "too few retries a short "
                            "interruption ends connections that would have survived it. (Article, 1.5.4.)",
                   .actions = actions,
                   .unread_evidence = "SQLCHECK reports (Network Settings, SNI Settings, instance), output of sysctl",
                   .severity = SEVERITY_RISK);
