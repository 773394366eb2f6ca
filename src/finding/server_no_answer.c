/* server.no-answer: the SYN reaches the server machine, and nothing answers it. */
#include <stdio.h>

#include "actions.h"
#include "count_words.h"
#include "detector.h"
#include "one_sided.h"
#include "settling.h"
#include "signs.h"

static bool rejected_by_server(const struct conversation *c)
{
    return c->icmp.count > 0 && address_equal(&c->icmp.reporter, &c->ends[SIDE_SERVER].address);
}

/* Where other connections to this server go on and none of its packets is captured, the capture has one direction only. */
static void need_answers_captured(const struct conversation *c, const struct surroundings *s,
                                  struct judgement *judgement)
{
    if (surroundings_server(s, c)->unheard == 0)
        return;
    judgement_leave_open(judgement, 0.45);
    judgement->would_settle = "A capture that holds both directions: the server's packets are missing from this one.";
}

/* A client that waits for its answer asks again. One that does not has left, or has it, and the capture missed it. */
static void need_repetition(const struct conversation *c, struct judgement *judgement)
{
    if (c->sides[SIDE_CLIENT].syn_retransmits > 0)
        return;
    judgement->culprit = CULPRIT_UNKNOWN;
    judgement->confidence = judgement->confidence < 0.5 ? judgement->confidence : 0.5;
    judgement->would_settle = settle_by_client_capture;
    judgement_say_more(judgement,
                       "The client did not ask again: it had left, or it got an answer that the capture missed.");
}

/* Seen at the server machine itself: SYNs came, and it answered one only after the client had to ask again. */
static bool judge_answered_late(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    int64_t late_ns = server->syn.time_ns - client->syn.time_ns;
    if (!c->starts_with_syn || !moment_seen(&server->syn) || client->syn_retransmits == 0 ||
        server->syn.time_ns < client->syn_last.time_ns || late_ns < SYN_REPEATED_NS ||
        moment_seen(&client->older_reset) || moment_seen(&server->older_reset) ||
        !surroundings_stands_at(s, c, SIDE_SERVER) || !signs_of_sql(c, s) || signs_of_damage(c, s, SIDE_CLIENT))
        return false;
    judgement->confidence = 0.8;
    judgement_prove(judgement, &client->syn, "the client's SYN arrives at the server machine");
    judgement_prove(judgement, &client->syn_last, "its last repetition, of %u", client->syn_retransmits);
    judgement_prove(judgement, &server->syn, "now the server answers");
    judgement_say(judgement,
                  "The SYN arrives at the server machine %s before it is answered, %.1f s after the first: something "
                  "between its network card and SQL Server dropped it until then, or its queue was full.",
                  count_words(client->syns, "time").text, seconds(late_ns));
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    if (judge_answered_late(c, s, judgement))
        return true;
    if (c->ending != ENDING_NO_ANSWER || surroundings_scanned_by(s, c) || !c->starts_with_syn ||
        signs_of_one_direction(c) || signs_of_other_service(c, s) || signs_of_damage(c, s, SIDE_CLIENT))
        return false;
    bool at_server = surroundings_role(s, c) == CAPTURE_ROLE_SERVER;
    int64_t watched_ns = surroundings_end_ns(s, c) - client->syn.time_ns;
    if (!rejected_by_server(c) && (!at_server || (client->syn_retransmits == 0 && watched_ns < FIRST_RTO_NS)))
        return false;
    char name[ENDPOINT_TEXT_SIZE];
    endpoint_text(&c->ends[SIDE_SERVER], name);
    judgement_prove(judgement, &client->syn, "the client's SYN arrives at the server machine");
    if (client->syn_retransmits > 0)
        judgement_prove(judgement, &client->syn_last, "its last repetition, of %u", client->syn_retransmits);
    judgement_prove(judgement, &c->icmp.first, "the server machine rejects it by ICMP type %u code %u", c->icmp.type,
                    c->icmp.code);
    if (rejected_by_server(c)) {
        judgement->confidence = 0.9;
        judgement_say(judgement,
                      "The server machine itself rejected the SYN to %s by ICMP: its firewall does not let it in.",
                      name);
        return true;
    }
    judgement->confidence = client->syn_retransmits > 0 ? 0.88 : 0.7;
    char times[COUNT_TEXT_SIZE + 1] = "";
    if (client->syns > 1)
        snprintf(times, sizeof times, " %s", count_words(client->syns, "time").text);
    judgement_say(judgement,
                  "The SYN to %s arrives at the server machine%s, and no answer leaves it: something between its "
                  "network card and SQL Server drops it.",
                  name, times);
    one_sided_need_place(c, s, judgement);
    need_answers_captured(c, s, judgement);
    need_repetition(c, judgement);
    return true;
}

/* The other end's capture, matched by the numbers of the SYN, has no answer either: this one's did not merely miss it. */
static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (view->server && judge_answered_late(view->server, s, judgement)) {
        judgement->confidence = 0.93;
        return true;
    }
    if (!view->server || view->client->ending != ENDING_NO_ANSWER || !judge(view->server, s, judgement))
        return false;
    if (judgement->culprit != CULPRIT_UNKNOWN)
        judgement->confidence = 0.95;
    return true;
}

static const char *const actions[] = {
    ACTION_FIREWALL_AUDIT,
    ACTION_FIREWALL_RULES,
    ACTION_FILTER_DRIVERS,
    "On Linux see whether the queue of the listener overflowed: `nstat -az TcpExtListenOverflows TcpExtListenDrops`.",
    NULL,
};

const struct detector server_no_answer = {
    .cause = "server.no-answer",
    .title = "The request to connect reaches the server machine and is never answered",
    .holds_when = "A capture taken on the server shows the SYN (usually repeated), and neither SYN+ACK nor reset "
                  "leaves (if it only looks as if it was taken there, the culprit stays open: say so with `--server`); "
                  "or the server machine itself rejects the SYN by an ICMP message. The culprit stays open, too, when "
                  "the client did not ask again (it had left, or it got an answer that the capture missed), and when "
                  "other connections to this server go on although none of its packets was captured. Or, in a capture "
                  "given as the server's, one of several SYNs is answered at last, a second or more after the first.",
    .holds_with_both = "The same, and the client's capture shows the SYNs leave and no answer come.",
    .means =
        "TCP answers every SYN, with SYN+ACK or with a reset. When the packet is in the server's own capture and "
        "nothing goes out, it was dropped inside that machine: by its firewall, an antivirus or other filter driver, "
        "or - on Linux - by a full listen queue. The network has delivered it (article, 1.5.11).",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = judge_pair,
};
