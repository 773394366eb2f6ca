/*
 * Threads that follow the conversations of a capture, each those of its shards, into a casebook of its own.
 *
 * Theory of operation. Followers share nothing while they follow: each reads the file for itself, and of the packets of others it looks at the
 * headers only. So the work that all of them do is what the file's reader and the headers take, and no processor waits for what another one
 * wrote. The caller is follower 0, and writes to the run's casebook. The other casebooks are parts of it, joined when everything is read:
 * conversations get the numbers that one follower alone would have given them, in the order in which they began.
 */
#ifndef TDSCOPE_FOLLOWERS_H
#define TDSCOPE_FOLLOWERS_H

#include "casebook.h"
#include "packet_feed.h"

struct followers;
struct point_run;

/* count: the caller among them, at most SHARDS. The casebook has its captures, and no more. */
struct followers *followers_open(struct casebook *casebook, unsigned count);

unsigned followers_count(const struct followers *followers);

/* Of the follower whose shard it is: there is one for each number below their count. */
struct casebook *followers_casebook(const struct followers *followers, uint8_t shard);

/* Follows all packets of one capture into the point. input: follower 0's. each: is called now and then, by the caller's thread. */
void followers_follow(struct followers *followers, const struct packet_feed_input *input, uint32_t capture,
                      struct point_run *point, void (*each)(void *context, const struct packet_feed *feed),
                      void *context);

/* Joins what they found. No flow table may be open any more. */
void followers_close(struct followers *followers);

#endif
