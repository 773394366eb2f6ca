/* Whether a capture file goes on where a capture point ended, or was taken in another place. */
#ifndef TDSCOPE_BEGINS_ELSEWHERE_H
#define TDSCOPE_BEGINS_ELSEWHERE_H

#include "casebook.h"

/* Of the handshakes that the file begins with, the point has one already; or its packets are of another machine. false as well when the
 * file cannot be read twice. */
bool begins_elsewhere(const struct casebook *casebook, uint32_t point, const struct capture_facts *file);

#endif
