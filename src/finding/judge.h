/* From facts to findings: each conversation is judged, judgements of one cause are grouped, and one verdict is
 * weighed. */
#ifndef TDSCOPE_JUDGE_H
#define TDSCOPE_JUDGE_H

#include "detector.h"
#include "server_times.h"
#include "text.h"

enum finding_scope { SCOPE_CONVERSATION, SCOPE_CLIENT, SCOPE_SERVER, SCOPE_PATH, SCOPE_CAPTURE, SCOPE_HOST, SCOPES };

enum { MEASURES_MAX = 12 };

/* A number that a finding rests on. */
struct measure {
    const char *name; /* as in JSON, with its unit: "peak_per_minute" */
    double value;
};

/* All conversations of one cause (and culprit and severity) with one server; or what a survey found out about its subject. */
struct finding {
    const struct detector *detector;
    enum culprit culprit;
    enum severity severity; /* the judgements'; a survey may find its subject less bad */
    bool surveyed;          /* of a subject as a whole: its conversations may be healthy, each for itself */
    enum finding_scope scope;
    double confidence;
    struct endpoint server;         /* the subject; address.version 0: none */
    struct address client;          /* the only client concerned; version 0: several */
    const char *machine;            /* with SCOPE_HOST: its name; NULL: not told */
    struct address machine_address; /* by which captured connections know it; version 0: they do not */
    uint32_t source;                /* with SCOPE_HOST: index of the first source that tells of the machine */
    uint32_t capture;               /* with SCOPE_CAPTURE: index of the capture file, the first of several */
    uint32_t *conversations;        /* ids, ascending; NULL: none */
    uint32_t conversation_count, conversation_capacity;
    uint32_t concerned; /* conversations in all: a survey's finding lists only the first of them */
    uint32_t
        explained; /* conversations in trouble that a survey's finding is the reason of; may be, as long as it is no fault */
    const struct detector *explains; /* of what cause they are; NULL: not said */
    int64_t first_ns, last_ns;
    struct judgement example;      /* of the conversation with the greatest confidence, the earliest of equals */
    uint32_t example_conversation; /* its id; 0: of none in particular */
    const char *hides;             /* what nobody can say because of it; NULL: it takes nothing away */
    struct measure measures[MEASURES_MAX];
    uint8_t measure_count;
};

/* What the judge said of a conversation, to be counted. */
struct mark {
    uint8_t detector; /* number in detectors.def order */
    uint8_t culprit;
    uint8_t severity;
    bool one_sided; /* nothing was found, and only one side's packets were captured */
};

struct verdict {
    enum culprit culprit;
    const char *cause;
    double confidence;
    bool other_services; /* nothing was found, and no conversation is SQL Server's as far as can be told */
    char summary[JUDGEMENT_TEXT_SIZE];
};

struct judge {
    struct surroundings surroundings;
    struct finding *findings; /* faults first, then by number of conversations */
    uint32_t finding_count, finding_capacity;
    struct mark *marks;                   /* by number of the conversation; of secondary ones: none.normal */
    uint32_t cause_counts[DETECTORS_MAX]; /* conversations by detector, in detectors.def order */
    uint32_t one_sided_count;             /* marks that say so */
    struct server_times_list server_times;
    struct verdict verdict;
};

/* Judges every conversation of casebook, which must outlive the judge, as must the thresholds. */
void judge_open(struct judge *judge, const struct casebook *casebook, const struct thresholds *thresholds);
void judge_close(struct judge *judge);

/* The judgement of one conversation, or of the connection that it is a view of: the detector with the greatest confidence among those
 * that hold; never without one. */
void judge_conversation(const struct judge *judge, const struct conversation *conversation,
                        struct judgement *judgement);

/* Whether the judge found a fault in the conversation of that number. */
bool judge_in_trouble(const struct judge *judge, uint32_t number);

enum { WORKFLOW_STEPS_MAX = 32 };

/* A step of the troubleshooting workflow (the article's numbers) and what was done about it. */
enum workflow_state { WORKFLOW_DONE, WORKFLOW_NEEDS_EVIDENCE, WORKFLOW_DOES_NOT_APPLY, WORKFLOW_STATES };
struct workflow_step {
    const char *step; /* "1.5.4" */
    const char *title;
    enum workflow_state state;
    char says[JUDGEMENT_TEXT_SIZE];
};
/* Fills at most capacity steps, returns how many there are: at most WORKFLOW_STEPS_MAX. One passage over all conversations. */
uint32_t judge_workflow(const struct judge *judge, struct workflow_step *steps, uint32_t capacity);

#endif
