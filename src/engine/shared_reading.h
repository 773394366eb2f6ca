/*
 * One reading of a chain of captures for several threads, each of which is given all of its frames, in order.
 *
 * Theory of operation. Frames lie in batches, and batches in a ring. Whichever thread comes to ask while few batches wait for it, and no other
 * one is reading, reads the next one; the others meanwhile use what was read before. So the file is read once, one processor's share of
 * reading is what it has time for, and nobody waits for a thread that only reads. A batch is filled again when all have handed it back.
 */
#ifndef TDSCOPE_SHARED_READING_H
#define TDSCOPE_SHARED_READING_H

#include "shards.h"
#include "told_frames.h"

struct shared_reading;

/* Of a frame whose headers do not tell it at a glance: it has to be decoded. */
enum { SHARD_UNTOLD = UINT8_MAX };

enum { SHARED_FRAMES_MOST = 1024 };

/* Shards stand apart, so that of others' frames a reader looks at no more than that: what another processor wrote takes long to fetch. */
struct shared_frames {
    const struct frame *list;
    const uint8_t *shards; /* of each, or SHARD_UNTOLD */
    uint32_t count;        /* at most SHARED_FRAMES_MOST; 0: that was all */
    uint32_t first_number; /* from 0, among all of the chain; the others follow */
    uint64_t consumed;     /* bytes of the chain, with these */
};

/* frames: owned by the caller, and for whoever reads alone until the reading is closed. server_port: the user's hint; 0: none. */
struct shared_reading *shared_reading_open(struct told_frames *frames, uint16_t server_port, unsigned readers);

/* The next frames for a reader, from 0; it hands back those before. Called by one thread at a time for each reader. */
struct shared_frames shared_reading_take(struct shared_reading *reading, unsigned reader);

/* A reader asks no more. */
void shared_reading_leave(struct shared_reading *reading, unsigned reader);

void shared_reading_close(struct shared_reading *reading); /* when no thread uses it any more */

#endif
