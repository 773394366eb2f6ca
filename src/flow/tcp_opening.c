/* Telling connections that use the same ports apart. */
#include "tcp_opening.h"

/* What is sent on a connection that has only begun: the window of a SYN is not scaled (RFC 7323, 2.2). */
enum { FIRST_WINDOW = 65536 };

static unsigned origin_of(const struct flow *flow, enum side sender)
{
    return sender == SIDE_CLIENT ? flow->client_origin : 1u - flow->client_origin;
}

static bool follows_at_once(uint32_t seq, uint32_t syn_seq)
{
    return seq - (syn_seq + 1) < FIRST_WINDOW;
}

bool tcp_begins_there(const struct tcp_direction *d, uint32_t syn_seq)
{
    return (d->started && follows_at_once(d->next_seq, syn_seq)) ||
           (d->acked_known && follows_at_once(d->acked, syn_seq));
}

/* Before the server has answered, a refusal that does not acknowledge the SYN means nothing to it (RFC 9293, 3.10.7.3): it answers one that
 * came later, or was not captured. */
static bool refuses_other_syn(const struct flow *flow, enum side sender, const struct packet *p)
{
    enum { REFUSAL = TCP_RST | TCP_ACK };
    const struct conversation *c = flow->conversation;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    bool only_asked = client->packets == (uint32_t)client->syns + client->capture_duplicates,
         unanswered = client->isn_known && !server->isn_known && server->packets == server->resets;
    if (!unanswered || (p->tcp.flags & (REFUSAL | TCP_SYN)) != REFUSAL || sender != SIDE_SERVER)
        return false;
    uint32_t asked = flow->directions[flow->client_origin].next_seq - (client->isn + 1);
    if (server->resets > 0)
        return p->tcp.ack - (client->isn + 1) > asked;
    /* Who forges resets guesses, or forgets the one. */
    return only_asked && !follows_at_once(p->tcp.ack, client->isn) && !follows_at_once(client->isn, p->tcp.ack - 1);
}

/* Before this side was heard, it is known of by what the other side acknowledges. */
static bool may_begin_there(const struct tcp_side *facts, const struct tcp_direction *d, const struct packet *syn)
{
    return (facts->packets == 0 && !d->acked_known) || tcp_begins_there(d, syn->tcp.seq);
}

/* Both sides had sent their FIN, and after it no number of theirs is used (RFC 9293, 3.4): who goes beyond both speaks on a new connection
 * whose handshake was not captured. */
static bool goes_beyond_the_end(const struct flow *flow, enum side sender, const struct packet *p)
{
    unsigned origin = origin_of(flow, sender);
    const struct tcp_direction *own = &flow->directions[origin], *other = &flow->directions[1 - origin];
    return own->fin_known && other->fin_known && (p->tcp.flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK &&
           seq_distance(p->tcp.seq, own->fin_seq) > 1 && seq_distance(p->tcp.ack, other->fin_seq) > 1;
}

static bool is_far_from(uint32_t seq, const struct tcp_direction *d)
{
    enum { FAR = 1 << 20 };
    int32_t distance = seq_distance(seq, d->next_seq);
    return distance > FAR || distance < -FAR;
}

/* A reset ends a connection, too, though somebody else may have made it, and it goes on. A new one on the same ports has other numbers, of both
 * sides: they begin anywhere (RFC 6528). */
static bool lies_elsewhere_after_reset(const struct flow *flow, enum side sender, const struct packet *p)
{
    const struct conversation *c = flow->conversation;
    unsigned origin = origin_of(flow, sender);
    const struct tcp_direction *own = &flow->directions[origin], *other = &flow->directions[1 - origin];
    bool reset = moment_seen(&c->sides[SIDE_CLIENT].reset) || moment_seen(&c->sides[SIDE_SERVER].reset);
    return reset && own->started && p->tcp.flags & TCP_ACK && is_far_from(p->tcp.seq, own) &&
           (!other->started || is_far_from(p->tcp.ack, other));
}

/* Who has sent data or a FIN has come through its handshake, and answers no SYN on that connection any more (RFC 9293, 3.10.7.4). */
static bool answers_no_more(const struct tcp_side *facts, const struct tcp_side *asked, const struct packet *p)
{
    bool other_syn = !asked->isn_known || p->tcp.ack != asked->isn + 1;
    return other_syn && (facts->payload_bytes > 0 || moment_seen(&facts->fin));
}

/* A SYN with another initial sequence number opens a new connection, whatever became of the old one: a repeated SYN has the
 * same number (RFC 9293, 3.4.1), and a server in TIME-WAIT accepts a new one (RFC 6191). So does one that is not where the numbers of its
 * side began, if that is all that is known. A SYN+ACK does so only after the old connection's end, or where that was in use and it answers
 * another SYN (the capture missed the SYN): before it, it is the answer to the SYN, if a strange one. So does a refusal that acknowledges
 * another SYN than the one that was refused. */
bool tcp_opens_again(const struct flow *flow, enum side sender, const struct packet *p)
{
    if (!(p->tcp.flags & (TCP_SYN | TCP_RST)))
        return goes_beyond_the_end(flow, sender, p) || lies_elsewhere_after_reset(flow, sender, p);
    if (refuses_other_syn(flow, sender, p))
        return true;
    if (p->tcp.flags & TCP_RST)
        return false;
    const struct conversation *c = flow->conversation;
    const struct tcp_side *facts = &c->sides[sender], *asked = &c->sides[side_other(sender)];
    const struct tcp_direction *d = &flow->directions[origin_of(flow, sender)];
    if (facts->isn_known)
        return facts->isn != p->tcp.seq && (c->closed || !(p->tcp.flags & TCP_ACK) || answers_no_more(facts, asked, p));
    if (p->tcp.flags & TCP_ACK) {
        bool answers = asked->isn_known && p->tcp.ack == asked->isn + 1;
        return (c->closed || facts->payload_bytes > 0) && !answers && !tcp_begins_there(d, p->tcp.seq);
    }
    return !may_begin_there(facts, d, p);
}
