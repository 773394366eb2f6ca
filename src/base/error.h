/* One sentence that tells a person what went wrong: file, offset and reason. */
#ifndef TDSCOPE_ERROR_H
#define TDSCOPE_ERROR_H

#include <stdbool.h>

enum { ERROR_TEXT_SIZE = 512 };

struct error {
    char text[ERROR_TEXT_SIZE]; /* empty: no error */
};

/* Fills the error (printf rules, cut at ERROR_TEXT_SIZE) and returns false, so that callers can `return error_set(...)`.
 * error may be NULL. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
bool error_set(struct error *error, const char *format, ...);

#endif
