/* How much likelier it is that two views are of one connection than that chance made them so much alike. */
#ifndef TDSCOPE_TRACE_EVIDENCE_H
#define TDSCOPE_TRACE_EVIDENCE_H

#include "trace_index.h"

struct trace_evidence {
    double bits; /* so many times likelier, as a power of two */
    unsigned by; /* enum match_trace, of which that is made */
};

/* By the traces that the two have in common, as rare as the index says they are. */
struct trace_evidence trace_evidence_of(const struct trace_index *index, const struct conversation *a,
                                        const struct conversation *b);

#endif
