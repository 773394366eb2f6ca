/* network.drop-to-server: packets of the client stop arriving at the server, the other direction works. */
#include "actions.h"
#include "detector.h"
#include "one_sided.h"
#include "settling.h"
#include "signs.h"

/* What a message says of its own length, the client gave to its TCP at once; the server has but its beginning, which it acknowledges, and waits
 * for the rest. That it left, this capture does not prove. Where the beginning is not acknowledged, the capture lacks packets itself. */
static bool judge_rest_missing(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct login_halt halt = signs_of_login_halt(c, s);
    if (!halt.halted || !halt.unfinished || !halt.acknowledged || halt.waited_ns < NS_PER_SECOND ||
        surroundings_role(s, c) != CAPTURE_ROLE_SERVER || signs_of_missed_packets(c) || signs_of_one_direction(c))
        return false;
    judgement_leave_open(judgement, 0.6);
    judgement->would_settle = settle_by_client_capture;
    judgement_prove(judgement, &halt.since, "the beginning of %s arrives", login_step_words(halt.last_step));
    judgement_prove(judgement, &c->sides[SIDE_SERVER].last, "the server's last packet: it acknowledges no more");
    judgement_prove(judgement, &halt.close, "the %s closes", side_name(halt.closed_by));
    judgement_say(judgement,
                  "Only the beginning of %s came to the server, and for %.1f s nothing more: the rest was lost on the "
                  "way, or the client's machine stopped there. The server had nothing to answer.",
                  login_step_words(halt.last_step), seconds(halt.waited_ns));
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    return one_sided_never_arrives(c, s, SIDE_SERVER, judgement) || one_sided_drop(c, s, SIDE_CLIENT, judgement) ||
           judge_rest_missing(c, s, judgement);
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    return one_sided_loss(view, s, SIDE_CLIENT, judgement) || one_sided_taken(view, s, SIDE_CLIENT, judgement);
}

static const char *const actions[] = {
    action_trace_both,
    "Compare the two captures: what leaves the client and is not in the server's capture was dropped between; what is "
    "in it and gets no ACK was dropped inside the server machine.",
    ACTION_LOGS_OF_ONE_WAY,
    NULL,
};

const struct detector network_drop_to_server = {
    .cause = "network.drop-to-server",
    .title = "Packets from the client stop arriving at the server",
    .holds_when =
        "In a capture taken on the client, the server repeats three times or more what was acknowledged to it, or goes "
        "on sending without ever acknowledging what the client repeats, to the end of the connection: the culprit "
        "stays open. In a capture taken on the server, bytes before a packet that came never did, for a second or more "
        "and to the end: the sequence number of a packet without data or of a FIN of the client shows it, or the "
        "server's SACK. They were lost on the way, where the server was heard after it and did not acknowledge them. "
        "Where it was not heard any more, a reset shows it, or the number is beyond any window, the culprit stays "
        "open. Likewise where only the beginning of a login packet came and was acknowledged, by what it says of its "
        "own length, and nothing follows for a second or more.",
    .holds_with_both =
        "Of the client, three packets or more in a row (keep-alives count), over a second and up to the end, left its "
        "machine and are not in the server's capture, which went on. Five or more where one of the captures provably "
        "missed packets of this connection, other than in a hole at another time. The server's packets do not vanish "
        "that way, too. Not where the server's capture has no packet of the client in this connection at all. "
        "Acknowledgements alone do not count where that capture has none of any client in any connection, though some "
        "were due, nor when it has a hole then and nothing else was lost. The culprit stays open where that capture "
        "lacks the end of another connection. When several connections lack such packets and it has no packet of "
        "anybody meanwhile, this is less sure: the server's machine may have stood still. Or what the client sent was "
        "acknowledged to it, the server's capture has neither that nor the acknowledgement, and a second or more later "
        "the server itself acknowledges less: a device took it.",
    .means = "The direction from the server works, since its packets arrive; it behaves as if it heard nothing. So "
             "packets of the client vanish on the way. Without a capture taken on the server it may as well be a "
             "filter driver of that machine that drops them. (Article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = judge_pair,
};
