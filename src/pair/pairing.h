/* The same connection in two captures: which conversation here is which one there, and how the two clocks differ. */
#ifndef TDSCOPE_PAIRING_H
#define TDSCOPE_PAIRING_H

#include "casebook.h"

/* Sets `twin` of both and `secondary` of the server's conversations, and casebook->clock. Does nothing unless exactly one capture
 * point is the client's and one the server's. */
void pairing_run(struct casebook *casebook);

#endif
