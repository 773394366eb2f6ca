/* client.old-network-driver, server.old-network-driver: the network card's driver is old. */
#include "actions.h"
#include "host_survey.h"

static const char *const symptoms[] = {"network.loss", NULL};

/* Older than two years on the day of the report; both days are yyyymmdd. */
static bool is_old(int64_t driver, int64_t report)
{
    return driver + 20000 < report;
}

static void judge_machine(struct survey *survey, const struct host *host)
{
    char words[HOST_TEXT_SIZE];
    const struct setting_record *report = host_setting(survey, host, SETTING_REPORT_DATE, 0), *card;
    struct finding *finding = NULL;
    for (uint32_t n = 0; report && (card = host_setting(survey, host, SETTING_DRIVER_DATE, n)); n++) {
        if (!is_old(card->value, report->value))
            continue;
        if (!finding) {
            finding = host_survey_add(survey, host);
            finding->example.confidence = 0.5;
            judgement_say(&finding->example, "%s has a network driver of %d-%02d-%02d: %.80s.", host_words(host, words),
                          (int)(card->value / 10000), (int)(card->value / 100 % 100), (int)(card->value % 100),
                          card->text ? card->text : "its card is not named");
        }
        judgement_prove(&finding->example, &card->at, "the driver's date");
    }
    if (finding && host_survey_explain(survey, host, finding, symptoms, NULL) > 0)
        judgement_say_more(&finding->example, "Its connections lose packets.");
}

static void survey_machines(struct survey *survey)
{
    host_survey(survey, judge_machine);
}

static const char *const actions[] = {
    ACTION_NETWORK_DRIVER,
    "Install the card maker's newest driver, and its firmware. For virtual cards update VMware Tools or the guest's "
    "Windows.",
    NULL,
};

const struct detector host_old_network_driver[SIDES] = HOST_DETECTORS(
    "old-network-driver", .title = "The network card's driver is old",
    .holds_when = "In a SQLCHECK report the driver's date lies more than two years before the report's. Virtual cards "
                  "and the drivers that come with Windows do not count: their date never changes (6-21-2006).",
    .means = "Old network drivers are among the most common reasons of packets that get lost now and then. The date "
             "alone proves nothing: update the driver and see whether the losses stop. (Article, 1.3.2.)",
    .actions = actions, .severity = SEVERITY_NOTE, .survey = survey_machines);
