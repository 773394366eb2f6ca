/* Resets and FINs that reach one end and did not leave the other, as the captures of both ends show. */
#include "device_reset_both_ends.h"

#include "device_reset_hops.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* A reset or FIN that arrived, that the other end's own capture does not show leaving, and that ended something. NULL: none. */
static const struct moment *foreign_close(const struct pair_view *view, enum side sender)
{
    const struct conversation *receiver = pair_view_at(view, side_other(sender));
    const struct passage *passage = &view->compared->passages[sender];
    if (moment_seen(&passage->injected_fin))
        return &passage->injected_fin;
    bool closed = moment_seen(&receiver->sides[SIDE_CLIENT].fin) && moment_seen(&receiver->sides[SIDE_SERVER].fin);
    return moment_seen(&passage->injected_reset) && !closed ? &passage->injected_reset : NULL;
}

/* Each end sees the other close first: neither did, and the device that joins their connections is what is left. */
static bool judge_relayed(const struct pair_view *view, struct judgement *judgement)
{
    const struct conversation *client = view->client, *server = view->server;
    if (!client->first_close_known || !server->first_close_known || client->closed_first_by != SIDE_SERVER ||
        server->closed_first_by != SIDE_CLIENT)
        return false;
    struct moment at_client = conversation_first_close(client), at_server = conversation_first_close(server);
    judgement->confidence = 0.9;
    judgement_prove(judgement, &at_client, "the client's connection is closed from the server's side");
    judgement_prove(judgement, &at_server, "the server's connection is closed from the client's side");
    judgement_say(
        judgement,
        "Each end was told that the other one closes, and neither did: the device that joins their connections closed "
        "both.");
    return true;
}

/* Longer than a path takes, and no longer than a sender's least time-out. */
#define PATH_MOST_NS LEAST_RTO_NS

/* One missed packet in a thousand: with the resets of some connections among thousands of packets, it may have been one. */
static bool is_poor(const struct surroundings *s, uint32_t point)
{
    const struct point_facts *facts = &s->casebook->points[point];
    return (facts->missed + facts->perhaps_missed) * 1000 > facts->compared;
}

/* So many connections that end at once, and that capture has nothing of anybody then. */
enum { RESETS_AT_ONCE = 2 };

/* The end whose address they bear goes on with the connection: it did not send that reset. */
static bool goes_on(const struct tcp_side *side, int64_t reset_ns)
{
    return !moment_seen(&side->reset) && side->last.time_ns - reset_ns > PATH_MOST_NS;
}

/* Whether the sender's capture may have had a hole in which it sent this reset, and others. */
static bool may_be_in_hole(const struct pair_view *view, const struct surroundings *s, enum side sender,
                           const struct moment *reset)
{
    const struct conversation *own = pair_view_at(view, sender);
    int64_t reset_ns = pair_view_time_at(view, sender, reset->time_ns),
            way_ns = view->compared->passages[sender].longest_ns,
            slack_ns = 2 * view->pair->clock.uncertainty_ns + NS_PER_MS;
    const struct capture_silence *silence = capture_silences_in(&s->casebook->points[own->point].silences,
                                                                reset_ns - way_ns - slack_ns, reset_ns + slack_ns);
    return silence && silence->resets >= RESETS_AT_ONCE && !goes_on(&own->sides[sender], reset_ns);
}

/* It goes on where that end's own packets were, which a device does not know, and that end shows no life after it. */
static bool looks_own(const struct pair_view *view, enum side sender, const struct moment *reset)
{
    const struct conversation *own = pair_view_at(view, sender), *receiver = pair_view_at(view, side_other(sender));
    const struct tcp_side *as_received = &receiver->sides[sender];
    int64_t reset_ns = pair_view_time_at(view, sender, reset->time_ns);
    return as_received->reset.frame == reset->frame && as_received->reset_goes_on &&
           !goes_on(&own->sides[sender], reset_ns);
}

/* What the receiver of the reset had sent came to that end, which never acknowledged it: it had given the connection up, and
 * told so. */
static bool has_given_up(const struct pair_view *view, const struct surroundings *s, enum side sender)
{
    const struct conversation *own = pair_view_at(view, sender);
    return !own->closed && own->sides[side_other(sender)].unacknowledged_bytes > 0 &&
           surroundings_watched_after_ns(s, own) >= ACKNOWLEDGED_BY_NS;
}

/* The packet that it answers did not get through either: a device that refuses a connection does both. */
static bool answers_lost_packet(const struct passage *refused, const struct moment *reset)
{
    int64_t after_ns = reset->time_ns - refused->last_lost.time_ns;
    return refused->lost_at_end > 0 && after_ns >= 0 && after_ns < PATH_MOST_NS;
}

/* It came from right before that side: in the capture inside a container or virtual machine what its host sends in its name is missing, too. */
static bool may_be_of_host(const struct pair_view *view, const struct surroundings *s, enum side sender,
                           const struct moment *reset)
{
    const struct conversation *receiver = pair_view_at(view, side_other(sender));
    const struct tcp_side *side = &receiver->sides[sender];
    return side->reset.frame == reset->frame && side->ttl_min == side->ttl_max &&
           device_reset_hops_at_end(receiver, s, sender, side->ttl_max);
}

/* The capture of the end that is said to have sent it may have missed it. */
static void doubt_capture(const struct pair_view *view, const struct surroundings *s, enum side sender,
                          const struct moment *reset, struct judgement *judgement)
{
    const struct conversation *own = pair_view_at(view, sender);
    bool in_hole = may_be_in_hole(view, s, sender, reset),
         answers = answers_lost_packet(&view->compared->passages[side_other(sender)], reset);
    if (in_hole && answers && judgement->confidence > 0.75)
        judgement->confidence = 0.75;
    if (may_be_of_host(view, s, sender, reset) && judgement->confidence > 0.8) {
        judgement->confidence = 0.8;
        judgement->would_settle = settle_by_host_of_guest;
    }
    if (!(in_hole && !answers) && !looks_own(view, sender, reset) && !has_given_up(view, s, sender) &&
        !is_poor(s, own->point))
        return;
    settling_doubt_capture(judgement);
}

/* Who refuses in the server's name keeps the SYN from it. It came there, and the server's machine would have answered it: its capture
 * missed that answer. */
static bool is_refusal(const struct pair_view *view)
{
    const struct tcp_side *server = &view->server->sides[SIDE_SERVER];
    return view->client->ending == ENDING_REFUSED && moment_seen(&view->server->sides[SIDE_CLIENT].syn) &&
           server->packets == 0;
}

/* The server's capture, which was running and has other connections to that address, has nothing of it: the SYN did not get there. */
static bool judge_refused_before(const struct pair_view *view, const struct surroundings *s,
                                 struct judgement *judgement)
{
    const struct conversation *c = view->client;
    if (c->ending != ENDING_REFUSED || !c->starts_with_syn || signs_of_other_service(c, s) ||
        surroundings_scanned_by(s, c))
        return false;
    const struct moment *syn = &c->sides[SIDE_CLIENT].syn;
    int64_t at_server_ns = clock_to_server(&view->pair->clock, syn->time_ns);
    /* The address may have gone to another machine, as after a failover. */
    bool moved = !surroundings_hears_after(s, view->pair->far, &c->ends[SIDE_SERVER].address, at_server_ns);
    if (moved && signs_of_foreign_refusal(c, s))
        return false; /* its hops tell more */
    bool lacking = pair_view_doubts_absence(view, s) || is_poor(s, view->pair->far);
    judgement->confidence = moved || lacking ? 0.5 : 0.9;
    if (lacking) {
        settling_doubt_capture(judgement);
    } else if (moved) {
        judgement->culprit = CULPRIT_UNKNOWN;
        judgement->would_settle = settle_by_address_owner;
    }
    judgement_prove(judgement, syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &c->sides[SIDE_SERVER].reset, "a reset with the server's address refuses it");
    judgement_say(judgement,
                  "The client's SYN was refused by a reset, and the server's capture, which was running, has neither "
                  "of the two: a firewall on the way refused the connection in the server's name%s.",
                  moved ? ", or another machine has the address now, as after a failover" : "");
    return true;
}

/* What ended the connection at either end and was not sent by the other. NULL: nothing. */
struct foreign_closes {
    const struct moment *to_client, *to_server;
};

static struct foreign_closes foreign_closes_of(const struct pair_view *view)
{
    struct foreign_closes closes = {foreign_close(view, SIDE_SERVER), foreign_close(view, SIDE_CLIENT)};
    /* A FIN at one end alone is rather one that the sender's capture missed: devices that close so close both ways. */
    if (!closes.to_server && closes.to_client == &view->compared->passages[SIDE_SERVER].injected_fin)
        closes.to_client = NULL;
    if (!closes.to_client && closes.to_server == &view->compared->passages[SIDE_CLIENT].injected_fin)
        closes.to_server = NULL;
    if (closes.to_client && !closes.to_server && is_refusal(view))
        closes.to_client = NULL;
    /* A capture that missed other packets may have missed this one. */
    if (closes.to_client && pair_view_capture_misses(view, SIDE_SERVER))
        closes.to_client = NULL;
    if (closes.to_server && pair_view_capture_misses(view, SIDE_CLIENT))
        closes.to_server = NULL;
    return closes;
}

static void tell_closes(const struct pair_view *view, struct foreign_closes closes, struct judgement *judgement)
{
    const struct passage *out = &view->compared->passages[SIDE_CLIENT], *back = &view->compared->passages[SIDE_SERVER];
    bool reset = moment_seen(&out->injected_reset) || moment_seen(&back->injected_reset);
    const char *what = reset ? "a reset" : "a FIN";
    if (closes.to_client)
        judgement_prove(judgement, closes.to_client, "the client gets %s with the server's address", what);
    if (closes.to_server)
        judgement_prove(judgement, closes.to_server, "the server gets %s with the client's address", what);
    judgement_prove(judgement, &view->server->sides[SIDE_SERVER].last,
                    "the server's own last packet: it had not sent that");
    judgement_prove(judgement, &view->client->sides[SIDE_CLIENT].last, "the client's own last packet");
    judgement_say(judgement, "%s %s that the other end never sent: a device between the two made it.",
                  closes.to_client && closes.to_server ? "Both ends received"
                  : closes.to_client                   ? "The client received"
                                                       : "The server received",
                  what);
}

bool device_reset_both_ends(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (!view->server)
        return judge_refused_before(view, s, judgement);
    if (view->relayed)
        return judge_relayed(view, judgement);
    if (!view->compared || signs_of_one_direction(view->client) || signs_of_one_direction(view->server))
        return false;
    struct foreign_closes closes = foreign_closes_of(view);
    if (!closes.to_client && !closes.to_server)
        return false;
    judgement->confidence = closes.to_client && closes.to_server ? 0.98 : pair_view_confidence(view);
    if (!closes.to_server)
        doubt_capture(view, s, SIDE_SERVER, closes.to_client, judgement);
    else if (!closes.to_client)
        doubt_capture(view, s, SIDE_CLIENT, closes.to_server, judgement);
    tell_closes(view, closes, judgement);
    return true;
}
