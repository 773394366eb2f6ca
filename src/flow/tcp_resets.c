/* What a reset tells of who made it. */
#include "tcp_resets.h"

static bool goes_on(const struct tcp_direction *d, const struct tcp_side *facts, const struct packet *p)
{
    if (facts->reset_ttl_differs)
        return false;
    bool same_window = p->tcp.window != 0 && p->tcp.window == d->window;
    bool timestamp =
        p->tcp.has_timestamp && facts->timestamps && seq_distance(p->tcp.timestamp_value, d->timestamp) >= 0;
    return same_window || timestamp || d->ip_id_goes_on;
}

/* It acknowledges less than its side did before, which no stack does (RFC 9293, 3.10.7.4: what was received only grows). */
static bool takes_acknowledgement_back(const struct tcp_direction *other, const struct packet *p)
{
    return p->tcp.flags & TCP_ACK && other->acked_known && seq_distance(p->tcp.ack, other->acked) < 0;
}

/* It has not what this side's packets have had until now. */
static bool breaks_off(const struct tcp_direction *d, const struct tcp_side *facts, const struct packet *p)
{
    return facts->timestamps || (d->edge_ip_id != 0 && p->ip_id == 0);
}

static void note_late_answer(struct tcp_side *facts, const struct tcp_side *other, const struct packet *p)
{
    if ((p->tcp.flags & TCP_ACK) || facts->reset_ttl_differs || p->ttl != facts->reset_ttl)
        return;
    if (facts->late_answers == 0 || other->last.time_ns > facts->late_answer.time_ns) {
        facts->late_answer = p->moment;
        facts->late_answers = 0;
    }
    facts->late_answers++;
}

void tcp_note_reset(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_side *facts = flow_facts(flow, origin);
    facts->resets++;
    if (moment_seen(&facts->reset)) {
        note_late_answer(facts, flow_facts(flow, 1 - origin), p);
        return;
    }
    facts->reset = p->moment;
    facts->reset_with_ack = p->tcp.flags & TCP_ACK;
    facts->reset_ip_id = p->ip_id;
    const struct tcp_direction *d = &flow->directions[origin];
    /* Of one recorded at both ports of a router either copy may be missing. */
    facts->reset_ttl = d->ttl_elsewhere != 0 && p->ttl == d->ttl_elsewhere ? d->ttl_here : p->ttl;
    facts->reset_ttl_differs =
        facts->ttl_max != 0 && (facts->reset_ttl < facts->ttl_min || facts->reset_ttl > facts->ttl_max);
    bool takes_back = takes_acknowledgement_back(&flow->directions[1 - origin], p);
    facts->reset_goes_on = !takes_back && goes_on(d, facts, p);
    facts->reset_breaks_off = takes_back || (!facts->reset_goes_on && breaks_off(d, facts, p));
    /* Who aborts sends it with the number of its next byte (RFC 9293, 3.10.5). A single one may be a FIN that was not captured. */
    facts->reset_beyond =
        flow->conversation->starts_with_syn && d->started && seq_distance(p->tcp.seq, d->next_seq) > 1;
}

/* RFC 9293, 3.10.7.3: who has sent a SYN takes a reset only if it acknowledges that. Any other is of an older connection on the same ports. */
static bool acknowledges_syn(const struct tcp_direction *asked, const struct tcp_side *asker)
{
    return asked->acked_known && seq_distance(asked->acked, asker->isn) > 0 &&
           seq_distance(asked->acked, asked->next_seq) <= 0;
}

void tcp_forget_refusal(struct flow *flow, unsigned origin, const struct packet *p)
{
    struct tcp_side *facts = flow_facts(flow, origin);
    const struct tcp_side *asker = flow_facts(flow, 1 - origin);
    struct tcp_direction *asked = &flow->directions[1 - origin];
    if (!moment_seen(&facts->reset) || facts->packets != facts->resets + 1u || !asker->isn_known)
        return;
    bool refuses = acknowledges_syn(asked, asker), repeated = asker->syn_last.time_ns > facts->reset.time_ns ||
                                                              p->moment.time_ns - facts->reset.time_ns >= SYN_AGAIN_NS;
    if (refuses && !repeated)
        return;
    if (refuses)
        facts->older_reset = facts->reset;
    else
        asked->acked_known = false;
    facts->reset = (struct moment){0};
    facts->resets = 0;
    facts->reset_with_ack = facts->reset_ttl_differs = facts->reset_goes_on = facts->reset_breaks_off = false;
}
