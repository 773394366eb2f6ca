/* Whether a capture file is a copy of another one, under another name or in another format. */
#ifndef TDSCOPE_CAPTURE_COPY_H
#define TDSCOPE_CAPTURE_COPY_H

#include <stdbool.h>

/* Both hold the same packets at the same times, to the microsecond, which captures of two places never do. What one of them passes over as the
 * same packet at another place of its machine, the other one may have: an event trace, and what was made of it for Wireshark. */
bool capture_copy_of(const char *path, const char *other);

#endif
