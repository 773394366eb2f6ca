/*
 * Surveys: what is said of a client, a server, a path or a capture, from all conversations at once.
 *
 * Theory of operation: every passage over all conversations opens those that are packed, so surveys share the one in which they are
 * judged. In it conversations are gathered into groups, by client address and by client and server, each group in the
 * order of first packets. A survey walks a group, or those that its detector suspects, and sorts what it needs of it, so all surveys
 * together stay n log n however many clients there are.
 */
#ifndef TDSCOPE_SURVEY_H
#define TDSCOPE_SURVEY_H

#include "judge.h"

/* Numbers of conversations, group after group. */
struct groups {
    uint32_t *first; /* by group, where it begins in numbers; one more at the end */
    uint32_t *numbers;
    uint32_t count;
};

struct numbers {
    uint32_t *list;
    uint32_t count, capacity;
};

/* What was recorded at one capture point, all its files together. */
struct point_survey {
    uint32_t files;
    uint32_t capture; /* index of its first file */
    uint64_t packets, tcp_packets, cut_packets, dropped, offloaded, time_backwards, undecoded;
    uint64_t copied, copyable; /* packets recorded again, of so many; sides that sent a reset are left out */
    uint32_t longest_cut;
    uint32_t incomplete;                    /* files that were read only in part */
    const char *ceiling;                    /* the kind of a ceiling that was reached; NULL: none */
    uint32_t conversations;                 /* with the twins of the other point */
    uint32_t one_direction, missed, pieces; /* conversations of one side only, with unseen packets; holes in all */
    uint32_t sql, sql_begun;                /* SQL Server's, and those of them whose SYN is in the capture */
    uint32_t sql_inside;                    /* SQL Server's of which neither begin nor end is */
};

struct hosts;

struct survey {
    struct judge *judge;
    const struct surroundings *surroundings;
    const struct detector *detector; /* whose survey it is */
    struct groups by_client;         /* without the twins of another capture point's conversations */
    struct groups by_pair;           /* likewise; group n is surroundings->pairs' number n */
    struct point_survey *points;
    struct hosts *hosts;      /* host_survey.h */
    uint32_t *pair_of;        /* by number of the conversation; UINT32_MAX: another view stands for it */
    struct numbers *suspects; /* by detector */
};

/* Of a judge whose surroundings are known; survey_close() gives its memory back. */
void survey_open(struct survey *survey, struct judge *judge);

/* Of each conversation, in order of their numbers: all surveys share one passage. */
void survey_see(struct survey *survey, const struct conversation *c);

/* Lets every detector with a survey add its findings. */
void survey_run(struct survey *survey);

void survey_close(struct survey *survey);

/* The numbers of the conversations that the detector whose survey it is suspects, in ascending order. */
const struct numbers *survey_suspects(const struct survey *survey);

/* A finding of the detector whose survey it is; its example's words are still to be said. The pointer is valid until the next one is
 * added. */
struct finding *survey_add(struct survey *survey, enum finding_scope scope);

/* The same about a capture point, as long as it lasted. */
struct finding *survey_add_point(struct survey *survey, uint32_t point);

/* Counts the conversation, and lists it as long as there is room. Give them in ascending order. */
void survey_concern(struct finding *finding, const struct conversation *conversation);

/* "The client's capture", "The capture", and how many files it consists of. Returns text. */
enum { POINT_TEXT_SIZE = 64 };
const char *survey_point_words(const struct survey *survey, uint32_t point, char text[static POINT_TEXT_SIZE]);

/* part of whole, in percent; 0 of 0 is 0. */
double survey_percent(uint64_t part, uint64_t whole);

#endif
