/* The sequence numbers that both directions of a connection counted through: what address translation leaves alone. */
#ifndef TDSCOPE_BYTES_IN_FLIGHT_H
#define TDSCOPE_BYTES_IN_FLIGHT_H

#include "conversation.h"

/* Both sides' numbers were seen. */
bool bytes_in_flight_known(const struct conversation *conversation);

/* Of what both views saw of that side, some has the same numbers; or it is not known. */
bool bytes_in_flight_may_agree(const struct conversation *a, const struct conversation *b, enum side side);

/* In both directions the two views count through some of the same numbers: those of one connection that both captures have a
 * part of do, unless a device draws other numbers. */
bool bytes_in_flight_overlap(const struct conversation *a, const struct conversation *b);

#endif
