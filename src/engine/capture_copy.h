/* Whether a capture file is a copy of another one, under another name or in another format. */
#ifndef TDSCOPE_CAPTURE_COPY_H
#define TDSCOPE_CAPTURE_COPY_H

#include <stdbool.h>

/* Both hold the same packets at the same times, which captures of two places never do. */
bool capture_copy_of(const char *path, const char *other);

#endif
