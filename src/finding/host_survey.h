/*
 * What is known of single machines, and which connections in trouble it may be the reason of.
 *
 * Theory of operation: sources on a known side are gathered into machines, by their short names; those without a name belong to the only
 * named machine of their side, else together. What is set on a machine is sorted once by machine and kind of setting, so each
 * question is answered by halving.
 */
#ifndef TDSCOPE_HOST_SURVEY_H
#define TDSCOPE_HOST_SURVEY_H

#include "survey.h"

struct host {
    enum side side;
    const char *name;       /* NULL: not told */
    struct address address; /* by which captured connections know it; version 0: they do not */
    bool elsewhere; /* it tells its addresses, which no captured connection has, and the user did not say whose it is */
    enum machine_system system; /* SYSTEM_UNKNOWN: not told */
    uint32_t source;            /* the first source that tells of it */
};

struct host_setting {
    uint32_t host, number; /* of the machine; of the record, in the order in which sources tell them */
    const struct setting_record *record;
};

struct hosts {
    struct host *list;
    uint32_t count;
    uint32_t *of_source; /* number of the machine; UINT32_MAX: the source tells of none */
    struct host_setting *settings;
    uint32_t setting_count;
};

/* Gathers what the sources tell, which have to stay as they are; hosts_close() gives its memory back. */
void hosts_open(struct hosts *hosts, const struct evidence *evidence);
void hosts_close(struct hosts *hosts);

/* The n-th thing of that kind that is set on the machine, from 0, as its sources tell them; NULL: there are no more. */
const struct setting_record *host_setting(const struct survey *survey, const struct host *host,
                                          enum machine_setting setting, uint32_t n);

/* Whether anything of that kind that is set on the machine counts. */
bool host_has_setting(const struct survey *survey, const struct host *host, enum machine_setting setting,
                      bool (*counts)(const struct setting_record *record));

/* Asks about each machine of the side that the survey's detector is of. */
void host_survey(struct survey *survey, void (*judge)(struct survey *survey, const struct host *host));

/* A finding about the machine; its words are still to be said, its severity is the detector's. */
struct finding *host_survey_add(struct survey *survey, const struct host *host);

/* Says that the finding may be the reason of the machine's connections that have one of these causes (NULL-terminated), and lists
 * them; finding NULL: only counts. Returns how many there are; counts: also asked about each, NULL: they all count. */
uint32_t
host_survey_explain(struct survey *survey, const struct host *host, struct finding *finding, const char *const *causes,
                    bool (*counts)(const struct survey *survey, const struct host *host, const struct conversation *c));

/* Proves by what of that kind is set on the machine and counts (NULL: all), says and its text, as far as there is room; their texts
 * are joined in names by commas, each once. Returns how many count. */
enum { HOST_NAMES_SIZE = 160 };
uint32_t host_survey_list(struct survey *survey, const struct host *host, struct finding *finding,
                          enum machine_setting setting, bool (*counts)(const struct setting_record *record),
                          const char *says, char names[static HOST_NAMES_SIZE]);

/* "The client's machine APP01", "The server's machine". Returns text. */
enum { HOST_TEXT_SIZE = 96 };
const char *host_words(const struct host *host, char text[static HOST_TEXT_SIZE]);

#endif
