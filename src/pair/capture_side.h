/* Where a capture was taken, from the packets themselves. */
#ifndef TDSCOPE_CAPTURE_SIDE_H
#define TDSCOPE_CAPTURE_SIDE_H

#include "casebook.h"

/* The side of one capture point that its conversations speak for; CAPTURE_ROLE_UNKNOWN when they do not agree. */
enum capture_role capture_side_infer(const struct casebook *casebook, uint32_t point);

/* Of a pair in which packets of both ends reach the other one before they leave: whether its captures were given for each other's side,
 * for neither looks like what it was said to be. Then puts their roles right, and notes it of them. */
bool capture_side_exchange(struct casebook *casebook, const struct point_pair *pair);

/* Puts the role of each capture point right that was given as one end's, although every connection that was set up there tells that it
 * stands elsewhere, and notes it of its captures: from then on it is inferred. */
void capture_side_doubt(struct casebook *casebook);

#endif
