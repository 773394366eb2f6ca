/* network.device-reset: a reset that travelled another way than the packets of the side whose address it bears. */
#include "count_words.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* Who sends a reset has no connection any more (RFC 9293, 3.5.2), and neither probes it nor sends data on it. */
static bool judge_disowned(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *side = &c->sides[c->closed_first_by];
    bool closes_before = moment_seen(&side->fin) && side->fin.time_ns <= side->reset.time_ns;
    if (closes_before || !signs_of_disowned_reset(c, s, c->closed_first_by))
        return false;
    const char *name = c->closed_first_by == SIDE_CLIENT ? "client" : "server";
    judgement->confidence = 0.93;
    judgement_prove(judgement, &side->reset, "a reset with the %s's address", name);
    judgement_prove(judgement, &side->alive_after_reset,
                    "the %s goes on with the connection that it is said to have reset", name);
    judgement_say(judgement,
                  "A reset bears the %s's address, and %s later the %s still uses the connection: it did not send that "
                  "reset, a device between the two did.",
                  name, seconds_words(side->alive_after_reset.time_ns - side->reset.time_ns).text, name);
    return true;
}

/* Of other connections it is known how long the way takes. */
static bool judge_hasty(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct server_record *record = surroundings_server(s, c);
    if (record->timed_handshakes < HANDSHAKES_TO_COMPARE || !signs_of_hasty_reset(c, s))
        return false;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    judgement->confidence = 0.86;
    judgement->would_settle = settle_by_both_captures;
    judgement_prove(judgement, &client->last_data, "a packet of the client");
    judgement_prove(judgement, &server->reset, "a reset with the server's address acknowledges it");
    judgement_say(judgement,
                  "A reset with the server's address acknowledges what the client had sent %.1f ms before, and the way "
                  "to the server and back never took less than %.1f ms: a device nearer than the server sent it.",
                  seconds(server->reset.time_ns - client->last_data.time_ns) * 1000,
                  seconds(record->shortest_trip_ns) * 1000);
    return true;
}

/* Among the connections of the two, that side's packets often come over ways of different length. Of this one too few may have been seen
 * to tell. A single odd one is no habit: it may be of the device itself. */
static bool ways_wander(const struct conversation *c, const struct surroundings *s, enum side side)
{
    enum { OFTEN = 2, OFTEN_PERCENT = 10 };
    const struct pair_record *pair = surroundings_pair(s, c);
    uint32_t wandering = pair->wandering[side];
    return wandering >= OFTEN && (uint64_t)wandering * 100 >= (uint64_t)pair->conversations * OFTEN_PERCENT;
}

/* In another connection what that machine says came over as many hops as the reset: its way changed in between, as routers do that stand in for
 * each other. */
static bool comes_that_way(const struct conversation *c, const struct surroundings *s, enum side side)
{
    struct ttl_range spoken = surroundings_host_ttls(s, c->point, &c->ends[SIDE_SERVER].address);
    unsigned hops = hops_from_ttl(c->sides[side].reset_ttl);
    return side == SIDE_SERVER && spoken.most != 0 &&
           (hops == hops_from_ttl(spoken.least) || hops == hops_from_ttl(spoken.most));
}

static void leave_maker_open(struct judgement *judgement, double confidence)
{
    judgement->culprit = CULPRIT_UNKNOWN;
    judgement->confidence = confidence;
}

/* Another initial TTL, over as many hops, may be of a device or of a filter on the machine itself; ways that wander explain other hops. */
static void weigh_maker(const struct conversation *c, const struct surroundings *s, enum side side, bool same_hops,
                        struct judgement *judgement)
{
    if (same_hops)
        leave_maker_open(judgement, 0.55);
    else if (ways_wander(c, s, side) || comes_that_way(c, s, side))
        leave_maker_open(judgement, 0.45);
}

static bool judge_refused(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!c->starts_with_syn || client->payload_bytes > 0 || surroundings_scanned_by(s, c) ||
        signs_of_other_service(c, s) || !signs_of_foreign_refusal(c, s))
        return false;
    unsigned usual_ttl = surroundings_host_ttls(s, c->point, &c->ends[SIDE_SERVER].address).most,
             hops = hops_from_ttl(server->reset_ttl), usual = hops_from_ttl(usual_ttl);
    judgement->confidence = hops < usual ? 0.85 : 0.78;
    judgement->would_settle = settle_by_both_captures;
    weigh_maker(c, s, SIDE_SERVER, hops == usual, judgement);
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &server->reset, "a reset with the server's address refuses it: TTL %u, %s away",
                    server->reset_ttl, count_words(hops, "hop").text);
    if (hops == usual)
        judgement_say(
            judgement,
            "The reset that refuses the connection bears the server's address, but its TTL began with %u, and "
            "that of all that the server says in other connections with %u: not its TCP refused it, but a "
            "firewall, on the way or on the server's machine.",
            initial_ttl(server->reset_ttl), initial_ttl(usual_ttl));
    else
        judgement_say(
            judgement,
            "The reset that refuses the connection bears the server's address, but came over %s (TTL %u), and all "
            "that the server says in other connections over %u (TTL %u): a firewall between the two refused it.",
            count_words(hops, "hop").text, server->reset_ttl, usual, usual_ttl);
    return true;
}

/* No machine refuses a SYN and accepts it, too (RFC 9293, 3.10.7.2): a device beside the way made the reset, or two machines have the
 * address. */
static bool judge_refused_and_accepted(const struct conversation *c, const struct surroundings *s,
                                       struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    /* By the order in the capture, for its stamps may be coarse. */
    bool refused_first = moment_seen(&server->reset) && moment_seen(&server->syn) &&
                         server->reset.capture == server->syn.capture && server->reset.frame < server->syn.frame;
    if (!c->starts_with_syn || client->syns != 1 || !refused_first || !signs_of_sql(c, s) ||
        surroundings_stands_at(s, c, SIDE_SERVER) || signs_of_disowned_reset(c, s, SIDE_SERVER))
        return false;
    judgement->confidence = 0.85;
    judgement->would_settle = settle_by_both_captures;
    /* In stamps that are so coarse a repetition has room, which the capture may have missed. */
    if (server->syn.time_ns - server->reset.time_ns + surroundings_tick_ns(s, c->point) >= SYN_AGAIN_NS)
        leave_maker_open(judgement, 0.5);
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN), once");
    judgement_prove(judgement, &server->reset, "a reset with the server's address refuses it");
    judgement_prove(judgement, &server->syn, "SYN+ACK with the server's address accepts it");
    judgement_say(judgement,
                  "The client's only SYN was refused by a reset with the server's address, and then accepted "
                  "by SYN+ACK: no machine does both, so a device on the way made the reset.");
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (judge_refused(c, s, judgement) || judge_refused_and_accepted(c, s, judgement))
        return true;
    if (!c->first_close_known || signs_of_silence(c).held || !conversation_established(c) || !signs_of_sql(c, s))
        return false;
    if (judge_disowned(c, s, judgement) || judge_hasty(c, s, judgement))
        return true;
    const struct tcp_side *side = &c->sides[c->closed_first_by];
    if (!moment_seen(&side->reset) || moment_seen(&side->fin) || !signs_of_foreign_reset(side))
        return false;
    if (surroundings_stands_at(s, c, c->closed_first_by))
        return false;
    unsigned hops = hops_from_ttl(side->reset_ttl), usual = hops_from_ttl(side->ttl_max);
    judgement->confidence = hops < usual ? 0.88 : 0.8;
    judgement->would_settle = settle_by_both_captures;
    weigh_maker(c, s, c->closed_first_by, hops == usual, judgement);
    const char *name = c->closed_first_by == SIDE_CLIENT ? "client" : "server";
    judgement_prove(judgement, &side->last_data, "a packet of the %s: TTL %u, %s away", name, side->ttl_max,
                    count_words(usual, "hop").text);
    judgement_prove(judgement, &side->reset, "a reset with its address: TTL %u, %s away", side->reset_ttl,
                    count_words(hops, "hop").text);
    if (hops == usual)
        judgement_say(
            judgement,
            "The reset bears the %s's address, but its TTL began with %u, and that of all other packets of the "
            "%s with %u: not its TCP sent it, but a device between the two or a filter on the %s's machine.",
            name, initial_ttl(side->reset_ttl), name, initial_ttl(side->ttl_max), name);
    else
        judgement_say(
            judgement,
            "The reset bears the %s's address, but came over %s (TTL %u), and all other packets of the %s over %u "
            "(TTL %u): a device between the two sent it.",
            name, count_words(hops, "hop").text, side->reset_ttl, name, usual, side->ttl_max);
    return true;
}

/* A reset or FIN that arrived, that the other end's own capture does not show leaving, and that ended something. NULL: none. */
static const struct moment *foreign_close(const struct pair_view *view, enum side sender)
{
    const struct conversation *receiver = sender == SIDE_SERVER ? view->client : view->server;
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

/* Longer than a path takes, shorter than a sender's least time-out. */
#define PATH_MOST_NS (200 * NS_PER_MS)

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
    const struct clock_facts *clock = &view->pair->clock;
    const struct conversation *own = sender == SIDE_CLIENT ? view->client : view->server;
    int64_t reset_ns =
                sender == SIDE_CLIENT ? clock_to_client(clock, reset->time_ns) : clock_to_server(clock, reset->time_ns),
            way_ns = view->compared->passages[sender].longest_ns, slack_ns = 2 * clock->uncertainty_ns + NS_PER_MS;
    const struct capture_silence *silence = capture_silences_in(&s->casebook->points[own->point].silences,
                                                                reset_ns - way_ns - slack_ns, reset_ns + slack_ns);
    return silence && silence->resets >= RESETS_AT_ONCE && !goes_on(&own->sides[sender], reset_ns);
}

/* It goes on where that end's own packets were, which a device does not know, and that end shows no life after it. */
static bool looks_own(const struct pair_view *view, enum side sender, const struct moment *reset)
{
    const struct conversation *own = sender == SIDE_CLIENT ? view->client : view->server,
                              *receiver = sender == SIDE_CLIENT ? view->server : view->client;
    const struct tcp_side *as_received = &receiver->sides[sender];
    const struct clock_facts *clock = &view->pair->clock;
    int64_t reset_ns =
        sender == SIDE_CLIENT ? clock_to_client(clock, reset->time_ns) : clock_to_server(clock, reset->time_ns);
    return as_received->reset.frame == reset->frame && as_received->reset_goes_on &&
           !goes_on(&own->sides[sender], reset_ns);
}

/* What the receiver of the reset had sent came to that end, which never acknowledged it, as who has the connection does within half a second
 * (RFC 1122, 4.2.3.2): it had given it up, and told so. */
static bool has_given_up(const struct pair_view *view, const struct surroundings *s, enum side sender)
{
    const struct conversation *own = sender == SIDE_CLIENT ? view->client : view->server;
    return !own->closed && own->sides[side_other(sender)].unacknowledged_bytes > 0 &&
           surroundings_watched_after_ns(s, own) >= NS_PER_SECOND;
}

/* The packet that it answers did not get through either: a device that refuses a connection does both. */
static bool answers_lost_packet(const struct passage *refused, const struct moment *reset)
{
    int64_t after_ns = reset->time_ns - refused->last_lost.time_ns;
    return refused->lost_at_end > 0 && after_ns >= 0 && after_ns < PATH_MOST_NS;
}

/* The capture of the end that is said to have sent it may have missed it. */
static void doubt_capture(const struct pair_view *view, const struct surroundings *s, enum side sender,
                          const struct moment *reset, struct judgement *judgement)
{
    const struct conversation *own = sender == SIDE_CLIENT ? view->client : view->server;
    bool in_hole = may_be_in_hole(view, s, sender, reset),
         answers = answers_lost_packet(&view->compared->passages[side_other(sender)], reset);
    if (in_hole && answers && judgement->confidence > 0.75)
        judgement->confidence = 0.75;
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
        judgement->would_settle = "Which machine had that address then: the cluster's log, or `arp -a` on its network.";
    }
    judgement_prove(judgement, syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &c->sides[SIDE_SERVER].reset, "a reset with the server's address refuses it");
    judgement_say(
        judgement,
        "The client's SYN was refused by a reset, and the server's capture, which was running, has neither of "
        "the two: a firewall on the way refused the connection in the server's name%s.",
        moved ? ", or another machine has the address now, as after a failover" : "");
    return true;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (!view->server)
        return judge_refused_before(view, s, judgement);
    if (view->relayed)
        return judge_relayed(view, judgement);
    if (!view->compared || signs_of_one_direction(view->client) || signs_of_one_direction(view->server))
        return false;
    const struct moment *to_client = foreign_close(view, SIDE_SERVER), *to_server = foreign_close(view, SIDE_CLIENT);
    /* A FIN at one end alone is rather one that the sender's capture missed: devices that close so close both ways. */
    if (!to_server && to_client == &view->compared->passages[SIDE_SERVER].injected_fin)
        to_client = NULL;
    if (!to_client && to_server == &view->compared->passages[SIDE_CLIENT].injected_fin)
        to_server = NULL;
    if (!to_client && !to_server)
        return false;
    if (to_client && !to_server && is_refusal(view))
        return false;
    /* A capture that missed other packets may have missed this one. */
    if (to_client && pair_view_capture_misses(view, SIDE_SERVER))
        to_client = NULL;
    if (to_server && pair_view_capture_misses(view, SIDE_CLIENT))
        to_server = NULL;
    if (!to_client && !to_server)
        return false;
    judgement->confidence = to_client && to_server ? 0.98 : pair_view_confidence(view);
    if (!to_client != !to_server)
        doubt_capture(view, s, to_client ? SIDE_SERVER : SIDE_CLIENT, to_client ? to_client : to_server, judgement);
    const struct passage *out = &view->compared->passages[SIDE_CLIENT], *back = &view->compared->passages[SIDE_SERVER];
    bool reset = moment_seen(&out->injected_reset) || moment_seen(&back->injected_reset);
    const char *what = reset ? "a reset" : "a FIN";
    if (to_client)
        judgement_prove(judgement, to_client, "the client gets %s with the server's address", what);
    if (to_server)
        judgement_prove(judgement, to_server, "the server gets %s with the client's address", what);
    judgement_prove(judgement, &view->server->sides[SIDE_SERVER].last,
                    "the server's own last packet: it had not sent that");
    judgement_prove(judgement, &view->client->sides[SIDE_CLIENT].last, "the client's own last packet");
    judgement_say(judgement, "%s %s that the other end never sent: a device between the two made it.",
                  to_client && to_server ? "Both ends received"
                  : to_client            ? "The client received"
                                         : "The server received",
                  what);
    return true;
}

static const char *const actions[] = {
    action_trace_both,
    "Find the device: count the hops of `tracert -d SERVER` (on Linux `traceroute -n -T -p 1433 SERVER`) up to the "
    "number of the reset's.",
    "Look at the idle time-outs of the firewalls, load balancers and NAT gateways on the way, and at their logs for "
    "this address pair.",
    "Let the connection's keep-alive be shorter than the shortest of them (the drivers' default of 30 s usually is).",
    NULL,
};

const struct detector network_device_reset = {
    .cause = "network.device-reset",
    .title = "A device on the way resets the connection",
    .holds_when =
        "The conversation ends with a reset whose TTL shows another number of hops than all other packets of that "
        "side, which show one number. Where these wander in other connections of the two machines, because the way "
        "changes from packet to packet, the culprit stays open; and where the server's machine says something over as "
        "many hops in another connection. Or that side goes on using the connection after its "
        "reset, by more than a round trip and 200 ms. Or the reset that refuses a SYN came over another number of "
        "hops than all that the server's machine says in other connections, on any port. Over as many hops, but from "
        "another initial TTL (64, 128, 255) than all else, somebody else than that machine's TCP made it, and the "
        "culprit stays open. Or a reset acknowledges what the client had sent less than half of a round trip before; "
        "of three connections or more none shows the server acknowledge anything so soon. Or the client's only SYN "
        "is refused, and then accepted in less time than clients take to repeat it (0.45 s).",
    .holds_with_both =
        "A reset arrives that the other end's capture does not show leaving, and not both sides had closed by then; or "
        "both ends get such a FIN (at one end alone it is rather a packet that the capture missed). What one end gets "
        "does not count when the other's capture missed packets of this connection. The culprit stays open when that "
        "capture missed more than one packet in a thousand of other connections; and when it recorded nothing at all "
        "while several were reset and no packet of theirs was refused, which may be a hole of it. It stays open, too, "
        "when the reset goes on with that side's IP IDs, timestamps or window and the side shows no life after it; and "
        "when the side never acknowledges what came to it: it had given the connection up. Also where a device joins "
        "two connections: the client sees the server's side close first, and the server the client's. Or a SYN is "
        "refused, and the server's capture, which was running and shows connections to that address accepted before "
        "and after it, has neither the SYN nor the reset. Where it shows that address no more afterwards, the culprit "
        "stays open, for another machine may have it; likewise where that capture misses packets or ends of others, or "
        "shows the server itself refuse others then, and accept none in between.",
    .means = "Routers count the TTL down by one each; packets of one machine arrive with one TTL as long as the way "
             "is the same. A firewall or load balancer that resets a connection in somebody else's name is nearer, "
             "and starts from its own TTL. Both ends then report that the other one reset it. (Article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = judge_pair,
};
