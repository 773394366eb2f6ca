/* What the capture did not record between two packets of a conversation, as the later one tells. */
#include "tcp_unseen.h"

/* What hides no drop and no time-out is not looked for: captures keep no silence that is shorter. */
#define UNSEEN_LEAST_NS (100 * NS_PER_MS)

/* Packets that are needed for so many bytes, at least: cards join them before the capture. A single number may be a FIN. */
static uint32_t packets_of(const struct tcp_side *sender, int32_t bytes)
{
    enum { ETHERNET_PAYLOAD = 1460 };
    uint32_t most = sender->largest_payload > ETHERNET_PAYLOAD ? sender->largest_payload : ETHERNET_PAYLOAD;
    return bytes < 2 ? 0 : ((uint32_t)bytes + most - 1) / most;
}

/* It acknowledges what was never captured: that came, and an answer to it stands before this packet if its own number went on, too. */
static void note_unseen(const struct flow *flow, unsigned origin, const struct packet *p, int64_t from_ns)
{
    struct conversation *c = flow->conversation;
    const struct tcp_direction *d = &flow->directions[origin], *other = &flow->directions[1 - origin];
    enum side side = flow_side(flow, origin);
    const struct tcp_side *self = &c->sides[side], *heard = &c->sides[side_other(side)];
    if (p->tcp.flags & (TCP_SYN | TCP_RST) || !(p->tcp.flags & TCP_ACK) || !d->started || !other->started)
        return;
    uint32_t acknowledged = packets_of(heard, seq_distance(p->tcp.ack, tcp_sent_until(other))),
             own = packets_of(self, seq_distance(p->tcp.seq, tcp_sent_until(d)));
    if (acknowledged > 0 && acknowledged + own > c->unseen.packets)
        c->unseen = (struct unseen_stretch){from_ns, p->moment.time_ns, acknowledged + own, own > 0};
}

/* A first flight has ten segments at most (RFC 6928), a tail loss probe follows (RFC 8985, 7), and timers that double from 200 ms repeat it eight
 * times in a minute. */
enum { SKIPPED_MOST = 10 + 1 + 8 };

/* Linux counts the IP IDs of each connection by itself, Windows those to each address: what is sent and does not come here leaves a gap. */
static void note_skipping(const struct flow *flow, unsigned origin, const struct packet *p)
{
    struct conversation *c = flow->conversation;
    uint16_t before = flow->directions[origin].last_ip_id, step = (uint16_t)(p->ip_id - before);
    int64_t for_ns = p->moment.time_ns - c->sides[SIDE_SERVER].last.time_ns;
    if (flow_side(flow, origin) != SIDE_SERVER || p->ip_id == 0 || before == 0 || step < 2 || step > SKIPPED_MOST + 1 ||
        for_ns < PAUSE_NS || c->sides[SIDE_CLIENT].data_packets > OPENING_PACKETS ||
        for_ns / NS_PER_MS <= c->skipping_pause.lasted_ms)
        return;
    c->skipping_pause = (struct skipping_pause){p->moment.time_ns, (uint32_t)(for_ns / NS_PER_MS), step - 1u};
}

/* The packet at that time was data, a FIN or a SYN of this origin, and nobody has acknowledged it. Data beyond a hole waits for what the hole
 * lacks, which may be lost again and again on the way here. Of a connection whose begin was not captured the other side, which is captured,
 * has said nothing yet: had it been acknowledged before, it was a repetition, which is answered at once (RFC 9293, 3.10.7.4). */
static bool is_under_way(const struct flow *flow, unsigned origin, int64_t at_ns, bool other_speaks)
{
    const struct tcp_direction *d = &flow->directions[origin];
    const struct tcp_side *facts = &flow->conversation->sides[flow_side(flow, origin)];
    bool asks = facts->last_data.time_ns == at_ns || facts->fin.time_ns == at_ns || facts->syn.time_ns == at_ns,
         unanswered = facts->isn_known || (other_speaks && d->oldest_unacked_ns != 0),
         waits = d->acked_known ? d->oldest_unacked_ns != 0 : unanswered;
    return asks && waits && facts->data_run.count == 0 && d->hole_ns == 0 && !d->held;
}

/* Three round trips make the first time-out (RFC 6298, 2.2), and what is repeated then passes here after one more at most. */
enum { TIMED_OUT_BY = 4 };

/* What the packet before left under way has neither been repeated nor acknowledged since, by anybody's timer. (Where the other side spoke last
 * it may lack what came before, and its repetitions be lost on the way here.) */
static void note_left_alone(const struct flow *flow, unsigned origin, const struct packet *p, int64_t from_ns)
{
    struct stretch *longest = &flow->conversation->left_alone;
    int64_t for_ns = p->moment.time_ns - from_ns;
    if (for_ns < LEFT_ALONE_NS || for_ns <= longest->to_ns - longest->from_ns ||
        for_ns < TIMED_OUT_BY * flow->handshake_ns || flow->conversation->closed)
        return;
    if (is_under_way(flow, flow->last_origin, from_ns, origin != flow->last_origin))
        *longest = (struct stretch){from_ns, p->moment.time_ns};
}

void tcp_unseen_before(const struct flow *flow, unsigned origin, const struct packet *p)
{
    const struct tcp_side *self = flow_facts(flow, origin), *heard = flow_facts(flow, 1 - origin);
    int64_t from_ns = self->last.time_ns > heard->last.time_ns ? self->last.time_ns : heard->last.time_ns;
    if (p->moment.time_ns - from_ns < UNSEEN_LEAST_NS || self->packets + heard->packets == 0 ||
        p->checksum == CHECKSUM_BAD)
        return;
    note_skipping(flow, origin, p);
    note_unseen(flow, origin, p, from_ns);
    note_left_alone(flow, origin, p, from_ns);
}
