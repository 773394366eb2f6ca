/* Renderers: one file each, ending in a `const struct renderer`, and one line in renderers.def. */
#ifndef TDSCOPE_RENDERER_H
#define TDSCOPE_RENDERER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "casebook.h"
#include "judge.h"
#include "shown_packets.h"

/* Where a report goes. Sticky: after a refused write, later ones do nothing. */
struct sink {
    bool (*write)(void *context, const char *bytes, size_t size);
    void *context;
    bool failed;
    bool colour;          /* ANSI colours are welcome */
    int32_t utc_offset_s; /* of times in text; 0: UTC. JSON is always in UTC */
    unsigned columns;     /* of a line, where text can be laid out to fit; 0: not known */
    bool marks;           /* a column with the marks of SQL Network Analyzer */
};

void sink_put_bytes(struct sink *sink, const char *bytes, size_t size);
void sink_put(struct sink *sink, const char *string);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void sink_format(struct sink *sink, const char *format, ...);

/* What every report is made from. */
struct report {
    const struct casebook *casebook;
    const struct judge *judge;
    const char *version;               /* of the program */
    const struct shown_packets *shown; /* those asked for, to be shown one by one */
};

struct renderer {
    const char *name; /* "text", "json": what --format takes */
    bool binary;      /* not to be shown on a terminal */
    /* What a format has no form for is NULL; of conversations each has one. */
    void (*diagnosis)(const struct report *report, struct sink *sink);
    void (*conversations)(const struct report *report, struct sink *sink);
    void (*packets)(const struct report *report, struct sink *sink); /* of report->shown */
    void (*explanation)(const struct detector *detector, struct sink *sink);
};

extern const struct renderer *const renderers[];
extern const unsigned renderer_count;
const struct renderer *renderer_by_name(const char *name); /* NULL: none */

/* `explain` in text. */
void text_explanation(const struct detector *detector, struct sink *sink);

#endif
