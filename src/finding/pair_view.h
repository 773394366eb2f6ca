/* One connection as both ends saw it: what left one machine and did not reach the other. */
#ifndef TDSCOPE_PAIR_VIEW_H
#define TDSCOPE_PAIR_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "surroundings.h"

struct pair_view {
    const struct conversation *client; /* in the client's capture */
    const struct conversation *server; /* in the server's; NULL: not there, although that capture covers its time */
    int64_t shift_ns;                  /* the server's clock minus the client's */
    int64_t slack_ns;                  /* how far that may be off, plus half a round trip */
};

/* Fills view when both captures can tell of the conversation: it is in both, or in the client's alone and the server's capture was
 * running all the while and saw other connections to that server. */
bool pair_view_of(const struct surroundings *surroundings, const struct conversation *conversation,
                  struct pair_view *view);

/* Whether the capture of the receiving side was running when a packet sent at that time (on the sender's clock) had to arrive. */
bool pair_view_covers(const struct surroundings *surroundings, const struct pair_view *view, enum side sender,
                      int64_t time_ns);

/* Whose packets stopped arriving at the other end while they still left their own. */
enum pair_drop { PAIR_DROP_NONE, PAIR_DROP_TO_SERVER, PAIR_DROP_TO_CLIENT, PAIR_DROP_BOTH };

struct pair_losses {
    enum pair_drop drop;
    uint32_t lost[SIDES]; /* packets of that side that are in its own capture and not in the other, at the end */
    struct moment last_arrival[SIDES]; /* of that side's packets at the other end */
    struct moment last_sent[SIDES];
};
struct pair_losses pair_view_losses(const struct surroundings *surroundings, const struct pair_view *view);

#endif
