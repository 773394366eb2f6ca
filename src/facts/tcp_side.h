/* What one side of a TCP conversation did, as one capture point saw it. Written by the flow floor, read by all above. */
#ifndef TDSCOPE_TCP_SIDE_H
#define TDSCOPE_TCP_SIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"

enum side { SIDE_CLIENT, SIDE_SERVER, SIDES };

static inline enum side side_other(enum side side)
{
    return side == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
}

static inline const char *side_name(enum side side)
{
    return side == SIDE_CLIENT ? "client" : "server";
}

/* Timers that repeat a packet start from 200 ms (Linux), 300 ms (Windows) or a second (RFC 6298, 2.4) and double. */
#define LEAST_RTO_NS (200 * NS_PER_MS)

/* So several copies within this time left one after the other and were held up together. */
#define HELD_TOGETHER_NS (100 * NS_PER_MS)

/* The first time-out, where nothing is known of the path yet: a second, and three in older stacks (RFC 6298, 2.1). */
#define FIRST_RTO_NS NS_PER_SECOND
#define OLD_FIRST_RTO_NS (3 * NS_PER_SECOND)

/* A SYN that was sent again cost a first time-out, less what timers that tick and stamps may be off by. */
#define SYN_REPEATED_NS (FIRST_RTO_NS * 9 / 10)

/* An acknowledgement waits for data to go with, for half a second at most (RFC 1122, 4.2.3.2; RFC 9293, 3.8.6.3). */
#define ACK_DELAY_MOST_NS (500 * NS_PER_MS)

/* Who has a packet has acknowledged it by then: as much again for the way. */
#define ACKNOWLEDGED_BY_NS (2 * ACK_DELAY_MOST_NS)

/* Windows repeats a SYN that was refused, with the same number, half a second later (less some of its clock's ticks) and up to twice. What accepts it so long
 * after may answer a repetition that the capture missed. */
#define SYN_AGAIN_NS (450 * NS_PER_MS)

/* Nothing under way is left alone for longer: it is acknowledged, or repeated after a first time-out or one that follows the round trip. */
#define LEFT_ALONE_NS (OLD_FIRST_RTO_NS + ACKNOWLEDGED_BY_NS)

/* SQL Server and its drivers probe a silent connection after that (their KeepAlive setting). Others wait for hours (RFC 1122, 4.2.3.6). */
#define KEEP_ALIVE_NS (30 * NS_PER_SECOND)

/* A connection of theirs is not silent for longer, and the answer to the probe acknowledges what came before. */
#define UNPROBED_NS (KEEP_ALIVE_NS + NS_PER_SECOND)

/* Something repeated without an answer. */
struct retry_run {
    uint32_t count;            /* repetitions; 0: none */
    struct moment first, last; /* of the repetitions */
};

/* A retry run that the other side was silent in, and that it outlasted. */
struct broken_silence {
    int64_t from_ns;              /* the first repetition */
    uint32_t lasted_ms, repeated; /* to the last; so many. 0: there was none */
};

/* A silence lasts longer: three repetitions of a packet take a second and more. */
#define PAUSE_NS (900 * NS_PER_MS)

struct round_trips {
    uint32_t count;
    int64_t shortest_ns, longest_ns, sum_ns;
};

/*
 * A few of a side's packets by what devices on the way leave alone: a fingerprint of the conversation, kept where several captures are
 * read. Each list holds the least hashes, ascending; 0: no more. Those of one connection at two capture points are largely the same,
 * also where the captures have different parts of it.
 */
enum { TRACE_HEADS = 3, TRACE_STAMPS = 2 };
#define TRACE_PLAIN 0x80000000u   /* of a head: text and numbers rather than random bytes */
#define TRACE_UNTIMED 0x80000000u /* of a stamp: there was no timestamp, it is the IP ID's */

struct side_traces {
    uint32_t heads[TRACE_HEADS];   /* what its messages begin with */
    uint32_t stamps[TRACE_STAMPS]; /* timestamps of packets that begin messages, of SYN and of probes */
    uint16_t ip_ids[TRACE_STAMPS]; /* of the same packets; 0: none */
    uint32_t head_seqs[TRACE_HEADS], stamp_seqs[TRACE_STAMPS]; /* where these packets begin: devices may change that */
};

struct tcp_side {
    uint32_t packets;       /* sent by this side, capture duplicates included */
    uint32_t data_packets;  /* of them with payload, capture duplicates excluded */
    uint64_t wire_bytes;    /* of whole frames */
    uint64_t payload_bytes; /* new bytes of the stream: each counted once */

    struct moment first, last;           /* packet */
    struct moment first_data, last_data; /* new payload; keep-alives and retransmissions are not new */
    struct moment marked;        /* new payload that other captures of the connection mark, too, if they have it */
    struct moment syn, syn_last; /* SYN of a client, SYN+ACK of a server, and its latest repetition: by time */
    struct moment fin, reset;    /* the first of each */
    struct moment
        older_reset; /* of an older connection on the same ports, which the other end still knew; of a server: the latest refusal of a
                      * SYN that the client repeated and it then accepted. It closed nothing here */
    struct moment ack_of_last_data; /* the *other* side's packet that acknowledged all this side had sent until then */
    struct moment last_progress;    /* the *other* side's latest packet that acknowledged something new */

    struct broken_silence
        broken_silence; /* of the longest data_run in which the other side sent no packet, and then it did */

    uint32_t isn;
    bool isn_known;
    bool seqs_known;
    uint32_t seq_first,
        seq_end;          /* the sequence numbers that it counted through; valid with seqs_known, once it is over */
    uint32_t marked_seq;  /* one past the last byte of the marked segment */
    uint16_t mss;         /* from its SYN; 0: not known */
    uint8_t window_scale; /* from its SYN */
    bool offers_window_scale, sack_permitted, timestamps;

    uint16_t syns, fins, resets; /* packets, repetitions included, capture duplicates excluded */
    /* Resets without ACK after its own reset, since the other side's last packet: each the answer to a packet that reached it without a
     * connection (RFC 9293, 3.10.7.1). */
    uint16_t late_answers;
    bool last_data_answered; /* the other side sent data in a packet that acknowledged all of this side's */
    bool fin_answers;        /* its first FIN acknowledged the other's FIN, which came first, captured or not */
    bool fin_order_open;     /* its first FIN acknowledged more than was captured of the other, perhaps a FIN */
    bool reset_with_ack;     /* the first reset was ACK+RST */
    uint16_t reset_ip_id;
    uint8_t reset_ttl;                   /* of the first reset */
    uint8_t ttl_first, ttl_min, ttl_max; /* of all packets but resets */
    /* The reset does not look like this side's other packets: its TTL differs from all of them. One reason more to
     * suspect a device on the way; none alone proves it. */
    bool reset_ttl_differs;
    /* The first reset goes on where this side's other packets were: in its IP IDs, timestamps or window, which a device that
     * makes one up does not know. Without it nothing is said: some stacks send resets with all of them zero. */
    bool reset_goes_on;
    bool reset_beyond; /* the first reset stands beyond all that was captured of this side: it had sent more */
    /* The first packet, no reset, that this side sent well after its own reset: who resets has no connection any more. */
    struct moment alive_after_reset;
    struct moment disowned_reset; /* the reset that it outlived; another one may have come since */
    uint8_t disowned_ttl;
    struct moment late_answer; /* the first of late_answers */

    uint32_t retransmits; /* of any kind: data, SYN, FIN; keep-alives and capture duplicates are none */
    uint32_t syn_retransmits, fin_retransmits;
    uint32_t spurious_retransmits; /* the other side said by DSACK (RFC 2883) that it had them already */
    uint32_t late_acknowledged;    /* of them: the first copy's acknowledgement was on its way already */
    uint32_t out_of_order;         /* packets that overtook each other before the capture point */
    uint32_t capture_duplicates;   /* the same packet recorded again */
    struct moment first_retransmit, last_retransmit;
    uint32_t copies_at_once; /* the most repetitions of one packet within HELD_TOGETHER_NS of each other */
    struct moment copied_at_once;
    /* Of segments that were sent again, at most: from the first sight to the last repetition, and to the acknowledgement. */
    int64_t longest_recovery_ns, longest_repeated_wait_ns;

    uint32_t bare;                   /* acknowledgements alone: packets without data and other flags, no probes */
    uint32_t keep_alives;            /* probes, by sequence number (RFC 9293, 3.8.4), of zero or one byte */
    struct retry_run keep_alive_run; /* the longest run of probes without an answer: the other side's probes are none */
    bool probes_answered;            /* an answer came after that run */
    /* Of one packet, the most repetitions that arrived here when it had, and before its acknowledgement left or came; 255 at most. */
    uint8_t held_copies;
    uint16_t held_total; /* all such repetitions */
    /* Its first reset does not go on (see reset_goes_on), although its packets have timestamps, or IP IDs and it has none; or it acknowledges less
     * than was acknowledged before. */
    bool reset_breaks_off;
    int64_t probes_after_ns; /* the longest that the other side was silent before a run of probes; 0: not known */
    struct retry_run
        data_run; /* retransmissions since the other side last acknowledged something new: the state at the end */
    bool run_acknowledged; /* the newest of data_run: of what the other side had acknowledged before */
    /* Of data_run: of no copy the checksum could be looked at, for all were captured in part; and since it began, of a packet of the other side
     * it could. */
    bool run_unchecked, run_heard_whole;
    bool silent_run; /* in data_run or the last probes the other side sent no packet at all */

    uint32_t zero_windows; /* packets that announced a window of zero */
    struct moment first_zero_window, last_zero_window;
    int64_t zero_window_longest_ns;
    bool zero_window_at_end;

    uint32_t
        unseen_segments;     /* holes in this side's stream that the other side acknowledged: the capture missed them */
    int64_t first_unseen_ns; /* when a packet told of the first of them; valid with unseen_segments > 0 */
    bool acknowledged_unseen; /* this side acknowledged data of the other that was not captured */
    bool answers_differ; /* more SYN+ACK than SYN, that begin at different numbers: two machines answered one SYN */
    uint8_t damaged;     /* packets with a wrong TCP checksum, 255 at most; of cut ones nobody knows */
    bool sound;          /* others had a right one */
    bool paused;         /* between two of its packets PAUSE_NS passed, or more */
    bool held_unchecked; /* of none of the copies that held_copies tells of it could be looked at */
    struct moment
        ahead; /* a packet without data, or a FIN, stands beyond all that arrived here, and was acknowledged, of it */
    uint32_t ahead_bytes; /* by so much: they were sent, and lost before they came here, or the capture missed them */
    bool fin_missed;      /* its FIN was not captured: the other side acknowledged one number more, and no byte */
    bool ahead_lacking;   /* the *other* side spoke after that, and did not acknowledge them: it lacks them */
    uint64_t unacknowledged_bytes; /* sent and never acknowledged, at the end */

    uint32_t largest_payload;       /* of a captured packet of this side; cards join and split packets */
    uint32_t largest_acknowledged;  /* payload of the largest segment that the other side acknowledged, at least */
    uint32_t larger_unacknowledged; /* of the oldest larger one that it did not, at the end; 0: none */
    struct moment hole;             /* the other side first said by SACK that it lacks what it still lacks at the end */
    uint32_t hole_bytes;            /* what it lacks, of this side's; 0: nothing, as far as it said */
    uint32_t beyond_hole_bytes;     /* what it has all the same */

    /* Time from a segment sent by the *other* side passing the capture point to this side's acknowledgement: the path
     * from the capture point to this side and back. Its split tells where the capture was taken. */
    struct round_trips round_trips;

    struct side_traces traces; /* zero where one capture is read alone */
};

#endif
