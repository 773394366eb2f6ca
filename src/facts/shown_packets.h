/* The packets of one conversation that somebody wants to look at one by one. Kept only when asked for. */
#ifndef TDSCOPE_SHOWN_PACKETS_H
#define TDSCOPE_SHOWN_PACKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "comparison_facts.h"
#include "moment.h"
#include "path_facts.h"
#include "tds_facts.h"

/* The first and the last packets of a long conversation: who reads more than that one by one? */
enum { SHOWN_FIRST = 2000, SHOWN_LAST = 2000, SHOWN_CONVERSATIONS = 8 };

/* What following found out about a packet. */
enum shown_mark {
    SHOWN_RETRANSMISSION = 1,
    SHOWN_KEEP_ALIVE = 2,
    SHOWN_RECORDED_TWICE = 4,
    SHOWN_OUT_OF_ORDER = 8,
    SHOWN_ZERO_WINDOW = 16,
    SHOWN_AFTER_A_HOLE = 32, /* bytes before it were acknowledged and are not in the capture */
    SHOWN_ICMP_ERROR = 64,   /* no TCP packet: a router or host refuses one */
    SHOWN_ENCRYPTED_REQUEST = 128,
    SHOWN_ENCRYPTED_RESPONSE = 256,
    SHOWN_TLS_RECORD = 512,
    SHOWN_ERROR = 1024, /* an ERROR token */
    SHOWN_ATTENTION_DONE = 2048
};

struct shown_packet {
    struct moment moment;
    uint32_t seq, ack; /* relative: the first byte of each side's stream has number 1 where its SYN was seen */
    uint32_t payload_length;
    uint32_t messages; /* bit of each enum tds_message that begins here */
    uint16_t window;   /* as sent */
    uint16_t marks;    /* enum shown_mark */
    uint8_t flags;     /* of TCP, as on the wire */
    bool from_first;   /* by the one who sent the first packet */
};

struct shown_conversation {
    uint32_t id;
    struct endpoint first_sender;
    uint32_t total;                            /* packets */
    uint32_t first_count, last_count, last_at; /* last is a ring; last_at is where the next one goes */
    struct shown_packet *first, *last;
};

/* A packet on its way through the captures of a connection. */
struct crossing {
    struct moment seen[PATH_POINTS_MOST];         /* in the capture of each view; frame 0: not there */
    enum packet_fate fates[PATH_POINTS_MOST - 1]; /* between each two neighbours */
    enum side sender;
    int64_t time_ns; /* on the common clock: when it passed the capture nearest to the client, or would have */
    int64_t took_ns; /* on the way; valid when it arrived */
};

/* The crossings of one connection, by time. */
struct shown_crossings {
    uint32_t id;                      /* of the view that stands for all; 0: none */
    uint32_t views[PATH_POINTS_MOST]; /* ids, from the client to the server */
    unsigned view_count;
    bool relayed; /* somewhere between them a device ends the connection and opens its own */
    struct crossing *list;
    uint32_t count;
    uint32_t beyond; /* crossings that are not kept */
};
enum { SHOWN_CROSSINGS = 2 * (SHOWN_FIRST + SHOWN_LAST) };

/* The packets of the conversations that were asked for and found, in order of id. */
struct shown_packets {
    struct shown_conversation conversations[SHOWN_CONVERSATIONS];
    unsigned count;
    uint32_t beyond;                  /* conversations that fit, too, and are not kept */
    struct shown_crossings crossings; /* of the first of them that was compared */
};

/* What became of it between two of the views, near < far: the worst of what happened there, or whether it arrived. */
enum packet_fate crossing_fate(const struct crossing *crossing, unsigned near, unsigned far);

/* Number from 0 to first_count + last_count - 1, in the order of the capture. */
static inline const struct shown_packet *shown_packet_at(const struct shown_conversation *shown, uint32_t number)
{
    if (number < shown->first_count)
        return &shown->first[number];
    uint32_t oldest = shown->last_count == SHOWN_LAST ? shown->last_at : 0;
    return &shown->last[(oldest + number - shown->first_count) % SHOWN_LAST];
}

#endif
