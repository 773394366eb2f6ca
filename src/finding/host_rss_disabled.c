/* client.rss-disabled, server.rss-disabled: one processor does all the machine's receive work. */
#include "actions.h"
#include "host_survey.h"

static const char *const symptoms[] = {"network.loss", NULL};

static bool is_off(const struct setting_record *record)
{
    return record->value == 0;
}

static void judge_machine(struct survey *survey, const struct host *host)
{
    char names[HOST_NAMES_SIZE], words[HOST_TEXT_SIZE];
    if (!host_has_setting(survey, host, SETTING_RSS, is_off))
        return;
    struct finding *finding = host_survey_add(survey, host);
    host_survey_list(survey, host, finding, SETTING_RSS, is_off, "Receive Side Scaling is off", names);
    uint32_t suspected = host_survey_explain(survey, host, finding, symptoms, NULL);
    finding->example.confidence = 0.6;
    judgement_say(&finding->example, "%s takes in all packets on one processor: Receive Side Scaling is off%s%s.",
                  host_words(host, words), names[0] ? " on " : "", names);
    if (suspected > 0)
        judgement_say_more(&finding->example, "Its connections lose packets: see whether that processor is busy then.");
}

static void survey_machines(struct survey *survey)
{
    host_survey(survey, judge_machine);
}

static const char *const actions[] = {
    "See whether it is on, for Windows and for each card: `netsh int tcp show global`, `Get-NetAdapterRss`; on Linux "
    "`ethtool -l eth0` and `grep eth0 /proc/interrupts`.",
    "Switch it on: `netsh int tcp set global rss=enabled`, `Enable-NetAdapterRss -Name Ethernet` (the card starts "
    "anew, connections break); on Linux `ethtool -L eth0 combined 4`. In a virtual machine the card must be able to: "
    "vmxnet3 is, E1000 is not.",
    "See whether one processor was at its limit while the others were idle: `Get-Counter '\\Processor(*)\\% Processor "
    "Time', '\\Processor(*)\\% DPC Time' -SampleInterval 5 -MaxSamples 12`, on Linux `mpstat -P ALL 5 12`.",
    NULL,
};

const struct detector host_rss_disabled[SIDES] = HOST_DETECTORS(
    "rss-disabled", .title = "Receive Side Scaling is off: one processor takes in all packets",
    .holds_when = "SQLCHECK or netsh shows Receive-Side Scaling disabled, for Windows as a whole or for an adapter.",
    .means = "Without it the machine handles all incoming packets on one processor. Under load that one is at 100 % "
             "and packets wait or are lost, although the others, and the average, look idle. (Article, 1.6.6.)",
    .actions = actions, .severity = SEVERITY_RISK, .survey = survey_machines);
