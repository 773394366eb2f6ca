/* Resets by the hops that they came over, and by the TTL that they began with. */
#include "device_reset_hops.h"

#include "count_words.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

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

/* What the other end's machine got from its own network is said to be of a device there. */
bool device_reset_hops_at_end(const struct conversation *c, const struct surroundings *s, enum side side,
                              unsigned usual_ttl)
{
    unsigned ttl = c->sides[side].reset_ttl;
    bool beside_other_end = hops_from_ttl(ttl) == 0 && surroundings_role(s, c) == capture_role_at(side_other(side));
    return signs_of_last_hop(ttl, usual_ttl) && !beside_other_end;
}

void device_reset_hops_doubt_end(const struct conversation *c, const struct surroundings *s, enum side side,
                                 unsigned usual_ttl, struct judgement *judgement)
{
    if (!device_reset_hops_at_end(c, s, side, usual_ttl))
        return;
    if (hops_from_ttl(c->sides[side].reset_ttl) == 0)
        judgement_leave_open(judgement, 0.5);
    else if (judgement->confidence > 0.7)
        judgement->confidence = 0.7;
    judgement->would_settle = settle_by_host_of_guest;
}

bool device_reset_hops_of_own(const struct conversation *c, const struct surroundings *s, enum side side,
                              unsigned usual_ttl)
{
    return hops_from_ttl(c->sides[side].reset_ttl) == hops_from_ttl(usual_ttl) || ways_wander(c, s, side) ||
           comes_that_way(c, s, side);
}

/* Another initial TTL, over as many hops, may be of a device or of a filter on the machine itself; ways that wander explain other hops. */
static void weigh_maker(const struct conversation *c, const struct surroundings *s, enum side side, unsigned usual_ttl,
                        struct judgement *judgement)
{
    if (hops_from_ttl(c->sides[side].reset_ttl) == hops_from_ttl(usual_ttl))
        judgement_leave_open(judgement, 0.55);
    else if (ways_wander(c, s, side) || comes_that_way(c, s, side))
        judgement_leave_open(judgement, 0.45);
    else
        device_reset_hops_doubt_end(c, s, side, usual_ttl, judgement);
}

bool device_reset_hops_refusing(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!c->starts_with_syn || client->payload_bytes > 0 || surroundings_scanned_by(s, c) ||
        signs_of_other_service(c, s) || !signs_of_foreign_refusal(c, s))
        return false;
    unsigned usual_ttl = surroundings_host_ttls(s, c->point, &c->ends[SIDE_SERVER].address).most,
             hops = hops_from_ttl(server->reset_ttl), usual = hops_from_ttl(usual_ttl);
    judgement->confidence = hops < usual ? 0.85 : 0.78;
    judgement->would_settle = settle_by_both_captures;
    weigh_maker(c, s, SIDE_SERVER, usual_ttl, judgement);
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &server->reset, "a reset with the server's address refuses it: TTL %u, %s away",
                    server->reset_ttl, count_words(hops, "hop").text);
    if (hops == usual)
        judgement_say(judgement,
                      "The reset that refuses the connection bears the server's address, but its TTL began with %u, "
                      "and that of all that the server says in other connections with %u: not its TCP refused it, but "
                      "a firewall, on the way or on the server's machine.",
                      initial_ttl(server->reset_ttl), initial_ttl(usual_ttl));
    else
        judgement_say(
            judgement,
            "The reset that refuses the connection bears the server's address, but came over %s (TTL %u), and all that "
            "the server says in other connections over %u (TTL %u): %s refused it.",
            count_words(hops, "hop").text, server->reset_ttl, usual, usual_ttl,
            device_reset_hops_at_end(c, s, SIDE_SERVER, usual_ttl)
                ? "a firewall right before the server, or the host of the container or virtual machine that it runs in,"
                : "a firewall between the two");
    return true;
}

bool device_reset_hops_ending(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *side = &c->sides[c->closed_first_by];
    if (!moment_seen(&side->reset) || moment_seen(&side->fin) || !signs_of_foreign_reset(side))
        return false;
    if (surroundings_stands_at(s, c, c->closed_first_by))
        return false;
    unsigned hops = hops_from_ttl(side->reset_ttl), usual = hops_from_ttl(side->ttl_max);
    judgement->confidence = hops < usual ? 0.88 : 0.8;
    judgement->would_settle = settle_by_both_captures;
    weigh_maker(c, s, c->closed_first_by, side->ttl_max, judgement);
    const char *name = side_name(c->closed_first_by);
    judgement_prove(judgement, &side->last_data, "a packet of the %s: TTL %u, %s away", name, side->ttl_max,
                    count_words(usual, "hop").text);
    judgement_prove(judgement, &side->reset, "a reset with its address: TTL %u, %s away", side->reset_ttl,
                    count_words(hops, "hop").text);
    if (hops == usual)
        judgement_say(
            judgement,
            "The reset bears the %s's address, but its TTL began with %u, and that of all other packets of the %s with "
            "%u: not its TCP sent it, but a device between the two or a filter on the %s's machine.",
            name, initial_ttl(side->reset_ttl), name, initial_ttl(side->ttl_max), name);
    else
        judgement_say(judgement,
                      "The reset bears the %s's address, but came over %s (TTL %u), and all other packets of the %s "
                      "over %u (TTL %u): %s sent it.",
                      name, count_words(hops, "hop").text, side->reset_ttl, name, usual, side->ttl_max,
                      device_reset_hops_at_end(c, s, c->closed_first_by, side->ttl_max)
                          ? "a device right before it, or the host of the container or virtual machine that it runs in,"
                          : "a device between the two");
    return true;
}
