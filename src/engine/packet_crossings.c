/*
 * Theory of operation. On each stretch a packet that was sent is told of once, with the first packet that it arrived as. So a packet
 * is followed from its sender on: what arrived on one stretch was sent on the next. Where a capture on the way missed it, the
 * comparison from end to end joins what was seen before with what was seen after; and it knows best whether a packet arrived.
 */
#include "packet_crossings.h"

#include <stdlib.h>
#include <string.h>

#include "hash_index.h"
#include "memory.h"

struct stretch_crossing {
    struct moment sent, arrived; /* frame 0: not there */
    int64_t time_ns, took_ns;    /* on the clock of the near one */
    enum side sender;
    enum packet_fate fate;
};

struct joining {
    const struct packet_crossings *crossings;
    const struct casebook *casebook;
    struct shown_crossings *shown;
    uint32_t capacity;
};

void packet_crossings_see(void *context, unsigned stretch, enum side sender, const struct compared_packet *sent,
                          const struct compared_packet *arrived, enum packet_fate fate)
{
    struct stretch_crossings *kept = &((struct packet_crossings *)context)->stretches[stretch];
    if (kept->count == SHOWN_CROSSINGS) {
        kept->beyond++;
        return;
    }
    if (kept->count == kept->capacity) {
        kept->capacity = kept->capacity ? kept->capacity * 2 : 64;
        kept->list = memory_grow(kept->list, kept->capacity, sizeof *kept->list);
    }
    const struct compared_packet *at_near = sender == SIDE_CLIENT ? sent : arrived;
    kept->list[kept->count++] = (struct stretch_crossing){
        .sent = sent ? sent->moment : (struct moment){0},
        .arrived = arrived ? arrived->moment : (struct moment){0},
        .time_ns = at_near ? at_near->time_ns
                   : sent  ? sent->time_ns
                           : arrived->time_ns,
        .took_ns = sent && arrived ? arrived->time_ns - sent->time_ns : 0,
        .sender = sender,
        .fate = fate,
    };
}

static uint32_t hash_moment(const struct moment *moment)
{
    uint32_t key[2] = {moment->capture, moment->frame};
    return hash_bytes(key, sizeof key);
}

static bool same_packet(const struct moment *a, const struct moment *b)
{
    return a->frame == b->frame && a->capture == b->capture;
}

static const struct conversation *view_at(const struct joining *joining, unsigned place)
{
    return casebook_conversation(joining->casebook, joining->shown->views[place] - 1);
}

/* A time of that view's capture, on the clock of the view nearest to the client. */
static int64_t time_at_client(const struct joining *joining, unsigned place, int64_t time_ns)
{
    uint32_t client = view_at(joining, 0)->point, point = view_at(joining, place)->point;
    const struct point_pair *pair = point_pairs_find(&joining->casebook->pairs, client, point);
    return pair && pair->clock.known ? clock_to_client(&pair->clock, time_ns) : time_ns;
}

static uint32_t add_crossing(struct joining *joining, const struct stretch_crossing *seen, unsigned near)
{
    struct shown_crossings *shown = joining->shown;
    if (shown->count == joining->capacity) {
        joining->capacity = joining->capacity ? joining->capacity * 2 : 64;
        shown->list = memory_grow(shown->list, joining->capacity, sizeof *shown->list);
    }
    shown->list[shown->count] =
        (struct crossing){.sender = seen->sender, .time_ns = time_at_client(joining, near, seen->time_ns)};
    return shown->count++;
}

static void go_on(struct joining *joining, struct hash_index *there, uint32_t number,
                  const struct stretch_crossing *seen, unsigned near)
{
    struct crossing *crossing = &joining->shown->list[number];
    unsigned from = seen->sender == SIDE_CLIENT ? near : near + 1, to = seen->sender == SIDE_CLIENT ? near + 1 : near;
    crossing->seen[from] = seen->sent;
    crossing->seen[to] = seen->arrived;
    crossing->fates[near] = seen->fate;
    crossing->took_ns += seen->took_ns;
    if (moment_seen(&seen->arrived))
        hash_index_add(there, hash_moment(&seen->arrived), number);
}

/* here: crossings by the packet that they are where the stretch begins; there: where it ends. */
static void join_stretch(struct joining *joining, unsigned near, enum side sender, const struct hash_index *here,
                         struct hash_index *there)
{
    bool whole = joining->shown->view_count == 2;
    const struct stretch_crossings *kept = &joining->crossings->stretches[whole ? 0 : near + 1];
    unsigned from = sender == SIDE_CLIENT ? near : near + 1;
    for (uint32_t i = 0; i < kept->count; i++) {
        const struct stretch_crossing *seen = &kept->list[i];
        bool goes_on = false;
        if (seen->sender != sender)
            continue;
        struct hash_probe probe = hash_index_probe(here, hash_moment(&seen->sent));
        for (uint32_t n; moment_seen(&seen->sent) && (n = hash_probe_next(&probe)) != HASH_NONE;) {
            if (!same_packet(&joining->shown->list[n].seen[from], &seen->sent))
                continue;
            go_on(joining, there, n, seen, near);
            goes_on = true;
        }
        if (!goes_on)
            go_on(joining, there, add_crossing(joining, seen, near), seen, near);
    }
}

static void join_way(struct joining *joining, enum side sender)
{
    unsigned stretches = joining->shown->view_count - 1;
    struct hash_index here, there;
    hash_index_open(&here);
    for (unsigned i = 0; i < stretches; i++) {
        hash_index_open(&there);
        join_stretch(joining, sender == SIDE_CLIENT ? i : stretches - 1 - i, sender, &here, &there);
        hash_index_close(&here);
        here = there;
    }
    hash_index_close(&here);
}

static unsigned place_of_end(const struct joining *joining, enum side end)
{
    return end == SIDE_CLIENT ? 0 : joining->shown->view_count - 1;
}

/* The crossing that is this packet at that end; NULL: there is none. */
static struct crossing *crossing_at(const struct joining *joining, const struct hash_index *at_end, unsigned place,
                                    const struct moment *moment)
{
    struct hash_probe probe = hash_index_probe(at_end, hash_moment(moment));
    for (uint32_t n; moment_seen(moment) && (n = hash_probe_next(&probe)) != HASH_NONE;)
        if (same_packet(&joining->shown->list[n].seen[place], moment))
            return &joining->shown->list[n];
    return NULL;
}

static bool have_place_in_common(const struct crossing *a, const struct crossing *b)
{
    for (unsigned i = 0; i < PATH_POINTS_MOST; i++)
        if (moment_seen(&a->seen[i]) && moment_seen(&b->seen[i]))
            return true;
    return false;
}

/* Both are one packet, which arrived: nothing of it was lost, or made, where a capture on the way does not have it. The second is left
 * without a place that saw it. */
static void unite(struct crossing *into, struct crossing *rest)
{
    for (unsigned i = 0; i < PATH_POINTS_MOST; i++) {
        if (moment_seen(&rest->seen[i]))
            into->seen[i] = rest->seen[i];
        rest->seen[i] = (struct moment){0};
    }
    for (unsigned i = 0; i < PATH_POINTS_MOST - 1; i++) {
        if (into->fates[i] == FATE_UNTOLD)
            into->fates[i] = rest->fates[i];
        if (into->fates[i] != FATE_UNTOLD && into->fates[i] != FATE_ARRIVED)
            into->fates[i] = FATE_MISSED;
    }
}

/* On a stretch alone it may seem that only the capture missed it. */
static void tell_lost(struct crossing *crossing)
{
    for (unsigned i = 0; i < PATH_POINTS_MOST - 1; i++)
        if (crossing->fates[i] == FATE_MISSED)
            crossing->fates[i] = FATE_LOST;
}

/* From end to end the times are known best. */
static void join_ends(struct joining *joining)
{
    struct hash_index at_ends[SIDES];
    const struct stretch_crossings *whole = &joining->crossings->stretches[0];
    for (enum side end = SIDE_CLIENT; end < SIDES; end++) {
        hash_index_open(&at_ends[end]);
        for (uint32_t i = 0; i < joining->shown->count; i++) {
            const struct moment *moment = &joining->shown->list[i].seen[place_of_end(joining, end)];
            if (moment_seen(moment))
                hash_index_add(&at_ends[end], hash_moment(moment), i);
        }
    }
    for (uint32_t i = 0; i < whole->count; i++) {
        const struct stretch_crossing *seen = &whole->list[i];
        enum side receiver = side_other(seen->sender);
        struct crossing *left =
            crossing_at(joining, &at_ends[seen->sender], place_of_end(joining, seen->sender), &seen->sent);
        struct crossing *came =
            crossing_at(joining, &at_ends[receiver], place_of_end(joining, receiver), &seen->arrived);
        if (left && came && left != came && !have_place_in_common(left, came))
            unite(left, came);
        struct crossing *crossing = left ? left : came;
        if (!crossing)
            continue;
        crossing->time_ns = seen->time_ns;
        if (seen->fate == FATE_ARRIVED)
            crossing->took_ns = seen->took_ns;
        if (seen->fate == FATE_LOST && crossing_fate(crossing, 0, place_of_end(joining, SIDE_SERVER)) == FATE_MISSED)
            tell_lost(crossing);
    }
    hash_index_close(&at_ends[SIDE_CLIENT]);
    hash_index_close(&at_ends[SIDE_SERVER]);
}

static bool was_seen(const struct crossing *crossing)
{
    for (unsigned i = 0; i < PATH_POINTS_MOST; i++)
        if (moment_seen(&crossing->seen[i]))
            return true;
    return false;
}

static uint32_t first_frame(const struct crossing *crossing)
{
    for (unsigned i = 0; i < PATH_POINTS_MOST; i++)
        if (moment_seen(&crossing->seen[i]))
            return crossing->seen[i].frame;
    return 0;
}

static int compare_crossings(const void *left, const void *right)
{
    const struct crossing *a = left, *b = right;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return (first_frame(a) > first_frame(b)) - (first_frame(a) < first_frame(b));
}

static void order(struct shown_crossings *shown)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < shown->count; i++)
        if (was_seen(&shown->list[i]))
            shown->list[count++] = shown->list[i];
    shown->count = count;
    if (count > 1)
        qsort(shown->list, count, sizeof *shown->list, compare_crossings);
}

static void find_views(const struct casebook *casebook, struct shown_crossings *shown)
{
    bool compared = true;
    const struct conversation *view = casebook_conversation(casebook, shown->id - 1);
    shown->views[shown->view_count++] = view->id;
    for (; view->next_view && shown->view_count < PATH_POINTS_MOST; shown->views[shown->view_count++] = view->id) {
        compared = compared && view->onward;
        shown->relayed = shown->relayed || (view->onward && view->onward->relayed);
        view = casebook_conversation(casebook, view->next_view - 1);
    }
    if (compared || shown->view_count == 2)
        return;
    shown->views[1] = view->id;
    shown->view_count = 2;
}

void packet_crossings_join(const struct packet_crossings *crossings, const struct casebook *casebook,
                           struct shown_crossings *shown)
{
    if (shown->id == 0)
        return;
    struct joining joining = {.crossings = crossings, .casebook = casebook, .shown = shown};
    find_views(casebook, shown);
    join_way(&joining, SIDE_CLIENT);
    join_way(&joining, SIDE_SERVER);
    join_ends(&joining);
    order(shown);
    for (unsigned i = 0; i < PATH_POINTS_MOST; i++)
        if (crossings->stretches[i].beyond > shown->beyond)
            shown->beyond = crossings->stretches[i].beyond;
}

void packet_crossings_forget(void *context)
{
    packet_crossings_close(context);
}

void packet_crossings_close(struct packet_crossings *crossings)
{
    for (unsigned i = 0; i < PATH_POINTS_MOST; i++)
        memory_give(crossings->stretches[i].list);
    *crossings = (struct packet_crossings){0};
}
