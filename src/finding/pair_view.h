/* One connection as both ends saw it: what left one machine and did not reach the other. */
#ifndef TDSCOPE_PAIR_VIEW_H
#define TDSCOPE_PAIR_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "surroundings.h"

struct pair_view {
    const struct conversation *client; /* in the client's capture, or the one nearest to the client */
    const struct conversation
        *server;                   /* likewise at the server; NULL: not there, although that capture covers its time */
    const struct point_pair *pair; /* of the two captures */
    const struct comparison *compared; /* packet by packet; NULL: was not, or how their clocks differ is not known */
    /* By capture: it may lack the end of this connection, as it lacks that of another; it has no acknowledgement alone of the other
     * side, in any connection. */
    bool lacks_end[SIDES], lacks_bare[SIDES];
    bool relayed; /* a device ends the connection of the client and opens its own to the server */
};

/* Fills view when both captures can tell of the conversation: it is in both, or in the client's alone and the server's capture was
 * running all the while and saw other connections to that server's address. */
bool pair_view_of(const struct surroundings *surroundings, const struct conversation *conversation,
                  struct pair_view *view);

/* The connection as that side's capture has it. */
static inline const struct conversation *pair_view_at(const struct pair_view *view, enum side side)
{
    return side == SIDE_CLIENT ? view->client : view->server;
}

/* A moment of the other side's capture, on the clock of that side's. */
static inline int64_t pair_view_time_at(const struct pair_view *view, enum side side, int64_t other_ns)
{
    return side == SIDE_CLIENT ? clock_to_client(&view->pair->clock, other_ns)
                               : clock_to_server(&view->pair->clock, other_ns);
}

/* The packets were compared to the end, and neither capture missed any: then what comparing does not show did not happen on the
 * way. */
bool pair_view_is_complete(const struct pair_view *view);

/* Whose packets stopped arriving at the other end while they still left their own. */
enum pair_drop { PAIR_DROP_NONE, PAIR_DROP_TO_SERVER, PAIR_DROP_TO_CLIENT, PAIR_DROP_BOTH };
enum pair_drop pair_view_drop(const struct pair_view *view);

/* What comparing does not show of loss and delay did not happen to what that side's capture has: all of it was compared, and whatever the
 * captures missed, all data that one of them saw leave is known to have arrived. */
bool pair_view_tells_way(const struct pair_view *view, enum side at);

/* Of a compared one: the capture of that side has a hole, and what became of some packets in it is not known. */
bool pair_view_has_hole(const struct pair_view *view, enum side at);

/* One of the captures missed packets of this connection that both ends demonstrably had. */
bool pair_view_misses_packets(const struct pair_view *view);

/* The capture of that side missed packets of this connection: what it does not show may have happened. */
bool pair_view_capture_misses(const struct pair_view *view, enum side at);

/* What this side sent reached the other machine up to the end, a lost packet or two aside, and that machine's own capture missed
 * nothing: what it does not show, that machine did not do. */
bool pair_view_gets_through(const struct pair_view *view, enum side sender);

/* A repair that took this long was repeated more than once (0.2 + 0.4 + 0.8 s): somebody waited, and noticed. */
#define LONG_REPAIR_NS NS_PER_SECOND

/* All that was lost on the way was repaired, and each time sooner than that. */
bool pair_view_is_repaired(const struct pair_view *view);

/* What seems lost at the end on the way to one of the two may have arrived: that one's capture may lack the end. */
bool pair_view_doubts_drop(const struct pair_view *view, enum pair_drop drop);

/* Of a connection that the server's capture does not have, though it was running: it may have been there all the same. That capture lacks
 * beginnings or ends of others that both ends had; or it shows the server's own machine do to others what was done to this one. */
bool pair_view_doubts_absence(const struct pair_view *view, const struct surroundings *surroundings);

/* How sure a statement about the way is: less, when a capture missed packets of this connection. */
double pair_view_confidence(const struct pair_view *view);

#endif
