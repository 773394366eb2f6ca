/* Resets by what comes before and after them, and how soon. */
#include "device_reset_times.h"

#include "device_reset_hops.h"
#include "settling.h"
#include "signs.h"
#include "ttl_hops.h"
#include "ttl_signs.h"

/* A firewall of that very machine may refuse what comes, without its TCP: then the reset is as far away as TCP's packets are. */
static void doubt_own_filter(enum side sender, struct judgement *judgement)
{
    judgement_leave_open(judgement, 0.6);
    judgement->would_settle = settle_by_capture_at(sender);
    judgement_say_more(judgement, "Or a firewall or filter driver of the machine itself made it: packets of that "
                                  "machine come over as many hops.");
}

/* Who sends a reset has no connection any more (RFC 9293, 3.5.2), and neither probes it nor sends data on it. */
bool device_reset_times_disowned(const struct conversation *c, const struct surroundings *s,
                                 struct judgement *judgement)
{
    const struct tcp_side *side = &c->sides[c->closed_first_by];
    const struct moment *reset = &side->disowned_reset;
    bool closes_before = moment_seen(&side->fin) && side->fin.time_ns <= reset->time_ns;
    if (closes_before || !moment_seen(&side->alive_after_reset))
        return false;
    const char *name = side_name(c->closed_first_by);
    /* A container knows as little of what its host sends in its name as of a device's reset. */
    bool stands_at = surroundings_stands_at(s, c, c->closed_first_by), is_last = reset->frame == side->reset.frame,
         as_far = is_last ? !signs_of_foreign_reset(side) ||
                                device_reset_hops_of_own(c, s, c->closed_first_by, side->ttl_max)
                          : hops_from_ttl(side->disowned_ttl) == hops_from_ttl(side->ttl_max),
         as_own = !stands_at && as_far,
         at_end =
             stands_at || (is_last && !as_own && device_reset_hops_at_end(c, s, c->closed_first_by, side->ttl_max));
    judgement->confidence = 0.93;
    if (stands_at) {
        judgement_leave_open(judgement, 0.5);
        judgement->would_settle = settle_by_host_of_guest;
    } else if (is_last)
        device_reset_hops_doubt_end(c, s, c->closed_first_by, side->ttl_max, judgement);
    judgement_prove(judgement, reset, "a reset with the %s's address", name);
    judgement_prove(judgement, &side->alive_after_reset,
                    "the %s goes on with the connection that it is said to have reset", name);
    judgement_say(judgement,
                  "A reset bears the %s's address, and %s later the %s still uses the connection: its TCP did not "
                  "send that reset, %s did.",
                  name, seconds_words(side->alive_after_reset.time_ns - reset->time_ns).text, name,
                  at_end ? "a device right before it, a filter on its machine, or the host of its container or virtual "
                           "machine"
                         : "a device between the two");
    if (as_own)
        doubt_own_filter(c->closed_first_by, judgement);
    return true;
}

/* Of other connections it is known how long the way takes. */
bool device_reset_times_hasty(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
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

/* No machine refuses a SYN and accepts it, too (RFC 9293, 3.10.7.2): a device beside the way made the reset, or two machines have the
 * address. */
bool device_reset_times_accepted(const struct conversation *c, const struct surroundings *s,
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
        judgement_leave_open(judgement, 0.5);
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN), once");
    judgement_prove(judgement, &server->reset, "a reset with the server's address refuses it");
    judgement_prove(judgement, &server->syn, "SYN+ACK with the server's address accepts it");
    judgement_say(judgement, "The client's only SYN was refused by a reset with the server's address, and then "
                             "accepted by SYN+ACK: no machine does both, so a device on the way made the reset.");
    return true;
}
