/*
 * Detectors: one file for each cause, ending in a `const struct detector`, and one line in detectors.def.
 *
 * A detector's file is the whole truth about its finding: ID, title, when it holds, what it means, what to do, and the
 * sentence it says. Text, JSON, `explain` and the documentation take their words from there.
 *
 * A cause that rests on evidence of which there is no reader yet has its file, too, with its words and without a function:
 * people can look themselves. What is known of a machine is one cause of the client's and one of the server's, in the
 * same words: such a file ends in two detectors, and its line is HOST_DETECTOR(name).
 *
 * Detectors only read facts, so asking again gives the same answer: reports ask a second time for the proofs instead of
 * keeping them for every conversation.
 */
#ifndef TDSCOPE_DETECTOR_H
#define TDSCOPE_DETECTOR_H

#include <stdbool.h>

#include "conversation.h"
#include "pair_view.h"
#include "surroundings.h"

enum culprit { CULPRIT_NONE, CULPRIT_CLIENT, CULPRIT_SERVER, CULPRIT_NETWORK, CULPRIT_UNKNOWN, CULPRITS };

enum severity { SEVERITY_NOTE, SEVERITY_RISK, SEVERITY_FAULT };

enum { DETECTORS_MAX = 96, PROOFS_MAX = 8, PROOF_TEXT_SIZE = 160, JUDGEMENT_TEXT_SIZE = 400 };

struct proof {
    struct moment moment;
    char says[PROOF_TEXT_SIZE]; /* one clause: "the server acknowledges the login packet" */
};

struct judgement {
    const struct detector *detector;
    enum severity severity;          /* the detector's own, unless this connection came through it */
    enum culprit culprit;            /* the detector's own unless it says otherwise (then usually CULPRIT_UNKNOWN) */
    bool rests_on_absence;           /* the detector's own, unless only some of what it says does */
    double confidence;               /* 0 to 1: how often a judgement made on such facts is right */
    char says[JUDGEMENT_TEXT_SIZE];  /* one or two sentences with this conversation's numbers */
    const char *would_settle;        /* which further evidence would settle it; NULL: nothing is open */
    struct proof proofs[PROOFS_MAX]; /* in order of time */
    uint8_t proof_count;
};

struct survey;

struct detector {
    const char *cause;           /* "server.login-stalled" */
    const char *title;           /* "The login is acknowledged and never answered" */
    const char *holds_when;      /* the rule, in words: what has to be seen, and what must not */
    const char *holds_with_both; /* the rule of judge_pair, in words; NULL: there is none */
    const char *means; /* what it says about client, server or network, and why; names its source (article, RFC) */
    const char *const *actions; /* what to do next, in order, imperative sentences; NULL-terminated */
    enum culprit culprit;
    enum severity severity;
    /* The rule needs that something (a FIN, an answer, an acknowledgement) is *not* there. When the capture has missed packets
     * of the conversation, its absence proves nothing: the judge then leaves the culprit open. */
    bool rests_on_absence;
    /* It tells of the connection's begin or end alone, or of something that went well after all: whatever fault or risk holds
     * beside it comes first. */
    bool yields;
    /* It makes a connection slow, and neither stops nor ends it when all of it was repaired at once: what did comes first. */
    bool slows_only;
    /* It makes a connection slow for a while, and is no reason of what is done to it long after: that comes first. */
    bool passes;
    /* Its conversations belong together by their client, whichever servers they go to: a scanner tries a thousand. */
    bool by_client;
    /* Whether the cause holds for this conversation. On true, judgement holds at least confidence and says; the rest of
     * it was preset by the caller (detector, culprit, no proofs). NULL: no conversation shows it by itself. */
    bool (*judge)(const struct conversation *conversation, const struct surroundings *surroundings,
                  struct judgement *judgement);
    /* Whether the cause holds by comparing both ends of the connection; NULL: it cannot be told that way. As judge(), which is not
     * asked any more where the comparison is complete - or, if that says it all, whenever packets were compared and neither
     * capture missed any. */
    bool comparing_suffices;
    bool (*judge_pair)(const struct pair_view *view, const struct surroundings *surroundings,
                       struct judgement *judgement);
    /* Which conversations the survey wants to look at, as survey_suspects() lists them; NULL: it asks for none. */
    bool (*suspects)(const struct conversation *conversation, const struct surroundings *surroundings);
    /* Looks at all conversations and captures at once, after each was judged, and adds findings by survey_add(); NULL: the cause
     * shows in single conversations. It changes no judgement. */
    void (*survey)(struct survey *survey);
};

/* The two detectors of what is known of a machine: their IDs' common end ("filter-driver"), and the members that they share. */
#define HOST_DETECTORS(word, ...)                                                                                      \
    {                                                                                                                  \
        [SIDE_CLIENT] = {.cause = "client." word, .culprit = CULPRIT_CLIENT, __VA_ARGS__}, [SIDE_SERVER] = {           \
            .cause = "server." word,                                                                                   \
            .culprit = CULPRIT_SERVER,                                                                                 \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

/* What the judge does beyond the rule, in words: when the culprit stays open, and what comes first. Empty: nothing. Returns text. */
enum { DETECTOR_LIMITS_SIZE = 700 };
const char *detector_limits(const struct detector *detector, char text[static DETECTOR_LIMITS_SIZE]);

/* Adds a proof; moments that were not seen, and proofs beyond PROOFS_MAX, are left out. printf rules. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void judgement_prove(struct judgement *judgement, const struct moment *moment, const char *format, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void judgement_say(struct judgement *judgement, const char *format, ...);

/* Adds a sentence, as far as there is room. */
void judgement_say_more(struct judgement *judgement, const char *sentence);

/* Something happened, and who did it is not known. */
void judgement_leave_open(struct judgement *judgement, double confidence);

/* Likewise, and it is as sure as it was, but no surer than that. */
void judgement_doubt(struct judgement *judgement, double at_most);

/* Actions that several detectors have: to capture at the server, or at both ends. See settling.h. */
extern const char action_trace_server[], action_trace_both[];

/* All detectors in the order of detectors.def, which is the order in which equals win. */
extern const struct detector *const detectors[];
extern const unsigned detector_count;
const struct detector *detector_by_cause(const char *cause); /* NULL: none */
unsigned detector_number(const struct detector *detector);   /* in that order */

extern const char *const culprit_names[CULPRITS]; /* "none", "client", ... */

#endif
