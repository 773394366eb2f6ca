/* A live conversation: what following it takes beyond its facts. For the flow floor only. */
#ifndef TDSCOPE_FLOW_H
#define TDSCOPE_FLOW_H

#include "packet.h"
#include "stream.h"

/*
 * Theory of operation. Facts are kept by role (client, server), because that is what is reported; following is kept by
 * *origin* - 0 for whoever sent the first packet - because roles may be exchanged at any moment when a protocol learns
 * better, and a loop that is under way must not notice. flow_side() translates, at each use.
 */
enum { ORIGINS = 2, RECENT_PACKETS = 32, RECENT_GAPS = 4, LATE_FIRSTS = 4 };

/* Bytes that were given up as not captured; a capture that records packets out of order may still bring them. */
struct sequence_gap {
    uint32_t start, end; /* equal: none */
};

/* A segment that came before its time. */
struct held_segment {
    struct held_segment *next;
    struct moment moment;
    uint32_t seq;
    uint32_t length;   /* on the wire */
    uint32_t captured; /* bytes in data */
    uint8_t data[];
};

/* How much time a side's timestamps tell of, and the capture's clock (tcp_ticks.c). */
struct side_ticks {
    int64_t begun_ns, last_ns; /* its first and newest packet that tell; 0: there is none */
    int64_t slow_from_ns,
        slow_to_ns;       /* of long stretches between two packets, the one with fewest ticks for its length; 0: none */
    uint32_t begun, last; /* the timestamps' values */
    uint32_t slow_count;  /* ticks */
};

/* The rest of what a packet is known by when the capture recorded it again. */
struct recent_packet {
    uint32_t ticks : 24; /* when, in ticks of tcp_copies.c; wraps, as sequence numbers do */
    uint32_t ttl : 8;
};

struct tcp_direction {
    /* Following: what this origin sent. */
    uint32_t next_seq; /* one past the highest sequence number captured */
    uint32_t acked;    /* highest acknowledgement by the other */
    uint32_t answered; /* highest acknowledgement that came with data of the other; valid when the other has data */
    uint8_t burst_segments; /* of that burst: 2 stands for all that are more */
    uint8_t held_copies;    /* repetitions of what had come, since the other acknowledged something new; 255 at most */
    uint32_t run_seq;   /* the lowest sequence number that was sent again since the other acknowledged something new */
    uint32_t burst_seq; /* next_seq when the other side was last heard */
    int64_t burst_ns;   /* the first packet after that */
    uint16_t last_ip_id;
    uint8_t ip_id_steps; /* how often the IP ID counted up, to IP_ID_COUNTS at most */
    bool ip_id_goes_on;  /* the newest packet's is counted on from the one before */
    bool ip_id_stays;    /* packets with other data had the same */
    bool known_twice;    /* packets of it are there as another point captured them, at times of another clock */
    uint16_t window;     /* raw, of the newest packet that is no SYN and no reset; 0: of none, too */
    uint32_t timestamp;  /* of the newest packet with one that is no reset */
    bool started;        /* next_seq is valid */
    bool acked_known;
    bool heard_since_run; /* the other sent something since the current run of retries began */
    bool zero_window;     /* its latest window was zero */
    bool round_trip_open;
    bool data_unacked; /* new payload since the last acknowledgement of everything */
    bool unpushed;     /* the newest data came without PSH: the program's message goes on */
    bool in_pieces;    /* it cuts its messages into pieces of a few bytes */
    uint32_t round_trip_seq;
    int64_t round_trip_ns;
    int64_t oldest_unacked_ns; /* data or FIN; 0: everything is acknowledged */
    int64_t zero_window_ns;    /* since when */
    int64_t hole_ns;           /* when a segment first left a hole behind it; 0: no hole */
    uint16_t edge_ip_id;       /* of the packet that brought next_seq where it is */
    uint32_t late_firsts
        [LATE_FIRSTS]; /* where packets stand that were taken for repetitions, and of which none was captured before; 0: none */
    uint8_t late_first_at, recent_at; /* where the next one of late_firsts, and of recent, goes */
    uint32_t copy_seq, copies;        /* repetitions of one packet, since copied_ns */
    int64_t copied_ns;
    struct side_ticks ticks;
    uint32_t ahead_seq;              /* where the packet stands that facts' ahead tells of */
    uint32_t larger_seq, larger_end; /* of the segment that larger_unacknowledged tells of */
    uint32_t followed_elsewhere;     /* valid with place_changed */
    struct retry_run keep_alives;    /* the current run */
    /* Enough of a packet to know it when the capture recorded it again. */
    uint32_t recent_fingerprints[RECENT_PACKETS]; /* of its headers; 0: none */
    struct recent_packet recent[RECENT_PACKETS];
    uint8_t ttl_here,
        ttl_elsewhere; /* where the capture holds what two places saw: of packets at the one that is followed, and at the other; 0: one place */
    bool places_apart, /* by more than a router holds a packet */
        place_changed; /* what lies before followed_elsewhere was followed at the place that was exchanged for this one */

    /* In-order bytes. */
    uint32_t position; /* next sequence number to hand on */
    uint32_t start;    /* where position began: what lies before is older than the capture */
    bool positioned;
    uint8_t gap_at;
    struct sequence_gap gaps[RECENT_GAPS];
    bool fin_known, ended;
    bool fin_acks; /* its first FIN acknowledged up to fin_ack */
    bool
        fin_unseen; /* its newest packet stands one number beyond all that was captured of it: no message is that short */
    bool told_of_reset; /* the other sent a reset */
    uint32_t fin_seq, fin_ack;
    struct held_segment *held; /* ascending by seq */
    uint32_t held_count, held_bytes;
};

/* What a side sends between two messages of the other is its turn, however it is cut into segments. */
enum { SERIES_TURNS = 6 };

struct turns {
    uint32_t bytes[SERIES_TURNS]; /* of the latest that are over, the oldest first */
    int64_t begun_ns[SERIES_TURNS];
    uint8_t count;
    uint32_t seq; /* where the one under way begins, and when */
    int64_t now_ns;
};

struct flow {
    uint32_t hash; /* stands first: a slab writes over the first four bytes of what it was given back */
    struct conversation *conversation; /* NULL: this place in the slab is free */
    struct stream stream;
    uint8_t client_origin;
    uint8_t last_origin;             /* who sent the packet before */
    uint8_t data_origin;             /* who sent new data last, plus one; 0: nobody yet */
    bool traced;                     /* traces of its packets are kept */
    struct tcp_side *facts[ORIGINS]; /* of each origin, in the conversation: flow_set_client() keeps them right */
    struct turns turns;
    bool protocol_done;   /* both streams ended: nothing more is handed on */
    int64_t handshake_ns; /* round trip of SYN, SYN+ACK and ACK past the capture point; 0: not known */
    struct tcp_direction directions[ORIGINS];
};

static inline enum side flow_side(const struct flow *flow, unsigned origin)
{
    return origin == flow->client_origin ? SIDE_CLIENT : SIDE_SERVER;
}

/* a - b in sequence space (RFC 9293, 3.4): negative when a is before b. */
static inline int32_t seq_distance(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* One past everything this origin is known to have sent, seen here or acknowledged by the other side. */
static inline uint32_t tcp_sent_until(const struct tcp_direction *d)
{
    return d->acked_known && seq_distance(d->acked, d->next_seq) > 0 ? d->acked : d->next_seq;
}

/* Which origin is the client; to be told again when the conversation stands elsewhere. */
static inline void flow_set_client(struct flow *flow, unsigned origin)
{
    flow->client_origin = (uint8_t)origin;
    flow->facts[origin] = &flow->conversation->sides[SIDE_CLIENT];
    flow->facts[1 - origin] = &flow->conversation->sides[SIDE_SERVER];
}

static inline struct tcp_side *flow_facts(const struct flow *flow, unsigned origin)
{
    return flow->facts[origin];
}

#endif
