/* Comparing the two ends of a connection. */
#include "pair_view.h"

#include "signs.h"

/* A drop is more than a lost packet: at least three packets of one side in a row, over a second and more. Doubling time-outs from 200
 * or 300 ms on reach that with the third repetition, and so do keep-alive probes one second apart. Where a capture
 * provably missed packets of this connection, one here and one there, or in a hole at that time, it may have missed some of these. */
enum { DROPPED_PACKETS = 3, DROPPED_IN_POOR_CAPTURE = 5 };
#define DROPPED_FOR_NS (NS_PER_SECOND * 9 / 10)

/* The server's capture that lacks the connection, and holds all others that are known to have been there. */
static const struct point_pair *pair_without(const struct surroundings *s, const struct conversation *c)
{
    const struct point_pair *pair = surroundings_pair_without(s, c);
    bool lacks_others = pair && surroundings_lacks_connections(s, pair->far, &c->ends[SIDE_SERVER].address);
    return lacks_others ? NULL : pair;
}

/* Packets that arrive before they left: a clock was set, and the order of what both captures have is not known. A single one is a
 * repetition whose original a capture missed. */
enum { EARLY_LEAST = 2 };

static bool is_comparable(const struct surroundings *s, const struct conversation *c)
{
    const struct comparison *comparison = c->comparison;
    const struct conversation *twin = c->twin ? casebook_conversation(s->casebook, c->twin - 1) : NULL;
    if (surroundings_set_back(s, c->point) || (twin && surroundings_set_back(s, twin->point)))
        return false;
    return comparison && !comparison->relayed &&
           comparison->passages[SIDE_CLIENT].early + comparison->passages[SIDE_SERVER].early < EARLY_LEAST;
}

bool pair_view_of(const struct surroundings *s, const struct conversation *c, struct pair_view *view)
{
    const struct casebook *casebook = s->casebook;
    if (c->secondary)
        return false;
    *view = (struct pair_view){.client = c,
                               .compared = is_comparable(s, c) ? c->comparison : NULL,
                               .relayed = c->comparison && c->comparison->relayed};
    const struct conversation *twin = c->twin ? casebook_conversation(casebook, c->twin - 1) : NULL;
    bool at_client = casebook->points[c->point].role == CAPTURE_ROLE_CLIENT,
         reaches = twin && casebook->points[twin->point].role == CAPTURE_ROLE_SERVER;
    view->pair = at_client && !reaches ? pair_without(s, c) : NULL;
    if (view->pair) {
        view->compared = NULL;
        view->relayed = false;
        return true;
    }
    if (!twin)
        return false;
    view->server = twin;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        uint32_t point = side == SIDE_CLIENT ? c->point : twin->point;
        view->lacks_end[side] = surroundings_lacks_ends(s, point);
        view->lacks_bare[side] = surroundings_lacks_acknowledgements(s, point, side_other(side));
    }
    view->pair = point_pairs_find(&casebook->pairs, c->point, view->server->point);
    return true;
}

/* All that this view has could be compared. */
static bool is_judged(const struct pair_view *view, enum side at)
{
    const struct comparison *compared = view->compared;
    return compared->hidden[SIDE_CLIENT] + compared->hidden[SIDE_SERVER] + compared->uncovered[side_other(at)] == 0;
}

static bool lost_no_data(const struct pair_view *view)
{
    return view->compared->passages[SIDE_CLIENT].lost_data + view->compared->passages[SIDE_SERVER].lost_data == 0;
}

bool pair_view_tells_way(const struct pair_view *view, enum side at)
{
    return view->compared && is_judged(view, at) && (!pair_view_misses_packets(view) || lost_no_data(view));
}

bool pair_view_has_hole(const struct pair_view *view, enum side at)
{
    return view->compared->hidden[at] > 0;
}

bool pair_view_misses_packets(const struct pair_view *view)
{
    const struct passage *client = &view->compared->passages[SIDE_CLIENT],
                         *server = &view->compared->passages[SIDE_SERVER];
    return client->missed + client->unsent + server->missed + server->unsent > 0 ||
           pair_view_has_hole(view, SIDE_CLIENT) || pair_view_has_hole(view, SIDE_SERVER);
}

bool pair_view_is_complete(const struct pair_view *view)
{
    return view->compared && !pair_view_misses_packets(view) &&
           view->compared->passages[SIDE_CLIENT].open_at_end == 0 &&
           view->compared->passages[SIDE_SERVER].open_at_end == 0 && !signs_of_one_direction(view->client) &&
           !signs_of_one_direction(view->server);
}

/* A capture that has none of the sender's packets in this connection does not take them, wherever they end. */
static bool stops_arriving(const struct pair_view *view, enum side sender)
{
    const struct passage *passage = &view->compared->passages[sender];
    const struct conversation *receiver = pair_view_at(view, side_other(sender));
    if (receiver->sides[sender].packets == 0)
        return false;
    bool poor = view->compared->strays[SIDE_CLIENT] + view->compared->strays[SIDE_SERVER] + passage->unclear_at_end > 0;
    uint32_t least = poor ? DROPPED_IN_POOR_CAPTURE : DROPPED_PACKETS;
    /* Whether an acknowledgement came nobody tells later, as the receiver does of data. */
    if (passage->unclear_at_end > 0 && passage->bare_lost_at_end == passage->lost_at_end)
        return false;
    uint32_t unseen = view->lacks_bare[side_other(sender)] ? passage->bare_lost_at_end : 0;
    return passage->lost_at_end - unseen >= least &&
           passage->last_lost.time_ns - passage->lost_at_end_first.time_ns >= DROPPED_FOR_NS;
}

enum pair_drop pair_view_drop(const struct pair_view *view)
{
    if (!view->compared || !conversation_established(view->client))
        return PAIR_DROP_NONE;
    bool to_server = stops_arriving(view, SIDE_CLIENT), to_client = stops_arriving(view, SIDE_SERVER);
    return to_server && to_client ? PAIR_DROP_BOTH
           : to_server            ? PAIR_DROP_TO_SERVER
           : to_client            ? PAIR_DROP_TO_CLIENT
                                  : PAIR_DROP_NONE;
}

bool pair_view_doubts_drop(const struct pair_view *view, enum pair_drop drop)
{
    return (drop != PAIR_DROP_TO_CLIENT && view->lacks_end[SIDE_SERVER]) ||
           (drop != PAIR_DROP_TO_SERVER && view->lacks_end[SIDE_CLIENT]);
}

/* On the server's clock, from the connection that it accepted before the client asked, to the next one: what it did to others meanwhile, it may
 * have done to this one. Beyond these it demonstrably listened. What lies within BURST_NS is of one time: a full queue refuses one and accepts
 * the next. */
static struct time_span not_accepting(const struct pair_view *view, const struct server_record *server)
{
    const struct tcp_side *client = &view->client->sides[SIDE_CLIENT];
    const struct moment *again = moment_seen(&client->syn_last) ? &client->syn_last : &client->syn;
    int64_t from_ns = clock_to_server(&view->pair->clock, client->syn.time_ns) - BURST_NS,
            to_ns = clock_to_server(&view->pair->clock, again->time_ns) + BURST_NS;
    const struct times *accepts = &server->accepts;
    uint32_t before = times_within(accepts, INT64_MIN, from_ns),
             after = accepts->count - times_within(accepts, to_ns, INT64_MAX);
    return (struct time_span){before > 0 ? accepts->ns[before - 1] : INT64_MIN,
                              after < accepts->count ? accepts->ns[after] : INT64_MAX};
}

/* By its own capture the server's machine refused or ignored others then, too; one that accepts and does not speak may do any of that when its
 * queue is full. */
static bool server_does_so(const struct pair_view *view, const struct surroundings *s)
{
    const struct conversation *c = view->client;
    const struct server_record *server = surroundings_server_at(s, view->pair->far, &c->ends[SIDE_SERVER]);
    if (!server)
        return false;
    struct time_span then = not_accepting(view, server);
    bool refuses = times_within(&server->refusals, then.from_ns, then.to_ns) > 0,
         ignores = time_spans_touching(&server->outages, then.from_ns, then.to_ns) != NULL;
    return c->ending == ENDING_REFUSED     ? refuses
           : c->ending == ENDING_NO_ANSWER ? ignores
                                           : refuses || ignores || server->hollow_resets.count > 0;
}

bool pair_view_doubts_absence(const struct pair_view *view, const struct surroundings *s)
{
    return s->casebook->points[view->pair->far].missed_syns > 0 || surroundings_lacks_ends(s, view->pair->far) ||
           server_does_so(view, s);
}

bool pair_view_capture_misses(const struct pair_view *view, enum side at)
{
    return view->compared->passages[at].unsent + view->compared->passages[side_other(at)].missed > 0 ||
           pair_view_has_hole(view, at);
}

bool pair_view_gets_through(const struct pair_view *view, enum side sender)
{
    enum side receiver = side_other(sender);
    const struct passage *passages = view->compared ? view->compared->passages : NULL;
    return passages && passages[sender].arrived > 0 && passages[sender].open_at_end == 0 &&
           passages[receiver].open_at_end == 0 && pair_view_drop(view) == PAIR_DROP_NONE &&
           !pair_view_capture_misses(view, receiver) && !signs_of_one_direction(view->client) &&
           !signs_of_one_direction(view->server);
}

bool pair_view_is_repaired(const struct pair_view *view)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct conversation *own = pair_view_at(view, side);
        if (own->sides[side].longest_recovery_ns >= LONG_REPAIR_NS || own->sides[side].data_run.count > 0 ||
            view->compared->passages[side].lost_at_end > 0)
            return false;
    }
    return true;
}

double pair_view_confidence(const struct pair_view *view)
{
    return pair_view_misses_packets(view) ? 0.7 : 0.95;
}
