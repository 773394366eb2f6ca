/* Whether a capture file goes on where a capture point ended, or shows the same connections from another place. */
#ifndef TDSCOPE_SEEN_HANDSHAKES_H
#define TDSCOPE_SEEN_HANDSHAKES_H

#include "casebook.h"

/* Of the handshakes that the file begins with, the point has one already. false as well when the file cannot be read twice. */
bool seen_handshakes_at(const struct casebook *casebook, uint32_t point, const struct capture_facts *file);

#endif
