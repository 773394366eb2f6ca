/* Headings, wrapped paragraphs, colours, times and sizes of reports for people. */
#ifndef TDSCOPE_TEXT_LAYOUT_H
#define TDSCOPE_TEXT_LAYOUT_H

#include "renderer.h"

enum text_colour { COLOUR_PLAIN, COLOUR_STRONG, COLOUR_FAINT, COLOUR_GOOD, COLOUR_BAD, COLOUR_UNSURE, COLOURS };

/* A pause in a list of packets that is as long is worth a line of its own. */
#define LAYOUT_QUIET_NS NS_PER_SECOND

enum { REPORT_COLUMNS = 96, QUANTITY_TEXT_SIZE = 32, CLOCK_TEXT_SIZE = 48 };

void layout_colour(struct sink *sink, enum text_colour colour); /* nothing when the sink wants none */
void layout_heading(struct sink *sink, const char *title);      /* an empty line before, bold */

/* Words of text from column `indent` on, wrapped at REPORT_COLUMNS, but never inside `backticks`. The cursor stands at column `at` (at most indent:
 * the rest is filled with spaces). Ends the line. */
void layout_paragraph(struct sink *sink, unsigned at, unsigned indent, const char *text);

/* A file name or the like: bytes that nobody made safe yet. */
void layout_put_untrusted(struct sink *sink, const char *bytes);

/* Times in the sink's zone. Each returns text. */
const char *layout_day(const struct sink *sink, int64_t time_ns, char text[static CLOCK_TEXT_SIZE]); /* "2026-11-22" */
const char *layout_clock(const struct sink *sink, int64_t time_ns,
                         char text[static CLOCK_TEXT_SIZE]); /* "10:53:02.123" */
const char *layout_instant(const struct sink *sink, int64_t time_ns,
                           char text[static CLOCK_TEXT_SIZE]); /* "2026-11-22T10:53:02.123Z", "...+02:00" */
const char *layout_zone(const struct sink *sink, char text[static CLOCK_TEXT_SIZE]); /* "UTC", "UTC+02:00" */

const char *layout_duration(int64_t duration_ns, char text[static QUANTITY_TEXT_SIZE]); /* "4.2 ms", "3 min 20 s" */
const char *layout_bytes(uint64_t bytes, char text[static QUANTITY_TEXT_SIZE]);         /* "12.3 MB" */

#endif
