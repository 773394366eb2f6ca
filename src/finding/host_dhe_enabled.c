/* client.dhe-enabled, server.dhe-enabled: TLS_DHE cipher suites are allowed on a machine whose Windows has the defect. */
#include "actions.h"
#include "host_survey.h"

static const char *const symptoms[] = {"server.dhe-defect", NULL};

enum fix { FIX_NOT_TOLD, FIX_THERE, FIX_MISSING };

/* Microsoft KB4537806 and what came after it; Windows 10 1511 and later never had the defect. */
static enum fix fix_of(const struct survey *survey, const struct host *host, const struct setting_record **told)
{
    enum { WINDOWS_10_1511 = 10586, SERVER_2016 = 14393, SERVER_2016_FIX = 3542 };
    *told = host_setting(survey, host, SETTING_WINDOWS_BUILD, 0);
    if (!*told)
        return FIX_NOT_TOLD;
    bool early = (*told)->value < windows_build(WINDOWS_10_1511, 0);
    bool unpatched =
        (*told)->value >= windows_build(SERVER_2016, 0) && (*told)->value < windows_build(SERVER_2016, SERVER_2016_FIX);
    return early || unpatched ? FIX_MISSING : FIX_THERE;
}

/* A machine of the other side without the fix, or else what is known of the others. */
static enum fix fix_of_others(const struct survey *survey, const struct host *host, const struct setting_record **told)
{
    enum fix known = FIX_NOT_TOLD;
    *told = NULL;
    for (uint32_t i = 0; i < survey->hosts->count; i++) {
        const struct setting_record *version;
        const struct host *other = &survey->hosts->list[i];
        enum fix fix = other->side == host->side ? FIX_NOT_TOLD : fix_of(survey, other, &version);
        if (fix > known) {
            known = fix;
            *told = version;
        }
    }
    return known;
}

static void judge_machine(struct survey *survey, const struct host *host)
{
    char words[HOST_TEXT_SIZE];
    const struct setting_record *enabled = host_setting(survey, host, SETTING_DHE, 0), *version, *other_version;
    enum fix own = fix_of(survey, host, &version), others = fix_of_others(survey, host, &other_version);
    if (!enabled || enabled->value == 0)
        return;
    bool defect_seen = host_survey_explain(survey, host, NULL, symptoms, NULL) > 0;
    if (own == FIX_THERE && others != FIX_MISSING && !defect_seen)
        return;
    struct finding *finding = host_survey_add(survey, host);
    bool missing = own == FIX_MISSING || others == FIX_MISSING;
    finding->severity = missing || defect_seen ? SEVERITY_RISK : SEVERITY_NOTE;
    finding->example.confidence = defect_seen ? 0.8 : missing ? 0.7 : 0.5;
    judgement_prove(&finding->example, &enabled->at, "TLS_DHE cipher suites are enabled");
    if (version)
        judgement_prove(&finding->example, &version->at, "Windows %s", version->text ? version->text : "");
    if (other_version)
        judgement_prove(&finding->example, &other_version->at, "the other side's Windows %s",
                        other_version->text ? other_version->text : "");
    host_survey_explain(survey, host, finding, symptoms, NULL);
    judgement_say(&finding->example, "%s allows TLS_DHE cipher suites, and %s.%s", host_words(host, words),
                  own == FIX_MISSING      ? "its Windows lacks the fix of their defect"
                  : others == FIX_MISSING ? "the other side's Windows lacks the fix of their defect"
                                          : "which Windows build runs on both sides is not known",
                  defect_seen ? " A handshake of its connections broke off with one." : "");
}

static void survey_machines(struct survey *survey)
{
    host_survey(survey, judge_machine);
}

static const char *const actions[] = {
    ACTION_DISABLE_DHE,
    ACTION_FIXED_WINDOWS,
    NULL,
};

const struct detector host_dhe_enabled[SIDES] = HOST_DETECTORS(
    "dhe-enabled", .title = "TLS_DHE cipher suites are allowed, and the Windows build has their defect",
    .holds_when = "SQLCHECK says \"Diffie-Hellman cipher suites are enabled\", and the Windows of this machine or of "
                  "the other one lacks the fix: 2012 R2 and older, Windows 7 to 8.1, Windows 10 1507, Server 2016 "
                  "before build 14393.3542. Or a handshake broke off with such a suite. A note only, where the report "
                  "does not tell the build.",
    .means = "With such a pair about one handshake in 256 that uses TLS_DHE fails, because the two compute with "
             "different leading zeros. It looks random. Allowing these suites is a risk; the failed handshake itself "
             "is the cause server.dhe-defect. (Article, 1.5.3.)",
    .actions = actions, .severity = SEVERITY_RISK, .survey = survey_machines);
