/* Names of drivers (Microsoft: "Allocated filter altitudes"; the INF files of Windows' network components). */
#include "system_drivers.h"

#include "text_words.h"

static const char *const filters[] = {
    "WdFilter", "storqosflt",    "wcifs",           "wcnfs",    "FileCrypt", "luafv",  "npsvctrig",
    "Wof",      "bindflt",       "CldFlt",          "FileInfo", "iorate",    "PrjFlt", "UnionFS",
    "bfs",      "applockerfltr", "MsSecFlt",        "DfsrRo",   "Datascrn",  "Quota",  "Dedup",
    "CsvFlt",   "CsvNSFlt",      "ResumeKeyFilter", "svhdxflt",
};

/* The network ones; nm3 and npcap are Network Monitor's and Wireshark's. */
static const char *const network_filters[] = {
    "MsBridge", "WfpLwfs",        "WfpLwf",         "NetBIOS",  "nm3",    "npcap",  "npcap_wifi",
    "Psched",   "NdisCap",        "MsLbfoProvider", "MsLldp",   "lltdio", "rspndr", "NativeWifiP",
    "vwififlt", "NdisImPlatform", "NdisUio",        "PktMon",   "VfpExt", "VMSP",   "RasPppoe",
    "NdisWan",  "Tcpip",          "Tcpip6",         "l2bridge", "RMCAST",
};

static const char *const virtual_cards[] = {
    "vmxnet", "Hyper-V",        "VMware",          "VirtIO", "Xen ", "Citrix PV", "Virtual Machine Bus",
    "AWS PV", "Amazon Elastic", "Google Ethernet", "gVNIC",
};

static bool is_among(struct span name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (words_equal(name, names[i]))
            return true;
    return false;
}

bool system_drivers_has_filter(struct span name)
{
    /* SQL Server's FILESTREAM has a driver of each version: RsFx0501. */
    return is_among(name, filters, sizeof filters / sizeof *filters) || words_begin_any_case(name, "RsFx");
}

bool system_drivers_has_network_filter(struct span name)
{
    return is_among(name, network_filters, sizeof network_filters / sizeof *network_filters);
}

bool system_drivers_is_virtual_card(struct span name)
{
    for (size_t i = 0; i < sizeof virtual_cards / sizeof *virtual_cards; i++)
        for (struct span from = name; from.size > 0; from = span_from(from, 1))
            if (words_begin_any_case(from, virtual_cards[i]))
                return true;
    return false;
}
