/* tdscope diagnose: whose fault is it, and why. */
#include "cmd_analysis.h"
#include "options.h"

const struct command command_diagnose = {
    .name = "diagnose",
    .run = cmd_diagnose,
    .arguments = "[options] EVIDENCE...",
    .help = "Says whose fault a broken SQL Server connection is, and shows the packets that prove it.",
    .details =
        "EVIDENCE: captures (pcap, pcapng), logs and reports (ERRORLOG, ring buffer, SQLCHECK, netstat, ss, events,\n"
        "firewall logs, netsh, sysctl, ipconfig), folders of them, or - for standard input. Each is recognised by its\n"
        "content. Where a capture was taken, or whose machine a log is of, is inferred unless --client or --server\n"
        "says it.\n",
    .examples = "  tdscope diagnose trace.pcapng\n"
                "  tdscope diagnose --client laptop.pcapng --server dbhost.pcapng\n"
                "  tdscope diagnose trace.pcapng ERRORLOG SQLCheck.txt --client netstat.txt\n"
                "  tdscope diagnose --slow-query 0.5 --slow-login 1 trace.pcapng\n"
                "  tdscope diagnose --format json -o report.json captures/\n"
                "  tcpdump -w - tcp port 1433 | tdscope diagnose -\n",
};

int cmd_diagnose(int argc, char **argv)
{
    return cmd_analyse(&command_diagnose, TDSCOPE_DIAGNOSIS, FOR_ANALYSIS, argc, argv);
}
