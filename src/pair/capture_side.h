/* Where a capture was taken, from the packets themselves. */
#ifndef TDSCOPE_CAPTURE_SIDE_H
#define TDSCOPE_CAPTURE_SIDE_H

#include "casebook.h"

/* The side of one capture point that its conversations speak for; CAPTURE_ROLE_UNKNOWN when they do not agree. */
enum capture_role capture_side_infer(const struct casebook *casebook, uint32_t point);

#endif
