/*
 * The packets of one chain of captures, decoded and with their times put right, in the order in which they were recorded.
 *
 * With a thread of its own a feed reads and decodes ahead of those who follow packets: several of them, each of which is given the packets
 * of its own shards. What each is given is the same with and without that thread.
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
    struct capture_facts *facts; /* by number of the capture; reading and decoding count in them */
    struct point_facts *point;   /* takes the times of the packets; NULL: they are known */
    struct packet_decoder *decoder;
    struct point_clock *clock;
    uint16_t server_port; /* the user's hint; 0: none */
    bool one_shard;       /* memory is limited, and counted in one place; or there is nothing to follow it for */
    packet_sieve *sieve;  /* by the thread that reads; NULL: all are wanted */
    void *sieve_context;
};

/* ahead: in a thread of its own, if the system has one to give. followers: at least 1; more only with `ahead`. */
struct packet_feed *packet_feed_open(const struct packet_feed_input *input, bool ahead, unsigned followers);

/* Whether it has a thread. Without, only follower 0 may ask. */
bool packet_feed_is_ahead(const struct packet_feed *feed);

/* Some packets in a row, of all shards; none: that was all. Valid until the follower's next call. */
struct fed_packets {
    const struct fed_packet *list;
    uint32_t count;
};
struct fed_packets packet_feed_take(struct packet_feed *feed, unsigned follower);

/* The next packet, where one follower takes all. Valid until its next call; NULL: that was all. */
const struct fed_packet *packet_feed_next(struct packet_feed *feed);

/* As capture_chain_progress(), of the packets that follower 0 asked for, about. */
void packet_feed_progress(const struct packet_feed *feed, uint64_t *consumed, uint64_t *total);

void packet_feed_close(struct packet_feed *feed); /* before the end, too, once no follower asks any more */

#endif
