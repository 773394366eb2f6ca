/* The judge's list of findings, as it grows. */
#include "finding_list.h"

#include "memory.h"

struct finding *judge_add_finding(struct judge *judge, const struct detector *detector)
{
    if (judge->finding_count == judge->finding_capacity) {
        judge->finding_capacity = judge->finding_capacity ? judge->finding_capacity * 2 : 16;
        judge->findings = memory_grow(judge->findings, judge->finding_capacity, sizeof *judge->findings);
    }
    struct finding *finding = &judge->findings[judge->finding_count++];
    *finding = (struct finding){.detector = detector,
                                .culprit = detector->culprit,
                                .severity = detector->severity,
                                .first_ns = INT64_MAX,
                                .last_ns = INT64_MIN};
    return finding;
}

void finding_add_conversation(struct finding *finding, const struct conversation *c)
{
    if (finding->conversation_count == finding->conversation_capacity) {
        finding->conversation_capacity = finding->conversation_capacity ? finding->conversation_capacity * 2 : 4;
        finding->conversations =
            memory_grow(finding->conversations, finding->conversation_capacity, sizeof *finding->conversations);
    }
    finding->conversations[finding->conversation_count++] = c->id;
    finding->concerned++;
    if (c->first.time_ns < finding->first_ns)
        finding->first_ns = c->first.time_ns;
    if (c->last.time_ns > finding->last_ns)
        finding->last_ns = c->last.time_ns;
}

void finding_measure(struct finding *finding, const char *name, double value)
{
    if (finding->measure_count < MEASURES_MAX)
        finding->measures[finding->measure_count++] = (struct measure){name, value};
}
