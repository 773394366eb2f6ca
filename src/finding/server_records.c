/* Gathers what is known of each server and of each client of a server, conversation by conversation. */
#include "server_records.h"

#include "login_signs.h"
#include "memory.h"
#include "signs.h"
#include "standstill.h"
#include "ttl_hops.h"

/* A program that is up takes an accepted connection and answers PRELOGIN in milliseconds; a second means that it did
 * not get round to accept(). */
#define SERVED_WITHIN_NS NS_PER_SECOND

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
        /* A SYN at the end of the capture is not unanswered yet: it would be repeated. */
        bool ends_first = client->syn_retransmits == 0 && surroundings_watched_after_ns(s, c) < FIRST_RTO_NS;
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
    int64_t waited_ns = close.time_ns - client->last_data.time_ns;
    if (moment_seen(&client->reset) && client->reset.frame == close.frame && signs_of_session(c) &&
        signs_of_pending_request(c) && waited_ns < LONG_WAIT_NS && !signs_of_time_out(waited_ns) &&
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
static void note_answerer(struct server_record *server, struct server_record *host, const struct conversation *c)
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
        host->host_timed_handshakes++;
        keep_shortest(&host->host_shortest_trip_ns, handshake_ns);
    }
    if (!moment_seen(&listener->reset)) { /* which may be somebody else's, nearer */
        keep_shortest(&server->shortest_trip_ns, listener->round_trips.shortest_ns);
        keep_shortest(&host->host_shortest_trip_ns, listener->round_trips.shortest_ns);
    }
    widen(&server->spoken, listener);
}

/* What each side's packets tell of the way between the two. */
static void note_way(struct server_record *server, struct pair_record *pair, const struct conversation *c)
{
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
}

static void note_loss(const struct surroundings *s, struct pair_record *pair, const struct conversation *c)
{
    if (!conversation_established(c) || signs_of_silence(c).held || signs_of_one_direction(c))
        return;
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

/* When the client's machine was heard, and when it was not. */
static void note_client(struct pair_record *pair, const struct conversation *c)
{
    hearing_note(&pair->client_heard, &c->sides[SIDE_CLIENT]);
    if (standstill_repeats(c, SIDE_SERVER) > 0)
        times_add(&pair->client_stretches, c->sides[SIDE_SERVER].broken_silence.from_ns);
}

/* In the login, where it is asked for. */
static bool skips_in_login(const struct conversation *c)
{
    const struct skipping_pause *pause = &c->skipping_pause;
    if (pause->lasted_ms == 0 || !c->tds)
        return false;
    const struct moment *steps = c->tds->steps;
    return !moment_seen(&c->tds->last_request) || pause->to_ns <= steps[LOGIN_STEP_LOGIN_ANSWER].time_ns ||
           pause->to_ns <= steps[LOGIN_STEP_FIRST_REQUEST].time_ns;
}

/* What the server's machine said, whatever its port, when it was heard, and when it was not. */
static void note_host(struct server_record *host, const struct conversation *c)
{
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    if (server->payload_bytes > 0)
        widen(&host->of_host, server);
    if (server->last.time_ns > host->host_last_ns)
        host->host_last_ns = server->last.time_ns;
    hearing_note(&host->host_heard, server);
    if (standstill_repeats(c, SIDE_CLIENT) > 0)
        times_add(&host->host_stretches, c->sides[SIDE_CLIENT].broken_silence.from_ns);
    note_mute(host, c);
    host->host_skips |= skips_in_login(c);
}

static void note_login(const struct surroundings *s, struct server_record *server, struct pair_record *pair,
                       const struct conversation *c)
{
    if (!c->tds)
        return;
    bool done = signs_of_login_done(c);
    server->speaks_tds++;
    pair->speaks_tds++;
    pair->left_early += login_signs_time_spent(c, s);
    server->logins_done += done;
    pair->logins_done += done;
}

void server_records_note(const struct surroundings *s, const struct conversation *c, struct server_record *server,
                         struct server_record *host, struct pair_record *pair)
{
    server->conversations++;
    server->unheard += signs_of_one_direction(c) && c->sides[SIDE_SERVER].packets == 0;
    pair->conversations++;
    pair->connections += !c->secondary;
    pair->asked += !c->secondary && c->starts_with_syn;
    pair->accepted += moment_seen(&c->sides[SIDE_SERVER].syn) || !c->starts_with_syn;
    pair->rejected += c->ending == ENDING_REFUSED || c->ending == ENDING_NO_ANSWER;
    note_login(s, server, pair, c);
    note_way(server, pair, c);
    note_answerer(server, host, c);
    note_handshake(s, server, c);
    note_ending(s, server, pair, c);
    note_loss(s, pair, c);
    note_client(pair, c);
    note_host(host, c);
}

/* When somebody was heard is asked only where somebody was silent: there are some times of each connection, and sorting them all takes long. */
static void sort_heard(struct hearing *heard, struct times *stretches, bool mute)
{
    times_sort(stretches);
    if (stretches->count > 0 || mute)
        hearing_sort(heard);
}

void server_record_settle(struct server_record *server)
{
    times_sort(&server->hollow_resets);
    times_sort(&server->accepts);
    times_sort(&server->refusals);
    times_sort(&server->served);
    times_sort(&server->closes);
    times_sort(&server->held);
    time_spans_merge(&server->outages);
    time_spans_merge(&server->stalls);
    time_spans_merge(&server->host_mute);
    sort_heard(&server->host_heard, &server->host_stretches, server->host_mute.count > 0 || server->host_skips);
}

void pair_record_settle(struct pair_record *pair)
{
    times_sort(&pair->aborts);
    sort_heard(&pair->client_heard, &pair->client_stretches, false);
}

void server_record_close(struct server_record *server)
{
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

void pair_record_close(struct pair_record *pair)
{
    memory_give(pair->aborts.ns);
    hearing_close(&pair->client_heard);
    memory_give(pair->client_stretches.ns);
}
