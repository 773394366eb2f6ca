/* client.filter-driver, server.filter-driver: a filter driver that is not Windows' own sits in the machine's network path. */
#include "actions.h"
#include "host_survey.h"

static const char *const symptoms[SIDES][3] = {
    [SIDE_CLIENT] = {"client.no-ack"},
    [SIDE_SERVER] = {"server.no-ack", "server.no-answer"},
};

static void judge_machine(struct survey *survey, const struct host *host)
{
    char names[HOST_NAMES_SIZE], words[HOST_TEXT_SIZE];
    if (!host_setting(survey, host, SETTING_FILTER_DRIVER, 0))
        return;
    struct finding *finding = host_survey_add(survey, host);
    uint32_t count = host_survey_list(survey, host, finding, SETTING_FILTER_DRIVER, NULL, "filter driver", names);
    uint32_t suspected = host_survey_explain(survey, host, finding, symptoms[host->side], NULL);
    finding->example.confidence = suspected > 0 ? 0.7 : 0.5;
    judgement_say(&finding->example, "%s has %u filter driver%s that do%s not come with Windows: %s.",
                  host_words(host, words), count, count == 1 ? "" : "s", count == 1 ? "es" : "", names);
    if (suspected > 0)
        judgement_say_more(&finding->example, "Packets of its connections reach it and are not acknowledged.");
}

static void survey_machines(struct survey *survey)
{
    host_survey(survey, judge_machine);
}

static const char *const actions[] = {
    ACTION_FILTER_DRIVERS,
    "List what hooks into sockets, too: `netsh winsock show catalog`. On Linux: `lsmod` (third-party modules) and `nft "
    "list ruleset`.",
    "If an exception does not help, or cannot be made: uninstall the product and restart the machine for a test. Do so "
    "only where the network is protected otherwise, and with those who are responsible for its security.",
    ACTION_FIREWALL_AUDIT,
    NULL,
};

const struct detector host_filter_driver[SIDES] = HOST_DETECTORS(
    "filter-driver", .title = "A filter driver sits in the machine's network path",
    .holds_when = "SQLCHECK lists a file system filter (FLTMC) or a network mini-driver that comes neither with "
                  "Windows (WdFilter, storqosflt, wcifs, FileCrypt, luafv, Wof, bindflt, CldFlt and others; MsBridge, "
                  "WfpLwfs, NetBIOS, Psched, NdisCap, MsLbfoProvider and others) nor with SQL Server (RsFx) nor with a "
                  "program that captures (nm3, npcap).",
    .means =
        "Antivirus and other security products look at each packet before TCP gets it, and some hold packets or lose "
        "them. That is a common cause of trouble that comes and goes, and hard to prove: a driver's presence is a "
        "suspicion, not evidence. Packets that reach the machine and are not acknowledged (see the cause no-ack) make "
        "it likely; an exception or an uninstallation that helps proves it. (Article, 1.3.2 and 1.5.11.)",
    .actions = actions, .severity = SEVERITY_RISK, .survey = survey_machines);
