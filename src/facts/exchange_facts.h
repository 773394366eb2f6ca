/* One question and its answer: what name lookups, instance lookups and ticket requests have in common. */
#ifndef TDSCOPE_EXCHANGE_FACTS_H
#define TDSCOPE_EXCHANGE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "icmp_facts.h"
#include "moment.h"

struct exchange_facts {
    uint32_t id;    /* from 1, in order of first sight among those of its kind */
    uint32_t point; /* capture point */
    bool over_tcp;
    struct endpoint client, server;
    uint32_t tries;                  /* times it was asked; 0: the question is not in the capture */
    uint32_t answers;                /* times it was answered */
    struct moment asked, last_asked; /* first and latest try */
    struct moment answered;          /* by the first answer; frame 0: never */
    struct icmp_facts refusal;       /* count 0: none */
    uint32_t previous;               /* number of the exchange before it between the same ends; SLAB_NONE: none */
};

/* From the first try to the first answer; -1 when either is not in the capture. */
static inline int64_t exchange_wait_ns(const struct exchange_facts *e)
{
    if (!moment_seen(&e->asked) || !moment_seen(&e->answered) || e->answered.time_ns < e->asked.time_ns)
        return -1;
    return e->answered.time_ns - e->asked.time_ns;
}

static inline bool exchange_open(const struct exchange_facts *e)
{
    return moment_seen(&e->asked) && !moment_seen(&e->answered);
}

/* No client waits for longer before it gives up: the same question later is a new one. */
#define EXCHANGE_PATIENCE_NS (60 * NS_PER_SECOND)

/* Whether the same question at this moment is one more try. */
static inline bool exchange_awaits(const struct exchange_facts *e, const struct moment *at)
{
    return exchange_open(e) && at->time_ns - e->last_asked.time_ns <= EXCHANGE_PATIENCE_NS;
}

#endif
