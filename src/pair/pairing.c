/*
 * Matches conversations of different captures, strongest evidence first:
 *
 *   1. the connection GUID of PRELOGIN (MS-TDS 2.2.6.5, TRACEID): the same bytes everywhere, whatever rewrites addresses;
 *   2. both initial sequence numbers: 64 bits that only a device which randomises them changes;
 *   3. addresses, ports and the client's initial sequence number: for connections that were never accepted;
 *   4. addresses and ports alone, when only one conversation of each capture has them and their times overlap;
 *   5. the sequence numbers that both directions count through: for those under way when the captures began, behind address
 *      translation.
 *
 * What fits several equally well stays unmatched: a wrong pair accuses the network of losing what was another's.
 */
#include "pairing.h"

#include <stdlib.h>
#include <string.h>

#include "bytes_in_flight.h"
#include "hash_index.h"
#include "memory.h"
#include "path_clocks.h"

/* What a conversation is known by in a round. Zeroed first, so that it can be compared as bytes. */
struct key {
    uint8_t bytes[48];
};

/* A conversation that has a key. Sorted, those with the same key stand together, and in it those of the same point. */
struct keyed {
    uint32_t hash, point, number;
};

static void put_ends(struct key *key, const struct conversation *c)
{
    memcpy(key->bytes, &c->ends[SIDE_CLIENT].address, 17);
    memcpy(key->bytes + 17, &c->ends[SIDE_SERVER].address, 17);
    memcpy(key->bytes + 34, &c->ends[SIDE_CLIENT].port, 2);
    memcpy(key->bytes + 36, &c->ends[SIDE_SERVER].port, 2);
}

static bool key_of(const struct conversation *c, enum match_evidence round, struct key *key)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    *key = (struct key){0};
    switch (round) {
    case MATCHED_BY_CONNECTION_ID:
        if (!c->tds || !c->tds->has_connection_id)
            return false;
        memcpy(key->bytes, c->tds->connection_id, sizeof c->tds->connection_id);
        return true;
    case MATCHED_BY_SEQUENCE_NUMBERS:
        memcpy(key->bytes, &client->isn, sizeof client->isn);
        memcpy(key->bytes + 4, &server->isn, sizeof server->isn);
        return client->isn_known && server->isn_known;
    case MATCHED_BY_ENDS_AND_SYN:
        put_ends(key, c);
        memcpy(key->bytes + 38, &client->isn, sizeof client->isn);
        return client->isn_known;
    case MATCHED_BY_ENDS:
    case MATCHED_BY_BYTES_IN_FLIGHT:
    case MATCH_EVIDENCES:
        break;
    }
    put_ends(key, c);
    return true;
}

static int compare_keyed(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->point != b->point)
        return a->point < b->point ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static const struct conversation *view(const struct casebook *casebook, uint32_t number)
{
    return casebook_conversation(casebook, number);
}

static bool group_has(const struct casebook *casebook, const struct view_groups *groups, uint32_t number,
                      uint32_t point)
{
    for (uint32_t i = groups->head[number]; i != VIEWS_END; i = groups->next[i])
        if (view(casebook, i)->point == point)
            return true;
    return false;
}

/* A machine sees a connection from one place: two captures that were both taken at the client are not its two ends. One that only
 * seems to be the client's, beside one that was said to be, is on the way. */
static bool may_share(const struct casebook *casebook, uint32_t a, uint32_t b)
{
    const struct point_facts *here = &casebook->points[a], *there = &casebook->points[b];
    bool at_an_end = here->role == CAPTURE_ROLE_CLIENT || here->role == CAPTURE_ROLE_SERVER;
    return a != b && !(at_an_end && there->role == here->role && there->role_given == here->role_given);
}

static bool may_unite(const struct casebook *casebook, const struct view_groups *groups, uint32_t a, uint32_t b)
{
    uint32_t size = 0;
    for (uint32_t i = groups->head[b]; i != VIEWS_END; i = groups->next[i])
        size++;
    for (uint32_t i = groups->head[a]; i != VIEWS_END; i = groups->next[i], size++)
        for (uint32_t j = groups->head[b]; j != VIEWS_END; j = groups->next[j])
            if (!may_share(casebook, view(casebook, i)->point, view(casebook, j)->point))
                return false;
    return size <= PATH_POINTS_MOST;
}

static void unite(struct casebook *casebook, struct view_groups *groups, uint32_t a, uint32_t b,
                  enum match_evidence evidence)
{
    uint32_t last = groups->head[a];
    while (groups->next[last] != VIEWS_END)
        last = groups->next[last];
    groups->next[last] = groups->head[b];
    for (uint32_t i = groups->head[b]; i != VIEWS_END; i = groups->next[i]) {
        groups->head[i] = groups->head[a];
        casebook_conversation(casebook, i)->matched_by = evidence;
    }
    casebook_conversation(casebook, a)->matched_by = evidence;
}

static bool is_end_to_end(const struct casebook *casebook, uint32_t a, uint32_t b)
{
    enum capture_role here = casebook->points[a].role, there = casebook->points[b].role;
    return (here == CAPTURE_ROLE_CLIENT && there == CAPTURE_ROLE_SERVER) ||
           (here == CAPTURE_ROLE_SERVER && there == CAPTURE_ROLE_CLIENT);
}

/* For conversations known by little else. Clocks may differ by hours: while they are not known, only the captures of a client and a
 * server are trusted to show the same network. */
static bool times_fit(const struct casebook *casebook, const struct conversation *a, const struct conversation *b)
{
    const struct point_pair *pair = point_pairs_find(&casebook->pairs, a->point, b->point);
    if (!pair || !pair->clock.known)
        return is_end_to_end(casebook, a->point, b->point);
    const struct conversation *near = pair->near == a->point ? a : b, *far = pair->near == a->point ? b : a;
    int64_t slack_ns = pair->clock.uncertainty_ns + 5 * NS_PER_SECOND;
    return clock_to_client(&pair->clock, far->first.time_ns) <= near->last.time_ns + slack_ns &&
           clock_to_client(&pair->clock, far->last.time_ns) >= near->first.time_ns - slack_ns;
}

/* Conversations with the same key, those of one point after those of another. */
struct same_key {
    const struct keyed *list;
    uint32_t count;
};

/* The only one of that point which has no view at the other point yet; HASH_NONE: none, or several. */
static uint32_t only_one(const struct casebook *casebook, const struct view_groups *groups, struct same_key same,
                         uint32_t point, uint32_t other)
{
    uint32_t found = HASH_NONE;
    for (uint32_t i = 0; i < same.count; i++) {
        uint32_t number = same.list[i].number;
        if (same.list[i].point != point || group_has(casebook, groups, number, other))
            continue;
        if (found != HASH_NONE)
            return HASH_NONE;
        found = number;
    }
    return found;
}

static void match_same(struct casebook *casebook, struct view_groups *groups, enum match_evidence round,
                       struct same_key same)
{
    uint32_t points[PATH_POINTS_MOST], count = 0;
    for (uint32_t i = 0; i < same.count && count < PATH_POINTS_MOST; i++)
        if (count == 0 || points[count - 1] != same.list[i].point)
            points[count++] = same.list[i].point;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++) {
            uint32_t a = only_one(casebook, groups, same, points[i], points[j]),
                     b = only_one(casebook, groups, same, points[j], points[i]);
            if (a == HASH_NONE || b == HASH_NONE || !may_unite(casebook, groups, a, b) ||
                (round == MATCHED_BY_ENDS && !times_fit(casebook, view(casebook, a), view(casebook, b))))
                continue;
            unite(casebook, groups, a, b, round);
        }
}

/* Moves those with the key of the first to the front, in their order: other keys may have the same hash. */
static uint32_t gather_same(const struct casebook *casebook, enum match_evidence round, struct keyed *list,
                            uint32_t count)
{
    struct key wanted, key;
    key_of(view(casebook, list[0].number), round, &wanted);
    uint32_t same = 1;
    for (uint32_t i = 1; i < count; i++) {
        key_of(view(casebook, list[i].number), round, &key);
        if (memcmp(&key, &wanted, sizeof key) != 0)
            continue;
        struct keyed it = list[i];
        memmove(&list[same + 1], &list[same], (i - same) * sizeof *list);
        list[same++] = it;
    }
    return same;
}

static void match_round(struct casebook *casebook, struct view_groups *groups, enum match_evidence round)
{
    struct keyed *list = memory_take_array((size_t)groups->count + 1, sizeof *list);
    uint32_t count = 0;
    for (uint32_t i = 0; i < groups->count; i++) {
        struct key key;
        if (key_of(view(casebook, i), round, &key))
            list[count++] = (struct keyed){hash_bytes(&key, sizeof key), view(casebook, i)->point, i};
    }
    qsort(list, count, sizeof *list, compare_keyed);
    for (uint32_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && list[to].hash == list[from].hash;)
            to++;
        while (from < to) {
            uint32_t same = gather_same(casebook, round, list + from, to - from);
            match_same(casebook, groups, round, (struct same_key){list + from, same});
            from += same;
        }
    }
    memory_give(list);
}

/* Chance alone must not make a fit: as many tries as there are pairs of candidates, each with the chance that both directions have
 * of overlapping by accident. */
#define CHANCE_MOST 1e-3
#define CANDIDATES_MOST 4096

struct candidates {
    uint32_t list[CANDIDATES_MOST];
    uint32_t count;
    double longest[SIDES]; /* of their spans of sequence numbers */
};

/* Those of the point that no other capture is known to have. */
static void find_candidates(const struct casebook *casebook, const struct view_groups *groups, uint32_t point,
                            struct candidates *candidates)
{
    *candidates = (struct candidates){0};
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct conversation *c = view(casebook, i);
        if (c->point != point || groups->head[i] != i || groups->next[i] != VIEWS_END || !bytes_in_flight_known(c))
            continue;
        if (candidates->count < CANDIDATES_MOST)
            candidates->list[candidates->count] = i;
        candidates->count++;
        for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
            double span = (double)(c->sides[side].seq_end - c->sides[side].seq_first) + 1;
            candidates->longest[side] = span > candidates->longest[side] ? span : candidates->longest[side];
        }
    }
}

static double chance(const struct candidates *a, const struct candidates *b)
{
    double all = (double)a->count * b->count;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        all *= (a->longest[side] + b->longest[side]) / 4294967296.0;
    return all;
}

/* The only candidate that fits; HASH_NONE: none, or several. */
static uint32_t only_fit(const struct casebook *casebook, const struct candidates *candidates, uint32_t number)
{
    uint32_t found = HASH_NONE;
    for (uint32_t i = 0; i < candidates->count; i++) {
        uint32_t other = candidates->list[i];
        if (!bytes_in_flight_overlap(view(casebook, number), view(casebook, other)))
            continue;
        if (found != HASH_NONE)
            return HASH_NONE;
        found = other;
    }
    return found;
}

static void match_candidates(struct casebook *casebook, struct view_groups *groups, const struct candidates *here,
                             const struct candidates *there)
{
    for (uint32_t i = 0; i < here->count; i++) {
        uint32_t a = here->list[i], b = only_fit(casebook, there, a);
        if (b != HASH_NONE && only_fit(casebook, here, b) == a && may_unite(casebook, groups, a, b) &&
            times_fit(casebook, view(casebook, a), view(casebook, b)))
            unite(casebook, groups, a, b, MATCHED_BY_BYTES_IN_FLIGHT);
    }
}

static void match_under_way(struct casebook *casebook, struct view_groups *groups)
{
    struct candidates *here = memory_take(sizeof *here), *there = memory_take(sizeof *there);
    uint32_t points = casebook->point_count < PATH_POINTS_MOST ? casebook->point_count : PATH_POINTS_MOST;
    for (uint32_t a = 0; a < points; a++)
        for (uint32_t b = a + 1; b < points; b++) {
            find_candidates(casebook, groups, a, here);
            find_candidates(casebook, groups, b, there);
            if (may_share(casebook, a, b) && here->count <= CANDIDATES_MOST && there->count <= CANDIDATES_MOST &&
                chance(here, there) < CHANCE_MOST)
                match_candidates(casebook, groups, here, there);
        }
    memory_give(here);
    memory_give(there);
}

static void open_groups(struct view_groups *groups, uint32_t count)
{
    groups->count = count;
    groups->head = memory_take_array((size_t)count + 1, sizeof *groups->head);
    groups->next = memory_take_array((size_t)count + 1, sizeof *groups->next);
    for (uint32_t i = 0; i < count; i++) {
        groups->head[i] = i;
        groups->next[i] = VIEWS_END;
    }
}

static void close_groups(struct view_groups *groups)
{
    memory_give(groups->head);
    memory_give(groups->next);
}

static void match_by_numbers(struct casebook *casebook, struct view_groups *groups)
{
    open_groups(groups, casebook_conversations(casebook));
    for (enum match_evidence round = MATCHED_BY_CONNECTION_ID; round < MATCHED_BY_ENDS; round++)
        match_round(casebook, groups, round);
}

/* From the client to the server. */
static uint32_t order_views(const struct casebook *casebook, const struct view_groups *groups, uint32_t head,
                            uint32_t ordered[static PATH_POINTS_MOST])
{
    uint32_t count = 0;
    for (uint32_t i = head; i != VIEWS_END; i = groups->next[i]) {
        uint32_t at = count++;
        for (; at > 0 && path_is_nearer(casebook, view(casebook, i)->point, view(casebook, ordered[at - 1])->point);
             at--)
            ordered[at] = ordered[at - 1];
        ordered[at] = i;
    }
    return count;
}

static void count_pairs(struct casebook *casebook, const uint32_t *ordered, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++)
            point_pairs_need(&casebook->pairs, view(casebook, ordered[i])->point, view(casebook, ordered[j])->point)
                ->connections++;
}

static void link_views(struct casebook *casebook, const struct view_groups *groups)
{
    for (uint32_t i = 0; i < groups->count; i++) {
        uint32_t ordered[PATH_POINTS_MOST];
        if (groups->head[i] != i || groups->next[i] == VIEWS_END)
            continue;
        uint32_t count = order_views(casebook, groups, i, ordered);
        struct conversation *stands = casebook_conversation(casebook, ordered[0]);
        stands->twin = ordered[count - 1] + 1;
        for (uint32_t j = 1; j < count; j++) {
            struct conversation *c = casebook_conversation(casebook, ordered[j]);
            c->secondary = true;
            c->twin = stands->id;
            casebook_conversation(casebook, ordered[j - 1])->next_view = c->id;
            casebook->secondary_count++;
        }
        count_pairs(casebook, ordered, count);
    }
}

/* Beside a capture that was said to be taken at an end, one of the same connections that only looks like it stands before it. */
static void set_on_the_way(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        struct point_facts *near = &casebook->points[casebook->pairs.list[i].near],
                           *far = &casebook->points[casebook->pairs.list[i].far];
        if (near->role == far->role && near->role_given != far->role_given)
            (near->role_given ? far : near)->role = CAPTURE_ROLE_MIDDLE;
    }
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        casebook->captures[i].role = casebook->points[casebook->captures[i].point].role;
}

void pairing_run(struct casebook *casebook)
{
    struct view_groups groups;
    if (casebook->point_count < 2)
        return;
    match_by_numbers(casebook, &groups);
    if (!path_clocks_measure(casebook, &groups)) {
        close_groups(&groups);
        casebook->pairs.count = 0;
        match_by_numbers(casebook, &groups);
        path_clocks_measure(casebook, &groups);
    }
    set_on_the_way(casebook);
    match_round(casebook, &groups, MATCHED_BY_ENDS);
    match_under_way(casebook, &groups);
    path_clocks_complete(casebook, &groups);
    link_views(casebook, &groups);
    path_clocks_settle(casebook);
    close_groups(&groups);
}
