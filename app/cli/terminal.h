/* What the terminal can show: colours, and a progress line. */
#ifndef TDSCOPE_TERMINAL_H
#define TDSCOPE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

/* auto: a terminal that knows colours, and NO_COLOR (https://no-color.org) is not set. */
bool terminal_takes_colour(enum when when, FILE *to);

/* Of a line, by COLUMNS or else by the terminal; 0: not known. */
unsigned terminal_columns(FILE *to);

struct progress {
    bool shown;       /* wanted at all */
    bool on_terminal; /* one line that is written over; otherwise a line each time */
    int64_t shown_at_ms, started_ms;
    bool line_there;
};

/* auto: standard error is a terminal. */
void progress_open(struct progress *progress, enum when when);
void progress_show(void *progress, uint64_t done_bytes, uint64_t all_bytes); /* a tdscope_progress */
void progress_close(struct progress *progress);                              /* removes the line */

#endif
