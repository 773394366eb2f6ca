/* The words that reports use for enumerated facts: those of the JSON contract. NULL where the fact is "not known". */
#ifndef TDSCOPE_FACT_NAMES_H
#define TDSCOPE_FACT_NAMES_H

#include "capture_facts.h"
#include "conversation.h"
#include "evidence_facts.h"
#include "judge.h"

const char *protocol_name(enum conversation_protocol protocol);            /* "tds8" */
const char *ending_name(enum conversation_ending ending);                  /* "no-answer" */
const char *login_stage_name(enum login_stage stage);                      /* "prelogin"; never NULL */
const char *encryption_name(enum login_encryption encryption);             /* "full" */
const char *authentication_name(enum login_authentication authentication); /* "sql"; NULL for LOGIN_SSPI, too: it is not
                                                                              known which */
const char *message_name(enum tds_message message);                        /* "batch" */
const char *capture_role_name(enum capture_role role);                     /* "unknown"; never NULL */
const char *source_kind_name(enum source_kind kind);                       /* "errorlog"; never NULL */
const char *severity_name(enum severity severity);                         /* "fault" */
const char *scope_name(enum finding_scope scope);                          /* "server" */
const char *workflow_state_name(enum workflow_state state);                /* "needs-evidence" */

#endif
