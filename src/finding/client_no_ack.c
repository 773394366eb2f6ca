/* client.no-ack: packets reach the client machine, and nothing answers them. */
#include "actions.h"
#include "count_words.h"
#include "detector.h"
#include "one_sided.h"
#include "settling.h"
#include "signs.h"

/* The server's answers to the SYN arrive at the client machine, and its TCP goes on asking: it neither confirms nor resets. An answer that comes
 * while the next SYN leaves is none to it. */
static bool deaf_to_answers(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (server->syns < 2 || client->syn_last.time_ns - server->syn.time_ns < SYN_REPEATED_NS ||
        moment_seen(&client->reset) || moment_seen(&server->reset) || conversation_established(c))
        return false;
    if (surroundings_role(s, c) != CAPTURE_ROLE_CLIENT || signs_of_other_service(c, s) ||
        surroundings_scanned_by(s, c) || signs_of_damage(c, s, SIDE_SERVER))
        return false;
    judgement->confidence = 0.85;
    judgement->would_settle = settle_by_server_capture;
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &server->syn, "the server's answer (SYN+ACK) arrives");
    judgement_prove(judgement, &client->syn_last, "the client asks again, after %u SYNs in all", client->syns);
    judgement_prove(judgement, &server->syn_last, "the last of %u answers that arrive", server->syns);
    judgement_say(judgement,
                  "%s of the server to the SYN arrive at the client machine, and its TCP does not get them: it asks "
                  "again over %.1f s. Something between its network card and its TCP drops what arrives.",
                  count_words(server->syns, "answer").text, seconds(client->syn_last.time_ns - server->syn.time_ns));
    one_sided_need_place(c, s, judgement);
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    return one_sided_no_ack(c, s, SIDE_CLIENT, judgement) || deaf_to_answers(c, s, judgement);
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    if (one_sided_no_ack_by_both(view, s, SIDE_CLIENT, judgement))
        return true;
    if (!view->compared || pair_view_capture_misses(view, SIDE_CLIENT) || !deaf_to_answers(view->client, s, judgement))
        return false;
    if (moment_seen(&view->compared->passages[SIDE_SERVER].injected_syn)) {
        judgement_leave_open(judgement, 0.5);
        judgement_say_more(judgement, "The server's capture does not show them leave: a device may have made them.");
    } else if (judgement->culprit != CULPRIT_UNKNOWN) {
        judgement->confidence = 0.96;
        judgement->would_settle = NULL;
    }
    return true;
}

static const char *const actions[] = {
    ACTION_FILTER_DRIVERS, ACTION_FIREWALL_AUDIT, ACTION_NETWORK_DRIVER, ACTION_UNINSTALL_FILTER, NULL,
};

const struct detector client_no_ack = {
    .cause = "client.no-ack",
    .title = "Packets reach the client machine and nothing answers them",
    .holds_when =
        "In a capture taken on the client, one of these. A packet of the server and three copies or more arrive over a "
        "second and more before it is acknowledged. Or the server repeats a packet three times or more to the end and "
        "the client sends nothing any more (a client that resets again and again meanwhile answers). Or the client "
        "repeats a packet three times or more to the end although the server's acknowledgements of it are in the "
        "capture. Or it goes on asking (SYN) although two answers (SYN+ACK) or more are in the capture. Or a reset "
        "leaves "
        "the machine, over as many hops as its other packets, and its TCP goes on with the connection, or asks for it "
        "again although the answer acknowledged its SYN (one that offers SACK, as every TCP's does and few scanners' "
        "do). A capture that only looks as if it was taken there leaves the "
        "culprit open: say so with `--client`. So does a client that "
        "may have given up, and whose reset the capture lacks: it stopped repeating what was not acknowledged, or it "
        "had waited for 2 s or more (--slow-login) for an answer to its last data. So do repetitions that end without "
        "a reset, though one was due, and so few that a capture which misses packets of this machine in other "
        "connections may have missed all answers. Where no copy of the packet was captured whole, it may have come "
        "damaged, and TCP drops it: that makes it less sure, and leaves the culprit open when another packet from "
        "there came damaged, when none as large was acknowledged, when others get through to TCP meanwhile, or when a "
        "copy was in the end. Of the first three, none where the capture leaves out acknowledgements alone: it has "
        "none of this machine, though some were due, or none of anybody, or in this connection none of the client, not "
        "even the handshake's last.",
    .holds_with_both =
        "The same, and the server's capture, which went on, shows those packets leave and no answer come; the client's "
        "capture missed no packet of this connection. Of answers to the SYN: where the server's capture does not show "
        "them leave, the culprit stays open, for a device may have made them. Not when a reset with the client's "
        "address answers them in the server's capture.",
    .means = "TCP itself acknowledges almost every packet, whatever the program does; several at once in a large "
             "transfer, but one that is repeated at once (RFC 9293, 3.10.7.4). A packet that is in the machine's own "
             "capture and gets no ACK was eaten between the network card and TCP: by antivirus, another filter driver, "
             "or the host's firewall. The network has delivered it. (Article, 1.5.11.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
    .judge_pair = judge_pair,
};
