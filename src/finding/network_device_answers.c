/* network.device-answers: a device completes the handshake in place of the server, and has nobody to pass the data to. */
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* So many connections that end the same time after their SYN end by one device's timer, which has one setting. */
enum { ALIKE_LEAST = 3 };

/* Nothing that waits on a timer waits for less, and a refusal comes at once. */
#define TIMER_LEAST_NS NS_PER_SECOND

/* SYN+ACK, and from then on no byte of an answer to what the client sent. */
static bool is_hollow(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return c->starts_with_syn && moment_seen(&server->syn) && conversation_established(c) &&
           !signs_of_one_direction(c) && !signs_of_missed_packets(c) && server->payload_bytes == 0 &&
           client->payload_bytes > 0;
}

/* Not even an acknowledgement. */
static bool is_deaf(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    return client->unacknowledged_bytes >= client->payload_bytes && !moment_seen(&c->sides[SIDE_SERVER].fin);
}

/* One SYN, two answers: two machines have that address, or a device answers besides. */
static bool judge_two_answers(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    bool mistaken = signs_of_mistaken_answer(c);
    if (!c->starts_with_syn || !signs_of_sql(c, s) || (!server->answers_differ && !mistaken) ||
        !moment_seen(&server->reset))
        return false;
    judgement->confidence = mistaken ? 0.75 : 0.88;
    if (mistaken) {
        judgement->culprit = CULPRIT_UNKNOWN;
        judgement->would_settle = settle_by_client_capture;
    }
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &server->syn, "an answer with the server's address");
    judgement_prove(judgement, &server->reset, "a reset without acknowledgement");
    judgement_prove(judgement, &server->syn_last,
                    mistaken ? "the server still waits for an answer to its own SYN+ACK"
                             : "another answer, with another number");
    judgement_say(judgement,
                  "%s: another machine has the server's address, or a device answers in its name, and who then gets "
                  "what the client sends does not know the connection.",
                  mistaken ? "The client acknowledges a number that the server never sent"
                           : "To one SYN of the client two answers came, which begin at different numbers");
    return true;
}

/* Routers give ways of the same cost out by connection (RFC 2992), and one of them may be a router longer: that alone tells of no device. */
static bool differs_by_a_router(const struct conversation *c, const struct server_record *record)
{
    unsigned hops = hops_from_ttl(c->sides[SIDE_SERVER].ttl_first), least = hops_from_ttl(record->spoken.most),
             most = hops_from_ttl(record->spoken.least);
    return hops + 1 == least || hops == most + 1;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (judge_two_answers(c, s, judgement))
        return true;
    if (!is_hollow(c) || !signs_of_sql(c, s) || surroundings_role(s, c) == CAPTURE_ROLE_SERVER)
        return false;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    const struct server_record *record = surroundings_server(s, c);
    bool fast = signs_of_quick_answer(c, s), elsewhere = signs_of_answer_elsewhere(c, s), deaf = is_deaf(c);
    int64_t delay_ns = moment_seen(&server->reset) ? server->reset.time_ns - client->syn.time_ns : 0;
    uint32_t alike = deaf && delay_ns >= TIMER_LEAST_NS
                         ? times_within(&record->hollow_resets, delay_ns - TIMER_SLACK_NS, delay_ns + TIMER_SLACK_NS)
                         : 0;
    if (!fast && !elsewhere && alike < ALIKE_LEAST)
        return false;
    judgement->confidence = fast && elsewhere ? 0.88 : fast || elsewhere ? 0.8 : 0.65;
    bool another_way = elsewhere && !fast && differs_by_a_router(c, record);
    if (another_way)
        judgement->confidence = 0.5;
    if ((!fast && !elsewhere) || another_way)
        judgement->culprit = CULPRIT_UNKNOWN;
    judgement->would_settle = settle_by_server_capture;
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &server->syn, "an answer with the server's address after %.4f s, TTL %u",
                    seconds(server->syn.time_ns - client->syn.time_ns), server->ttl_first);
    judgement_prove(judgement, &client->first_data, "the client's first data, which nobody %s",
                    deaf ? "acknowledges" : "answers");
    judgement_prove(judgement, &server->reset, "a reset, %s after the SYN", seconds_words(delay_ns).text);
    judgement_say(judgement, "The handshake was completed, and nothing the client sent was %s.%s%s%s",
                  deaf ? "acknowledged" : "answered",
                  fast ? " The SYN+ACK came in less than half of the time that the server's take." : "",
                  elsewhere ? " The SYN+ACK came over another number of hops than the server's other packets." : "",
                  alike >= ALIKE_LEAST ? " Resets end these connections always the same time after the SYN." : "");
    return true;
}

/* What the client sent after the handshake arrives at the server's machine. Where that had not answered the SYN, it would refuse it with a
 * reset (RFC 9293, 3.10.7.1): the answer was its own, and its capture missed it. */
static bool took_part(const struct conversation *at_server)
{
    const struct tcp_side *client = &at_server->sides[SIDE_CLIENT], *server = &at_server->sides[SIDE_SERVER];
    return client->packets > (uint32_t)client->syns + client->resets + client->capture_duplicates &&
           !moment_seen(&server->reset);
}

/* The server's own capture, which covers the time and holds other connections to that address, has no such connection; or it has
 * not sent the SYN+ACK that the client got. A node of several behind one address would have answered, or have acknowledged. */
static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    const struct conversation *c = view->client;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    bool forged = view->compared && moment_seen(&view->compared->passages[SIDE_SERVER].injected_syn);
    if ((view->server && (!forged || took_part(view->server))) || !signs_of_sql(c, s) || signs_of_one_direction(c) ||
        !moment_seen(&server->syn) || server->payload_bytes > 0 || moment_seen(&server->fin))
        return false;
    bool unheard = client->payload_bytes > 0 && client->unacknowledged_bytes >= client->payload_bytes;
    if (!unheard && !(client->payload_bytes == 0 && moment_seen(&server->reset)))
        return false;
    judgement->confidence = 0.93;
    if (!view->server && pair_view_doubts_absence(view, s))
        settling_doubt_capture(judgement);
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &server->syn, "an answer with the server's address");
    judgement_prove(judgement, &client->first_data, "the client's first data, which nobody acknowledges");
    judgement_prove(judgement, &server->reset, "a reset with the server's address");
    judgement_say(judgement,
                  "The client's handshake was completed, and the server's capture, which was running, %s: something on "
                  "the way answered in its name, and then nobody took the client's data.",
                  view->server ? "shows that the server did not answer" : "holds nothing of this connection");
    return true;
}

static const char *const actions[] = {
    action_trace_server,
    "See whether the address belongs to a machine that is up: `Test-NetConnection ADDRESS -Port 1433`, `arp -a` on its "
    "own network. A listener of an availability group is bound on one node only: `SELECT * FROM "
    "sys.availability_group_listener_ip_addresses`.",
    "Look for WAN optimisers, SYN proxies and load balancers at the client's site, and let connections to SQL Server "
    "go past them.",
    "Compare how fast it answers with the path: `tracert -d ADDRESS`, on Linux `traceroute -n -T -p 1433 ADDRESS`.",
    NULL,
};

const struct detector network_device_answers = {
    .cause = "network.device-answers",
    .title = "A device on the way answers in place of the server",
    .holds_when =
        "Two answers come to one SYN, which begin at different numbers, and a reset; or the client acknowledges what "
        "the server never sent, and gets a reset (then the culprit stays open). Or in a capture that is not the "
        "server's, SYN+ACK comes, no byte of the client is answered, and one of these holds. The SYN+ACK takes less "
        "than half of the shortest time that it took in three connections or more in which the server spoke, and 2 ms "
        "less at least. Or it comes over another number of hops than in these; when it is one router more or less, and "
        "it does not come so soon, the culprit stays open, for it may have come another way. Or three or more such "
        "connections, in which nothing is acknowledged either, are reset the same time after their SYN (then the "
        "culprit stays open).",
    .holds_with_both =
        "The client got a SYN+ACK that the server did not send. The server's capture, which was running and saw other "
        "connections to that address, holds nothing of this connection; or it lacks that packet, and of what the "
        "client sent after it has nothing that was not refused. After it no byte and no FIN comes from the server's "
        "side, and the client's data is never acknowledged - or it sent none and got a reset. Where the server's "
        "capture holds nothing of the connection, the culprit stays open if it lacks SYNs or ends of connections that "
        "were made, or shows the server itself refuse or ignore others then, or reset some.",
    .means =
        "A machine that completes a handshake acknowledges data, too. A WAN optimiser or a SYN proxy accepts "
        "connections in the server's name before it knows whether it can reach it, and resets them when its own timer "
        "runs out. With MultiSubnetFailover the driver then picks the address that is dead, because it answered first. "
        "(Article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = judge_pair,
};
