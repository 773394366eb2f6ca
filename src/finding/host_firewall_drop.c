/* client.firewall-drop, server.firewall-drop: the machine's firewall dropped packets of a connection, and says so. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    ACTION_FIREWALL_AUDIT,
    "Find the filter by the number in the event (Filter Run-Time ID): `netsh wfp show filters "
    "file=c:\\temp\\filters.xml` and "
    "`netsh wfp show state file=c:\\temp\\state.xml`, then search both for `<filterId>NUMBER</filterId>`; its "
    "displayData names "
    "rule or product. From Windows 11 and Server 2022 on the event itself names the rule (Filter Origin).",
    ACTION_FIREWALL_RULES,
    "Let the port in where nothing does: `New-NetFirewallRule -DisplayName 'SQL Server' -Direction Inbound -Protocol "
    "TCP "
    "-LocalPort 1433 -Action Allow`, on Linux `firewall-cmd --permanent --add-port=1433/tcp && firewall-cmd --reload` "
    "or `ufw "
    "allow 1433/tcp`.",
    "Switch the auditing off again, it writes much: `auditpol /set /subcategory:\"Filtering Platform Packet Drop\" "
    "/success:disable /failure:disable`.",
    NULL,
};

const struct detector host_firewall_drop[SIDES] = HOST_DETECTORS(
    "firewall-drop", .title = "The machine's own firewall dropped packets of the connection",
    .holds_when = "An event 5152 or 5157 of the Security log, a DROP line of pfirewall.log, or a drop in the output of "
                  "WFP or PKTMON has the "
                  "addresses and ports of a connection and a time within a second of its unanswered packets.",
    .means = "Packets are captured below the firewall: they are in the machine's own trace, and nothing answers them. "
             "The event "
             "proves who dropped them, and ends the search among filter drivers. It is the machine's setting, not the "
             "network's. (Article, 1.5.11, Windows Firewall Auditing.)",
    .actions = actions,
    .unread_evidence = "Events of the Security log (5152, 5157), pfirewall.log, output of netsh wfp and pktmon",
    .severity = SEVERITY_FAULT);
