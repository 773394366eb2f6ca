/* network.drop-to-client: packets of the server stop arriving at the client, the other direction works. */
#include "actions.h"
#include "detector.h"
#include "one_sided.h"

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    return one_sided_never_arrives(c, s, SIDE_CLIENT, judgement) || one_sided_drop(c, s, SIDE_SERVER, judgement);
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    return one_sided_loss(view, s, SIDE_SERVER, judgement) || one_sided_taken(view, s, SIDE_SERVER, judgement);
}

static const char *const actions[] = {
    action_trace_both,
    "Compare the two captures: what leaves the server and is not in the client's capture was dropped between; what is "
    "in it and gets no ACK was dropped inside the client machine.",
    ACTION_LOGS_OF_ONE_WAY,
    NULL,
};

const struct detector network_drop_to_client = {
    .cause = "network.drop-to-client",
    .title = "Packets from the server stop arriving at the client",
    .holds_when = "In a capture taken on the server, the client repeats three times or more what was acknowledged to "
                  "it, or goes on sending without ever acknowledging what the server repeats, to the end of the "
                  "connection: the culprit stays open. In a capture taken on the client, bytes before a packet that "
                  "came never did, for a second or more and to the end: the sequence number of a packet without data "
                  "or of a FIN of the server shows it, or the client's SACK. They were lost on the way, where the "
                  "client was heard after it and did not acknowledge them. Where it was not heard any more, a reset "
                  "shows it, or the number is beyond any window, the culprit stays open.",
    .holds_with_both =
        "Of the server, three packets or more in a row (keep-alives count), over a second and up to the end, left its "
        "machine and are not in the client's capture, which went on. Five or more where one of the captures provably "
        "missed packets of this connection, other than in a hole at another time. The client's packets do not vanish "
        "that way, too. Not where the client's capture has no packet of the server in this connection at all. "
        "Acknowledgements alone do not count where that capture has none of any server in any connection, though some "
        "were due, nor when it has a hole then and nothing else was lost. The culprit stays open when several "
        "connections lack such packets and the client's capture has no packet of anybody meanwhile: the client's "
        "machine may have been asleep. It stays open, too, where that capture lacks the end of another connection. Or "
        "what the server sent was acknowledged to it, the client's capture has neither that nor the acknowledgement, "
        "and a second or more later the client itself acknowledges less: a device took it.",
    .means = "The direction from the client works, since its packets arrive; it behaves as if it heard nothing. So "
             "packets of the server vanish on the way. Without a capture taken on the client it may as well be a "
             "filter driver of that machine that drops them. (Article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = judge_pair,
};
