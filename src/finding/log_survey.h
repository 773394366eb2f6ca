/* What a machine's logs say at the time when its connections were in trouble. */
#ifndef TDSCOPE_LOG_SURVEY_H
#define TDSCOPE_LOG_SURVEY_H

#include "evidence_facts.h"
#include "survey.h"

/* What a log tells so near in time may be the reason of what failed; why so near, log_survey.c says. */
#define LOG_NEAR_NS (60 * NS_PER_SECOND)

/*
 * For each log of a server that has such records: a finding about that server. It is a fault when connections to it that wait for the
 * server's own work were in trouble within a minute of such a record (the article's rule for the ERRORLOG), and says how many; else a
 * risk, whose records are no reason of anything captured.
 */
struct log_question {
    bool (*counts)(const struct log_record *record);
    bool (*concerns)(const struct conversation *conversation); /* which of those that waited; NULL: all */
    enum finding_scope scope;
    const char *one, *several; /* "message of I/O that took longer than 15 seconds" and its plural */
};
void log_survey_server(struct survey *survey, const struct log_question *question);

#endif
