/*
 * The packets of one chain of captures, decoded and with their times put right, in the order in which they were recorded.
 *
 * With a thread of its own a feed reads and decodes ahead of whoever asks for packets, who meanwhile follows those before. What comes out
 * is the same with and without: packets are asked for by one thread, in one order.
 */
#ifndef TDSCOPE_PACKET_FEED_H
#define TDSCOPE_PACKET_FEED_H

#include "capture_chain.h"
#include "packet_decoder.h"
#include "set_clocks.h"

struct packet_feed;

/* All of it belongs to the feed until that is closed. */
struct packet_feed_input {
    struct capture_chain *chain; /* not read yet */
    struct capture_facts *facts; /* by number of the capture; reading and decoding count in them */
    struct packet_decoder *decoder;
    struct point_clock *clock;
};

/* ahead: in a thread of its own, if the system has one to give. */
struct packet_feed *packet_feed_open(const struct packet_feed_input *input, bool ahead);

/* Valid until the next call; NULL: that was all. */
const struct packet *packet_feed_next(struct packet_feed *feed);

/* As capture_chain_progress(), of the packets that were asked for, about. */
void packet_feed_progress(const struct packet_feed *feed, uint64_t *consumed, uint64_t *total);

void packet_feed_close(struct packet_feed *feed); /* before the end, too */

#endif
