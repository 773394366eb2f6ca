/* What every report for people tells. */
#include "report_choices.h"

#include <assert.h>
#include <string.h>

static const char *const headlines[] = {
    [CULPRIT_NONE] = "No fault was found.",
    [CULPRIT_CLIENT] = "The fault is on the client's side.",
    [CULPRIT_SERVER] = "The fault is on the server's side.",
    [CULPRIT_NETWORK] = "The fault is in the network between client and server.",
    [CULPRIT_UNKNOWN] = "This evidence does not say whose fault it is.",
};
static_assert(sizeof headlines / sizeof *headlines == CULPRITS, "a headline for each culprit");

/* A risk broke nothing by itself, and a login that was refused is no fault of a connection. */
static const char *const risk_headlines[] = {
    [CULPRIT_CLIENT] = "No connection fault was found; what stands out is on the client's side.",
    [CULPRIT_SERVER] = "No connection fault was found; what stands out is on the server's side.",
    [CULPRIT_NETWORK] = "No connection fault was found; what stands out is in the network.",
    [CULPRIT_UNKNOWN] = NULL,
};
static_assert(sizeof risk_headlines / sizeof *risk_headlines == CULPRITS, "a headline for each culprit");

bool verdict_is_of_risk(const struct verdict *verdict, const struct finding *blamed)
{
    return blamed && blamed->severity == SEVERITY_RISK && risk_headlines[verdict->culprit];
}

const char *verdict_headline(const struct verdict *verdict, const struct finding *blamed)
{
    return (verdict_is_of_risk(verdict, blamed) ? risk_headlines : headlines)[verdict->culprit];
}

const char *confidence_words(double confidence)
{
    static const struct {
        double least;
        const char *words;
    } steps[] = {{0.97, "almost certain"},
                 {0.85, "very likely"},
                 {0.7, "likely"},
                 {0.51, "more likely than not"},
                 {0.45, "as likely as not"}};
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++)
        if (confidence >= steps[i].least)
            return steps[i].words;
    return "doubtful";
}

const struct finding *finding_of_verdict(const struct judge *judge)
{
    const struct finding *same_cause = NULL;
    for (uint32_t i = 0; i < judge->finding_count && judge->verdict.cause; i++) {
        const struct finding *finding = &judge->findings[i];
        if (strcmp(finding->detector->cause, judge->verdict.cause) != 0)
            continue;
        if (finding->culprit == judge->verdict.culprit)
            return finding;
        if (!same_cause)
            same_cause = finding;
    }
    return same_cause;
}

/* Healthy conversations are findings, too, and say nothing new here. */
bool finding_is_told(const struct finding *finding)
{
    return finding->severity != SEVERITY_NOTE || finding->culprit == CULPRIT_UNKNOWN ||
           finding->scope == SCOPE_CAPTURE || finding->scope == SCOPE_HOST;
}

enum capture_role capture_role_told(const struct casebook *casebook, const struct capture_facts *capture)
{
    if (capture->role != CAPTURE_ROLE_UNKNOWN || capture->point >= casebook->point_count)
        return capture->role;
    return casebook->points[capture->point].role;
}

/* What has no time stands behind what has one. */
static int64_t proof_time_ns(const struct casebook *casebook, const struct moment *moment)
{
    bool told = !moment_is_in_source(moment) || moment->time_ns != 0;
    return told ? casebook_moment_ns(casebook, moment) : INT64_MAX;
}

void proofs_in_order(const struct casebook *casebook, const struct judgement *judgement, struct proof *sorted)
{
    for (unsigned i = 0; i < judgement->proof_count; i++) {
        unsigned at = i;
        int64_t time_ns = proof_time_ns(casebook, &judgement->proofs[i].moment);
        for (; at > 0 && proof_time_ns(casebook, &sorted[at - 1].moment) > time_ns; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = judgement->proofs[i];
    }
}

bool finding_lists_troubles(const struct finding *finding)
{
    return finding->severity == SEVERITY_FAULT && !finding->surveyed;
}

struct conversation_tally tally_conversations(const struct report *report)
{
    struct conversation_tally tally = {0};
    for (uint32_t i = 0; i < casebook_conversations(report->casebook); i++) {
        const struct mark *mark = &report->judge->marks[i];
        if (mark->severity == SEVERITY_FAULT)
            tally.troubled++;
        else if (mark->one_sided || detectors[mark->detector]->culprit == CULPRIT_UNKNOWN)
            tally.unjudged++;
        else if (mark->severity == SEVERITY_RISK)
            tally.at_risk++;
        else
            tally.healthy++;
    }
    tally.healthy -= report->casebook->secondary_count; /* whose marks say that they are */
    return tally;
}

const char *moment_unit(const struct casebook *casebook, const struct moment *moment)
{
    if (!moment_is_in_source(moment))
        return "frame";
    const char *encoding = evidence_source_of(&casebook->evidence, moment)->encoding;
    return encoding && strcmp(encoding, "binary") == 0 ? "event" : "line";
}
