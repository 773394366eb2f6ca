/* client.virtual-nic, server.virtual-nic: the machine is virtual, with a card that is known to lose or delay packets. */
#include "actions.h"
#include "host_survey.h"

static const char *const symptoms[] = {"network.loss", "network.delay", NULL};

static void judge_machine(struct survey *survey, const struct host *host)
{
    char cards[HOST_NAMES_SIZE], drivers[HOST_NAMES_SIZE], words[HOST_TEXT_SIZE];
    bool holds_packets = host_setting(survey, host, SETTING_DELAYING_DRIVER, 0);
    if (!holds_packets && !host_setting(survey, host, SETTING_VIRTUAL_ADAPTER, 0))
        return;
    struct finding *finding = host_survey_add(survey, host);
    host_survey_list(survey, host, finding, SETTING_DELAYING_DRIVER, NULL, "installed", drivers);
    host_survey_list(survey, host, finding, SETTING_VIRTUAL_ADAPTER, NULL, "virtual card", cards);
    uint32_t suspected = host_survey_explain(survey, host, finding, symptoms, NULL);
    finding->severity = holds_packets ? SEVERITY_RISK : SEVERITY_NOTE;
    finding->example.confidence = holds_packets ? 0.6 : 0.5;
    judgement_say(&finding->example, "%s is virtual: %s%s%s.", host_words(host, words), cards,
                  cards[0] && drivers[0] ? ", and " : "", drivers);
    if (suspected > 0)
        judgement_say_more(&finding->example, "Packets of its connections are lost or late.");
}

static void survey_machines(struct survey *survey)
{
    host_survey(survey, judge_machine);
}

static const char *const actions[] = {
    "See whether the guest drops packets: `Get-NetAdapterStatistics | Format-List Name, ReceivedDiscardedPackets, "
    "ReceivedPacketErrors`, `Get-Counter '\\Network Interface(*)\\Packets Received Discarded'`; on Linux `ip -s link "
    "show eth0`. On the ESX host `esxtop`, key n: column %DRPRX.",
    "Enlarge the receive buffers of vmxnet3. Windows: `Set-NetAdapterAdvancedProperty -Name Ethernet0 -DisplayName "
    "'Small Rx Buffers' -DisplayValue 8192; Set-NetAdapterAdvancedProperty -Name Ethernet0 -DisplayName 'Rx Ring #1 "
    "Size' -DisplayValue 4096` (the card starts anew). Linux: `ethtool -g eth0`, then `ethtool -G eth0 rx 4096`. See "
    "VMware's knowledge base, 2039495, for the host.",
    "Look for snapshots, backups and moves of the virtual machine at the time of the fault, and stop them for a test.",
    "Move the virtual machine to another host, or client and server to the same one. If the fault goes away, it is the "
    "host's network.",
    "If SQLCHECK names vnetflt.sys, remove Guest Introspection (NSX File Introspection) from VMware Tools for a test, "
    "and restart.",
    NULL,
};

const struct detector host_virtual_nic[SIDES] = HOST_DETECTORS(
    "virtual-nic", .title = "A virtual network card or its filter may lose or delay packets",
    .holds_when = "SQLCHECK lists an adapter of a virtual machine (vmxnet3, Hyper-V, VirtIO, Xen and others), or says "
                  "that vnetflt.sys is installed, which makes it a risk.",
    .means = "The host hands packets to the virtual machine through a small buffer, which a burst overflows; and while "
             "a snapshot is taken or the machine is moved, it stands still. Both look like the network's loss or "
             "delay. VMware's vnetflt.sys is a filter driver that delays packets. Many machines are virtual and sound: "
             "this tells where to look, no more. (Article, 1.6.4 and 1.6.5.)",
    .actions = actions, .severity = SEVERITY_NOTE, .survey = survey_machines);
