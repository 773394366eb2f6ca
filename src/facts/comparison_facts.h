/* What comparing the two captures of a connection packet by packet found. Written by the pair floor. */
#ifndef TDSCOPE_COMPARISON_FACTS_H
#define TDSCOPE_COMPARISON_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"
#include "tcp_side.h"

/* What became of a packet between the two capture points. */
enum packet_fate {
    FATE_UNTOLD, /* it did not come so far, or it is a piece of a packet whose fate is told */
    FATE_ARRIVED,
    FATE_LOST,       /* it left its machine, and the other capture, which was running, does not have it */
    FATE_INJECTED,   /* it arrived, and the machine whose address it bears never sent it */
    FATE_DUPLICATED, /* it arrived once more than it was sent */
    FATE_MISSED,     /* it passed a capture that does not have it: what both ends did later proves it */
    FATE_OPEN        /* not to be judged: the other capture began later or ended earlier */
};

/* What a device on the way changed. */
enum packet_change {
    CHANGED_ADDRESSES = 1,
    CHANGED_PORTS = 2,
    CHANGED_SEQUENCE_NUMBERS = 4,
    CHANGED_MSS = 8,
    CHANGED_OPTIONS = 16, /* window scaling, SACK or timestamps taken from the SYN */
    CHANGED_WINDOW = 32,
    CHANGED_PAYLOAD = 64
};

/* The packets of one side on their way from its own capture to that of the other side. */
struct passage {
    uint32_t arrived, lost, injected, duplicated, open;
    uint32_t missed; /* by the receiving side's capture */
    uint32_t unsent; /* FATE_MISSED too, but by the sending side's own capture */
    uint32_t
        vouched_at_end; /* of the missed ones with data, since the last that arrived: only acknowledgements tell of them that the receiver's own
                              * capture does not have, either */
    struct moment vouched_first; /* in the sender's capture: the first of them */
    struct moment
        acked_less; /* in the receiver's capture: a packet of its own that acknowledges less than one with its address had, a second before */
    uint32_t lost_data; /* of the lost ones: with payload, SYN or FIN; packets of which only some bytes arrived, too */
    uint32_t early;     /* arrived before any packet with their bytes had left, as the clocks tell */
    uint32_t reordered;
    struct moment last_late; /* in the receiver's capture: the last of the late ones */
    uint32_t late;           /* arrived PASSAGE_LATE_NS or more later than the fastest one would have */
    unsigned changes;

    struct moment first_lost, last_lost; /* in the sender's capture */
    /* Everything since the last arrival was lost; 0: the last packet that could be judged arrived. */
    uint32_t lost_at_end;
    uint32_t probes_lost_at_end; /* of them: keep-alives */
    uint32_t bare_lost_at_end;   /* of them: without data, SYN or FIN */
    bool probe_first;            /* the first of them is one */
    uint32_t open_at_end;        /* packets since the last that could be judged */
    uint32_t
        unclear_at_end; /* from the first of those lost on: packets that a capture missed, or that are near a hole of it */
    struct moment lost_at_end_first; /* in the sender's capture */
    struct moment last_arrival_sent; /* in the sender's capture: the last packet that arrived, when it left */
    struct moment last_in_time_sent; /* likewise, of those that took less than PASSAGE_LATE_NS */
    struct moment last_arrival;      /* and when it arrived, in the receiver's */
    struct moment first_arrival;     /* of the first one */
    struct moment first_in_time_sent;
    struct moment first_injected; /* in the receiver's capture */
    struct moment injected_syn;   /* likewise: the first SYN, reset or FIN among them */
    struct moment injected_reset;
    struct moment injected_fin;
    uint32_t payloads_compared, payloads_changed; /* of packets that arrived whole */
    struct moment first_changed;                  /* in the receiver's capture: the first packet with another payload */
    uint32_t
        sack_untranslated; /* sequence numbers were translated in the header, but not in its SACK blocks (RFC 2018) */
    struct moment first_sack_untranslated; /* in the receiver's capture */
    uint32_t timed;      /* of the arrived ones: sent for the first time, so that no other copy can be meant */
    int64_t shortest_ns; /* time on the way, on one clock; valid when timed > 0 */
    int64_t longest_ns;  /* likewise, of all that arrived and cannot be taken for another one */
    struct moment longest_sent, longest_arrival;
    bool longest_identified;  /* its IP ID or timestamp says that it is that transmission, and no repetition */
    uint32_t largest_arrived; /* payload of one packet, as it arrived */
    uint32_t smallest_lost;   /* the same of the lost ones, keep-alives left out; 0: none */
};

struct comparison {
    struct passage passages[SIDES]; /* by sender */
    /* Of the open ones, whoever sent them: the capture at that side has a hole then, or did not run. */
    uint32_t hidden[SIDES], uncovered[SIDES];
    /* Of the missed ones, and of the hidden ones: those that the capture at that side missed other than in a hole of many packets, one here
     * and one there. What it misses so it may miss at any time. */
    uint32_t strays[SIDES];
    uint32_t missed_syns[SIDES]; /* of the missed ones, by the capture at that side: SYN, and SYN+ACK */
    /* The two captures show two connections: a device ends the one and opens the other. Packets are not compared then. */
    bool relayed;
};

/* Time on the way beyond the fastest packet's that makes a packet late: the shortest time-out in use (200 ms on Linux, 300 ms on
 * Windows; RFC 6298 asks for a second) has run out by then. */
#define PASSAGE_LATE_NS (300 * NS_PER_MS)

#endif
