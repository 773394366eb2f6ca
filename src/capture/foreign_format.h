/* What a file that no reader recognises looks like, and what its owner can do about it. */
#ifndef TDSCOPE_FOREIGN_FORMAT_H
#define TDSCOPE_FOREIGN_FORMAT_H

#include <stdbool.h>

#include "span.h"

enum { FOREIGN_FORMAT_PROBE_BYTES = 512 };

struct foreign_format {
    const char *looks_like; /* "a gzip-compressed file" */
    const char *advice;     /* "decompress it first (gunzip)"; NULL: none */
    bool may_hold_capture;  /* it is a capture, or packed so that it may be one; false: certainly none */
};

/* head: the first FOREIGN_FORMAT_PROBE_BYTES, fewer when the file has fewer. NULL when it looks like nothing known. */
const struct foreign_format *foreign_format_of(struct span head);

#endif
