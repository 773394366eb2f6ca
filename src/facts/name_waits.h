/* How long a client looked for its server's name before it connected. */
#ifndef TDSCOPE_NAME_WAITS_H
#define TDSCOPE_NAME_WAITS_H

#include "casebook.h"

struct name_wait {
    int64_t wait_ns; /* from the first question to the SYN; 0: it did not look, or not just before */
    const struct name_lookup *first, *last; /* NULL when it did not; the same when there was one */
    uint32_t tries;                         /* questions sent */
    uint32_t unanswered, refused;           /* lookups without an answer, and with one that says no */
};

/*
 * Theory of operation: a client may ask several times before it has an address: other servers, with other suffixes, for IPv4 and
 * IPv6 at once. So its lookups of the same first label are taken together, backwards from the SYN, as long as each begins
 * where the one before it ended or timed out. Which name it was, the login says, or the answer that held the server's address.
 */
struct name_wait casebook_name_wait_for(const struct casebook *casebook, const struct conversation *conversation);

/* Whether the client waited so long for its server's name that somebody may call it slow. context: the casebook, whose lookups are joined. */
bool name_waits_concern(const void *casebook, const struct conversation *conversation);

#endif
