/* network.device-reset: a reset that travelled another way than the packets of the side whose address it bears. */
#include "actions.h"
#include "detector.h"
#include "signs.h"

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!c->first_close_known || signs_of_silence(c).held || !conversation_established(c) || !signs_of_sql(c, s))
        return false;
    const struct tcp_side *side = &c->sides[c->closed_first_by];
    if (!moment_seen(&side->reset) || moment_seen(&side->fin) || !signs_of_foreign_reset(side))
        return false;
    enum capture_role role = surroundings_role(s, c);
    bool own = (role == CAPTURE_ROLE_CLIENT && c->closed_first_by == SIDE_CLIENT) ||
               (role == CAPTURE_ROLE_SERVER && c->closed_first_by == SIDE_SERVER);
    if (own)
        return false;
    unsigned hops = hops_from_ttl(side->reset_ttl), usual = hops_from_ttl(side->ttl_max);
    judgement->confidence = hops < usual ? 0.88 : 0.8;
    judgement->would_settle = SETTLE_BY_BOTH_CAPTURES;
    const char *name = c->closed_first_by == SIDE_CLIENT ? "client" : "server";
    judgement_prove(judgement, &side->last_data, "a packet of the %s: TTL %u, %u hops away", name, side->ttl_max,
                    usual);
    judgement_prove(judgement, &side->reset, "a reset with its address: TTL %u, %u hops away", side->reset_ttl, hops);
    judgement_say(
        judgement,
        "The reset bears the %s's address, but came over %u hops (TTL %u), and all other packets of the %s over %u "
        "(TTL %u): a device between the two sent it.",
        name, hops, side->reset_ttl, name, usual, side->ttl_max);
    return true;
}

/* A reset that arrived, that the other end's own capture does not show leaving, and that ended something. */
static bool is_foreign(const struct pair_view *view, enum side sender)
{
    const struct conversation *receiver = sender == SIDE_SERVER ? view->client : view->server;
    bool closed = moment_seen(&receiver->sides[SIDE_CLIENT].fin) && moment_seen(&receiver->sides[SIDE_SERVER].fin);
    return moment_seen(&view->compared->passages[sender].injected_reset) && !closed;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    (void)s;
    if (!view->compared || signs_of_one_direction(view->client) || signs_of_one_direction(view->server))
        return false;
    bool to_client = is_foreign(view, SIDE_SERVER), to_server = is_foreign(view, SIDE_CLIENT);
    if (!to_client && !to_server)
        return false;
    const struct passage *out = &view->compared->passages[SIDE_CLIENT], *back = &view->compared->passages[SIDE_SERVER];
    judgement->confidence = to_client && to_server ? 0.98 : pair_view_confidence(view);
    if (!to_client != !to_server && (to_client ? back : out)->unsent > 0) {
        judgement->culprit = CULPRIT_UNKNOWN; /* that capture missed other packets: it may have missed the reset */
        judgement->confidence = 0.5;
    }
    if (to_client)
        judgement_prove(judgement, &back->injected_reset, "the client gets a reset with the server's address");
    if (to_server)
        judgement_prove(judgement, &out->injected_reset, "the server gets a reset with the client's address");
    judgement_prove(judgement, &view->server->sides[SIDE_SERVER].last,
                    "the server's own last packet: it sent no reset before");
    judgement_prove(judgement, &view->client->sides[SIDE_CLIENT].last, "the client's own last packet");
    judgement_say(judgement, "%s a reset that the other end never sent: a device between the two made it.",
                  to_client && to_server ? "Both ends received"
                  : to_client            ? "The client received"
                                         : "The server received");
    return true;
}

static const char *const actions[] = {
    action_trace_both,
    "Find the device: count the hops of `tracert SERVER` (`traceroute -T -p 1433 SERVER`) up to the number of the "
    "reset's.",
    "Look at the idle time-outs of the firewalls, load balancers and NAT gateways on the way, and at their logs for "
    "this address pair.",
    "Let the connection's keep-alive be shorter than the shortest of them (the drivers' default of 30 s usually is).",
    NULL,
};

const struct detector network_device_reset = {
    .cause = "network.device-reset",
    .title = "A device on the way resets the connection",
    .holds_when = "The conversation ends with a reset whose TTL shows another number of hops than every other packet "
                  "of that side.",
    .means = "Routers count the TTL down by one each; packets of one machine arrive with one TTL as long as the way "
             "is the same. A firewall or load balancer that resets a connection in somebody else's name is nearer, "
             "and starts from its own TTL. Both ends then report that the other one reset it. (Article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = judge_pair,
};
