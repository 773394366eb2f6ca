/* Threads that follow. */
#include "followers.h"

#include <assert.h>

#include "capture_point.h"
#include "ceilings.h"
#include "memory.h"
#include "os_thread.h"
#include "packet_feed.h"
#include "shared_reading.h"

static_assert((int)SHARDS <= (int)STORES_MOST, "what each shard's follower found can be merged");

/* Packets are decoded some at a time, as many as the nearest cache, of 32 to 48 KiB, holds while they are followed. */
enum { SOME_PACKETS = 64, SOME_BYTES = 16 << 10 };

/* So many frames before it is worked on, a frame is fetched, and its bytes: a usual packet's, since of longer ones processors fetch ahead
 * themselves. */
enum { FETCH_FRAME = 16, FETCH_BYTES = 8, FETCH_BYTES_MOST = 1536 };

struct follower {
    struct followers *all;
    unsigned number;
    struct casebook *casebook; /* of follower 0: the run's */
    struct os_thread *thread;  /* of follower 0: NULL */
};

struct followers {
    struct follower list[SHARDS];
    unsigned count;

    /* The work at hand. */
    struct shared_reading *reading;
    struct point_run *point;
    uint16_t server_port; /* the user's hint; 0: none */
    uint32_t capture;
};

struct followers *followers_open(struct casebook *casebook, unsigned count)
{
    struct followers *followers = memory_take(sizeof *followers);
    followers->count = count;
    for (unsigned i = 0; i < count; i++)
        followers->list[i] = (struct follower){.all = followers, .number = i, .casebook = casebook};
    for (unsigned i = 1; i < count; i++) {
        followers->list[i].casebook = memory_take(sizeof *casebook);
        casebook_open_part(followers->list[i].casebook, casebook, count);
    }
    if (count > 1)
        conversation_store_keep_order(casebook->conversations);
    return followers;
}

unsigned followers_count(const struct followers *followers)
{
    return followers->count;
}

struct casebook *followers_casebook(const struct followers *followers, uint8_t shard)
{
    return followers->list[shard % followers->count].casebook;
}

/* What decoding writes to. Its thread takes it, so that no other one's lies in the same cache lines. */
struct own_work {
    struct capture_facts facts; /* what decoding tells of the capture */
    struct point_run *point;
    struct packet_decoder *decoder;
    uint16_t server_port;
    unsigned followers;
    bool mine[SHARDS]; /* by number of the follower */
    uint8_t told;      /* of the frame that is decoded, or SHARD_UNTOLD */
    uint8_t shard;     /* of the packet that was decoded last */
    uint16_t own[SHARED_FRAMES_MOST];
    uint32_t own_count;

    struct fed_packet packets[SOME_PACKETS];
    uint32_t count;
    size_t payload_bytes;
};

static bool is_mine(const struct own_work *work, uint8_t shard)
{
    return work->mine[shard % work->followers];
}

static bool choose(void *context, const struct packet *packet)
{
    struct own_work *work = context;
    work->shard = work->told != SHARD_UNTOLD ? work->told : shard_of(packet, work->server_port);
    return is_mine(work, work->shard);
}

static void follow_decoded(struct own_work *work)
{
    for (uint32_t i = 0; i < work->count; i++)
        point_run_packet(work->point, &work->packets[i]);
    work->count = 0;
    work->payload_bytes = 0;
}

static void work_on_frame(struct own_work *work, const struct frame *frame, uint32_t number)
{
    struct fed_packet *fed = &work->packets[work->count];
    if (!packet_decode(work->decoder, frame, &work->facts, &fed->packet))
        return;
    /* The decoder has not asked of what is not TCP. */
    if (fed->packet.kind != PACKET_TCP && !choose(work, &fed->packet))
        return;
    fed->number = number;
    fed->shard = work->shard;
    work->count++;
    work->payload_bytes += fed->packet.payload.size;
    /* What was put together of fragments stands in the decoder's memory, until its next packet. */
    if (work->count == SOME_PACKETS || work->payload_bytes >= SOME_BYTES ||
        !span_lies_within(fed->packet.payload, frame->bytes))
        follow_decoded(work);
}

/* Another processor may have written it: this one brings it into its caches meanwhile. */
static void fetch(const void *bytes, size_t size)
{
#if defined(__GNUC__)
    enum { CACHE_LINE = 64 };
    for (size_t at = 0; at < size; at += CACHE_LINE)
        __builtin_prefetch((const uint8_t *)bytes + at);
#else
    (void)bytes, (void)size;
#endif
}

/* Those that are not passed over, or may not be. */
static void find_mine(struct own_work *work, const struct shared_frames *frames)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < frames->count; i++) {
        work->own[count] = (uint16_t)i;
        count += frames->shards[i] == SHARD_UNTOLD || is_mine(work, frames->shards[i]);
    }
    work->own_count = count;
}

static void fetch_ahead(const struct own_work *work, const struct frame *list, uint32_t at)
{
    if (at + FETCH_FRAME < work->own_count)
        fetch(&list[work->own[at + FETCH_FRAME]], sizeof *list);
    if (at + FETCH_BYTES < work->own_count) {
        struct span bytes = list[work->own[at + FETCH_BYTES]].bytes;
        fetch(bytes.data, bytes.size < FETCH_BYTES_MOST ? bytes.size : FETCH_BYTES_MOST);
    }
}

static void work_on_frames(struct own_work *work, const struct shared_frames *frames)
{
    find_mine(work, frames);
    for (uint32_t i = 0; i < work->own_count; i++) {
        uint32_t at = work->own[i];
        fetch_ahead(work, frames->list, i);
        work->told = frames->shards[at];
        work_on_frame(work, &frames->list[at], frames->first_number + at);
    }
    follow_decoded(work);
}

static struct own_work *begin_work(const struct follower *follower)
{
    const struct followers *all = follower->all;
    struct own_work *work = memory_take(sizeof *work);
    work->point = all->point;
    work->decoder = &all->point->decoders[follower->number];
    work->decoder->choice = choose;
    work->decoder->choice_context = work;
    work->server_port = all->server_port;
    work->followers = all->count;
    work->mine[follower->number] = true;
    return work;
}

/* Every follower has seen the headers of what is not TCP: of those, and of what is odd, the caller tells. */
static void tell_decoded(const struct follower *follower, struct capture_facts *decoded)
{
    struct capture_facts *facts = &follower->casebook->captures[follower->all->capture];
    capture_facts_add_followed(facts, decoded);
    if (follower->number == 0) {
        facts->undecoded += decoded->undecoded;
        notes_append(&facts->notes, &decoded->notes);
    }
    notes_close(&decoded->notes);
}

static void end_work(const struct follower *follower, struct own_work *work)
{
    tell_decoded(follower, &work->facts);
    work->decoder->choice = NULL;
    memory_give(work);
}

static void run_follower(void *context)
{
    struct follower *follower = context;
    struct own_work *work = begin_work(follower);
    for (;;) {
        struct shared_frames frames = shared_reading_take(follower->all->reading, follower->number);
        if (frames.count == 0)
            break;
        work_on_frames(work, &frames);
    }
    end_work(follower, work);
}

/* Where the system has no thread to give, the caller has its follower's share, too. */
static void start_others(struct followers *followers, struct own_work *callers)
{
    for (unsigned i = 1; i < followers->count; i++) {
        struct follower *follower = &followers->list[i];
        follower->thread = os_thread_start(run_follower, follower);
        callers->mine[i] = !follower->thread;
        if (!follower->thread)
            shared_reading_leave(followers->reading, i);
    }
}

static void follow_together(struct followers *followers, struct told_frames *frames,
                            void (*each)(void *context, uint64_t consumed), void *context)
{
    followers->reading = shared_reading_open(frames, followers->server_port, followers->count);
    struct own_work *work = begin_work(&followers->list[0]);
    uint32_t since_each = 0;
    uint64_t consumed = 0;
    start_others(followers, work);
    for (;;) {
        struct shared_frames some = shared_reading_take(followers->reading, 0);
        if (some.count == 0)
            break;
        work_on_frames(work, &some);
        since_each += some.count;
        consumed = some.consumed;
        if (since_each < LIMIT_PROGRESS_PACKETS)
            continue;
        since_each = 0;
        each(context, consumed);
    }
    each(context, consumed);
    for (unsigned i = 1; i < followers->count; i++)
        if (followers->list[i].thread)
            os_thread_join(followers->list[i].thread);
    end_work(&followers->list[0], work);
    shared_reading_close(followers->reading);
}

/* Returns how many packets it has followed; 0: that was all. */
static uint32_t follow_some(struct packet_feed *feed, struct point_run *point)
{
    struct fed_packets packets = packet_feed_take(feed);
    for (uint32_t i = 0; i < packets.count; i++)
        point_run_packet(point, &packets.list[i]);
    return packets.count;
}

static void tell_progress(const struct packet_feed *feed, void (*each)(void *context, uint64_t consumed), void *context)
{
    uint64_t consumed, total;
    packet_feed_progress(feed, &consumed, &total);
    each(context, consumed);
}

static void follow_alone(const struct followers *followers, const struct told_frames *frames,
                         void (*each)(void *context, uint64_t consumed), void *context)
{
    struct capture_facts decoded = {0};
    struct packet_feed_input input = {.chain = frames->chain,
                                      .facts = &decoded,
                                      .one_capture = true,
                                      .point = frames->point,
                                      .decoder = &followers->point->decoders[0],
                                      .clock = frames->clock,
                                      .server_port = followers->server_port,
                                      .one_shard = followers->point->memory_limited};
    struct packet_feed *feed = packet_feed_open(&input, false);
    uint32_t since_each = 0;
    for (uint32_t count; (count = follow_some(feed, followers->point)) > 0;) {
        since_each += count;
        if (since_each < LIMIT_PROGRESS_PACKETS)
            continue;
        since_each = 0;
        tell_progress(feed, each, context);
    }
    tell_progress(feed, each, context);
    packet_feed_close(feed);
    tell_decoded(&followers->list[0], &decoded);
}

void followers_follow(struct followers *followers, struct told_frames *frames, uint32_t capture,
                      struct point_run *point, void (*each)(void *context, uint64_t consumed), void *context)
{
    followers->point = point;
    followers->capture = capture;
    followers->server_port = followers->list[0].casebook->server_port;
    if (followers->count > 1)
        follow_together(followers, frames, each, context);
    else
        follow_alone(followers, frames, each, context);
}

void followers_close(struct followers *followers)
{
    struct casebook *parts[SHARDS];
    for (unsigned i = 1; i < followers->count; i++)
        parts[i - 1] = followers->list[i].casebook;
    if (followers->count > 1)
        casebook_take_parts(followers->list[0].casebook, parts, followers->count - 1);
    memory_give(followers);
}
