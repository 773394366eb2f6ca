/* client.virtual-nic, server.virtual-nic: the machine is virtual, with a card that is known to lose or delay packets. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    "See whether the guest drops packets: `Get-NetAdapterStatistics | Format-List Name, ReceivedDiscardedPackets, "
    "ReceivedPacketErrors`, "
    "`Get-Counter '\\Network Interface(*)\\Packets Received Discarded'`; on Linux `ip -s link show eth0`. On the ESX "
    "host `esxtop`, key n: "
    "column %DRPRX.",
    "Enlarge the receive buffers of vmxnet3. Windows: `Set-NetAdapterAdvancedProperty -Name Ethernet0 -DisplayName "
    "'Small Rx Buffers' "
    "-DisplayValue 8192; Set-NetAdapterAdvancedProperty -Name Ethernet0 -DisplayName 'Rx Ring #1 Size' -DisplayValue "
    "4096` (the card starts "
    "anew). Linux: `ethtool -g eth0`, then `ethtool -G eth0 rx 4096`. See VMware's knowledge base, 2039495, for the "
    "host.",
    "Look for snapshots, backups and moves of the virtual machine at the time of the fault, and stop them for a test.",
    "Move the virtual machine to another host, or client and server to the same one. If the fault goes away, it is the "
    "host's network.",
    "If SQLCHECK names vnetflt.sys, remove Guest Introspection (NSX File Introspection) from VMware Tools for a test, "
    "and restart.",
    NULL,
};

const struct detector host_virtual_nic[SIDES] = HOST_DETECTORS(
    "virtual-nic", .title = "A virtual network card or its filter may lose or delay packets",
    .holds_when =
        "SQLCHECK lists an adapter of a virtual machine (vmxnet3, Hyper-V), or says that vnetflt.sys is installed.",
    .means = "The host hands packets to the virtual machine through a small buffer, which a burst overflows; and while "
             "a snapshot is taken "
             "or the machine is moved, it stands still. Both look like the network's loss or delay. VMware's "
             "vnetflt.sys is a filter "
             "driver that delays packets. Many machines are virtual and sound: this tells where to look, no more. "
             "(Article, 1.6.4 "
             "and 1.6.5.)",
    .actions = actions, .unread_evidence = "SQLCHECK reports (Network Adapters, vnetflt.sys)",
    .severity = SEVERITY_NOTE);
