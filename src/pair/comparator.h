/*
 * Compares two captures of one connection packet by packet: what arrived, what was lost, what a device made or changed.
 *
 * Packets are handed in while both captures are read side by side in order of time. What is older than any delay in flight is
 * judged and let go, so that memory follows the packets in flight, not the length of the connection.
 */
#ifndef TDSCOPE_COMPARATOR_H
#define TDSCOPE_COMPARATOR_H

#include "capture_silences.h"
#include "clock_facts.h"
#include "comparison_facts.h"
#include "conversation.h"
#include "packet.h"
#include "vouching.h"
#include "way_times.h"

/* A packet as one capture has it. */
struct compared_packet {
    struct moment moment;
    int64_t time_ns;       /* on the client's clock */
    uint32_t seq, ack;     /* as the client's capture counts */
    uint32_t size;         /* in sequence space: payload, SYN and FIN */
    uint32_t payload;      /* on the wire */
    uint32_t payload_hash; /* of its first bytes; 0: not captured */
    uint32_t timestamp;    /* TCP option; 0: none */
    uint32_t sack_left;    /* of its first SACK block, as the packet has it; 0: none */
    uint16_t ip_id, window;
    uint8_t flags;
    bool copy; /* the capture recorded the same packet before; so it seems */
    /* Matching, made anew each time the packets at hand are judged. */
    uint32_t
        partner; /* of an arrival: the sent packet it is (the first, if it joins several); of a sent one: its first arrival */
    uint32_t consumed; /* of a sent packet: bytes that arrived */
};

struct packet_lane {
    struct compared_packet *list;
    uint32_t count, capacity;
};

/* Is told of each packet's fate, in the order in which they are judged; stretch: the comparator's. sent and arrived: either may be
 * NULL. */
typedef void fate_observer(void *context, unsigned stretch, enum side sender, const struct compared_packet *sent,
                           const struct compared_packet *arrived, enum packet_fate fate);

/* A span of the client's clock in which a capture point recorded. */
struct coverage {
    int64_t from_ns, to_ns;
};

struct comparator {
    struct comparison *comparison; /* the facts that it writes */
    const struct clock_facts *clock;
    struct coverage coverage[SIDES]; /* of the capture at the client and at the server */
    /* Likewise, each on its own clock. What those captures demonstrably missed is told to them, and what falls into a hole that is known
     * is not judged. NULL: nobody knows. */
    struct capture_silences *silences[SIDES];
    int64_t lacked_to_ns[SIDES]; /* the end of the silence of that side's capture in which packets were lacking last */
    int64_t ticks_ns;            /* by so much stamps of the two captures may be off, together */
    struct way_times *ways;      /* is told of what arrives; NULL: it need not */
    fate_observer *observe;      /* NULL: nobody asks */
    void *observe_context;
    unsigned stretch; /* the observer knows this comparison by it */

    bool ids_tell;       /* of the lane being matched: the IP ID says which transmission of the same bytes it is */
    uint32_t mss[SIDES]; /* most payload of one packet of that side on the wire; 0: not known */
    uint32_t seq_shift[SIDES];         /* sequence numbers of that side: server's capture minus client's */
    struct compared_packet syn[SIDES]; /* of the client, as each capture has it; flags 0: not seen */
    struct packet_lane sent[SIDES], arrived[SIDES];
    uint32_t look_at[SIDES]; /* how many packets of that sender are at hand when the old ones are judged */
    struct seq_mark sent_until[SIDES], arrived_until[SIDES]; /* of that side's packets that were let go */
    struct seq_mark reached_until[SIDES];                    /* of that side's packets at the other end, so far */
    struct seq_mark judged_until[SIDES];                     /* of those sent whose fate is known */
    int64_t longest_way_ns[SIDES]; /* of all that arrived, also of what cannot be told apart */
    int64_t lost_from_ns[SIDES];   /* of that side's packets that are lost at the end: when the first left */
    int64_t reset_left_ns[SIDES], reset_came_ns[SIDES]; /* that side's first reset, at both ends; INT64_MAX: none yet */
    struct seq_mark acked_until[SIDES];                 /* of that side's bytes, acknowledged in either capture */
    struct vouching vouching[SIDES];                    /* likewise: by whom */
};

/* client and server are the two views of the connection; they are read only here. The clock has to stay as it is until the end. */
void comparator_open(struct comparator *comparator, struct comparison *comparison, const struct conversation *client,
                     const struct conversation *server, const struct clock_facts *clock);

/* A packet of sender, as the capture at the client (SIDE_CLIENT) or at the server has it. copy: the flow floor holds it for one that
 * the capture recorded again; it is no packet by itself, unless the other capture has as many. */
void comparator_add(struct comparator *comparator, enum side at, enum side sender, const struct packet *packet,
                    bool copy);

/* Judges the rest, and frees what was held. */
void comparator_close(struct comparator *comparator);

#endif
