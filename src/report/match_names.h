/* How it is known that two captures have the same connection: named for programs, and worded for people. */
#ifndef TDSCOPE_MATCH_NAMES_H
#define TDSCOPE_MATCH_NAMES_H

#include "conversation.h"

struct match_name {
    const char *name;  /* "sequence-numbers" */
    const char *words; /* "by both initial sequence numbers", of a trace "TCP timestamps" */
};

extern const struct match_name match_evidence_names[MATCH_EVIDENCES];

enum { MATCH_TRACES = 5 };

/* Of the trace that is bit `number` of enum match_trace. */
extern const struct match_name match_trace_names[MATCH_TRACES];

#endif
