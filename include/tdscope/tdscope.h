/*
 * tdscope: whose fault is a broken SQL Server connection?
 *
 * The public interface: what the command line uses, and what any other program may. One analysis takes any number of
 * evidence files, is run once, and can then be rendered as often as one likes:
 *
 *     struct tdscope *t = tdscope_new();
 *     tdscope_add(t, "client.pcapng", TDSCOPE_CLIENT);
 *     tdscope_run(t);
 *     tdscope_render(t, TDSCOPE_DIAGNOSIS, "text", NULL, write_to_stdout, NULL);
 *     tdscope_free(t);
 *
 * The library never prints, never exits and never reads the clock. One analysis belongs to one thread at a time,
 * whatever it starts itself; different analyses are independent. Strings are UTF-8.
 */
#ifndef TDSCOPE_H
#define TDSCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TDSCOPE_API __attribute__((visibility("default")))
#else
#define TDSCOPE_API
#endif

struct tdscope;

/* Where a capture was taken. */
enum tdscope_role { TDSCOPE_ROLE_INFER, TDSCOPE_CLIENT, TDSCOPE_SERVER };

enum tdscope_view {
    TDSCOPE_DIAGNOSIS,     /* verdict, findings, conversations in trouble */
    TDSCOPE_CONVERSATIONS, /* one row a conversation */
    TDSCOPE_PACKETS        /* the conversations of tdscope_choose(), packet by packet */
};

enum tdscope_result {
    TDSCOPE_DONE,       /* everything was read */
    TDSCOPE_INCOMPLETE, /* some evidence could not be read; the rest was analysed */
    TDSCOPE_NOTHING     /* nothing could be analysed */
};

TDSCOPE_API const char *tdscope_version(void);

TDSCOPE_API struct tdscope *tdscope_new(void);
TDSCOPE_API void tdscope_free(struct tdscope *tdscope); /* NULL is fine */

/* Adds evidence: a file, a folder, a pattern, or "-" for standard input. Nothing is opened before tdscope_run().
 * Returns false (see tdscope_error) when the same path was given with two roles, or standard input twice. */
TDSCOPE_API bool tdscope_add(struct tdscope *tdscope, const char *path, enum tdscope_role role);

/* A hint: this TCP port is a SQL Server's. */
TDSCOPE_API void tdscope_set_server_port(struct tdscope *tdscope, uint16_t port);

/* About the most memory to take, in bytes; without it, memory follows the number of conversations. When it is reached, the oldest
 * healthy conversations that are over, and open ones that are silent, are forgotten, and how many is said in a note of the capture. Those in
 * trouble stay; so do all when several captures are read together, or chosen conversations are shown. Before tdscope_run(). False (see
 * tdscope_error) when it is less than 64 MB. */
TDSCOPE_API bool tdscope_set_memory(struct tdscope *tdscope, uint64_t bytes);

/* The most threads to work with, the caller's one among them; 0, as without it: as many as there are processors, up to 4, where there is much
 * to read. Each of them reads for itself: of two captures of both ends one each, of other captures the conversations that are its share. The
 * results are the same with any number. Before tdscope_run(). */
TDSCOPE_API void tdscope_set_threads(struct tdscope *tdscope, unsigned threads);

/* From where on something counts as slow, late or short, where people differ. Zero is the usual value. */
struct tdscope_thresholds {
    double slow_login_s; /* 2: a wait in the login for which the client gave up, or of which the reason is seen */
    double
        late_login_s; /* 5: a step of the login that the server answers so late, or not yet, though the client waits on */
    double slow_query_s; /* 2: from a request to the begin of its answer, amid quick answers on the same connection */
    double slow_query_alone_s; /* 15: the same with nothing to compare with */
    double delay_s;            /* 1: a packet is so much longer on its way than others; half of that when several are */
    uint32_t short_frames;     /* 30: a connection of fewer packets, opened for little use */
};

/* Before tdscope_run(). False (see tdscope_error) when one is negative, not a number, or longer than a day. */
TDSCOPE_API bool tdscope_set_thresholds(struct tdscope *tdscope, const struct tdscope_thresholds *thresholds);

/* Chooses what TDSCOPE_PACKETS shows: a conversation by its number ("7"), or all those of a client's address and port ("10.0.0.5:50123",
 * "[2001:db8::5]:50123"), of which there is one in each capture of it. Before tdscope_run(). False (see tdscope_error) when it is
 * neither. */
TDSCOPE_API bool tdscope_choose(struct tdscope *tdscope, const char *conversation);
TDSCOPE_API size_t tdscope_chosen(const struct tdscope *tdscope); /* how many of them were found, after tdscope_run() */

/* Called during tdscope_run() about every 16 MiB, with bytes read so far and bytes in all (0: not known). */
typedef void tdscope_progress(void *context, uint64_t done_bytes, uint64_t all_bytes);
TDSCOPE_API void tdscope_set_progress(struct tdscope *tdscope, tdscope_progress *progress, void *context);

/* Reads all evidence and judges it. Once only. */
TDSCOPE_API enum tdscope_result tdscope_run(struct tdscope *tdscope);

/* Sentences about evidence that could not be read, wholly or in part, numbered from 0; NULL past the last. Owned by
 * the analysis. */
TDSCOPE_API const char *tdscope_warning(const struct tdscope *tdscope, size_t number);

/* The files that were read or tried, numbered from 0, after tdscope_run(): "-" is standard input. NULL past the last. So that a
 * program does not write over what it was given. Owned by the analysis. */
TDSCOPE_API const char *tdscope_evidence(const struct tdscope *tdscope, size_t number);

/* What went wrong in the call that just returned false; owned by the analysis. */
TDSCOPE_API const char *tdscope_error(const struct tdscope *tdscope);

/* Whether a finding is a fault, whoever is its culprit and though that is unknown: what --exit-code asks. */
TDSCOPE_API bool tdscope_fault_found(const struct tdscope *tdscope);

/* Takes text as it is made; false stops the rendering. */
typedef bool tdscope_write(void *context, const char *bytes, size_t size);

/* Options of a rendering; zero is the default of each. */
struct tdscope_style {
    bool colour;          /* ANSI colours in text */
    int32_t utc_offset_s; /* of times in text, in seconds; JSON is always in UTC */
    unsigned columns; /* of a line, for what can be laid out to fit: TDSCOPE_PACKETS in text. 0: as many as it takes */
    bool marks;       /* TDSCOPE_CONVERSATIONS in text: a column with the marks of SQL Network Analyzer */
};

/* Renders a view in a format ("text", "json", "csv", "html", "sqlite"). False (see tdscope_error) when the format is not known, does not have
 * that view, or write refused. */
TDSCOPE_API bool tdscope_render(struct tdscope *tdscope, enum tdscope_view view, const char *format,
                                const struct tdscope_style *style, tdscope_write *write, void *context);

/* The names of the formats, numbered from 0; NULL past the last. */
TDSCOPE_API const char *tdscope_format(size_t number);

/* Whether a format is no text: nothing for a terminal. */
TDSCOPE_API bool tdscope_format_is_binary(const char *format);

/* Whether a format has that view: a table has no packets. */
TDSCOPE_API bool tdscope_format_has(const char *format, enum tdscope_view view);

/* What a cause means, how it is recognised and what to do; in JSON one object on one line. False when there is no such cause or
 * format, or the format has no explanations. Needs no analysis. */
TDSCOPE_API bool tdscope_explain(const char *cause, const char *format, const struct tdscope_style *style,
                                 tdscope_write *write, void *context);

/* The causes that can be explained, numbered from 0; NULL past the last. title may be NULL. */
TDSCOPE_API const char *tdscope_cause(size_t number, const char **title);

#ifdef __cplusplus
}
#endif

#endif
