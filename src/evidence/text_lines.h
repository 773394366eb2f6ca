/* The lines of a decoded text, with their numbers. */
#ifndef TDSCOPE_TEXT_LINES_H
#define TDSCOPE_TEXT_LINES_H

#include "decoded_text.h"

/* No line of a log or a command's output is longer; of one that is, the rest is left out and lines.cut counts it. */
enum { TEXT_LINE_MAX_BYTES = 65536 };

struct text_lines {
    struct decoded_text *source;
    struct span chunk; /* decoded, not handed on yet */
    struct text line;
    uint32_t number; /* of the line handed on last, from 1 */
    uint32_t cut;
    bool ended, failed; /* failed: the system refused to read on; error says why */
    struct error error;
};

/* chunk: what was decoded already and is to be the begin; size 0: nothing. */
void text_lines_open(struct text_lines *lines, struct decoded_text *source, struct span chunk);
void text_lines_close(struct text_lines *lines); /* not the source */

/* The next line without its end (LF or CR LF), valid until the next call. False: there is none. */
bool text_lines_next(struct text_lines *lines, struct span *line);

/* The next piece of the text, wherever lines end, for formats that have none; likewise. */
bool text_lines_take_chunk(struct text_lines *lines, struct span *chunk);

#endif
