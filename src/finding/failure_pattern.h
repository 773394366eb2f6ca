/* Who fails, and when: whose connections, together or apart, at regular times or not. */
#ifndef TDSCOPE_FAILURE_PATTERN_H
#define TDSCOPE_FAILURE_PATTERN_H

#include "judge.h"

/* Failures that follow each other closely. */
struct failure_burst {
    int64_t first_ns, last_ns;
    uint32_t count;
};

enum { BURSTS_LISTED = 32 };

struct failure_pattern {
    uint32_t failures, clients, servers;
    bool several_causes;     /* of all failures; one finding has one cause */
    struct address client;   /* the only one; version 0: several */
    struct endpoint server;  /* likewise */
    uint32_t spared_clients; /* that worked with the same servers and had no failure; of one finding: not counted */
    const char *application, *library; /* the failures' only one, and not by chance; NULL: not so, or not known */
    int64_t first_ns, last_ns;
    struct failure_burst bursts[BURSTS_LISTED]; /* the first of them */
    uint32_t burst_count;
    bool periodic; /* the bursts come at equal intervals, or multiples of one */
    bool worked_known,
        worked_between; /* with periodic, of all failures: between most of them something worked, so it is not just the
                                          pace of the attempts */
    int64_t period_ns, off_most_ns; /* with periodic: how far a burst lies from its time, at most */
    double p_value; /* with five bursts or more: the chance of intervals so equal when they were random; else 1 */
    char says[JUDGEMENT_TEXT_SIZE];
};

/* Of the finding's conversations, or with NULL of all SQL Server's that are in trouble. False: fewer than two. */
bool failure_pattern_of(const struct judge *judge, const struct finding *finding, struct failure_pattern *pattern);

#endif
