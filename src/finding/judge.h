/* From facts to findings: each conversation is judged, judgements of one cause are grouped, and one verdict is
 * weighed. */
#ifndef TDSCOPE_JUDGE_H
#define TDSCOPE_JUDGE_H

#include "detector.h"
#include "text.h"

enum finding_scope { SCOPE_CONVERSATION, SCOPE_CLIENT, SCOPE_SERVER, SCOPE_PATH, SCOPE_CAPTURE, SCOPE_HOST, SCOPES };

/* All conversations of one cause (and culprit) with one server. */
struct finding {
    const struct detector *detector;
    enum culprit culprit;
    enum finding_scope scope;
    double confidence;
    struct endpoint server;  /* the subject; address.version 0: none */
    struct address client;   /* the only client concerned; version 0: several */
    uint32_t *conversations; /* ids, ascending */
    uint32_t conversation_count, conversation_capacity;
    int64_t first_ns, last_ns;
    struct judgement example;      /* of the conversation with the greatest confidence, the earliest of equals */
    uint32_t example_conversation; /* its id */
};

struct verdict {
    enum culprit culprit;
    const char *cause;
    double confidence;
    char summary[JUDGEMENT_TEXT_SIZE];
};

struct judge {
    struct surroundings surroundings;
    struct finding *findings; /* faults first, then by number of conversations */
    uint32_t finding_count;
    uint32_t cause_counts[64]; /* conversations by detector, in detectors.def order */
    struct verdict verdict;
};

/* Judges every conversation of casebook, which must outlive the judge. */
void judge_open(struct judge *judge, const struct casebook *casebook);
void judge_close(struct judge *judge);

/* The judgement of one conversation: the detector with the greatest confidence among those that hold; never without
 * one. */
void judge_conversation(const struct judge *judge, const struct conversation *conversation,
                        struct judgement *judgement);

/* A step of the troubleshooting workflow (the article's numbers) and what was done about it. */
enum workflow_state { WORKFLOW_DONE, WORKFLOW_NEEDS_EVIDENCE, WORKFLOW_DOES_NOT_APPLY, WORKFLOW_STATES };
struct workflow_step {
    const char *step; /* "1.5.4" */
    const char *title;
    enum workflow_state state;
    char says[JUDGEMENT_TEXT_SIZE];
};
/* Fills at most capacity steps, returns how many there are. */
uint32_t judge_workflow(const struct judge *judge, struct workflow_step *steps, uint32_t capacity);

#endif
