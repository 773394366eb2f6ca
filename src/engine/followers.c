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
    struct os_semaphore *begin, *done;
};

struct followers {
    struct casebook *casebook;
    struct follower list[SHARDS - 1];
    unsigned count; /* with the caller */

    /* The work at hand; feed NULL: there will be no more. */
    struct packet_feed *feed;
    struct point_run *point;
};

/* Returns how many packets it has looked at; 0: that was all. */
static uint32_t follow_some(const struct followers *all, unsigned number, unsigned followers)
{
    struct fed_packets packets = packet_feed_take(all->feed, number);
    for (uint32_t i = 0; i < packets.count; i++)
        if (packets.list[i].shard % followers == number)
            point_run_packet(all->point, &packets.list[i]);
    return packets.count;
}

static void follow_shards(struct follower *follower)
{
    while (follow_some(follower->all, follower->number, follower->all->count) > 0)
        ;
}

static void run_follower(void *context)
{
    struct follower *follower = context;
    for (;;) {
        os_semaphore_wait(follower->begin);
        if (!follower->all->feed)
            return;
        follow_shards(follower);
        os_semaphore_post(follower->done);
    }
}

static bool start_follower(struct followers *followers)
{
    struct follower *follower = &followers->list[followers->count - 1];
    *follower = (struct follower){.all = followers, .number = followers->count};
    follower->begin = os_semaphore_open(0);
    follower->done = os_semaphore_open(0);
    follower->thread = os_thread_start(run_follower, follower);
    if (follower->thread) {
        follower->casebook = memory_take(sizeof *follower->casebook);
        casebook_open_part(follower->casebook, followers->casebook);
        followers->count++;
        return true;
    }
    os_semaphore_close(follower->begin);
    os_semaphore_close(follower->done);
    return false;
}

struct followers *followers_open(struct casebook *casebook, unsigned count)
{
    struct followers *followers = memory_take(sizeof *followers);
    followers->casebook = casebook;
    followers->count = 1;
    while (followers->count < count && followers->count < SHARDS && start_follower(followers))
        ;
    if (followers->count > 1)
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

void followers_follow(struct followers *followers, struct packet_feed *feed, struct point_run *point,
                      void (*each)(void *context, const struct packet_feed *feed), void *context)
{
    unsigned others = packet_feed_is_ahead(feed) ? followers->count - 1 : 0;
    followers->feed = feed;
    followers->point = point;
    for (unsigned i = 0; i < others; i++)
        os_semaphore_post(followers->list[i].begin);
    uint32_t since_each = 0;
    for (uint32_t count; (count = follow_some(followers, 0, others + 1)) > 0;) {
        since_each += count;
        if (since_each < LIMIT_PROGRESS_PACKETS)
            continue;
        since_each = 0;
        each(context, feed);
    }
    for (unsigned i = 0; i < others; i++)
        os_semaphore_wait(followers->list[i].done);
    each(context, feed);
}

void followers_close(struct followers *followers)
{
    struct casebook *parts[SHARDS];
    followers->feed = NULL;
    for (unsigned i = 0; i + 1 < followers->count; i++) {
        struct follower *follower = &followers->list[i];
        os_semaphore_post(follower->begin);
        os_thread_join(follower->thread);
        os_semaphore_close(follower->begin);
        os_semaphore_close(follower->done);
        parts[i] = follower->casebook;
    }
    if (followers->count > 1)
        casebook_take_parts(followers->casebook, parts, followers->count - 1);
    memory_give(followers);
}
