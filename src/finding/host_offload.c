/* client.offload, server.offload: the network card does a part of TCP's work. */
#include "actions.h"
#include "host_survey.h"

static bool is_on(const struct setting_record *record)
{
    return record->value != 0;
}

static void judge_machine(struct survey *survey, const struct host *host)
{
    char names[HOST_NAMES_SIZE], words[HOST_TEXT_SIZE];
    if (!host_has_setting(survey, host, SETTING_OFFLOAD, is_on))
        return;
    struct finding *finding = host_survey_add(survey, host);
    host_survey_list(survey, host, finding, SETTING_OFFLOAD, is_on, "enabled", names);
    finding->example.confidence = 0.5;
    judgement_say(&finding->example, "%s leaves to its network card: %s.", host_words(host, words), names);
}

static void survey_machines(struct survey *survey)
{
    host_survey(survey, judge_machine);
}

static const char *const actions[] = {
    "See what is offloaded: `netsh int tcp show global`, `Get-NetOffloadGlobalSetting`, "
    "`Get-NetAdapterAdvancedProperty -DisplayName *offload*`; on Linux `ethtool -k eth0`.",
    "For a test only, switch it off. Windows: `netsh int tcp set global autotuninglevel=disabled`, `netsh int tcp set "
    "global rss=disabled`, and for one card `Disable-NetAdapterLso -Name Ethernet; Disable-NetAdapterRsc -Name "
    "Ethernet; Disable-NetAdapterChecksumOffload -Name Ethernet` (the card starts anew, connections break). Linux: "
    "`ethtool -K eth0 tso off gso off gro off lro off`.",
    "On Windows Server 2008 to 2012 R2 also `netsh int tcp set global chimney=disabled`, on 2008 R2 `netsh int tcp set "
    "global netdma=disabled`. Newer versions no longer have them.",
    "Put everything back when it does not help: `netsh int tcp set global autotuninglevel=normal`, `netsh int tcp set "
    "global rss=enabled`, `Enable-NetAdapterLso -Name Ethernet; Enable-NetAdapterRsc -Name Ethernet; "
    "Enable-NetAdapterChecksumOffload -Name Ethernet`. When it does help, update the card's driver and firmware: off "
    "is no lasting state.",
    NULL,
};

const struct detector host_offload[SIDES] = HOST_DETECTORS(
    "offload", .title = "The network card does a part of TCP's work",
    .holds_when = "SQLCHECK or netsh shows TCPChimney or TCPA (NetDMA) enabled, netsh the joining of received "
                  "segments, or SQLCHECK lists offloading of an adapter (large send, receive segment coalescing, "
                  "checksums).",
    .means = "A card that cuts large packets, joins small ones or computes checksums saves processor time. A faulty "
             "driver or firmware of such a card damages, delays or loses packets, and the machine's capture does not "
             "show it: it is taken above the card. Offloading is on by default and mostly sound, so it is a thing to "
             "test, not a proof. (Article, 1.6.3.)",
    .actions = actions, .severity = SEVERITY_NOTE, .survey = survey_machines);
