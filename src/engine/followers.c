/* Threads that follow. */
#include "followers.h"

#include <assert.h>

#include "capture_point.h"
#include "ceilings.h"
#include "memory.h"
#include "os_thread.h"

static_assert((int)SHARDS <= (int)STORES_MOST, "what each shard's follower found can be merged");

/* One beside the caller. */
struct follower {
    struct followers *all;
    unsigned number;
    struct casebook *casebook;
    struct os_thread *thread;
    struct error error; /* why it could not read; empty: it could */
};

struct followers {
    struct casebook *casebook;
    struct follower list[SHARDS - 1];
    unsigned count; /* with the caller */

    /* The work at hand. */
    const struct packet_feed_input *input;
    struct point_run *point;
    struct point_clock clock; /* as it stands before the file */
    uint32_t capture;
};

struct followers *followers_open(struct casebook *casebook, unsigned count)
{
    struct followers *followers = memory_take(sizeof *followers);
    followers->casebook = casebook;
    followers->count = count;
    for (unsigned i = 1; i < count; i++) {
        struct follower *follower = &followers->list[i - 1];
        *follower = (struct follower){.all = followers, .number = i};
        follower->casebook = memory_take(sizeof *follower->casebook);
        casebook_open_part(follower->casebook, casebook);
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
    unsigned number = shard % followers->count;
    return number == 0 ? followers->casebook : followers->list[number - 1].casebook;
}

/* Returns how many packets it has followed; 0: that was all. */
static uint32_t follow_some(struct packet_feed *feed, struct point_run *point)
{
    struct fed_packets packets = packet_feed_take(feed);
    for (uint32_t i = 0; i < packets.count; i++)
        point_run_packet(point, &packets.list[i]);
    return packets.count;
}

/* A reading of the capture. Its thread takes all that is written to for each packet, so that no other one's lies in the same cache lines. */
struct own_reading {
    struct capture_chain chain;
    struct capture_facts *facts; /* of all captures; just what is counted by who follows becomes known */
    struct point_clock clock;
};

static void read_own(const struct follower *follower, struct own_reading *own)
{
    const struct followers *all = follower->all;
    struct packet_feed_input input = *all->input;
    input.chain = &own->chain;
    input.facts = own->facts;
    input.point = NULL; /* the times of all packets are the caller's to see */
    input.decoder = &all->point->decoders[follower->number];
    input.clock = &own->clock;
    input.follower = follower->number;
    struct packet_feed *feed = packet_feed_open(&input, false);
    while (follow_some(feed, all->point) > 0)
        ;
    packet_feed_close(feed);
}

static void run_follower(void *context)
{
    struct follower *follower = context;
    const struct followers *all = follower->all;
    struct casebook *casebook = all->casebook;
    struct own_reading *own = memory_take(sizeof *own);
    own->facts = memory_take_array(casebook->capture_count, sizeof *own->facts);
    own->clock = all->clock;
    follower->error = (struct error){{0}};
    capture_chain_open(&own->chain);
    struct capture_facts *facts = &own->facts[all->capture];
    if (capture_chain_add(&own->chain, capture_facts_path(&casebook->captures[all->capture]), all->capture, facts,
                          &follower->error) == CAPTURE_OPENED)
        read_own(follower, own);
    capture_chain_close(&own->chain);
    capture_facts_add_followed(&follower->casebook->captures[all->capture], facts);
    notes_close(&facts->notes);
    memory_give(own->facts);
    memory_give(own);
}

static void start_others(struct followers *followers)
{
    for (unsigned i = 0; i + 1 < followers->count; i++)
        followers->list[i].thread = os_thread_start(run_follower, &followers->list[i]);
}

/* Others begin once the caller has the file open: where few may be open at once, it is not the caller who lacks it. */
static void follow_own(struct followers *followers, void (*each)(void *context, const struct packet_feed *feed),
                       void *context)
{
    struct packet_feed *feed = packet_feed_open(followers->input, false);
    uint32_t count = follow_some(feed, followers->point), since_each = 0;
    start_others(followers);
    for (; count > 0; count = follow_some(feed, followers->point)) {
        since_each += count;
        if (since_each < LIMIT_PROGRESS_PACKETS)
            continue;
        since_each = 0;
        each(context, feed);
    }
    each(context, feed);
    packet_feed_close(feed);
}

/* Where the system had no thread to give, or could not open the file so many times at once, it is done after the others. */
static void make_up_for(struct followers *followers, struct follower *follower)
{
    if (!follower->thread || follower->error.text[0])
        run_follower(follower);
    struct capture_facts *facts = &followers->casebook->captures[followers->capture];
    if (!follower->error.text[0])
        return;
    facts->incomplete = true;
    notes_add(&facts->notes, CAPTURE_BROKEN_NOTE, "%s", follower->error.text);
}

void followers_follow(struct followers *followers, const struct packet_feed_input *input, uint32_t capture,
                      struct point_run *point, void (*each)(void *context, const struct packet_feed *feed),
                      void *context)
{
    struct packet_feed_input divided = *input;
    divided.followers = followers->count;
    followers->input = &divided;
    followers->point = point;
    followers->capture = capture;
    followers->clock = *input->clock;
    follow_own(followers, each, context);
    for (unsigned i = 0; i + 1 < followers->count; i++)
        if (followers->list[i].thread)
            os_thread_join(followers->list[i].thread);
    for (unsigned i = 0; i + 1 < followers->count; i++)
        make_up_for(followers, &followers->list[i]);
}

void followers_close(struct followers *followers)
{
    struct casebook *parts[SHARDS];
    for (unsigned i = 0; i + 1 < followers->count; i++)
        parts[i] = followers->list[i].casebook;
    if (followers->count > 1)
        casebook_take_parts(followers->casebook, parts, followers->count - 1);
    memory_give(followers);
}
