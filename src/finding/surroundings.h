/* What a detector may look at beside the conversation itself: the same server, the same client, the capture. */
#ifndef TDSCOPE_SURROUNDINGS_H
#define TDSCOPE_SURROUNDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "casebook.h"
#include "hash_index.h"
#include "hearing.h"
#include "point_lacks.h"
#include "slab.h"
#include "thresholds.h"
#include "time_lists.h"

/* Of packets that arrived; most 0: there were none. */
struct ttl_range {
    uint8_t least, most;
};

/* A reset after this long a wait is a time-out of the client: then the server has its part in it, or packets of its answer were lost, which the
 * client's capture does not show. */
#define LONG_WAIT_NS (5 * NS_PER_SECOND)

/* A listener that accepted a connection this long before a refusal, and again this long after it, was not stopped and started in between: SQL
 * Server needs longer than that to recover its system databases before it listens again. */
#define BURST_NS (3 * NS_PER_SECOND)

/* Repetitions of one packet that come at once, though its sender's timer had spaced them out: what held them up let them all go. */
enum { COPIES_HELD = 3 };

/* One listening endpoint as one capture point saw it. */
struct server_record {
    uint32_t point;
    struct endpoint endpoint;
    uint32_t conversations;
    uint32_t accepted, refused, unanswered; /* SYNs: answered by SYN+ACK, by a reset, not at all */
    uint32_t unheard;    /* conversations that went on, but none of the server's packets was captured */
    uint32_t speaks_tds; /* conversations in which TDS was recognised */
    uint32_t logins_done;
    bool
        lacks_connections; /* of that address: another point shows some that its machine answered, and this one, running, has not */
    int64_t shortest_handshake_ns; /* SYN to SYN+ACK, where the server then spoke; 0: none did */
    uint32_t timed_handshakes;     /* of so many */
    int64_t shortest_trip_ns; /* in which it acknowledged anything, the SYN or data, in such connections; 0: none */
    struct ttl_range spoken;  /* of the server's packets in such connections */
    struct ttl_range of_host; /* of all that the machine said on any of its ports; kept with one of them */
    struct times
        hollow_resets; /* from SYN to reset, ns, of connections that were accepted and in which the server never spoke */
    int64_t host_last_ns;           /* likewise, the latest of its packets */
    int64_t host_shortest_trip_ns;  /* likewise, of connections in which it then spoke, as shortest_trip_ns */
    uint32_t host_timed_handshakes; /* likewise, of so many */
    struct hearing host_heard;      /* likewise */
    bool host_skips;                /* likewise, its IP IDs skipped some before an answer of a login */
    struct times
        host_stretches; /* likewise, begins of those in which a client repeated itself and the machine was silent, and then came back */
    struct time_spans
        host_mute; /* likewise, from the first to the last repetition of what it did not acknowledge for a second and more */
    struct times accepts;  /* of the SYN of each accepted connection; of the answer where it was refused at first */
    struct times refusals; /* likewise of refused ones */
    struct times served; /* of the only SYN of each connection whose program answered its first data within a second */
    struct times closes; /* of the server's FIN or reset, where it closed an established session first */
    struct times held;   /* when COPIES_HELD or more repetitions of one packet, of either side, came at once */
    struct time_spans outages; /* from the first to the last SYN of unanswered series; overlapping ones are one */
    struct time_spans stalls;  /* from the client's first data to its answer or the end, of a second or more */
};

/* One client address with one listening endpoint. */
struct pair_record {
    uint32_t point;
    struct address client;
    struct endpoint server;
    uint32_t conversations;
    uint32_t connections; /* without those that another view stands for */
    uint32_t asked;       /* of them, those that begin with SYN */
    uint32_t speaks_tds;
    uint32_t logins_done;
    uint32_t accepted;        /* SYNs answered by SYN+ACK */
    uint32_t rejected;        /* by a reset, or not at all */
    uint32_t byteless;        /* connected and closed without a byte of payload */
    uint32_t left_early;      /* of those that speak TDS: the client left as soon as it had sent PRELOGIN */
    uint32_t closed;          /* closed by the client first, after a login and with nothing pending */
    uint32_t closed_by_reset; /* of them: with a reset instead of FIN */
    uint64_t
        lost_packets; /* sent again, not needlessly; conversations that went silent left out, stretches of silence, and SYNs alone, as in the next two */
    uint64_t data_packets; /* with payload */
    uint32_t conversations_with_loss;
    uint32_t largest_passed[SIDES]; /* payload of each side's that the other acknowledged */
    uint32_t wandering[SIDES];      /* in which that side's packets came over ways of different length */
    uint32_t damaged[SIDES];        /* packets of that side with a wrong checksum */
    uint32_t stuck_large[SIDES];    /* conversations that end with a large segment of that side repeated in vain */
    int64_t last_heard_ns[SIDES];   /* the latest packet of each side in any of these conversations */
    struct times aborts;            /* resets of the client while its request was unanswered for a short time */
    struct hearing client_heard;
    struct times client_stretches; /* of silences of the client, as host_stretches */
};

/* One client address. */
struct client_record {
    uint32_t point;
    struct address client;
    uint32_t dead_ends; /* server endpoints that refused or ignored it and never let it in */
};

/* Conversations come in order of their begin: who looks for one that began at the same time as another looks at so many before or after it. */
enum { NEIGHBOURS_LOOKED_AT = 256 };

struct surroundings {
    const struct casebook *casebook;
    const struct thresholds *thresholds;
    struct slab servers, pairs, clients;
    struct hash_index server_index, pair_index, client_index;
    struct hash_index host_index; /* a server of each address */
    uint32_t reused_tuples;       /* conversations whose addresses and ports an earlier one had */
    struct time_spans *holes;     /* by capture point: when it has nothing, although packets passed */
    struct point_lacks *lacks;    /* by capture point */
    bool *disordered;             /* by capture point: its packets are not in order of their times, again and again */
    bool *set_back; /* by capture point: its clock was, by more than a second, and by how much is not known */
    enum capture_role *inferred_roles; /* by capture point, from hop counts; used where none is given */
};

/* One pass over all conversations. casebook and thresholds must outlive it. */
void surroundings_open(struct surroundings *surroundings, const struct casebook *casebook,
                       const struct thresholds *thresholds);
void surroundings_close(struct surroundings *surroundings);

/* What is known of the conversation's server, and of its client with that server; never NULL for a conversation of the casebook. */
const struct server_record *surroundings_server(const struct surroundings *surroundings,
                                                const struct conversation *conversation);
const struct pair_record *surroundings_pair(const struct surroundings *surroundings,
                                            const struct conversation *conversation);

/* What is kept of the machine that the server is on, whatever its ports: the members whose names begin with host. */
const struct server_record *surroundings_host(const struct surroundings *surroundings,
                                              const struct conversation *conversation);

/* That endpoint at any capture point; NULL: it knows none. */
const struct server_record *surroundings_server_at(const struct surroundings *surroundings, uint32_t point,
                                                   const struct endpoint *server);

/* The same record's number in surroundings->pairs. */
uint32_t surroundings_pair_number(const struct surroundings *surroundings, const struct conversation *conversation);

/* The conversation's client tries one endpoint after another in vain: a port scan, not an application. */
bool surroundings_scanned_by(const struct surroundings *surroundings, const struct conversation *conversation);

/* The first hole of that capture point within that time; NULL: there is none. */
const struct time_span *surroundings_hole(const struct surroundings *surroundings, uint32_t point, int64_t from_ns,
                                          int64_t to_ns);

/* The end of what the conversation's capture point recorded, or the begin of its first hole after the conversation's last packet. */
int64_t surroundings_end_ns(const struct surroundings *surroundings, const struct conversation *conversation);

/* The end of what that capture point recorded; INT64_MIN: there is no such point, or it has no packets. */
int64_t surroundings_point_end_ns(const struct surroundings *surroundings, uint32_t point);

/* From the conversation's last packet to that end: how long it could have gone on. */
int64_t surroundings_watched_after_ns(const struct surroundings *surroundings, const struct conversation *conversation);

/* The role of the capture point: given, or inferred; CAPTURE_ROLE_UNKNOWN when neither. */
enum capture_role surroundings_role(const struct surroundings *surroundings, const struct conversation *conversation);

/* The clock of that capture point was set back, and nothing tells by how much: times across that, and until its end, mean nothing. */
bool surroundings_set_back(const struct surroundings *surroundings, uint32_t point);

/* How coarse the stamps of that capture point's packets are; 0: fine, or not known. */
int64_t surroundings_tick_ns(const struct surroundings *surroundings, uint32_t point);

/* That capture point demonstrably lacks the end of a connection, though it went on: others, too, may go on unseen. */
bool surroundings_lacks_ends(const struct surroundings *surroundings, uint32_t point);

/* That capture point leaves out acknowledgements alone, of clients or of servers. */
bool surroundings_lacks_acknowledgements(const struct surroundings *surroundings, uint32_t point, enum side sender);

/* That capture point's packets are not in order of their times, again and again. */
bool surroundings_disordered(const struct surroundings *surroundings, uint32_t point);

/* Whether the capture was taken on that side's machine itself, as its user says. What packets tell is only that no router stands between the
 * two: a mirror port or a device next to the machine looks the same. */
bool surroundings_stands_at(const struct surroundings *surroundings, const struct conversation *conversation,
                            enum side side);

/* TTLs of what that machine said, whatever port it has; resets are not among it. */
struct ttl_range surroundings_host_ttls(const struct surroundings *surroundings, uint32_t point,
                                        const struct address *host);

/* That capture point has packets of that machine from after that time: the address is still its own. */
bool surroundings_hears_after(const struct surroundings *surroundings, uint32_t point, const struct address *host,
                              int64_t time_ns);

/* The capture point at a server, running all the while, and seeing other connections to that address, that does not have the
 * conversation of a point nearer to its client; NULL: there is none. */
const struct point_pair *surroundings_pair_without(const struct surroundings *surroundings,
                                                   const struct conversation *conversation);

/* That capture point lacks connections to that address whose data, as another one shows, the machine there had and answered: it stands
 * at one card of several, or at one of several machines. That it lacks one proves nothing. */
bool surroundings_lacks_connections(const struct surroundings *surroundings, uint32_t point,
                                    const struct address *host);

/* Whether that capture point saw any conversation with that server. */
bool surroundings_knows_server(const struct surroundings *surroundings, uint32_t point, const struct endpoint *server);

/* The same with that client. */
bool surroundings_knows_pair(const struct surroundings *surroundings, uint32_t point, const struct address *client,
                             const struct endpoint *server);

#endif
