/* What is known of one question to SQL Server Browser (MC-SQLR). Written by the protocol floor. */
#ifndef TDSCOPE_INSTANCE_LOOKUP_FACTS_H
#define TDSCOPE_INSTANCE_LOOKUP_FACTS_H

#include "exchange_facts.h"

/* Instances: of all answers to one question; a broadcast has many. */
enum { INSTANCE_LOOKUPS_MAX = 50000, LOOKUP_INSTANCES_MAX = 64 };

enum instance_question {
    INSTANCE_QUESTION_UNKNOWN,   /* it is not in the capture */
    INSTANCE_QUESTION_BROADCAST, /* CLNT_BCAST_EX (2.2.1) */
    INSTANCE_QUESTION_ALL,       /* CLNT_UCAST_EX (2.2.2) */
    INSTANCE_QUESTION_ONE,       /* CLNT_UCAST_INST (2.2.3) */
    INSTANCE_QUESTION_DAC,       /* CLNT_UCAST_DAC (2.2.4) */
    INSTANCE_QUESTIONS
};

/* One instance of an answer. Texts as in struct tds_facts. */
struct instance_facts {
    struct instance_facts *next;
    struct address server; /* who answered */
    const char *server_name, *name, *version, *pipe;
    uint16_t tcp_port; /* 0: it does not listen on TCP, or says not */
    bool clustered;
};

struct instance_lookup {
    struct exchange_facts exchange;
    enum instance_question question;
    const char *instance; /* asked for; NULL: all, or not captured */
    uint16_t dac_port;    /* 0: not answered */
    bool answer_cut;      /* not all of an answer was captured */
    uint32_t instance_count;
    uint32_t instances_beyond; /* answered, and not kept */
    struct instance_facts *instances;
};

#endif
