/*
 * Reading ahead.
 *
 * Theory of operation. Packets go from the reading thread to who asks in batches, which lie in a ring and are handed back in order. One
 * semaphore counts the full ones, another one the empty ones.
 *
 * Packets point into the buffers that files are read by. So the reading thread, as keeper of its windows, keeps a buffer that a window
 * is done with until the batch that was being filled then is empty: whatever points into it lies in that batch or in one before.
 */
#include "packet_feed.h"

#include <stdatomic.h>
#include <string.h>

#include "kept_buffers.h"
#include "memory.h"
#include "os_thread.h"
#include "told_frames.h"

enum { BATCHES = 8, BATCH_PACKETS = 256 };

/* Without a thread there is one batch, which is small so that its packets are still in the nearest cache, of 32 to 48 KiB, when they are
 * followed. */
enum { BATCH_ALONE = 64, BATCH_ALONE_BYTES = 16 << 10 };

/* Where few packets are wanted: those that are read, and the buffers that are kept, for one batch. */
enum { BATCH_READ = 1024, BATCH_KEPT = 2 };

struct packet_batch {
    struct fed_packet packets[BATCH_PACKETS];
    uint32_t count;
    size_t payload_bytes;     /* of its packets */
    bool last;                /* nothing comes after it */
    uint64_t consumed, total; /* of the chain, when it was full */
    struct kept_buffers kept; /* what its packets or those before point into */
};

struct packet_feed {
    struct packet_feed_input input;
    struct packet_batch *batches;
    uint32_t batch_count;
    struct cache_gap before_asking;

    /* Who asks. */
    struct packet_batch *at_hand; /* NULL: none yet */
    uint32_t at;                  /* its next packet */
    struct cache_gap before_filling;

    /* Whoever fills. */
    struct told_frames frames;
    uint32_t read_packets;
    uint32_t batch_packets; /* that a batch has at most, and bytes of payload after which it is full */
    size_t batch_bytes;
    struct buffer_keeper keeper;

    struct os_thread *thread; /* NULL: none; whoever asks fills a batch when the one at hand is empty */
    struct os_semaphore *full, *empty;
    atomic_bool abandoned;
};

/* What was put together of fragments stands in the decoder's memory, until its next packet. */
static void keep_payload(struct packet_batch *batch, struct packet *packet, const struct frame *frame)
{
    if (span_lies_within(packet->payload, frame->bytes))
        return;
    uint8_t *copy = memory_take(packet->payload.size);
    memcpy(copy, packet->payload.data, packet->payload.size);
    packet->payload.data = copy;
    kept_buffers_add(&batch->kept, copy, packet->payload.size);
}

/* False: it is not wanted. */
static bool decode(struct packet_feed *feed, const struct frame *frame, struct fed_packet *fed)
{
    const struct packet_feed_input *input = &feed->input;
    fed->number = feed->read_packets++;
    packet_decode(input->decoder, frame, &input->facts[input->one_capture ? 0 : frame->moment.capture], &fed->packet);
    fed->shard = input->one_shard ? 0 : shard_of(&fed->packet, input->server_port);
    return !input->sieve || input->sieve(input->sieve_context, fed);
}

static bool is_full(const struct packet_feed *feed, const struct packet_batch *batch, uint32_t read)
{
    if (batch->count == feed->batch_packets || batch->payload_bytes >= feed->batch_bytes)
        return true;
    return feed->input.sieve && (read == BATCH_READ || batch->kept.count >= BATCH_KEPT);
}

static void fill_batch(struct packet_feed *feed, struct packet_batch *batch)
{
    buffer_keeper_fill(&feed->keeper, &batch->kept);
    /* Who asks has these lines in its cache. Taking them back in a row takes a tenth of the time that taking back each
     * when its packet is decoded takes. */
    if (feed->batch_count > 1)
        memset(batch->packets, 0, sizeof batch->packets);
    batch->count = 0;
    batch->payload_bytes = 0;
    for (uint32_t looked = 0; !is_full(feed, batch, looked); looked++) {
        const struct frame *frame = told_frames_next(&feed->frames);
        batch->last = !frame;
        if (!frame)
            break;
        struct fed_packet *fed = &batch->packets[batch->count];
        if (!decode(feed, frame, fed))
            continue;
        keep_payload(batch, &fed->packet, frame);
        batch->payload_bytes += fed->packet.payload.size;
        batch->count++;
    }
    capture_chain_progress(feed->input.chain, &batch->consumed, &batch->total);
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

static void open_batches(struct packet_feed *feed, uint32_t count, uint32_t packets, size_t bytes)
{
    feed->batches = memory_take_array(count, sizeof *feed->batches);
    feed->batch_count = count;
    feed->batch_packets = packets;
    feed->batch_bytes = bytes;
    buffer_keeper_open(&feed->keeper);
    capture_chain_keep_bytes(feed->input.chain, &feed->keeper.keeper);
}

static bool start_thread(struct packet_feed *feed)
{
    open_batches(feed, BATCHES, BATCH_PACKETS, SIZE_MAX);
    feed->full = os_semaphore_open(0);
    feed->empty = os_semaphore_open(BATCHES);
    feed->thread = os_thread_start(read_ahead, feed);
    return feed->thread != NULL;
}

struct packet_feed *packet_feed_open(const struct packet_feed_input *input, bool ahead)
{
    struct packet_feed *feed = memory_take(sizeof *feed);
    feed->input = *input;
    feed->frames = (struct told_frames){.chain = input->chain, .clock = input->clock, .point = input->point};
    if (ahead && start_thread(feed))
        return feed;
    if (!feed->batches)
        open_batches(feed, 1, BATCH_ALONE, BATCH_ALONE_BYTES);
    return feed;
}

/* The one at hand goes back. */
static void take_next_batch(struct packet_feed *feed)
{
    uint32_t next = 0;
    feed->at = 0;
    if (!feed->thread) {
        fill_batch(feed, feed->batches);
        feed->at_hand = feed->batches;
        return;
    }
    if (feed->at_hand) {
        next = (uint32_t)(feed->at_hand - feed->batches + 1) % BATCHES;
        os_semaphore_post(feed->empty);
    }
    os_semaphore_wait(feed->full);
    feed->at_hand = &feed->batches[next];
}

/* False: that was all. */
static bool has_more(struct packet_feed *feed)
{
    while (!feed->at_hand || feed->at == feed->at_hand->count) {
        if (feed->at_hand && feed->at_hand->last)
            return false;
        take_next_batch(feed);
    }
    return true;
}

const struct fed_packet *packet_feed_next(struct packet_feed *feed)
{
    return has_more(feed) ? &feed->at_hand->packets[feed->at++] : NULL;
}

struct fed_packets packet_feed_take(struct packet_feed *feed)
{
    if (!has_more(feed))
        return (struct fed_packets){0};
    const struct fed_packet *list = &feed->at_hand->packets[feed->at];
    uint32_t count = feed->at_hand->count - feed->at;
    feed->at = feed->at_hand->count;
    return (struct fed_packets){list, count};
}

void packet_feed_progress(const struct packet_feed *feed, uint64_t *consumed, uint64_t *total)
{
    const struct packet_batch *batch = feed->at_hand;
    *consumed = batch ? batch->consumed : 0;
    *total = batch ? batch->total : 0;
}

static void close_thread(struct packet_feed *feed)
{
    atomic_store(&feed->abandoned, true);
    os_semaphore_post(feed->empty);
    os_thread_join(feed->thread);
}

void packet_feed_close(struct packet_feed *feed)
{
    if (feed->thread)
        close_thread(feed);
    capture_chain_keep_bytes(feed->input.chain, NULL);
    for (uint32_t i = 0; i < feed->batch_count; i++)
        kept_buffers_close(&feed->batches[i].kept);
    buffer_keeper_close(&feed->keeper);
    if (feed->empty) {
        os_semaphore_close(feed->full);
        os_semaphore_close(feed->empty);
    }
    memory_give(feed->batches);
    memory_give(feed);
}
