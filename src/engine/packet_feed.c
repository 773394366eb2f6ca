/*
 * Reading ahead.
 *
 * Theory of operation. Packets go from the reading thread to the asking one in batches, which lie in a ring and are each filled, handed over,
 * emptied and handed back; two semaphores count those that are full and empty, so that a batch belongs to one thread at a time.
 *
 * Packets point into the buffers that files are read by. So the reading thread, as keeper of its windows, keeps a buffer that a window
 * is done with until the batch that was being filled then is empty: whatever points into it lies in that batch or in one before.
 */
#include "packet_feed.h"

#include <stdatomic.h>
#include <string.h>

#include "memory.h"
#include "os_thread.h"

enum { BATCHES = 8, BATCH_PACKETS = 256, SPARE_BUFFERS = 4 };

struct kept_bytes {
    uint8_t *bytes;
    size_t capacity;
};

struct packet_batch {
    struct packet packets[BATCH_PACKETS];
    uint32_t count;
    bool last;                      /* nothing comes after it */
    uint64_t consumed, total;       /* of the chain, when it was full */
    struct kept_bytes *kept;        /* what its packets or those before point into */
    uint32_t kept_count, kept_room; /* of that list */
};

struct packet_feed {
    struct packet_feed_input input;
    struct packet_batch *batches;
    uint32_t batch_count, batch_packets;

    /* Whoever fills. */
    struct packet_batch *filling;
    struct window_keeper keeper;
    uint8_t *spare[SPARE_BUFFERS]; /* of WINDOW_BYTES each */
    uint32_t spare_count;

    /* Whoever asks. */
    struct packet_batch *at_hand; /* NULL: none yet */
    uint32_t at;                  /* its next packet */

    struct os_thread *thread; /* NULL: whoever asks fills, one packet at a time */
    struct os_semaphore *full, *empty;
    atomic_bool abandoned;
};

static void keep_bytes(void *context, uint8_t *bytes, size_t capacity)
{
    struct packet_feed *feed = context;
    struct packet_batch *batch = feed->filling;
    if (batch->kept_count == batch->kept_room) {
        batch->kept_room = batch->kept_room ? batch->kept_room * 2 : 4;
        batch->kept = memory_grow(batch->kept, batch->kept_room, sizeof *batch->kept);
    }
    batch->kept[batch->kept_count++] = (struct kept_bytes){bytes, capacity};
}

static uint8_t *spare_buffer(void *context, size_t capacity)
{
    struct packet_feed *feed = context;
    if (capacity == WINDOW_BYTES && feed->spare_count > 0)
        return feed->spare[--feed->spare_count];
    return memory_take(capacity);
}

static void take_back(struct packet_feed *feed, struct packet_batch *batch)
{
    for (uint32_t i = 0; i < batch->kept_count; i++) {
        if (batch->kept[i].capacity == WINDOW_BYTES && feed->spare_count < SPARE_BUFFERS)
            feed->spare[feed->spare_count++] = batch->kept[i].bytes;
        else
            memory_give(batch->kept[i].bytes);
    }
    batch->kept_count = 0;
}

static bool lies_within(struct span part, struct span whole)
{
    uintptr_t from = (uintptr_t)part.data, whole_from = (uintptr_t)whole.data;
    return part.size == 0 || (from >= whole_from && from - whole_from < whole.size);
}

/* What was put together of fragments stands in the decoder's memory, until its next packet. */
static void keep_payload(struct packet_feed *feed, struct packet *packet, const struct frame *frame)
{
    if (lies_within(packet->payload, frame->bytes))
        return;
    uint8_t *copy = memory_take(packet->payload.size);
    memcpy(copy, packet->payload.data, packet->payload.size);
    packet->payload.data = copy;
    keep_bytes(feed, copy, packet->payload.size);
}

static void fill_batch(struct packet_feed *feed, struct packet_batch *batch)
{
    const struct packet_feed_input *input = &feed->input;
    feed->filling = batch;
    take_back(feed, batch);
    for (batch->count = 0; batch->count < feed->batch_packets;) {
        const struct frame *read = capture_chain_next(input->chain);
        batch->last = !read;
        if (!read)
            break;
        struct frame told = *read;
        point_clock_follow(input->clock, &read->moment);
        told.moment.time_ns += input->clock->shift_ns;
        struct packet *packet = &batch->packets[batch->count++];
        packet_decode(input->decoder, &told, &input->facts[told.moment.capture], packet);
        if (feed->batch_count > 1)
            keep_payload(feed, packet, &told);
    }
    if (feed->batch_count > 1)
        capture_chain_progress(input->chain, &batch->consumed, &batch->total);
}

static void read_ahead(void *context)
{
    struct packet_feed *feed = context;
    bool more = true;
    for (uint32_t at = 0; more; at = (at + 1) % BATCHES) {
        struct packet_batch *batch = &feed->batches[at];
        os_semaphore_wait(feed->empty);
        if (atomic_load(&feed->abandoned))
            return;
        fill_batch(feed, batch);
        more = !batch->last;
        os_semaphore_post(feed->full);
    }
}

static bool start_thread(struct packet_feed *feed)
{
    feed->full = os_semaphore_open(0);
    feed->empty = os_semaphore_open(BATCHES);
    feed->keeper = (struct window_keeper){keep_bytes, spare_buffer, feed};
    capture_chain_keep_bytes(feed->input.chain, &feed->keeper);
    feed->thread = os_thread_start(read_ahead, feed);
    if (feed->thread)
        return true;
    capture_chain_keep_bytes(feed->input.chain, NULL);
    return false;
}

static void set_batches(struct packet_feed *feed, uint32_t count, uint32_t packets)
{
    memory_give(feed->batches);
    feed->batches = memory_take_array(count, sizeof *feed->batches);
    feed->batch_count = count;
    feed->batch_packets = packets;
}

struct packet_feed *packet_feed_open(const struct packet_feed_input *input, bool ahead)
{
    struct packet_feed *feed = memory_take(sizeof *feed);
    feed->input = *input;
    if (ahead)
        set_batches(feed, BATCHES, BATCH_PACKETS);
    if (!ahead || !start_thread(feed))
        set_batches(feed, 1, 1);
    return feed;
}

/* The one at hand goes back. */
static void take_next_batch(struct packet_feed *feed)
{
    uint32_t next = 0;
    feed->at = 0;
    if (!feed->thread) {
        feed->at_hand = feed->batches;
        fill_batch(feed, feed->at_hand);
        return;
    }
    if (feed->at_hand) {
        next = (uint32_t)(feed->at_hand - feed->batches + 1) % BATCHES;
        os_semaphore_post(feed->empty);
    }
    os_semaphore_wait(feed->full);
    feed->at_hand = &feed->batches[next];
}

const struct packet *packet_feed_next(struct packet_feed *feed)
{
    while (!feed->at_hand || feed->at == feed->at_hand->count) {
        if (feed->at_hand && feed->at_hand->last)
            return NULL;
        take_next_batch(feed);
    }
    return &feed->at_hand->packets[feed->at++];
}

void packet_feed_progress(const struct packet_feed *feed, uint64_t *consumed, uint64_t *total)
{
    *consumed = *total = 0;
    if (!feed->thread) {
        capture_chain_progress(feed->input.chain, consumed, total);
    } else if (feed->at_hand) {
        *consumed = feed->at_hand->consumed;
        *total = feed->at_hand->total;
    }
}

static void close_thread(struct packet_feed *feed)
{
    atomic_store(&feed->abandoned, true);
    os_semaphore_post(feed->empty);
    os_thread_join(feed->thread);
    capture_chain_keep_bytes(feed->input.chain, NULL);
}

void packet_feed_close(struct packet_feed *feed)
{
    if (feed->thread)
        close_thread(feed);
    for (uint32_t i = 0; i < feed->batch_count; i++) {
        take_back(feed, &feed->batches[i]);
        memory_give(feed->batches[i].kept);
    }
    for (uint32_t i = 0; i < feed->spare_count; i++)
        memory_give(feed->spare[i]);
    if (feed->full) {
        os_semaphore_close(feed->full);
        os_semaphore_close(feed->empty);
    }
    memory_give(feed->batches);
    memory_give(feed);
}
