/*
 * Threads that follow the conversations of a capture, each those of its shards, into a casebook of its own.
 *
 * Theory of operation. The captures are read once, by whoever has time (shared_reading.h). Each follower is given all frames; those of
 * others it passes over, mostly without a look at their bytes. So what followers write for each packet nobody else touches, and one
 * processor's caches fetch of another's what they read of files only. The caller is follower 0, and writes to the run's casebook. The other
 * casebooks are parts of it, joined when everything is read: conversations get the numbers that one follower alone would have given them,
 * in the order in which they began.
 */
#ifndef TDSCOPE_FOLLOWERS_H
#define TDSCOPE_FOLLOWERS_H

#include "casebook.h"
#include "told_frames.h"

struct followers;
struct point_run;

/* count: the caller among them, at most SHARDS. The casebook has its captures, and no more. */
struct followers *followers_open(struct casebook *casebook, unsigned count);

unsigned followers_count(const struct followers *followers);

/* Of the follower whose shard it is: there is one for each number below their count. */
struct casebook *followers_casebook(const struct followers *followers, uint8_t shard);

/* Follows all packets of one capture into the point. frames: nobody else's until that is done. each: is called now and then, by the caller's thread,
 * with the bytes that were read so far. */
void followers_follow(struct followers *followers, struct told_frames *frames, uint32_t capture,
                      struct point_run *point, void (*each)(void *context, uint64_t consumed), void *context);

/* Joins what they found. No flow table may be open any more. */
void followers_close(struct followers *followers);

#endif
