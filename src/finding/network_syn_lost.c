/* network.syn-lost: the SYN, or the answer to it, does not arrive. */
#include "actions.h"
#include "count_words.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "standstill.h"

/* Only a repeated SYN counts: Windows and Linux repeat it after one second (older Windows after three; RFC 6298,
 * 2.1), so one that is not comes from a client that left sooner (the first, 0.5 s attempt of a driver that tries
 * several addresses), from a scanner, or from the trace's end. */

/* The SYN+ACK leaves the server again and again, and the client goes on asking. From here a client machine that throws it away (its firewall, a
 * filter driver) looks like a way that loses it. */
static bool judge_answer_lost(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (server->syn_retransmits == 0 || conversation_established(c) || moment_seen(&client->reset))
        return false;
    if (surroundings_role(s, c) != CAPTURE_ROLE_SERVER)
        return false;
    bool asks_again = client->syn_retransmits > 0;
    judgement->confidence = asks_again ? 0.75 : 0.5;
    judgement->culprit = CULPRIT_UNKNOWN;
    judgement->would_settle = settle_by_client_capture;
    judgement_prove(judgement, &client->syn, "the client's SYN arrives");
    judgement_prove(judgement, &server->syn, "the server answers with SYN+ACK");
    judgement_prove(judgement, &server->syn_last, "it answers again: answer %u", server->syns);
    judgement_say(judgement, "The server answered the SYN %u times, and the client never confirmed: %s.", server->syns,
                  asks_again
                      ? "it went on asking, so the answers did not reach its TCP: lost on the way, or thrown away by "
                        "its machine's firewall or filter driver"
                      : "the answers were lost, or the client had gone");
    return true;
}

/* A SYN that arrives is answered a round trip later. So is one that comes when the answer to an earlier one was lost; else that answer is
 * repeated after a second, or three (RFC 6298, 2.1). An answer that fits neither was late, on the way or at the server. */
static bool answers_in_time(const struct tcp_side *client, const struct tcp_side *server, int64_t usual_ns)
{
    static const int64_t timers_ns[] = {0, FIRST_RTO_NS, OLD_FIRST_RTO_NS};
    int64_t trip_ns = server->round_trips.count > 0 && server->round_trips.shortest_ns > usual_ns
                          ? server->round_trips.shortest_ns
                          : usual_ns,
            took_ns = server->syn.time_ns - client->syn_last.time_ns;
    for (unsigned i = 0; i < sizeof timers_ns / sizeof *timers_ns; i++)
        if (took_ns >= timers_ns[i] && took_ns - timers_ns[i] <= trip_ns + LEAST_RTO_NS)
            return true;
    return false;
}

/* Answered in the end, but late: a repeated SYN costs at least a second. */
static bool judge_answered_late(const struct conversation *c, const struct server_record *record,
                                const struct pair_record *pair, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    int64_t cost_ns = server->syn.time_ns - client->syn.time_ns;
    if (client->syn_retransmits == 0 || cost_ns < SYN_REPEATED_NS || moment_seen(&client->older_reset) ||
        moment_seen(&server->older_reset))
        return false;
    bool others_served = times_within(&record->served, client->syn.time_ns, server->syn.time_ns) > 0;
    bool path_loses = pair->conversations_with_loss > 1;
    bool in_time = answers_in_time(client, server, record->shortest_handshake_ns),
         lost = in_time && (others_served || path_loses);
    judgement->culprit = lost ? CULPRIT_NETWORK : CULPRIT_UNKNOWN;
    judgement->confidence = lost ? 0.65 : 0.5;
    judgement->would_settle = settle_by_server_capture;
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &client->syn_last, "it asks again: repetition %u", client->syn_retransmits);
    judgement_prove(judgement, &server->syn, "the server answers");
    if (!in_time) {
        judgement_say(judgement,
                      "The connection was made only %.1f s after the first SYN, and %.1f s after the last: the server "
                      "was late with its answer, or that was held up on the way.",
                      seconds(cost_ns), seconds(server->syn.time_ns - client->syn_last.time_ns));
        return true;
    }
    judgement_say(
        judgement,
        "The connection was made only %.1f s after the first SYN, because %u of its SYNs (or the answers) got lost%s.",
        seconds(cost_ns), client->syn_retransmits,
        others_served ? " while other connections to the same port were served at once" : "");
    return true;
}

static bool judge_unanswered(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    const struct server_record *record = surroundings_server(s, c);
    int64_t from_ns = client->syn.time_ns, to_ns = moment_seen(&client->syn_last) ? client->syn_last.time_ns : from_ns;
    if ((client->syn_retransmits == 0 && c->icmp.count == 0) || surroundings_scanned_by(s, c))
        return false;
    const struct time_span *outage = time_spans_touching(&record->outages, from_ns, to_ns);
    if (outage) {
        from_ns = outage->from_ns;
        to_ns = outage->to_ns;
    }
    uint32_t served = times_within(&record->served, from_ns, to_ns);
    char name[ENDPOINT_TEXT_SIZE];
    endpoint_text(&c->ends[SIDE_SERVER], name);
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    if (client->syn_retransmits > 0)
        judgement_prove(judgement, &client->syn_last, "it asks for the last time: %s",
                        count_words(client->syn_retransmits, "repetition").text);
    judgement_prove(judgement, &c->icmp.first, "ICMP type %u code %u comes back", c->icmp.type, c->icmp.code);
    judgement->would_settle = settle_by_server_capture;
    if (c->icmp.count > 0) {
        char reporter[ADDRESS_TEXT_SIZE];
        judgement->confidence = 0.85;
        judgement_say(judgement,
                      "The SYN to %s does not get through: %s reports by ICMP (type %u, code %u) that it could not or "
                      "would not pass it on.",
                      name, address_text(&c->icmp.reporter, reporter), c->icmp.type, c->icmp.code);
    } else if (served > 0) {
        /* A filter driver of the server machine that eats single connections is rarer, but looks the same from here. */
        judgement_leave_open(judgement, 0.75);
        judgement_say(judgement,
                      "%s to %s got no answer, while %s to it %s opened and served at once: the server listened and "
                      "kept up, so these were most likely lost on the way, else by a filter driver of its machine.",
                      count_words(client->syns, "SYN").text, name, count_words(served, "other connection").text,
                      served == 1 ? "was" : "were");
    } else {
        judgement_leave_open(judgement, 0.5);
        judgement_say(judgement,
                      "%s to %s within %.1f s got no answer. The network may have lost them, or the server's firewall, "
                      "or nobody has that address.",
                      count_words(client->syns, "SYN").text, name,
                      seconds(client->syn_last.time_ns - client->syn.time_ns));
    }
    return true;
}

/* RFC 9293, 3.10.7.3 and 3.5.2: an answer that does not acknowledge its SYN the client's TCP resets, and asks again. That ends what the server has
 * on these ports, so that it accepts the next SYN, if the reset gets there. */
enum answers { ANSWERS_ACCEPTED, ANSWERS_OF_OLD_CONNECTION, ANSWERS_NOT_TAKEN };

static enum answers answers_to_syns(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    bool answered = server->packets > server->resets && server->payload_bytes == 0 && server->resets == 0;
    if (!answered || conversation_established(c) || client->syn_retransmits == 0)
        return ANSWERS_ACCEPTED;
    if (moment_seen(&server->syn))
        return moment_seen(&client->reset) && server->syn.time_ns <= client->reset.time_ns &&
                       client->syn_last.time_ns > client->reset.time_ns
                   ? ANSWERS_NOT_TAKEN
                   : ANSWERS_ACCEPTED;
    return client->resets != 1 && client->syn_last.time_ns - client->syn.time_ns >= SYN_REPEATED_NS
               ? ANSWERS_OF_OLD_CONNECTION
               : ANSWERS_ACCEPTED;
}

static void prove_answers(const struct conversation *c, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &c->sides[SIDE_SERVER].first, "an answer, which does not open it");
    judgement_prove(judgement, moment_seen(&client->older_reset) ? &client->older_reset : &client->reset,
                    "the client resets what that answer is about");
    judgement_prove(judgement, &client->syn_last, "it asks again: repetition %u", client->syn_retransmits);
}

static bool judge_not_accepted(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    enum answers answers = answers_to_syns(c);
    if (answers == ANSWERS_ACCEPTED)
        return false;
    bool resets = c->sides[SIDE_CLIENT].resets > 0;
    judgement_leave_open(judgement, 0.6);
    judgement->would_settle =
        surroundings_role(s, c) == CAPTURE_ROLE_SERVER ? settle_by_client_capture : settle_by_server_capture;
    prove_answers(c, judgement);
    if (answers == ANSWERS_NOT_TAKEN)
        judgement_say(judgement,
                      "The client's machine resets the answer to its SYN, and asks again: the answer that it gets is "
                      "none to what it asked. A device on the way changes numbers or addresses in one direction only, "
                      "or another machine answers.");
    else
        judgement_say(
            judgement,
            "Each of the client's %u SYNs is answered by an acknowledgement of an older connection on the same ports. "
            "%s.",
            c->sides[SIDE_CLIENT].syns,
            resets ? "The client resets that each time, and the next answer is the same: its resets are dropped on the "
                     "way (firewalls take them for none of a connection they know), or by the server's machine"
                   : "Whoever asks resets that, and no reset is here: the acknowledgements do not reach the client's "
                     "TCP, or its resets are dropped on the way");
    return true;
}

/* The client had left when an answer got through to it: its machine resets that. A SYN is answered a round trip later, and an answer that is
 * not confirmed is repeated after a second (RFC 6298, 2.1). */
static bool judge_left_before_answer(const struct conversation *c, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    int64_t waited_ns = server->syn_last.time_ns - client->syn.time_ns;
    if (!moment_seen(&server->syn) || !moment_seen(&client->reset) || conversation_established(c) ||
        client->syn_retransmits > 0 || client->reset.time_ns < server->syn.time_ns || waited_ns < SYN_REPEATED_NS)
        return false;
    judgement_leave_open(judgement, 0.6);
    judgement->would_settle = settle_by_both_captures;
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &server->syn_last, "the server's answer, %.1f s later", seconds(waited_ns));
    judgement_prove(judgement, &client->reset, "the client's machine resets that");
    judgement_say(judgement,
                  "The client reset the answer to its SYN, %.1f s after that: it had given up by then, before it would "
                  "have asked again. An earlier answer got lost, or this one was late, on the way or at the server.",
                  seconds(waited_ns));
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!c->starts_with_syn || !moment_seen(&c->sides[SIDE_CLIENT].syn) || signs_of_one_direction(c) ||
        signs_of_other_service(c, s))
        return false;
    if (c->ending == ENDING_NO_ANSWER)
        return judge_unanswered(c, s, judgement);
    if (judge_not_accepted(c, s, judgement) || judge_left_before_answer(c, judgement))
        return true;
    if (!moment_seen(&c->sides[SIDE_SERVER].syn) || c->ending == ENDING_REFUSED)
        return false;
    return judge_answer_lost(c, s, judgement) ||
           (!surroundings_stands_at(s, c, SIDE_SERVER) &&
            judge_answered_late(c, surroundings_server(s, c), surroundings_pair(s, c), judgement));
}

/* The server answered, and none of its packets is in the client's capture, which was running. */
static bool answer_vanishes(const struct pair_view *view)
{
    if (!view->compared || conversation_established(view->server))
        return false;
    const struct passage *back = &view->compared->passages[SIDE_SERVER];
    /* Who lacks the answer asks again, and who lacks its confirmation answers again. If neither does, the handshake went on, and
     * both captures missed the rest. */
    bool again =
        view->client->sides[SIDE_CLIENT].syn_retransmits > 0 || view->server->sides[SIDE_SERVER].syn_retransmits > 0;
    return again && moment_seen(&view->server->sides[SIDE_SERVER].syn) && back->lost_data > 0 && back->arrived == 0;
}

/* It lacks handshakes or ends of connections that were made, or shows the server ignore others. */
static void doubt_capture(struct judgement *judgement)
{
    settling_doubt_capture(judgement);
    judgement_say_more(judgement, "Or that capture missed them, and the server may have ignored them: it lacks packets "
                                  "of other connections that were made, or shows the server ignore others.");
}

/* The SYN left the client and is not in the server's capture; or the SYN+ACK left the server and is not in the client's. */
static bool judge_never_made(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &view->client->sides[SIDE_CLIENT];
    if (view->server ? !answer_vanishes(view) : client->syns < 2)
        return false;
    judgement->confidence = view->server || client->syns > 2 ? 0.95 : 0.85;
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &client->syn_last, "it asks for the last time, after %u in all", client->syns);
    if (view->server) {
        judgement_prove(judgement, &view->server->sides[SIDE_SERVER].syn, "the server answers with SYN+ACK");
        judgement_say(judgement, "The SYN reached the server, which answered; its SYN+ACK never came to the client.");
        return true;
    }
    /* What goes on there has the address still; else it may have gone to another machine, as in a failover, or to none. */
    int64_t at_server_ns = clock_to_server(&view->pair->clock, client->syn.time_ns);
    bool there = surroundings_hears_after(s, view->pair->far, &view->client->ends[SIDE_SERVER].address, at_server_ns);
    if (!there) {
        judgement_leave_open(judgement, 0.6);
        judgement->would_settle = settle_by_address_owner;
    }
    judgement_say(judgement,
                  "%u SYNs left the client, and the server's capture, which was running, holds none of them: they were "
                  "lost on the way%s.",
                  client->syns, there ? "" : ", or the address had gone to another machine, as in a failover");
    if (pair_view_doubts_absence(view, s))
        doubt_capture(judgement);
    return true;
}

/* The connection was made in the end, and what cost the time is not in the other capture. */
static bool judge_made_late(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (!view->compared || pair_view_misses_packets(view))
        return false;
    const struct tcp_side *asked = &view->client->sides[SIDE_CLIENT], *heard = &view->server->sides[SIDE_CLIENT],
                          *answer = &view->client->sides[SIDE_SERVER];
    int64_t cost_ns = answer->syn.time_ns - asked->syn.time_ns;
    /* A SYN from before the other capture began is not in it, either. */
    const struct passage *passages = view->compared->passages;
    bool syn_lost = asked->syns > heard->syns && passages[SIDE_CLIENT].lost_data > 0,
         answer_lost = view->server->sides[SIDE_SERVER].syns > answer->syns && passages[SIDE_SERVER].lost_data > 0;
    int64_t tick_ns = surroundings_tick_ns(s, view->client->point);
    if (cost_ns < SYN_REPEATED_NS + tick_ns || (!syn_lost && !answer_lost))
        return false;
    judgement->confidence = 0.92;
    judgement_prove(judgement, &asked->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &heard->syn, "the first SYN that reaches the server");
    judgement_prove(judgement, &view->server->sides[SIDE_SERVER].syn, "the server answers");
    judgement_prove(judgement, &answer->syn, "the first answer that reaches the client");
    judgement_say(judgement, "The connection was made only %.1f s after the first SYN: %s did not arrive.",
                  seconds(cost_ns), syn_lost ? "SYNs of the client" : "answers of the server");
    enum side sender = syn_lost ? SIDE_CLIENT : SIDE_SERVER;
    standstill_doubt(view, s, sender, &passages[sender].first_lost, &passages[sender].last_lost, judgement);
    return true;
}

/* The client's resets leave, and only its SYNs get to the server. */
static bool judge_resets_dropped(const struct pair_view *view, struct judgement *judgement)
{
    if (!view->server || answers_to_syns(view->client) != ANSWERS_OF_OLD_CONNECTION ||
        answers_to_syns(view->server) != ANSWERS_OF_OLD_CONNECTION)
        return false;
    const struct tcp_side *left = &view->client->sides[SIDE_CLIENT], *came = &view->server->sides[SIDE_CLIENT];
    if (left->resets == 0 || came->resets > 0 || !view->compared || pair_view_capture_misses(view, SIDE_SERVER))
        return false;
    judgement->confidence = 0.9;
    prove_answers(view->client, judgement);
    judgement_say(judgement,
                  "The server still has an older connection on the same ports and answers each SYN with that one's "
                  "acknowledgement. The client resets that, as it has to; %s left its machine, and none is in the "
                  "server's capture, which has the SYNs: a firewall on the way drops them.",
                  count_words(left->resets, "reset").text);
    return true;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &view->client->sides[SIDE_CLIENT], *server = &view->client->sides[SIDE_SERVER];
    if (!moment_seen(&client->syn))
        return false;
    if (judge_resets_dropped(view, judgement) || (view->server && judge_not_accepted(view->client, s, judgement)))
        return true;
    if (moment_seen(&server->syn))
        return judge_made_late(view, s, judgement);
    return server->packets == 0 && client->data_packets == 0 && judge_never_made(view, s, judgement);
}

static const char *const actions[] = {
    action_trace_server,
    "Test the path to the port: `Test-NetConnection SERVER -Port 1433 -InformationLevel Detailed`, on Linux `nc -vz "
    "SERVER 1433`; and where it ends: `tracert -d SERVER`, on Linux `traceroute -n -T -p 1433 SERVER`.",
    "Ask for the logs of firewalls and load balancers between the two for this address pair and time.",
    ACTION_FIREWALL_AUDIT,
    NULL,
};

const struct detector network_syn_lost = {
    .cause = "network.syn-lost",
    .title = "The request to connect, or its answer, gets lost",
    .holds_when =
        "SYNs are repeated and not answered, or only after about a second or more. It is the network's when a router "
        "reports it by ICMP, or when the answer came late while other connections to the port were served at once or "
        "lost packets, too, and came a round trip after a SYN or when an answer is repeated; otherwise the culprit "
        "stays open. So it does when the server's capture shows SYN+ACK leaving again and again while the client goes "
        "on asking, for the client's machine may throw it away. It is the likelier where other connections to the same "
        "port are opened and served within a second meanwhile. Not told of a port scan. The culprit stays open, too, "
        "where each SYN is answered by the acknowledgement of an older connection, whether or not the client resets "
        "that, and where the client resets SYN+ACK and then asks again, or resets one that came a second and more "
        "after its "
        "SYN, or was repeated, and does not.",
    .holds_with_both =
        "Two SYNs or more left the client, and the server's capture, which was running and saw other connections to "
        "that address, holds none of them. The culprit then stays open where that capture lacks SYNs or ends of "
        "connections that were made, or shows the server ignore SYNs of others then; and when it has no packet of that "
        "address afterwards, which may have gone to another machine. Or the SYN is in it and the server's SYN+ACK "
        "left, and nothing of that reached the client, which asks again, or the server answers again (else the "
        "handshake went on, and both captures missed it). Or the connection was made a second after the first SYN, and "
        "SYNs or their answers that left while the other capture ran are missing in it. Or the server answers SYNs "
        "with acknowledgements of an older connection, and the resets with which the client answers these leave and do "
        "not arrive. (Where a capture's stamps are coarse, that second is longer by one step of them.)",
    .means = "Each lost SYN costs the client a second or more (three with older Windows); the drivers' connection "
             "time-out of 15 s is gone after three or four of them, and the client reports error 10060 or 258. A "
             "stopped listener would refuse instead, and a host firewall or a full queue would have hit the other "
             "connections to that port, too. (RFC 6298; article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .passes = true,
    .judge = judge,
    .judge_pair = judge_pair,
};
