/* client.port-range, server.port-range: the machine has few ephemeral ports, or keeps closed ones for long. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    ACTION_PORT_RANGE,
    ACTION_WIDEN_RANGE,
    ACTION_SHORTEN_TIME_WAIT,
    "Let the application use connection pooling: that is the cure (see `tdscope explain client.no-pooling`).",
    NULL,
};

const struct detector host_port_range[SIDES] = HOST_DETECTORS(
    "port-range", .title = "The machine has few outbound ports, or keeps closed ones for long",
    .holds_when = "SQLCHECK, netsh or sysctl shows a dynamic port range smaller than the system's default (Windows "
                  "16384 ports from 49152 on, "
                  "Linux 28232 from 32768 on), or a TcpTimedWaitDelay of more than 240 s; or netstat or ss shows that "
                  "80 % or more of the "
                  "range are taken.",
    .means = "Each outbound connection takes a port, and its closer keeps it in TIME_WAIT: range divided by that time "
             "is the rate of new "
             "connections that the machine can hold, 16384 / 240 s = 68 a second. All programs and destinations share "
             "it. When it is used "
             "up, connects fail or wait without a packet on the wire (client.port-exhaustion). (Article, 1.5.8, 1.5.9 "
             "and 1.6.1.)",
    .actions = actions,
    .unread_evidence = "Output of netstat or ss, of netsh int ipv4 show dynamicport and sysctl; SQLCHECK reports",
    .severity = SEVERITY_RISK);
