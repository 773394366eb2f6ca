/* How a finding comes about: a place in the judge's list, the conversations that it concerns, the numbers it rests on. */
#ifndef TDSCOPE_FINDING_LIST_H
#define TDSCOPE_FINDING_LIST_H

#include "judge.h"

/* A finding with its detector's culprit and severity and no conversation. The pointer is valid until the next one is added. */
struct finding *judge_add_finding(struct judge *judge, const struct detector *detector);

/* Counts it, and widens the finding's time to the conversation's. */
void finding_add_conversation(struct finding *finding, const struct conversation *conversation);

/* name: a literal. Beyond MEASURES_MAX nothing is added. */
void finding_measure(struct finding *finding, const char *name, double value);

#endif
