/* client.filter-driver, server.filter-driver: a filter driver that is not Windows' own sits in the machine's network path. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    ACTION_FILTER_DRIVERS,
    "List what hooks into sockets, too: `netsh winsock show catalog`. On Linux: `lsmod` (third-party modules) and `nft "
    "list "
    "ruleset`.",
    "If an exception does not help, or cannot be made: uninstall the product and restart the machine for a test. Do so "
    "only where "
    "the network is protected otherwise, and with those who are responsible for its security.",
    ACTION_FIREWALL_AUDIT,
    NULL,
};

const struct detector host_filter_driver[SIDES] = HOST_DETECTORS(
    "filter-driver", .title = "A filter driver sits in the machine's network path",
    .holds_when = "SQLCHECK lists a file system filter (FLTMC) or a network mini-driver that does not come with "
                  "Windows. In-box are "
                  "WdFilter, storqosflt, wcifs, FileCrypt, luafv, npsvctrig, Wof, bindflt and CldFlt; MsBridge, "
                  "WfpLwfs, NetBIOS, nm3, "
                  "Psched, NdisCap and MsLbfoProvider.",
    .means =
        "Antivirus and other security products look at each packet before TCP gets it, and some hold packets or lose "
        "them. That "
        "is a common cause of trouble that comes and goes, and hard to prove: a driver's presence is a suspicion, not "
        "evidence. Packets that reach the machine and are not acknowledged (see the cause no-ack) make it likely; an "
        "exception or "
        "an uninstallation that helps proves it. (Article, 1.3.2 and 1.5.11.)",
    .actions = actions, .unread_evidence = "SQLCHECK reports (FLTMC Filters, Network Mini-Drivers)",
    .severity = SEVERITY_RISK);
