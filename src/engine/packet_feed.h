/*
 * The packets of one chain of captures, decoded and with their times put right, in the order in which they were recorded.
 *
 * With a thread of its own a feed reads, decodes and sifts ahead of who asks for packets. What it gives is the same with and without that
 * thread.
 */
#ifndef TDSCOPE_PACKET_FEED_H
#define TDSCOPE_PACKET_FEED_H

#include "capture_chain.h"
#include "casebook.h"
#include "packet_decoder.h"
#include "set_clocks.h"
#include "shards.h"

struct packet_feed;

struct fed_packet {
    struct packet packet;
    uint32_t number; /* from 0, among all of the chain */
    uint8_t shard;
    bool copy;     /* this and the view are the sieve's to set */
    uint32_t view; /* of a compared connection, which it is of */
};

/* Is shown each packet in turn, and may change it. False: nobody wants it. */
typedef bool packet_sieve(void *context, struct fed_packet *fed);

/* All of it belongs to the feed until that is closed. */
struct packet_feed_input {
    struct capture_chain *chain; /* not read yet */
    struct capture_facts *facts; /* by number of the capture; what decoding tells of it */
    bool one_capture;            /* the chain has but one: they are of that */
    struct point_facts *point;   /* takes the times of the packets; NULL: they are known */
    struct packet_decoder *decoder;
    struct point_clock *clock;
    uint16_t server_port; /* the user's hint; 0: none */
    bool one_shard;       /* memory is limited, and counted in one place; or there is nothing to follow it for */
    packet_sieve *sieve;  /* by the thread that reads; NULL: all are wanted */
    void *sieve_context;
};

/* ahead: in a thread of its own, if the system has one to give. */
struct packet_feed *packet_feed_open(const struct packet_feed_input *input, bool ahead);

/* Some packets in a row; none: that was all. Valid until the next call. */
struct fed_packets {
    const struct fed_packet *list;
    uint32_t count;
};
struct fed_packets packet_feed_take(struct packet_feed *feed);

/* The next packet. Valid until the next call; NULL: that was all. */
const struct fed_packet *packet_feed_next(struct packet_feed *feed);

/* As capture_chain_progress(), of the packets that were asked for, about. */
void packet_feed_progress(const struct packet_feed *feed, uint64_t *consumed, uint64_t *total);

void packet_feed_close(struct packet_feed *feed); /* before the end, too */

#endif
