/* What a capture point leaves out, as its conversations tell: a filter, a cutter or a limit for each connection does that with all alike. */
#ifndef TDSCOPE_POINT_LACKS_H
#define TDSCOPE_POINT_LACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "conversation.h"

struct point_lacks {
    /* Of all clients, and of all servers: acknowledgements alone and packets with data that it has, connections in which acknowledgements alone
     * were due, and holes in what they sent that the other side acknowledged. */
    uint64_t bare[SIDES], data[SIDES], owed[SIDES], unseen[SIDES];
    /* Connections that it has the close of; those whose end it does not have, though it went on; and those of which it may have missed a packet
     * at the end, or all of it. */
    uint32_t closed, cut_short, perhaps_cut_short;
};

/* Takes in a conversation after whose last packet the capture point went on for that long. */
void point_lacks_see(struct point_lacks *lacks, const struct conversation *conversation, int64_t watched_ns);

/* It has no acknowledgement alone of these, though some were due; or none of anybody. */
bool point_lacks_acknowledgements(const struct point_lacks *lacks, enum side sender);

/* How the other view of a conversation goes on where this one has nothing more. */
enum further { FURTHER_NOT, FURTHER_DATA, FURTHER_CLOSE };

/* Both ends close there (a device that closes does so towards both), or data that was acknowledged there stands beyond all that this one has.
 * Then at_ns is when, on that one's clock. */
enum further point_lacks_end(const struct conversation *view, const struct conversation *other, int64_t *at_ns);

/* That end is not in the capture point, though it went on. */
void point_lacks_add(struct point_lacks *lacks, enum further further);

/* It lacks ends of connections, more than single packets that it missed make of it. */
bool point_lacks_ends(const struct point_lacks *lacks);

#endif
