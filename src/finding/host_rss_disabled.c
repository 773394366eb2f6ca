/* client.rss-disabled, server.rss-disabled: one processor does all the machine's receive work. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    "See whether it is on, for Windows and for each card: `netsh int tcp show global`, `Get-NetAdapterRss`; on Linux "
    "`ethtool -l eth0` "
    "and `grep eth0 /proc/interrupts`.",
    "Switch it on: `netsh int tcp set global rss=enabled`, `Enable-NetAdapterRss -Name Ethernet` (the card starts "
    "anew, connections "
    "break); on Linux `ethtool -L eth0 combined 4`. In a virtual machine the card must be able to: vmxnet3 is, E1000 "
    "is not.",
    "See whether one processor was at its limit while the others were idle: `Get-Counter '\\Processor(*)\\% Processor "
    "Time', "
    "'\\Processor(*)\\% DPC Time' -SampleInterval 5 -MaxSamples 12`, on Linux `mpstat -P ALL 5 12`.",
    NULL,
};

const struct detector host_rss_disabled[SIDES] = HOST_DETECTORS(
    "rss-disabled", .title = "Receive Side Scaling is off: one processor takes in all packets",
    .holds_when = "SQLCHECK or netsh shows Receive-Side Scaling disabled, for Windows as a whole or for an adapter.",
    .means = "Without it the machine handles all incoming packets on one processor. Under load that one is at 100 % "
             "and packets wait or "
             "are lost, although the others, and the average, look idle. (Article, 1.6.6.)",
    .actions = actions,
    .unread_evidence = "SQLCHECK reports (Network Settings, Network Adapters), output of netsh int tcp show global",
    .severity = SEVERITY_RISK);
