/* client.offload, server.offload: the network card does a part of TCP's work. */
#include "actions.h"
#include "detector.h"

static const char *const actions[] = {
    "See what is offloaded: `netsh int tcp show global`, `Get-NetOffloadGlobalSetting`, "
    "`Get-NetAdapterAdvancedProperty -DisplayName "
    "*offload*`; on Linux `ethtool -k eth0`.",
    "For a test only, switch it off. Windows: `netsh int tcp set global autotuninglevel=disabled`, `netsh int tcp set "
    "global "
    "rss=disabled`, and for one card `Disable-NetAdapterLso -Name Ethernet; Disable-NetAdapterRsc -Name Ethernet; "
    "Disable-NetAdapterChecksumOffload -Name Ethernet` (the card starts anew, connections break). Linux: `ethtool -K "
    "eth0 tso off gso "
    "off gro off lro off`.",
    "On Windows Server 2008 to 2012 R2 also `netsh int tcp set global chimney=disabled`, on 2008 R2 `netsh int tcp set "
    "global "
    "netdma=disabled`. Newer versions no longer have them.",
    "Put everything back when it does not help: `netsh int tcp set global autotuninglevel=normal`, `netsh int tcp set "
    "global "
    "rss=enabled`, `Enable-NetAdapterLso -Name Ethernet; Enable-NetAdapterRsc -Name Ethernet; "
    "Enable-NetAdapterChecksumOffload -Name "
    "Ethernet`. When it does help, update the card's driver and firmware: off is no lasting state.",
    NULL,
};

const struct detector host_offload[SIDES] = HOST_DETECTORS(
    "offload", .title = "The network card does a part of TCP's work",
    .holds_when = "SQLCHECK shows TCPChimney or TCPA (NetDMA) enabled, or lists offloading of an adapter (large send, "
                  "receive segment "
                  "coalescing, checksums) as enabled.",
    .means = "A card that cuts large packets, joins small ones or computes checksums saves processor time. A faulty "
             "driver or firmware "
             "of such a card damages, delays or loses packets, and the machine's capture does not show it: it is taken "
             "above the card. "
             "Offloading is on by default and mostly sound, so it is a thing to test, not a proof. (Article, 1.6.3.)",
    .actions = actions,
    .unread_evidence = "SQLCHECK reports (Network Settings, Network Adapters), output of netsh int tcp show global",
    .severity = SEVERITY_NOTE);
