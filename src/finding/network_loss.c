/* network.loss: packets are lost and sent again, often enough to hurt. */
#include <stdio.h>

#include "count_words.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "standstill.h"

/* A lost packet is worth at least one retransmission time-out (200 ms on Linux, 300 ms on Windows) or a round trip
 * more. Below one packet in a hundred TCP still fills its window most of the time; from there on throughput falls
 * with the square root of the loss (Mathis et al., 1997). */
enum { LOSS_PERCENT = 1 };

/* One lost packet is everyday life on any network; two in one conversation are not, at that rate. */
enum { LOSS_LEAST = 2, LOSS_CLEAR = 3 };

/* What is told in hundredths of a second. */
#define REPAIR_TOLD_NS (10 * NS_PER_MS)

static const char other_losses[] = "Other connections between the two lose packets, too.";

static void prove_repeated(const struct tcp_side *side, const char *name, struct judgement *judgement)
{
    judgement_prove(judgement, &side->first_retransmit, "the %s sends a packet again", name);
    if (side->retransmits > 1)
        judgement_prove(judgement, &side->last_retransmit, "the %s's last retransmission, of %u", name,
                        side->retransmits);
}

/* Of the connections between the two several lose packets, as often as hurts. */
static bool path_loses(const struct surroundings *s, const struct conversation *c)
{
    const struct pair_record *pair = surroundings_pair(s, c);
    return pair->conversations_with_loss > 1 && pair->lost_packets >= LOSS_CLEAR &&
           pair->lost_packets * 100 >= pair->data_packets * LOSS_PERCENT;
}

/* A full queue of connections makes a Linux server ignore the end of a handshake and what comes behind it, and send its SYN+ACK again
 * without being asked (tcp(7), tcp_abort_on_overflow): those that it accepted before are not taken meanwhile. */
static bool may_be_ignored(const struct conversation *c, const struct surroundings *s)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return server->syn_retransmits > 0 && client->syn_retransmits == 0 && client->data_packets > 0 &&
           moment_seen(&client->syn) &&
           time_spans_touching(&surroundings_server(s, c)->stalls, client->syn.time_ns, client->syn.time_ns);
}

/* What was sent again beside the stretches in which a side was not heard is what the network loses. */
static void doubt_stretches(const struct conversation *c, const struct surroundings *s, uint64_t lost, uint64_t data,
                            struct judgement *judgement)
{
    uint32_t of_client = standstill_repeats(c, SIDE_CLIENT), of_server = standstill_repeats(c, SIDE_SERVER);
    uint64_t stretches = (uint64_t)of_client + of_server, beside = lost > stretches ? lost - stretches : 0;
    enum side sender = of_client > 0 ? SIDE_CLIENT : SIDE_SERVER;
    if (stretches > 0 && !(beside >= LOSS_LEAST && beside * 100 >= data * LOSS_PERCENT) &&
        standstill_may_be(c, s, sender))
        standstill_leave_open(sender, judgement);
}

/* A router that asks for smaller packets has dropped one of each size it cannot pass on: that is how a path's MTU is found, and no loss
 * to speak of. */
static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!conversation_established(c) || signs_of_one_direction(c) || !signs_of_sql(c, s))
        return false;
    if (signs_of_holding(c, s, SIDE_CLIENT) || signs_of_holding(c, s, SIDE_SERVER))
        return false; /* it had come, and was not passed on inside this machine */
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    uint64_t lost = signs_of_loss(c, s), needless = (uint64_t)client->spurious_retransmits +
                                                    server->spurious_retransmits - client->late_acknowledged -
                                                    server->late_acknowledged;
    uint64_t data = signs_of_segments(client) + signs_of_segments(server);
    int64_t repair_ns = client->longest_recovery_ns > server->longest_recovery_ns ? client->longest_recovery_ns
                                                                                  : server->longest_recovery_ns;
    bool often = lost >= LOSS_LEAST && lost * 100 >= data * LOSS_PERCENT;
    bool there = path_loses(s, c);
    /* A needless repetition is late news or a lost acknowledgement; where packets get lost, it is the latter, unless the
     * acknowledgement is seen. */
    if (there)
        lost += needless;
    bool long_repair = repair_ns >= LONG_REPAIR_NS;
    if (!there && signs_of_only_asking_again(c, s, lost))
        return false;
    if (lost == 0 || (!long_repair && ((!often && !there) || signs_of_packet_too_big(c))))
        return false;
    judgement->confidence = lost >= LOSS_CLEAR && often ? 0.85 : often && there ? 0.82 : often || there ? 0.7 : 0.6;
    if (signs_of_missed_packets(c))
        judgement->confidence -= 0.2;
    judgement->would_settle = settle_by_both_captures;
    if (may_be_ignored(c, s)) {
        judgement_leave_open(judgement, 0.5);
    }
    prove_repeated(client, "client", judgement);
    prove_repeated(server, "server", judgement);
    judgement_say(judgement,
                  "%llu of %s with data (or of the handshake) had to be sent again; the longest repair took %.2f s.",
                  (unsigned long long)lost, count_words(data, "packet").text, seconds(repair_ns));
    if (there)
        judgement_say_more(judgement, other_losses);
    else
        doubt_stretches(c, s, lost, data, judgement);
    return true;
}

static void prove_lost(const struct passage *passage, enum side sender, uint32_t lost, struct judgement *judgement)
{
    if (lost == 0)
        return;
    judgement_prove(judgement, &passage->first_lost, "a packet leaves the %s and does not reach the %s",
                    side_name(sender), side_name(side_other(sender)));
    if (lost > 1)
        judgement_prove(judgement, &passage->last_lost, "the last such packet, of %u", lost);
}

static void say_lost(uint32_t of_client, uint32_t of_server, int64_t repair_ns, struct judgement *judgement)
{
    char packets[COUNT_TEXT_SIZE * 2], repair[COUNT_TEXT_SIZE] = "";
    if (of_client > 0 && of_server > 0)
        snprintf(packets, sizeof packets, "%s of the client and %u of the server",
                 count_words(of_client, "packet").text, of_server);
    else
        snprintf(packets, sizeof packets, "%s of the %s", count_words(of_client + of_server, "packet").text,
                 of_client > 0 ? "client" : "server");
    if (repair_ns >= REPAIR_TOLD_NS)
        snprintf(repair, sizeof repair, "; the longest repair took %.2f s", seconds(repair_ns));
    judgement_say(judgement, "%s, with data or of the handshake, left and did not arrive, or only in part%s.", packets,
                  repair);
}

/* Of packets that are known to have passed, that capture misses half as large a share or more: it may have missed all of these. Chance doubles
 * what is few. */
static bool may_all_be_missed(const struct pair_view *view, const struct surroundings *s, enum side sender)
{
    const struct passage *passage = &view->compared->passages[sender];
    uint32_t point = pair_view_at(view, side_other(sender))->point;
    const struct point_facts *far = &s->casebook->points[point];
    const struct point_lacks *lacks = &s->lacks[point];
    uint64_t sent = (uint64_t)passage->arrived + passage->lost + passage->missed,
             passed = lacks->data[sender] + lacks->unseen[sender];
    return (far->missed > 0 && passage->lost_data * far->compared <= 2 * far->missed * sent) ||
           (lacks->unseen[sender] > 0 && passage->lost_data * passed <= 2 * lacks->unseen[sender] * sent);
}

/* Of what a side sent: what the receiver's capture lacks was lost, whoever repeated it and whether the repetition was needed. But a capture
 * that misses packets of others may miss these: then no more were lost than TCP sent again, and what it sent again although a copy had come was
 * not answered there, whether or not the other copies came. One that lacks ends may lack this one, too. */
static uint32_t lost_of(const struct pair_view *view, const struct surroundings *s, enum side sender)
{
    const struct passage *passage = &view->compared->passages[sender];
    uint32_t at_end = view->lacks_end[side_other(sender)] ? passage->lost_at_end - passage->bare_lost_at_end : 0,
             lost = passage->lost_data > at_end ? passage->lost_data - at_end : 0;
    const struct conversation *own = pair_view_at(view, sender), *receiver = pair_view_at(view, side_other(sender));
    if (may_all_be_missed(view, s, sender))
        return 0;
    if (s->casebook->points[receiver->point].missed == 0)
        return lost;
    uint32_t repeated = own->sides[sender].retransmits, unanswered = receiver->sides[sender].held_total;
    lost = repeated < lost ? repeated : lost;
    return lost > unanswered ? lost - unanswered : 0;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (!view->compared || !conversation_established(view->client) || signs_of_one_direction(view->client) ||
        signs_of_one_direction(view->server))
        return false;
    const struct passage *out = &view->compared->passages[SIDE_CLIENT], *back = &view->compared->passages[SIDE_SERVER];
    uint32_t of_client = lost_of(view, s, SIDE_CLIENT), of_server = lost_of(view, s, SIDE_SERVER);
    uint64_t lost = (uint64_t)of_client + of_server;
    uint64_t missed = (uint64_t)out->missed + out->unsent + back->missed + back->unsent;
    if (missed >= lost) /* which of the two befell a packet is not always to be seen */
        return false;
    uint64_t data = signs_of_segments(&view->client->sides[SIDE_CLIENT]) +
                    signs_of_segments(&view->server->sides[SIDE_SERVER]) + lost;
    bool often = lost >= LOSS_LEAST && lost * 100 >= data * LOSS_PERCENT;
    bool there = path_loses(s, view->client);
    int64_t repair_ns = view->client->sides[SIDE_CLIENT].longest_recovery_ns;
    if (view->server->sides[SIDE_SERVER].longest_recovery_ns > repair_ns)
        repair_ns = view->server->sides[SIDE_SERVER].longest_recovery_ns;
    bool often_or_there =
        (often || there) && !signs_of_packet_too_big(view->client) && !signs_of_packet_too_big(view->server);
    bool repeated = view->client->sides[SIDE_CLIENT].retransmits + view->server->sides[SIDE_SERVER].retransmits > 0;
    if (lost == 0 || !repeated || (!often_or_there && repair_ns < LONG_REPAIR_NS))
        return false; /* what nobody sends again hurts nobody, and the capture may have missed it */
    judgement->confidence = pair_view_confidence(view) - (often ? 0.02 : 0.1);
    prove_lost(out, SIDE_CLIENT, of_client, judgement);
    prove_lost(back, SIDE_SERVER, of_server, judgement);
    say_lost(of_client, of_server, repair_ns, judgement);
    if (of_server == 0)
        standstill_doubt(view, s, SIDE_CLIENT, &out->first_lost, &out->last_lost, judgement);
    else if (of_client == 0)
        standstill_doubt(view, s, SIDE_SERVER, &back->first_lost, &back->last_lost, judgement);
    if (there)
        judgement_say_more(judgement, other_losses);
    return true;
}

static const char *const actions[] = {
    "See whether the network cards count errors or drops: `Get-NetAdapterStatistics | Format-List *`, on Linux `ip -s "
    "link` and `ethtool -S eth0`; and the switch ports.",
    "On VMware look at the receive buffers of the host and of vmxnet3 (`ethtool -g`), on Windows at "
    "`Get-NetAdapterRss` (one CPU may do all receive work).",
    "Compare retransmissions before and after: `netstat -s -p tcp`, on Linux `nstat -az TcpRetransSegs`.",
    action_trace_both,
    "For a test, switch the network cards' offloading off at both ends (see `tdscope explain server.offload`), and "
    "update their drivers.",
    NULL,
};

const struct detector network_loss = {
    .cause = "network.loss",
    .title = "Packets get lost often enough to hurt",
    .holds_when =
        "Two or more packets had to be sent again and they are one in a hundred or more; or one was, while the path "
        "between the two loses that many in other connections; or a repair took a second or more. Not counted: "
        "retransmissions that the receiver reports as needless (DSACK), reordering, packets that the capture recorded "
        "twice, a last run of retries without an answer. SYNs alone count in the server's capture only, or where the "
        "path loses packets of other connections, too: else network.syn-lost weighs them. Where the server sends its "
        "SYN+ACK again, though the client did not ask again, while connections that it accepted before wait for an "
        "answer, the culprit stays open: its queue may be full, and it ignores what comes. So it does where several "
        "connections repeat themselves three times and more over a second or longer, and nothing comes from the other "
        "machine on any: that may have stood still. Elsewhere than at the server one connection is enough, on which "
        "the server repeats itself: its packets came so far.",
    .holds_with_both =
        "Packets with data, SYN or FIN left one machine and are not in the other's capture: two or more, and one in a "
        "hundred; or one, while the path between the two loses that many in other connections; or a repair took a "
        "second or more. Where the receiver's capture missed packets, no more count than were sent again, without "
        "those of which another copy came and was not answered. None count when it misses half as large a share or "
        "more of those that are known to have passed; and none at this connection's end when it lacks ends of others. "
        "Not when nothing was sent again, or when the captures themselves missed as many, which acknowledgements "
        "prove. When all was repaired within a second, a fault of one of the ends comes first. What either side did "
        "longer after the last repair than that took comes before it, unless the other one's capture leaves that open.",
    .means = "TCP repairs loss, but each lost packet costs a few hundred milliseconds and more when it happens again: "
             "queries and logins get slow, and some run into time-outs. Typical are overloaded links, bad cables and "
             "ports, small buffers of virtual machines' hosts. (RFC 6298, RFC 2883; article, 1.5.4 and 1.6.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .slows_only = true,
    .passes = true,
    .comparing_suffices = true,
    .judge = judge,
    .judge_pair = judge_pair,
};
