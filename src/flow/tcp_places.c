/* Conversations that one file holds as two points of the way captured them. */
#include "tcp_places.h"

#include "ttl_hops.h"

bool tcp_is_before_and_after_router(unsigned ttl, unsigned other_ttl)
{
    return ttl != other_ttl && initial_ttl(ttl) == initial_ttl(other_ttl) &&
           (hops_from_ttl(ttl) == 0 || hops_from_ttl(other_ttl) == 0);
}

static void exchange_places(struct flow *flow, unsigned origin)
{
    struct tcp_direction *d = &flow->directions[origin];
    struct tcp_side *facts = flow_facts(flow, origin);
    uint8_t here_before = d->ttl_here;
    d->ttl_here = d->ttl_elsewhere;
    d->ttl_elsewhere = here_before;
    d->place_changed = true;
    d->followed_elsewhere = d->next_seq;
    facts->ttl_first = facts->ttl_min = facts->ttl_max = d->ttl_here;
    if (moment_seen(&facts->reset) && facts->reset_ttl == here_before)
        facts->reset_ttl = d->ttl_here;
}

/* A router passes a packet on in less time, and who captures at both of its ports has one clock: then either copy tells all, and what the one port's
 * lacks is taken from the other's. */
#define ROUTER_HOLDS_NS NS_PER_MS

static bool are_two_places(const struct flow *flow)
{
    const struct tcp_direction *d = flow->directions;
    return d[0].ttl_elsewhere != 0 && d[1].ttl_elsewhere != 0 && (d[0].places_apart || d[1].places_apart);
}

bool tcp_is_merged(const struct flow *flow)
{
    return are_two_places(flow) || flow->directions[0].known_twice || flow->directions[1].known_twice;
}

void tcp_learn_places(struct flow *flow, unsigned origin, unsigned ttl, int64_t apart_ns, const struct packet *p)
{
    struct tcp_direction *d = &flow->directions[origin];
    const struct tcp_direction *other = &flow->directions[1 - origin];
    if (ttl == p->ttl || are_two_places(flow))
        return;
    if (d->ttl_elsewhere == 0) {
        d->ttl_here = (uint8_t)ttl;
        d->ttl_elsewhere = p->ttl;
    }
    d->places_apart |= apart_ns > ROUTER_HOLDS_NS;
    if (are_two_places(flow) && (d->ttl_here > d->ttl_elsewhere) == (other->ttl_here > other->ttl_elsewhere))
        exchange_places(flow, origin);
}

/* What this side sent before, where the other side's packets show that there are two places: before or after a card's driver cut it up,
 * perhaps, so that it looks like none of the packets before. */
static bool shows_other_place(const struct flow *flow, unsigned origin, const struct packet *p, bool news)
{
    const struct tcp_direction *d = &flow->directions[origin];
    const struct tcp_side *facts = flow_facts(flow, origin);
    return d->ttl_elsewhere == 0 && flow->directions[1 - origin].ttl_elsewhere != 0 && d->started && !news &&
           p->payload_length > 0 && facts->ttl_min == facts->ttl_max &&
           tcp_is_before_and_after_router(facts->ttl_min, p->ttl);
}

/* Where this and what it acknowledges are missing at the place that is followed, its capture has nothing of the conversation any more: the
 * other one is followed from here on. */
static bool goes_on_elsewhere(struct flow *flow, unsigned origin, const struct packet *p, bool news)
{
    const struct tcp_direction *other = &flow->directions[1 - origin];
    if (!news || !(p->tcp.flags & TCP_ACK) || !other->started || seq_distance(p->tcp.ack, other->next_seq) <= 0)
        return false;
    exchange_places(flow, origin);
    exchange_places(flow, 1 - origin);
    return true;
}

bool tcp_is_from_other_place(struct flow *flow, unsigned origin, const struct packet *p, bool news)
{
    const struct tcp_direction *d = &flow->directions[origin];
    if (shows_other_place(flow, origin, p, news)) {
        tcp_learn_places(flow, origin, flow_facts(flow, origin)->ttl_min, 0, p);
        return true;
    }
    if (!are_two_places(flow))
        return false;
    if (p->ttl == d->ttl_elsewhere)
        return !goes_on_elsewhere(flow, origin, p, news);
    return d->place_changed && p->payload_length > 0 &&
           seq_distance(p->tcp.seq + p->payload_length, d->followed_elsewhere) <= 0;
}
