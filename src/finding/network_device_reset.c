/* network.device-reset: a reset that the side whose address it bears never sent. */
#include "detector.h"
#include "device_reset_both_ends.h"
#include "device_reset_hops.h"
#include "device_reset_times.h"
#include "signs.h"

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (device_reset_hops_refusing(c, s, judgement) || device_reset_times_accepted(c, s, judgement))
        return true;
    if (!c->first_close_known || signs_of_silence(c).held || !conversation_established(c) || !signs_of_sql(c, s))
        return false;
    return device_reset_times_disowned(c, s, judgement) || device_reset_times_hasty(c, s, judgement) ||
           device_reset_hops_ending(c, s, judgement);
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
        "many hops in another connection. Or that side goes on using the connection after its reset, by more than a "
        "round trip and 200 ms (less sure where the reset passed one router less; over as many hops as its other "
        "packets, here or in other connections, or captured at that side's own machine, a firewall of that machine may "
        "have sent it, and the culprit stays "
        "open). Or the reset that refuses a SYN came over another number of hops than all that the "
        "server's machine says in other connections, on any port. Over as many hops, but from another initial TTL (64, "
        "128, 255) than all else, somebody else than that machine's TCP made it, and the culprit stays open. "
        "Less sure where it passed just one router less than that side's other packets, for the host of a container or "
        "virtual machine is such a router, too (but not a reset that reached the other end's machine past no router); "
        "open, where it passed none before a capture on that side's machine or near it. Or a "
        "reset acknowledges what the client had sent less than half of a round trip before; of three connections or "
        "more none shows the server acknowledge anything so soon. Or the client's only SYN is refused, and then "
        "accepted in less time than clients take to repeat it (0.45 s).",
    .holds_with_both =
        "A reset arrives that the other end's capture does not show leaving, and not both sides had closed by then; or "
        "both ends get such a FIN (at one end alone it is rather a packet that the capture missed). What one end gets "
        "does not count when the other's capture missed packets of this connection. The culprit stays open when that "
        "capture missed more than one packet in a thousand of other connections; and when it recorded nothing at all "
        "while several were reset and no packet of theirs was refused, which may be a hole of it. It stays open, too, "
        "when the reset goes on with that side's IP IDs, timestamps or window and the side shows no life after it; and "
        "when the side never acknowledges what came to it: it had given the connection up. Less sure when it "
        "passed just one router less than that side's other packets. Also where a device joins "
        "two connections: the client sees the server's side close first, and the server the client's. Or a SYN is "
        "refused, and the server's capture, which was running and shows connections to that address accepted before "
        "and after it, has neither the SYN nor the reset. Where it shows that address no more afterwards, the culprit "
        "stays open, for another machine may have it; likewise where that capture misses packets or ends of others, or "
        "shows the server itself refuse others then, and accept none in between.",
    .means = "Routers count the TTL down by one each; packets of one machine arrive with one TTL as long as the way is "
             "the same. A firewall or load balancer that resets a connection in somebody else's name is nearer, and "
             "starts from its own TTL. Both ends then report that the other one reset it. (Article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = device_reset_both_ends,
};
