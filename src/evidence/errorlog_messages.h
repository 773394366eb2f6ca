/* SQL Server's messages, as its ERRORLOG and its extended events both have them. */
#ifndef TDSCOPE_ERRORLOG_MESSAGES_H
#define TDSCOPE_ERRORLOG_MESSAGES_H

#include "evidence_facts.h"
#include "span.h"

/* What an error of that number tells of; false: nothing that matters here. */
bool errorlog_knows_number(uint64_t number, enum log_event *event);

/* What the message's text tells beside its number, which the record has already: client, times, code of the system. */
void errorlog_read_message(struct log_record *record, struct span text);

#endif
