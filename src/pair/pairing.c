/*
 * Matches conversations of the client's and the server's capture, strongest evidence first:
 *
 *   1. the connection GUID of PRELOGIN (MS-TDS 2.2.6.5, TRACEID): the same bytes on both sides, whatever rewrites addresses;
 *   2. both initial sequence numbers: 64 bits that only a device which randomises them changes;
 *   3. addresses, ports and the client's initial sequence number: for connections that were never accepted;
 *   4. addresses and ports alone, when only one conversation of each capture has them and their times overlap.
 *
 * What fits several equally well stays unmatched: a wrong pair accuses the network of losing what was another's.
 */
#include "pairing.h"

#include <string.h>

#include "clock_estimate.h"
#include "hash_index.h"

struct match {
    struct casebook *casebook;
    uint32_t client_point, server_point;
    struct hash_index index; /* of the server's conversations, by the key of the current round */
};

enum round { BY_CONNECTION_ID, BY_SEQUENCE_NUMBERS, BY_ENDS_AND_SYN, BY_ENDS, ROUNDS };

/* What a conversation is known by in a round. Zeroed first, so that it can be compared as bytes. */
struct key {
    uint8_t bytes[48];
};

static void put_ends(struct key *key, const struct conversation *c)
{
    memcpy(key->bytes, &c->ends[SIDE_CLIENT].address, 17);
    memcpy(key->bytes + 17, &c->ends[SIDE_SERVER].address, 17);
    memcpy(key->bytes + 34, &c->ends[SIDE_CLIENT].port, 2);
    memcpy(key->bytes + 36, &c->ends[SIDE_SERVER].port, 2);
}

static bool key_of(const struct conversation *c, enum round round, struct key *key)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    *key = (struct key){0};
    switch (round) {
    case BY_CONNECTION_ID:
        if (!c->tds || !c->tds->has_connection_id)
            return false;
        memcpy(key->bytes, c->tds->connection_id, sizeof c->tds->connection_id);
        return true;
    case BY_SEQUENCE_NUMBERS:
        memcpy(key->bytes, &client->isn, sizeof client->isn);
        memcpy(key->bytes + 4, &server->isn, sizeof server->isn);
        return client->isn_known && server->isn_known;
    case BY_ENDS_AND_SYN:
        put_ends(key, c);
        memcpy(key->bytes + 38, &client->isn, sizeof client->isn);
        return client->isn_known;
    case BY_ENDS:
    case ROUNDS:
        break;
    }
    put_ends(key, c);
    return true;
}

/* The only unmatched conversation of the server's capture with that key; NULL: none, or several. */
static struct conversation *only_one(const struct match *match, enum round round, const struct key *wanted)
{
    struct conversation *found = NULL;
    struct hash_probe probe = hash_index_probe(&match->index, hash_bytes(wanted, sizeof *wanted));
    for (uint32_t number; (number = hash_probe_next(&probe)) != HASH_NONE;) {
        struct conversation *c = casebook_conversation(match->casebook, number);
        struct key key;
        if (c->twin || !key_of(c, round, &key) || memcmp(&key, wanted, sizeof key) != 0)
            continue;
        if (found)
            return NULL;
        found = c;
    }
    return found;
}

static void fill_index(struct match *match, enum round round)
{
    hash_index_open(&match->index);
    for (uint32_t i = 0; i < casebook_conversations(match->casebook); i++) {
        const struct conversation *c = casebook_conversation(match->casebook, i);
        struct key key;
        if (c->point == match->server_point && !c->twin && key_of(c, round, &key))
            hash_index_add(&match->index, hash_bytes(&key, sizeof key), i);
    }
}

/* Two conversations of the client's capture with the same key would both want the same twin. */
static bool is_alone(const struct match *match, const struct conversation *c, enum round round,
                     const struct hash_index *own)
{
    struct key wanted, key;
    uint32_t same = 0;
    key_of(c, round, &wanted);
    struct hash_probe probe = hash_index_probe(own, hash_bytes(&wanted, sizeof wanted));
    for (uint32_t number; (number = hash_probe_next(&probe)) != HASH_NONE && same < 2;) {
        const struct conversation *other = casebook_conversation(match->casebook, number);
        same += !other->twin && key_of(other, round, &key) && memcmp(&key, &wanted, sizeof key) == 0;
    }
    return same == 1;
}

/* Clocks may differ by hours, so only conversations known by nothing but their addresses need a time that fits, and that only
 * once the clocks are known. */
static bool times_fit(const struct casebook *casebook, const struct conversation *client,
                      const struct conversation *server)
{
    if (!casebook->clock.known)
        return true;
    int64_t slack_ns = casebook->clock.uncertainty_ns + 5 * NS_PER_SECOND;
    return clock_to_client(&casebook->clock, server->first.time_ns) <= client->last.time_ns + slack_ns &&
           clock_to_client(&casebook->clock, server->last.time_ns) >= client->first.time_ns - slack_ns;
}

static void match_round(struct match *match, enum round round)
{
    struct hash_index own;
    hash_index_open(&own);
    struct key key;
    fill_index(match, round);
    uint32_t count = casebook_conversations(match->casebook);
    for (uint32_t i = 0; i < count; i++) {
        const struct conversation *c = casebook_conversation(match->casebook, i);
        if (c->point == match->client_point && !c->twin && key_of(c, round, &key))
            hash_index_add(&own, hash_bytes(&key, sizeof key), i);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct conversation *c = casebook_conversation(match->casebook, i);
        if (c->point != match->client_point || c->twin || !key_of(c, round, &key) || !is_alone(match, c, round, &own))
            continue;
        struct conversation *twin = only_one(match, round, &key);
        if (!twin || (round == BY_ENDS && !times_fit(match->casebook, c, twin)))
            continue;
        c->twin = twin->id;
        twin->twin = c->id;
        twin->secondary = true;
        match->casebook->secondary_count++;
    }
    hash_index_close(&own);
    hash_index_close(&match->index);
}

static void measure(struct clock_estimate *estimate, enum side sender, const struct moment *sent,
                    const struct moment *received)
{
    if (moment_seen(sent) && moment_seen(received))
        clock_estimate_add(estimate, sender, sent->time_ns, received->time_ns);
}

/* Whether the first data and FIN here are the first there: not when one was sent twice, or one capture missed some. */
static bool is_whole(const struct conversation *c)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *s = &c->sides[side];
        if (s->retransmits > 0 || s->unseen_segments > 0 || s->acknowledged_unseen || s->out_of_order > 0)
            return false;
    }
    return c->starts_with_syn;
}

static void measure_conversation(struct clock_estimate *estimate, const struct conversation *client,
                                 const struct conversation *server)
{
    bool whole = is_whole(client) && is_whole(server);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *here = &client->sides[side], *there = &server->sides[side];
        const struct tcp_side *sent = side == SIDE_CLIENT ? here : there,
                              *received = side == SIDE_CLIENT ? there : here;
        if (here->syns == 1 && there->syns == 1)
            measure(estimate, side, &sent->syn, &received->syn);
        if (!whole)
            continue;
        measure(estimate, side, &sent->first_data, &received->first_data);
        measure(estimate, side, &sent->fin, &received->fin);
    }
}

/* With other initial sequence numbers at each end these may be two connections, joined by a device that takes its time. */
static bool has_same_numbers(const struct conversation *client, const struct conversation *server)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        if (client->sides[side].isn != server->sides[side].isn)
            return false;
    return true;
}

static struct clock_facts measure_clocks(const struct casebook *casebook, uint32_t client_point, bool same_numbers)
{
    struct clock_estimate estimate;
    clock_estimate_open(&estimate, casebook->points[client_point].first_ns, casebook->points[client_point].last_ns);
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (!c->twin || c->secondary)
            continue;
        const struct conversation *twin = casebook_conversation(casebook, c->twin - 1);
        if (!same_numbers || has_same_numbers(c, twin))
            measure_conversation(&estimate, c, twin);
    }
    return clock_estimate_result(&estimate);
}

void pairing_run(struct casebook *casebook)
{
    struct match match = {.casebook = casebook,
                          .client_point = casebook_only_point(casebook, CAPTURE_ROLE_CLIENT),
                          .server_point = casebook_only_point(casebook, CAPTURE_ROLE_SERVER)};
    if (match.client_point == NO_POINT || match.server_point == NO_POINT)
        return;
    for (enum round round = BY_CONNECTION_ID; round < BY_ENDS; round++)
        match_round(&match, round);
    casebook->clock = measure_clocks(casebook, match.client_point, true);
    if (!casebook->clock.known)
        casebook->clock = measure_clocks(casebook, match.client_point, false);
    match_round(&match, BY_ENDS);
}
