/* The packets between which a clock was set, read once more. */
#ifndef TDSCOPE_CLOCK_BORDER_H
#define TDSCOPE_CLOCK_BORDER_H

#include "capture_chain.h"
#include "casebook.h"
#include "clock_steps.h"

/* What one point recorded after the last packet before a step, up to the first after it. */
struct point_span {
    struct capture_chain chain;
    struct capture_facts *facts;
    uint32_t fact_count;
    struct moment before, after;
    bool over;
};

void point_span_open(struct point_span *span, const struct casebook *casebook, const struct clock_step *step,
                     enum side at);
const struct frame *point_span_next(struct point_span *span); /* NULL: that was all */
void point_span_close(struct point_span *span);

/* Brings the packets before and after the step closer together, by those that both captures have in between. */
void clock_border_narrow(const struct casebook *casebook, struct clock_step *step);

#endif
