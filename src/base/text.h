/* Text that grows: what notes, sentences and reports are written into. Sticky: past the ceiling, additions are dropped. */
#ifndef TDSCOPE_TEXT_H
#define TDSCOPE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

struct text {
    char *data;  /* always zero-terminated once something was added; NULL before */
    size_t size; /* without the final zero */
    size_t capacity;
    size_t ceiling; /* 0: none */
    bool cut;       /* something was dropped at the ceiling */
};

void text_close(struct text *text);
void text_clear(struct text *text); /* empty, keeps its memory */
void text_add_bytes(struct text *text, const char *bytes, size_t size);
void text_add(struct text *text, const char *string);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void text_format(struct text *text, const char *format, ...);

/* Bytes from a capture or a log, made safe to show: valid UTF-8 stays, control characters and broken sequences become
 * U+FFFD, so that no terminal escape and no invalid JSON can come from evidence. */
void text_add_untrusted(struct text *text, struct span bytes);

/* UTF-16LE (MS-TDS strings) as UTF-8, made safe in the same way. An odd last byte is ignored. */
void text_add_utf16le(struct text *text, struct span bytes);

static inline const char *text_string(const struct text *text)
{
    return text->data ? text->data : "";
}

#endif
