/*
 * What belongs together: records of logs, firewalls and ring buffers, and the captured connections that they are about.
 *
 * Theory of operation: records are filed under what names the connection (both ends, the client's end, the connection's ID) and time, in sorted
 * arrays; each conversation looks its own up by halving. So a log of millions of lines costs n log n.
 *
 * A source whose time zone is open is set right by such records first: the whole quarters of hours by which nearly all of them are off.
 */
#ifndef TDSCOPE_EVIDENCE_JOINS_H
#define TDSCOPE_EVIDENCE_JOINS_H

#include "conversation.h"
#include "evidence_facts.h"

struct casebook;

enum evidence_join_kind {
    JOINED_DROP, /* a drop of the same two ends, within a second of a packet that was repeated or sent in vain */
    JOINED_RING, /* a ring buffer's record of the same connection ID, else of the same client's end, while the connection lived */
    JOINED_TLS,   /* Schannel's failure on the server at the moment when a TLS handshake ended with the ClientHello */
    JOINED_ERROR, /* what the application was told of this connection, by its ID, or by both ends while it lived */
    JOINED_ERROR_NEAR, /* what one was told of some connection, when this one and no other failed that way: error_fits.h */
    EVIDENCE_JOIN_KINDS
};

struct evidence_join {
    uint32_t conversation; /* its number; of the view that stands */
    uint32_t record;       /* its number among the drops, in the log, or among the errors */
};

/* Of one conversation no more are listed. */
enum { JOINED_MAX = 64 };

struct evidence_joins {
    struct evidence_join *lists[EVIDENCE_JOIN_KINDS]; /* by conversation, then record */
    uint32_t counts[EVIDENCE_JOIN_KINDS], capacities[EVIDENCE_JOIN_KINDS];
};

/* Once all is read: settles zones that are open, and counts in each source what was joined. evidence_joins_close() gives the lists back. */
void evidence_joins_open(struct evidence_joins *joins, struct casebook *casebook);
void evidence_joins_close(struct evidence_joins *joins);

/* Those of one conversation, whichever view it is; *count: how many there are. */
const struct evidence_join *casebook_joined(const struct casebook *casebook, const struct conversation *conversation,
                                            enum evidence_join_kind kind, uint32_t *count);

#endif
