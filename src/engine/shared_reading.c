/* One reading for several threads. */
#include "shared_reading.h"

#include "kept_buffers.h"
#include "memory.h"
#include "os_thread.h"
#include "plain_ipv4.h"

/* A batch ends with its window, or earlier: it is to be in the cache of a processor still when it is used. AHEAD: as many wait for a reader
 * before it stops to read itself. */
enum { BATCHES = 16, AHEAD = 8 };

struct frame_batch {
    struct frame frames[SHARED_FRAMES_MOST];
    uint8_t shards[SHARED_FRAMES_MOST];
    uint32_t count;
    uint32_t first_number;
    uint64_t consumed;
    struct kept_buffers kept; /* what its frames or those before point into */
};

struct reader {
    uint64_t at; /* the batch that it is to be given next */
    bool holds;  /* the one before */
    bool left;
    bool waits;
    struct os_semaphore *wake;
};

struct shared_reading {
    struct told_frames *frames;
    uint16_t server_port;

    /* Whoever reads alone has these. */
    uint32_t number; /* of the next frame */
    struct buffer_keeper keeper;

    /* Under the lock. */
    struct os_semaphore *lock; /* of count 1 */
    uint64_t filled;           /* batches */
    bool reads;                /* somebody does */
    bool ended;                /* nothing comes after what is filled */
    struct reader readers[SHARDS];
    unsigned reader_count;

    struct frame_batch batches[BATCHES];
};

static uint8_t shard_at_a_glance(const struct frame *frame, uint16_t server_port)
{
    struct plain_ends ends;
    if (!plain_ipv4_ends(frame, &ends))
        return SHARD_UNTOLD;
    return shard_of_ports(ends.source_port, ends.destination_port, ends.hash, server_port);
}

/* False: the chain is at its end. */
static bool fill(struct shared_reading *reading, struct frame_batch *batch)
{
    const struct frame *frame = NULL;
    buffer_keeper_fill(&reading->keeper, &batch->kept);
    batch->first_number = reading->number;
    for (batch->count = 0; batch->count < SHARED_FRAMES_MOST && batch->kept.count == 0; batch->count++) {
        frame = told_frames_next(reading->frames);
        if (!frame)
            break;
        batch->frames[batch->count] = *frame;
        batch->shards[batch->count] = shard_at_a_glance(frame, reading->server_port);
    }
    reading->number += batch->count;
    uint64_t total;
    capture_chain_progress(reading->frames->chain, &batch->consumed, &total);
    return frame != NULL;
}

struct shared_reading *shared_reading_open(struct told_frames *frames, uint16_t server_port, unsigned readers)
{
    struct shared_reading *reading = memory_take(sizeof *reading);
    reading->frames = frames;
    reading->server_port = server_port;
    reading->reader_count = readers;
    buffer_keeper_open(&reading->keeper);
    capture_chain_keep_bytes(frames->chain, &reading->keeper.keeper);
    reading->lock = os_semaphore_open(1);
    for (unsigned i = 0; i < readers; i++)
        reading->readers[i].wake = os_semaphore_open(0);
    return reading;
}

static bool is_free(const struct shared_reading *reading, uint64_t batch)
{
    for (unsigned i = 0; i < reading->reader_count; i++) {
        const struct reader *reader = &reading->readers[i];
        if (!reader->left && reader->at - reader->holds + BATCHES <= batch)
            return false;
    }
    return true;
}

static void wake_all(struct shared_reading *reading)
{
    for (unsigned i = 0; i < reading->reader_count; i++) {
        struct reader *reader = &reading->readers[i];
        if (reader->waits)
            os_semaphore_post(reader->wake);
        reader->waits = false;
    }
}

/* Under the lock, which is open while it reads. */
static void read_one(struct shared_reading *reading)
{
    struct frame_batch *batch = &reading->batches[reading->filled % BATCHES];
    reading->reads = true;
    os_semaphore_post(reading->lock);
    bool more = fill(reading, batch);
    os_semaphore_wait(reading->lock);
    reading->reads = false;
    reading->filled += batch->count > 0;
    reading->ended = !more;
    wake_all(reading);
}

static bool may_read(const struct shared_reading *reading, const struct reader *reader)
{
    return !reading->ended && !reading->reads && reading->filled - reader->at < AHEAD &&
           is_free(reading, reading->filled);
}

/* Under the lock, which is open while it waits. */
static void wait_for_others(struct shared_reading *reading, struct reader *reader)
{
    reader->waits = true;
    os_semaphore_post(reading->lock);
    os_semaphore_wait(reader->wake);
    os_semaphore_wait(reading->lock);
}

static void hand_back(struct shared_reading *reading, struct reader *reader)
{
    if (!reader->holds)
        return;
    reader->holds = false;
    if (!reading->reads)
        wake_all(reading);
}

struct shared_frames shared_reading_take(struct shared_reading *reading, unsigned number)
{
    struct reader *reader = &reading->readers[number];
    struct shared_frames frames = {0};
    os_semaphore_wait(reading->lock);
    hand_back(reading, reader);
    for (;;) {
        if (may_read(reading, reader))
            read_one(reading);
        else if (reader->at < reading->filled || reading->ended)
            break;
        else
            wait_for_others(reading, reader);
    }
    if (reader->at < reading->filled) {
        const struct frame_batch *batch = &reading->batches[reader->at++ % BATCHES];
        reader->holds = true;
        frames =
            (struct shared_frames){batch->frames, batch->shards, batch->count, batch->first_number, batch->consumed};
    }
    os_semaphore_post(reading->lock);
    return frames;
}

void shared_reading_leave(struct shared_reading *reading, unsigned number)
{
    os_semaphore_wait(reading->lock);
    reading->readers[number].left = true;
    wake_all(reading);
    os_semaphore_post(reading->lock);
}

void shared_reading_close(struct shared_reading *reading)
{
    capture_chain_keep_bytes(reading->frames->chain, NULL);
    for (unsigned i = 0; i < BATCHES; i++)
        kept_buffers_close(&reading->batches[i].kept);
    buffer_keeper_close(&reading->keeper);
    for (unsigned i = 0; i < reading->reader_count; i++)
        os_semaphore_close(reading->readers[i].wake);
    os_semaphore_close(reading->lock);
    memory_give(reading);
}
