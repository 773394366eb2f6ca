/*
 * Attempts to connect that a driver makes all at once, and of which it keeps the first that is accepted: one for each address of the
 * server's name (MultiSubnetFailover). The others are left alone, however they fare.
 */
#ifndef TDSCOPE_PARALLEL_CONNECT_H
#define TDSCOPE_PARALLEL_CONNECT_H

#include <stdbool.h>

#include "conversation.h"
#include "surroundings.h"

struct parallel_connect {
    const struct conversation
        *kept; /* the attempt that was accepted, and logged in; NULL: there was none beside this one */
    /* No other server was meant: both addresses are of one name, or the client did not ask again where it would have, and asks this one no more
     * often than the other. */
    bool certain;
};

/* Of an attempt that was refused or not answered. */
struct parallel_connect parallel_connect_of(const struct conversation *conversation,
                                            const struct surroundings *surroundings);

#endif
