/* Sorts conversations by what they are known by: those with the same key stand together. */
#include "match_keys.h"

#include <stdlib.h>
#include <string.h>

#include "hash_index.h"
#include "memory.h"

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
    case MATCHED_BY_TRACES:
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
        if (same.list[i].point != point || view_groups_have(casebook, groups, number, other))
            continue;
        if (found != HASH_NONE)
            return HASH_NONE;
        found = number;
    }
    return found;
}

static bool may_be_one(const struct casebook *casebook, const struct view_groups *groups, enum match_evidence round,
                       uint32_t a, uint32_t b)
{
    if (a == HASH_NONE || b == HASH_NONE || !view_groups_may_unite(casebook, groups, a, b))
        return false;
    const struct conversation *here = view_numbered(casebook, a), *there = view_numbered(casebook, b);
    return round != MATCHED_BY_ENDS || (view_times_fit(casebook, here, there) && !views_contradict(here, there));
}

static void doubt_same(const struct casebook *casebook, struct view_groups *groups, struct same_key same)
{
    uint32_t *numbers = memory_take_array(same.count, sizeof *numbers);
    for (uint32_t i = 0; i < same.count; i++)
        numbers[i] = same.list[i].number;
    view_groups_doubt(casebook, groups, numbers, same.count);
    memory_give(numbers);
}

static void match_same(struct casebook *casebook, struct view_groups *groups, enum match_evidence round,
                       struct same_key same)
{
    static const double bits[MATCH_EVIDENCES] = {
        [MATCHED_BY_CONNECTION_ID] = 122, /* random ones of a version 4 GUID (RFC 4122, 4.4) */
        [MATCHED_BY_SEQUENCE_NUMBERS] = 64,
        [MATCHED_BY_ENDS_AND_SYN] = 32,
    };
    uint32_t points[PATH_POINTS_MOST], count = 0;
    for (uint32_t i = 0; i < same.count && count < PATH_POINTS_MOST; i++)
        if (count == 0 || points[count - 1] != same.list[i].point)
            points[count++] = same.list[i].point;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++) {
            uint32_t a = only_one(casebook, groups, same, points[i], points[j]),
                     b = only_one(casebook, groups, same, points[j], points[i]);
            if (may_be_one(casebook, groups, round, a, b))
                view_groups_unite(casebook, groups, a, b, (struct match){round, bits[round], 0});
        }
    if (round == MATCHED_BY_ENDS && count > 1)
        doubt_same(casebook, groups, same);
}

/* Moves those with the key of the first to the front, in their order: other keys may have the same hash. */
static uint32_t gather_same(const struct casebook *casebook, enum match_evidence round, struct keyed *list,
                            uint32_t count)
{
    struct key wanted, key;
    key_of(view_numbered(casebook, list[0].number), round, &wanted);
    uint32_t same = 1;
    for (uint32_t i = 1; i < count; i++) {
        key_of(view_numbered(casebook, list[i].number), round, &key);
        if (memcmp(&key, &wanted, sizeof key) != 0)
            continue;
        struct keyed it = list[i];
        memmove(&list[same + 1], &list[same], (i - same) * sizeof *list);
        list[same++] = it;
    }
    return same;
}

void match_keys_round(struct casebook *casebook, struct view_groups *groups, enum match_evidence round)
{
    struct keyed *list = memory_take_array((size_t)groups->count + 1, sizeof *list);
    uint32_t count = 0;
    for (uint32_t i = 0; i < groups->count; i++) {
        struct key key;
        if (key_of(view_numbered(casebook, i), round, &key))
            list[count++] = (struct keyed){hash_bytes(&key, sizeof key), view_numbered(casebook, i)->point, i};
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
