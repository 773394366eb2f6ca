/* One pass over all conversations, gathering what is known of each server and of each client of a server. */
#include "surroundings.h"

#include <string.h>

#include "login_signs.h"
#include "memory.h"
#include "signs.h"
#include "sorted.h"
#include "standstill.h"
#include "ttl_signs.h"

/* A program that is up takes an accepted connection and answers PRELOGIN in milliseconds; a second means that it did
 * not get round to accept(). */
#define SERVED_WITHIN_NS NS_PER_SECOND

/* An application knows a handful of servers; who finds twenty endpoints dead is looking for live ones. */
enum { DEAD_ENDS_OF_A_SCAN = 20 };

enum { KEY_SIZE = 4 + 17 + 17 + 2 };

static uint32_t key_hash(uint32_t point, const struct address *client, const struct endpoint *server)
{
    uint8_t key[KEY_SIZE] = {(uint8_t)point, (uint8_t)(point >> 8), (uint8_t)(point >> 16), (uint8_t)(point >> 24)};
    if (client) {
        key[4] = client->version;
        memcpy(key + 5, client->bytes, sizeof client->bytes);
    }
    if (server) {
        key[21] = server->address.version;
        memcpy(key + 22, server->address.bytes, sizeof server->address.bytes);
        key[38] = (uint8_t)server->port;
        key[39] = (uint8_t)(server->port >> 8);
    }
    return hash_words(key, sizeof key);
}

static uint32_t find_server(const struct surroundings *s, uint32_t point, const struct endpoint *server)
{
    struct hash_probe probe = hash_index_probe(&s->server_index, key_hash(point, NULL, server));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct server_record *record = slab_at(&s->servers, n);
        if (record->point == point && endpoint_equal(&record->endpoint, server))
            return n;
    }
    return HASH_NONE;
}

static struct server_record *find_host(const struct surroundings *s, uint32_t point, const struct address *host)
{
    struct hash_probe probe = hash_index_probe(&s->host_index, key_hash(point, host, NULL));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        struct server_record *record = slab_at(&s->servers, n);
        if (record->point == point && address_equal(&record->endpoint.address, host))
            return record;
    }
    return NULL;
}

const struct server_record *surroundings_host(const struct surroundings *surroundings,
                                              const struct conversation *conversation)
{
    return find_host(surroundings, conversation->point, &conversation->ends[SIDE_SERVER].address);
}

bool surroundings_knows_host(const struct surroundings *surroundings, uint32_t point, const struct address *host)
{
    return find_host(surroundings, point, host) != NULL;
}

bool surroundings_lacks_connections(const struct surroundings *surroundings, uint32_t point, const struct address *host)
{
    const struct server_record *record = find_host(surroundings, point, host);
    return record && record->lacks_connections;
}

static bool runs_at(const struct casebook *casebook, uint32_t point, int64_t time_ns)
{
    return casebook->points[point].has_packets && casebook->points[point].first_ns <= time_ns &&
           casebook->points[point].last_ns >= time_ns;
}

static bool runs_throughout(const struct casebook *casebook, const struct point_pair *pair,
                            const struct conversation *c)
{
    int64_t from_ns = clock_to_server(&pair->clock, c->first.time_ns),
            to_ns = clock_to_server(&pair->clock, c->last.time_ns);
    return runs_at(casebook, pair->far, from_ns) && runs_at(casebook, pair->far, to_ns) &&
           !capture_silences_hole(&casebook->points[pair->far].silences, from_ns - pair->clock.uncertainty_ns,
                                  to_ns + pair->clock.uncertainty_ns);
}

struct ttl_range surroundings_host_ttls(const struct surroundings *surroundings, uint32_t point,
                                        const struct address *host)
{
    const struct server_record *record = find_host(surroundings, point, host);
    return record ? record->of_host : (struct ttl_range){0};
}

const struct point_pair *surroundings_pair_without(const struct surroundings *surroundings,
                                                   const struct conversation *conversation)
{
    const struct casebook *casebook = surroundings->casebook;
    if (conversation->doubtful)
        return NULL;
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_pair *pair = &casebook->pairs.list[i];
        if (pair->near == conversation->point && pair->clock.known &&
            casebook->points[pair->far].role == CAPTURE_ROLE_SERVER && runs_throughout(casebook, pair, conversation) &&
            surroundings_knows_host(surroundings, pair->far, &conversation->ends[SIDE_SERVER].address))
            return pair;
    }
    return NULL;
}

bool surroundings_knows_server(const struct surroundings *surroundings, uint32_t point, const struct endpoint *server)
{
    return find_server(surroundings, point, server) != HASH_NONE;
}

static uint32_t find_pair(const struct surroundings *s, uint32_t point, const struct address *client,
                          const struct endpoint *server)
{
    struct hash_probe probe = hash_index_probe(&s->pair_index, key_hash(point, client, server));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct pair_record *record = slab_at(&s->pairs, n);
        if (record->point == point && address_equal(&record->client, client) && endpoint_equal(&record->server, server))
            return n;
    }
    return HASH_NONE;
}

bool surroundings_knows_pair(const struct surroundings *surroundings, uint32_t point, const struct address *client,
                             const struct endpoint *server)
{
    return find_pair(surroundings, point, client, server) != HASH_NONE;
}

static uint32_t find_client(const struct surroundings *s, uint32_t point, const struct address *client)
{
    struct hash_probe probe = hash_index_probe(&s->client_index, key_hash(point, client, NULL));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct client_record *record = slab_at(&s->clients, n);
        if (record->point == point && address_equal(&record->client, client))
            return n;
    }
    return HASH_NONE;
}

static struct client_record *need_client(struct surroundings *s, uint32_t point, const struct address *client)
{
    uint32_t n = find_client(s, point, client);
    if (n == HASH_NONE) {
        n = slab_take(&s->clients);
        struct client_record *record = slab_at(&s->clients, n);
        record->point = point;
        record->client = *client;
        hash_index_add(&s->client_index, key_hash(point, client, NULL), n);
    }
    return slab_at(&s->clients, n);
}

static struct server_record *need_server(struct surroundings *s, const struct conversation *c)
{
    const struct endpoint *server = &c->ends[SIDE_SERVER];
    uint32_t n = find_server(s, c->point, server);
    if (n == HASH_NONE) {
        n = slab_take(&s->servers);
        struct server_record *record = slab_at(&s->servers, n);
        record->point = c->point;
        record->endpoint = *server;
        hash_index_add(&s->server_index, key_hash(c->point, NULL, server), n);
        if (!surroundings_knows_host(s, c->point, &server->address))
            hash_index_add(&s->host_index, key_hash(c->point, &server->address, NULL), n);
    }
    return slab_at(&s->servers, n);
}

static struct pair_record *need_pair(struct surroundings *s, const struct conversation *c)
{
    const struct endpoint *server = &c->ends[SIDE_SERVER];
    const struct address *client = &c->ends[SIDE_CLIENT].address;
    uint32_t n = find_pair(s, c->point, client, server);
    if (n == HASH_NONE) {
        n = slab_take(&s->pairs);
        struct pair_record *record = slab_at(&s->pairs, n);
        record->point = c->point;
        record->client = *client;
        record->server = *server;
        hash_index_add(&s->pair_index, key_hash(c->point, client, server), n);
    }
    return slab_at(&s->pairs, n);
}

const struct time_span *surroundings_hole(const struct surroundings *surroundings, uint32_t point, int64_t from_ns,
                                          int64_t to_ns)
{
    return point < surroundings->casebook->point_count
               ? time_spans_touching(&surroundings->holes[point], from_ns, to_ns)
               : NULL;
}

int64_t surroundings_point_end_ns(const struct surroundings *surroundings, uint32_t point)
{
    const struct casebook *casebook = surroundings->casebook;
    return point < casebook->point_count && casebook->points[point].has_packets ? casebook->points[point].last_ns
                                                                                : INT64_MIN;
}

int64_t surroundings_end_ns(const struct surroundings *surroundings, const struct conversation *conversation)
{
    int64_t end_ns = surroundings_point_end_ns(surroundings, conversation->point);
    const struct time_span *hole =
        surroundings_hole(surroundings, conversation->point, conversation->last.time_ns + 1, end_ns);
    if (hole)
        end_ns = hole->from_ns;
    return end_ns > conversation->last.time_ns ? end_ns : conversation->last.time_ns;
}

int64_t surroundings_watched_after_ns(const struct surroundings *surroundings, const struct conversation *conversation)
{
    return surroundings_end_ns(surroundings, conversation) - conversation->last.time_ns;
}

bool surroundings_hears_after(const struct surroundings *surroundings, uint32_t point, const struct address *host,
                              int64_t time_ns)
{
    const struct server_record *record = find_host(surroundings, point, host);
    return record && record->host_last_ns > time_ns;
}

/* One wait, in which all that it repeated lies. */
static void note_mute(struct server_record *host, const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    bool to_the_end = client->unacknowledged_bytes > 0 && client->data_run.count > 0;
    const struct moment *first = to_the_end ? &client->data_run.first : &client->first_retransmit,
                        *last = to_the_end ? &client->data_run.last : &client->last_retransmit;
    int64_t for_ns = last->time_ns - first->time_ns;
    if (for_ns >= NS_PER_SECOND && (to_the_end || client->longest_repeated_wait_ns >= for_ns))
        time_spans_add(&host->host_mute, first->time_ns, last->time_ns);
}

static void note_handshake(const struct surroundings *s, struct server_record *server, const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *listener = &c->sides[SIDE_SERVER];
    if (!c->starts_with_syn || !moment_seen(&client->syn) || signs_of_one_direction(c))
        return;
    if (c->ending == ENDING_REFUSED) {
        server->refused++;
        times_add(&server->refusals, client->syn.time_ns);
        return;
    }
    if (!moment_seen(&listener->syn)) {
        /* A SYN at the end of the capture is not unanswered yet: it would be repeated after a second (RFC 6298, 2.1). */
        bool ends_first = client->syn_retransmits == 0 && surroundings_watched_after_ns(s, c) < NS_PER_SECOND;
        if (c->ending != ENDING_NO_ANSWER || ends_first)
            return;
        server->unanswered++;
        time_spans_add(&server->outages, client->syn.time_ns,
                       moment_seen(&client->syn_last) ? client->syn_last.time_ns : client->syn.time_ns);
        return;
    }
    server->accepted++;
    bool refused = moment_seen(&listener->older_reset);
    times_add(&server->accepts, (refused ? &listener->syn : &client->syn)->time_ns);
    if (refused)
        times_add(&server->refusals, client->syn.time_ns);
    if (!moment_seen(&client->first_data) || signs_of_silence(c).held)
        return;
    bool answered = moment_seen(&listener->first_data);
    int64_t answer_ns = answered ? listener->first_data.time_ns : surroundings_end_ns(s, c);
    struct moment close = conversation_first_close(c);
    if (!answered && moment_seen(&close))
        answer_ns = close.time_ns;
    if (answer_ns - client->first_data.time_ns >= SERVED_WITHIN_NS)
        time_spans_add(&server->stalls, client->first_data.time_ns, answer_ns);
    else if (answered && client->syn_retransmits == 0)
        times_add(&server->served, client->syn.time_ns);
}

static void note_ending(const struct surroundings *s, struct server_record *server, struct pair_record *pair,
                        const struct conversation *c)
{
    struct moment close = conversation_first_close(c);
    if (!c->first_close_known || !moment_seen(&close) || signs_of_silence(c).held)
        return; /* who gives up closes nothing that worked */
    if (c->closed_first_by == SIDE_SERVER) {
        if (signs_of_session(c))
            times_add(&server->closes, close.time_ns);
        return;
    }
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    if (moment_seen(&client->reset) && client->reset.frame == close.frame && signs_of_session(c) &&
        signs_of_pending_request(c) && close.time_ns - client->last_data.time_ns < LONG_WAIT_NS &&
        !signs_of_giving_up(c, SIDE_CLIENT) && client->reset_with_ack && signs_of_own_reset(c, s, SIDE_CLIENT))
        times_add(&pair->aborts, close.time_ns);
    uint64_t payload = client->payload_bytes + c->sides[SIDE_SERVER].payload_bytes;
    if (payload == 0 && c->starts_with_syn && conversation_established(c))
        pair->byteless++;
    if (payload == 0 || !signs_of_login_done(c) || signs_of_pending_request(c))
        return;
    pair->closed++;
    if (moment_seen(&client->reset) && (!moment_seen(&client->fin) || client->reset.time_ns < client->fin.time_ns))
        pair->closed_by_reset++;
}

static void widen(struct ttl_range *range, const struct tcp_side *side)
{
    if (range->most == 0 || side->ttl_min < range->least)
        range->least = side->ttl_min;
    if (side->ttl_max > range->most)
        range->most = side->ttl_max;
}

static void keep_shortest(int64_t *shortest_ns, int64_t ns)
{
    if (ns > 0 && (*shortest_ns == 0 || ns < *shortest_ns))
        *shortest_ns = ns;
}

/* How the server's own packets look, to tell those of a device that answers in its place. */
static void note_answerer(struct server_record *server, const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *listener = &c->sides[SIDE_SERVER];
    if (!c->starts_with_syn || !moment_seen(&listener->syn) || !moment_seen(&client->syn))
        return;
    if (listener->payload_bytes == 0) {
        if (moment_seen(&listener->reset) && conversation_established(c))
            times_add(&server->hollow_resets, listener->reset.time_ns - client->syn.time_ns);
        return;
    }
    int64_t handshake_ns = listener->syn.time_ns - client->syn.time_ns;
    if (client->syns == 1 && handshake_ns > 0) {
        server->timed_handshakes++;
        keep_shortest(&server->shortest_handshake_ns, handshake_ns);
        keep_shortest(&server->shortest_trip_ns, handshake_ns);
    }
    if (!moment_seen(&listener->reset)) /* which may be somebody else's, nearer */
        keep_shortest(&server->shortest_trip_ns, listener->round_trips.shortest_ns);
    widen(&server->spoken, listener);
}

static void note_conversation(struct surroundings *s, const struct conversation *c)
{
    struct server_record *server = need_server(s, c);
    struct pair_record *pair = need_pair(s, c);
    server->conversations++;
    pair->connections += !c->secondary;
    server->unheard += signs_of_one_direction(c) && c->sides[SIDE_SERVER].packets == 0;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *self = &c->sides[side];
        if (moment_seen(&self->last) && self->last.time_ns > pair->last_heard_ns[side])
            pair->last_heard_ns[side] = self->last.time_ns;
        if (self->largest_acknowledged > pair->largest_passed[side])
            pair->largest_passed[side] = self->largest_acknowledged;
        pair->damaged[side] += self->damaged;
        pair->stuck_large[side] += signs_of_stuck_large(c, side);
        if (self->copies_at_once >= COPIES_HELD)
            times_add(&server->held, self->copied_at_once.time_ns);
        pair->wandering[side] += hops_from_ttl(self->ttl_min) != hops_from_ttl(self->ttl_max);
    }
    pair->conversations++;
    if (c->tds) {
        server->speaks_tds++;
        pair->speaks_tds++;
        pair->left_early += login_signs_time_spent(c, s);
        if (signs_of_login_done(c)) {
            server->logins_done++;
            pair->logins_done++;
        }
    }
    pair->accepted += moment_seen(&c->sides[SIDE_SERVER].syn) || !c->starts_with_syn;
    pair->rejected += c->ending == ENDING_REFUSED || c->ending == ENDING_NO_ANSWER;
    note_answerer(server, c);
    hearing_note(&pair->client_heard, &c->sides[SIDE_CLIENT]);
    if (standstill_repeats(c, SIDE_SERVER) > 0)
        times_add(&pair->client_stretches, c->sides[SIDE_SERVER].broken_silence.from_ns);
    if (c->point < s->casebook->point_count)
        point_lacks_see(&s->lacks[c->point], c, surroundings_watched_after_ns(s, c));
    struct server_record *host = find_host(s, c->point, &c->ends[SIDE_SERVER].address);
    if (c->sides[SIDE_SERVER].payload_bytes > 0)
        widen(&host->of_host, &c->sides[SIDE_SERVER]);
    if (c->sides[SIDE_SERVER].last.time_ns > host->host_last_ns)
        host->host_last_ns = c->sides[SIDE_SERVER].last.time_ns;
    hearing_note(&host->host_heard, &c->sides[SIDE_SERVER]);
    if (standstill_repeats(c, SIDE_CLIENT) > 0)
        times_add(&host->host_stretches, c->sides[SIDE_CLIENT].broken_silence.from_ns);
    note_mute(host, c);
    note_handshake(s, server, c);
    note_ending(s, server, pair, c);
    if (conversation_established(c) && !signs_of_silence(c).held && !signs_of_one_direction(c)) {
        uint32_t lost = signs_of_loss(c, s),
                 stretches = standstill_repeats(c, SIDE_CLIENT) + standstill_repeats(c, SIDE_SERVER);
        lost -= lost > stretches ? stretches : lost;
        if (signs_of_only_asking_again(c, s, lost))
            lost = 0;
        pair->lost_packets += lost;
        pair->conversations_with_loss += lost > 0;
        pair->data_packets += signs_of_segments(&c->sides[SIDE_CLIENT]);
        pair->data_packets += signs_of_segments(&c->sides[SIDE_SERVER]);
    }
}

static void find_holes(struct surroundings *s)
{
    const struct casebook *casebook = s->casebook;
    s->holes = memory_take_array(casebook->point_count, sizeof *s->holes);
    for (uint32_t i = 0; i < casebook->point_count; i++) {
        const struct capture_silences *silences = &casebook->points[i].silences;
        for (uint32_t j = 0; j < silences->count; j++)
            if (capture_silence_is_hole(&silences->list[j]))
                time_spans_add(&s->holes[i], silences->list[j].from_ns, silences->list[j].to_ns);
    }
}

/* Conversations of a capture point by which end it stands at. */
struct local_ends {
    uint32_t clients, servers;
};

/* Packets that a machine sends itself still have their initial TTL; those of its peer have made at least one hop. */
static void note_local_end(const struct casebook *casebook, struct local_ends *ends, const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (c->point >= casebook->point_count || !client->ttl_max || !server->ttl_max)
        return;
    bool client_near = hops_from_ttl(client->ttl_max) == 0, server_near = hops_from_ttl(server->ttl_max) == 0;
    ends[c->point].clients += client_near && !server_near;
    ends[c->point].servers += server_near && !client_near;
}

/* All conversations of a point have to agree on which side that is: a machine may be client and server at once. */
static void infer_roles(struct surroundings *s, const struct local_ends *ends)
{
    for (uint32_t point = 0; point < s->casebook->point_count; point++) {
        if (ends[point].clients && !ends[point].servers)
            s->inferred_roles[point] = CAPTURE_ROLE_CLIENT;
        if (ends[point].servers && !ends[point].clients)
            s->inferred_roles[point] = CAPTURE_ROLE_SERVER;
    }
}

/* Where another capture told by how much, its times are as if it had not been. */
static void find_set_back(struct surroundings *s)
{
    const struct casebook *casebook = s->casebook;
    s->set_back = memory_take_array((size_t)casebook->point_count + 1, sizeof *s->set_back);
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (casebook->captures[i].time_backwards > 0 && casebook->captures[i].point < casebook->point_count)
            s->set_back[casebook->captures[i].point] = true;
    for (uint32_t i = 0; i < casebook->clock_setting_count; i++)
        s->set_back[casebook->clock_settings[i].point] = false;
}

static void find_disordered(struct surroundings *s)
{
    const struct casebook *casebook = s->casebook;
    s->disordered = memory_take_array((size_t)casebook->point_count + 1, sizeof *s->disordered);
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (capture_facts_disordered(&casebook->captures[i]) && casebook->captures[i].point < casebook->point_count)
            s->disordered[casebook->captures[i].point] = true;
}

/* A device that answers for the server has no data to say: what a server says, its machine sent, and what it acknowledges, it got. */
static void note_lacking(struct surroundings *s, const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    bool passed = server->payload_bytes > 0 && client->payload_bytes > 0 && moment_seen(&client->last_progress);
    if (c->secondary || c->twin || !passed || signs_of_one_direction(c))
        return;
    const struct point_pair *pair = surroundings_pair_without(s, c);
    if (pair)
        find_host(s, pair->far, &c->ends[SIDE_SERVER].address)->lacks_connections = true;
}

/* Longer than a way takes. */
#define WAY_MOST_NS NS_PER_SECOND

static void note_lacking_end(struct surroundings *s, const struct conversation *c)
{
    const struct conversation *twin = c->twin && !c->secondary ? casebook_conversation(s->casebook, c->twin - 1) : NULL;
    const struct point_pair *pair = twin ? point_pairs_find(&s->casebook->pairs, c->point, twin->point) : NULL;
    int64_t at_ns;
    if (!pair || !pair->clock.known)
        return;
    const struct conversation *lacking = c;
    enum further further = point_lacks_end(c, twin, &at_ns);
    if (further == FURTHER_NOT) {
        lacking = twin;
        further = point_lacks_end(twin, c, &at_ns);
    }
    if (further == FURTHER_NOT)
        return;
    at_ns = lacking->point == pair->near ? clock_to_client(&pair->clock, at_ns) : clock_to_server(&pair->clock, at_ns);
    if (surroundings_end_ns(s, lacking) > at_ns + WAY_MOST_NS + pair->clock.uncertainty_ns)
        point_lacks_add(&s->lacks[lacking->point], further);
}

static void find_lacking(struct surroundings *s)
{
    for (uint32_t i = 0; s->casebook->pairs.count > 0 && i < casebook_conversations(s->casebook); i++) {
        note_lacking(s, casebook_conversation(s->casebook, i));
        note_lacking_end(s, casebook_conversation(s->casebook, i));
    }
}

/* When somebody was heard is asked only where somebody was silent: there are some times of each connection, and sorting them all takes long. */
static void sort_heard(struct hearing *heard, struct times *stretches, bool mute)
{
    times_sort(stretches);
    if (stretches->count > 0 || mute)
        hearing_sort(heard);
}

void surroundings_open(struct surroundings *surroundings, const struct casebook *casebook,
                       const struct thresholds *thresholds)
{
    *surroundings = (struct surroundings){.casebook = casebook, .thresholds = thresholds};
    slab_open(&surroundings->servers, sizeof(struct server_record));
    slab_open(&surroundings->pairs, sizeof(struct pair_record));
    hash_index_open(&surroundings->server_index);
    hash_index_open(&surroundings->host_index);
    hash_index_open(&surroundings->pair_index);
    slab_open(&surroundings->clients, sizeof(struct client_record));
    hash_index_open(&surroundings->client_index);
    find_holes(surroundings);
    find_set_back(surroundings);
    find_disordered(surroundings);
    surroundings->lacks = memory_take_array((size_t)casebook->point_count + 1, sizeof *surroundings->lacks);
    surroundings->inferred_roles = memory_take_array(casebook->point_count, sizeof *surroundings->inferred_roles);
    struct local_ends *local_ends = memory_take_array((size_t)casebook->point_count + 1, sizeof *local_ends);
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        note_conversation(surroundings, c);
        note_local_end(casebook, local_ends, c);
        surroundings->reused_tuples += c->tuple_reused;
    }
    for (uint32_t i = 0; i < surroundings->servers.in_use; i++) {
        struct server_record *server = slab_at(&surroundings->servers, i);
        times_sort(&server->hollow_resets);
        times_sort(&server->accepts);
        times_sort(&server->refusals);
        times_sort(&server->served);
        times_sort(&server->closes);
        times_sort(&server->held);
        time_spans_merge(&server->outages);
        time_spans_merge(&server->stalls);
        time_spans_merge(&server->host_mute);
        sort_heard(&server->host_heard, &server->host_stretches, server->host_mute.count > 0);
    }
    for (uint32_t i = 0; i < surroundings->pairs.in_use; i++) {
        struct pair_record *pair = slab_at(&surroundings->pairs, i);
        times_sort(&pair->aborts);
        sort_heard(&pair->client_heard, &pair->client_stretches, false);
        if (pair->accepted == 0 && pair->rejected > 0)
            need_client(surroundings, pair->point, &pair->client)->dead_ends++;
    }
    find_lacking(surroundings);
    infer_roles(surroundings, local_ends);
    memory_give(local_ends);
}

void surroundings_close(struct surroundings *surroundings)
{
    for (uint32_t i = 0; i < surroundings->servers.in_use; i++) {
        struct server_record *server = slab_at(&surroundings->servers, i);
        memory_give(server->hollow_resets.ns);
        memory_give(server->accepts.ns);
        memory_give(server->refusals.ns);
        memory_give(server->served.ns);
        memory_give(server->closes.ns);
        memory_give(server->held.ns);
        memory_give(server->outages.list);
        memory_give(server->stalls.list);
        hearing_close(&server->host_heard);
        memory_give(server->host_stretches.ns);
        memory_give(server->host_mute.list);
    }
    for (uint32_t i = 0; i < surroundings->pairs.in_use; i++) {
        struct pair_record *pair = slab_at(&surroundings->pairs, i);
        memory_give(pair->aborts.ns);
        hearing_close(&pair->client_heard);
        memory_give(pair->client_stretches.ns);
    }
    slab_close(&surroundings->servers);
    slab_close(&surroundings->pairs);
    hash_index_close(&surroundings->server_index);
    hash_index_close(&surroundings->host_index);
    hash_index_close(&surroundings->pair_index);
    slab_close(&surroundings->clients);
    hash_index_close(&surroundings->client_index);
    for (uint32_t i = 0; i < surroundings->casebook->point_count; i++)
        memory_give(surroundings->holes[i].list);
    memory_give(surroundings->holes);
    memory_give(surroundings->inferred_roles);
    memory_give(surroundings->set_back);
    memory_give(surroundings->disordered);
    memory_give(surroundings->lacks);
    *surroundings = (struct surroundings){0};
}

const struct server_record *surroundings_server(const struct surroundings *surroundings,
                                                const struct conversation *conversation)
{
    uint32_t n = find_server(surroundings, conversation->point, &conversation->ends[SIDE_SERVER]);
    return slab_at(&surroundings->servers, n);
}

const struct server_record *surroundings_server_at(const struct surroundings *surroundings, uint32_t point,
                                                   const struct endpoint *server)
{
    uint32_t n = find_server(surroundings, point, server);
    return n == HASH_NONE ? NULL : slab_at(&surroundings->servers, n);
}

uint32_t surroundings_pair_number(const struct surroundings *surroundings, const struct conversation *conversation)
{
    return find_pair(surroundings, conversation->point, &conversation->ends[SIDE_CLIENT].address,
                     &conversation->ends[SIDE_SERVER]);
}

const struct pair_record *surroundings_pair(const struct surroundings *surroundings,
                                            const struct conversation *conversation)
{
    return slab_at(&surroundings->pairs, surroundings_pair_number(surroundings, conversation));
}

bool surroundings_scanned_by(const struct surroundings *surroundings, const struct conversation *conversation)
{
    uint32_t n = find_client(surroundings, conversation->point, &conversation->ends[SIDE_CLIENT].address);
    if (n == HASH_NONE)
        return false;
    const struct client_record *record = slab_at(&surroundings->clients, n);
    return record->dead_ends >= DEAD_ENDS_OF_A_SCAN;
}

uint32_t surroundings_accepted_between(const struct server_record *server, int64_t from_ns, int64_t to_ns)
{
    return to_ns - from_ns < 2 ? 0 : times_within(&server->accepts, from_ns + 1, to_ns - 1);
}

enum capture_role surroundings_role(const struct surroundings *surroundings, const struct conversation *conversation)
{
    const struct casebook *casebook = surroundings->casebook;
    if (conversation->point >= casebook->point_count)
        return CAPTURE_ROLE_UNKNOWN;
    enum capture_role given = casebook->points[conversation->point].role;
    return given != CAPTURE_ROLE_UNKNOWN ? given : surroundings->inferred_roles[conversation->point];
}

bool surroundings_set_back(const struct surroundings *surroundings, uint32_t point)
{
    return point < surroundings->casebook->point_count && surroundings->set_back[point];
}

int64_t surroundings_tick_ns(const struct surroundings *surroundings, uint32_t point)
{
    return stamp_tick_ns(&surroundings->casebook->points[point].tick);
}

bool surroundings_lacks_ends(const struct surroundings *surroundings, uint32_t point)
{
    return point < surroundings->casebook->point_count && point_lacks_ends(&surroundings->lacks[point]);
}

bool surroundings_lacks_acknowledgements(const struct surroundings *surroundings, uint32_t point, enum side sender)
{
    return point < surroundings->casebook->point_count &&
           point_lacks_acknowledgements(&surroundings->lacks[point], sender);
}

bool surroundings_disordered(const struct surroundings *surroundings, uint32_t point)
{
    return point < surroundings->casebook->point_count && surroundings->disordered[point];
}

bool surroundings_stands_at(const struct surroundings *surroundings, const struct conversation *conversation,
                            enum side side)
{
    const struct casebook *casebook = surroundings->casebook;
    enum capture_role role = side == SIDE_CLIENT ? CAPTURE_ROLE_CLIENT : CAPTURE_ROLE_SERVER;
    return conversation->point < casebook->point_count && casebook->points[conversation->point].role_given &&
           casebook->points[conversation->point].role == role;
}
