/* What every report for people tells: which findings, in which words, and proofs in which order. */
#ifndef TDSCOPE_REPORT_CHOICES_H
#define TDSCOPE_REPORT_CHOICES_H

#include "renderer.h"

/* The finding that the verdict speaks of; NULL: none. */
const struct finding *finding_of_verdict(const struct judge *judge);

/* Whether a finding is worth a person's time. */
bool finding_is_told(const struct finding *finding);

/* Whether each of its conversations is one in trouble. */
bool finding_lists_troubles(const struct finding *finding);

struct conversation_tally {
    uint32_t troubled, at_risk, unjudged, healthy;
};
struct conversation_tally tally_conversations(const struct report *report);

/* Nothing broke, but what stands out is worth a headline. */
bool verdict_is_of_risk(const struct verdict *verdict, const struct finding *blamed);

/* blamed: the finding that the verdict speaks of; NULL: it blames nobody. */
const char *verdict_headline(const struct verdict *verdict, const struct finding *blamed);

/* "very likely". */
const char *confidence_words(double confidence);

/* What its number counts: "frame", "line", or "event" of a source that is no text. */
const char *moment_unit(const struct casebook *casebook, const struct moment *moment);

/* Where it was taken: its own role, else its point's. */
enum capture_role capture_role_told(const struct casebook *casebook, const struct capture_facts *capture);

/* By time; sorted has room for PROOFS_MAX. */
void proofs_in_order(const struct casebook *casebook, const struct judgement *judgement, struct proof *sorted);

#endif
