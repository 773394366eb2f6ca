/* network.drop-to-client: packets of the server stop arriving at the client, the other direction works. */
#include "actions.h"
#include "detector.h"
#include "signs.h"

/* Seen from the server: what the client sends shows that it gets nothing from here. */
static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct silence silence = signs_of_silence(c);
    if (!silence.held || silence.kind == SILENCE_TOTAL || silence.lost_from != SIDE_SERVER)
        return false;
    if (surroundings_role(s, c) != CAPTURE_ROLE_SERVER || signs_of_one_direction(c) || !signs_of_sql(c, s))
        return false;
    bool deaf = silence.kind == SILENCE_DEAF;
    judgement->culprit = CULPRIT_UNKNOWN; /* a filter driver of the client is as common as a fault of the network */
    judgement->confidence = signs_of_missed_packets(c) ? 0.55 : 0.75;
    judgement->would_settle = SETTLE_BY_CLIENT_CAPTURE;
    judgement_prove(judgement, &silence.first, "the %s repeats a packet%s", deaf ? "client" : "server",
                    deaf ? ", although it was acknowledged" : "");
    judgement_prove(judgement, &silence.last, "the last of %u repetitions", silence.retries);
    judgement_prove(judgement, &c->sides[SIDE_SERVER].reset, "the server resets the connection");
    judgement_prove(judgement, &c->sides[SIDE_CLIENT].reset, "the client resets the connection");
    if (deaf)
        judgement_say(judgement,
                      "The client's packets arrive here and are acknowledged at once, and it repeats them all the "
                      "same, %u times over %.1f s: what the server sends does not reach it.",
                      silence.retries, seconds(silence.last.time_ns - silence.first.time_ns));
    else
        judgement_say(judgement,
                      "The server repeats a packet %u times over %.1f s; meanwhile packets of the client arrive and "
                      "never acknowledge it: what the server sends does not reach the client.",
                      silence.retries, seconds(silence.last.time_ns - silence.first.time_ns));
    return true;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    struct pair_losses losses = pair_view_losses(s, view);
    if (losses.drop != PAIR_DROP_TO_CLIENT)
        return false;
    judgement->confidence = signs_of_missed_packets(view->client) || signs_of_missed_packets(view->server) ? 0.7 : 0.95;
    judgement_prove(judgement, &losses.last_arrival[SIDE_SERVER], "the server's last packet that reaches the client");
    judgement_prove(judgement, &losses.last_sent[SIDE_SERVER], "the server's last packet leaves; %u did not arrive",
                    losses.lost[SIDE_SERVER]);
    judgement_say(judgement,
                  "%u packets that left the server, up to the end, are not in the client's capture, which went on: "
                  "they were lost on the way.",
                  losses.lost[SIDE_SERVER]);
    return true;
}

static const char *const actions[] = {
    action_trace_both,
    "Compare the two captures: what leaves the server and is not in the client's capture was dropped between; what "
    "is in it and gets no ACK was dropped inside the client machine.",
    "Ask for the logs of firewalls, load balancers and switches on the way at that time; routes that differ by "
    "direction make one direction fail alone (`tracert` from both ends).",
    NULL,
};

const struct detector network_drop_to_client = {
    .cause = "network.drop-to-client",
    .title = "Packets from the server stop arriving at the client",
    .holds_when = "In a capture taken on the server, the client repeats three times or more what was acknowledged to "
                  "it, or goes on sending without ever acknowledging what the server repeats, to the end of the "
                  "connection.",
    .means = "The direction from the client works, since its packets arrive; it behaves as if it heard nothing. So "
             "packets of the server vanish on the way, or - what only the client's capture can exclude - in a filter "
             "driver of the client machine. (Article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = judge_pair,
};
