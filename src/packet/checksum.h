/* The Internet checksum of TCP (RFC 1071, RFC 9293 3.1). */
#ifndef TDSCOPE_CHECKSUM_H
#define TDSCOPE_CHECKSUM_H

#include "address.h"
#include "packet.h"
#include "span.h"

/* Judges the checksum field (bytes 16 and 17) of a whole TCP segment of at least 20 bytes, header and data. */
enum checksum_state checksum_judge_tcp(const struct address *source, const struct address *destination,
                                       struct span segment);

#endif
