/* network.drop-both-ways: a working connection goes silent, and retries to the end get no answer. */
#include "count_words.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"

/* The capture has nothing of the peer in this connection, but in others of the two: it may have begun when the connection was dead already. What
 * its side sends last is repeated, or it gives up probing, so that nothing was answered past this capture, either. */
static bool begins_dead(const struct conversation *c, const struct surroundings *s, const struct silence *silence)
{
    const struct tcp_side *self = &c->sides[silence->retrier], *other = &c->sides[side_other(silence->retrier)];
    bool heard = surroundings_pair(s, c)->last_heard_ns[side_other(silence->retrier)] > silence->first.time_ns;
    bool to_the_end = silence->keep_alives
                          ? moment_seen(&self->reset) && self->reset.time_ns >= silence->last.time_ns
                          : moment_seen(&self->last_data) && self->last_data.time_ns <= silence->first.time_ns;
    return other->packets == 0 && !c->starts_with_syn && heard && to_the_end;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct silence silence = signs_of_silence(c);
    if (!silence.held || !signs_of_sql(c, s) || (signs_of_one_direction(c) && !begins_dead(c, s, &silence)))
        return false;
    const struct tcp_side *self = &c->sides[silence.retrier];
    const char *name = side_name(silence.retrier);
    const char *peer = side_name(side_other(silence.retrier));
    bool total = silence.kind == SILENCE_TOTAL;
    judgement_leave_open(judgement, 0.6);
    if (signs_of_missed_packets(c))
        judgement->confidence -= 0.15;
    judgement->would_settle = settle_by_capture_at(side_other(silence.retrier));
    judgement_prove(judgement, &self->last_progress, "the last packet of the %s that acknowledges something new", peer);
    judgement_prove(judgement, &silence.first, "the %s repeats itself", name);
    judgement_prove(judgement, &silence.last, "the last of %u repetitions, without an answer", silence.retries);
    judgement_prove(judgement, &self->reset, "the %s gives up with a reset", name);
    if (total)
        judgement_say(judgement,
                      "The %s repeated itself %s over %.1f s, and nothing came back from the %s any more: a device on "
                      "the way drops the packets, or the %s machine does.",
                      name, count_words(silence.retries, "time").text,
                      seconds(silence.last.time_ns - silence.first.time_ns), peer, peer);
    else
        judgement_say(judgement,
                      "The %s repeated itself %s over %.1f s; packets of the %s no longer reach the other side. Where "
                      "the capture was taken is not known, so neither is where they were dropped.",
                      name, count_words(silence.retries, "time").text,
                      seconds(silence.last.time_ns - silence.first.time_ns), side_name(silence.lost_from));
    return true;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    (void)s;
    if (pair_view_drop(view) != PAIR_DROP_BOTH)
        return false;
    const struct passage *out = &view->compared->passages[SIDE_CLIENT], *back = &view->compared->passages[SIDE_SERVER];
    judgement->confidence = pair_view_confidence(view);
    judgement_prove(judgement, &out->last_arrival, "the client's last packet that reaches the server");
    judgement_prove(judgement, &out->lost_at_end_first, "the client's first packet that does not");
    judgement_prove(judgement, &out->last_lost, "the last of %u that did not arrive", out->lost_at_end);
    judgement_prove(judgement, &back->last_arrival, "the server's last packet that reaches the client");
    judgement_prove(judgement, &back->lost_at_end_first, "the server's first packet that does not");
    judgement_prove(judgement, &back->last_lost, "the last of %u that did not arrive", back->lost_at_end);
    judgement_say(judgement,
                  "From some moment on, %s of the client and %u of the server left their machines and did not arrive: "
                  "the path between them was gone.",
                  count_words(out->lost_at_end, "packet").text, back->lost_at_end);
    if (pair_view_doubts_drop(view, PAIR_DROP_BOTH))
        settling_doubt_capture(judgement);
    return true;
}

static const char *const actions[] = {
    action_trace_both,
    "Compare the tails of the two captures: packets that leave one side and do not arrive at the other were dropped "
    "between; packets that arrive and get no ACK were dropped inside the receiving machine.",
    "Ask for the logs of switches, firewalls and virtual switches on the way at that time (port errors, failover, VM "
    "snapshots and moves).",
    "See whether other connections between the same two machines lived on meanwhile: `tdscope conversations`.",
    NULL,
};

const struct detector network_drop_both_ways = {
    .cause = "network.drop-both-ways",
    .title = "The connection goes dead: retries get no answer",
    .holds_when =
        "On an established connection one side repeats its packets three times or more to the end without any "
        "acknowledgement. Also where the capture begins in the midst of that, and has the other side in other "
        "connections of the two only. The culprit stays open: from one side's capture alone it may as well be the "
        "other machine.",
    .holds_with_both =
        "Of each side, three packets or more in a row (keep-alives count), over a second and up to the end, left its "
        "machine and are not in the other side's capture, which went on. Five or more where one of the captures "
        "provably missed packets of this connection, other than in a hole at another time. Not where the other side's "
        "capture has no packet of that side in this connection at all. Acknowledgements alone do not count where that "
        "capture has none of that side in any connection, though some were due, nor when it has a hole then and "
        "nothing else was lost. The culprit stays open where one of the captures lacks the end of another connection.",
    .means = "TCP repeats what is not acknowledged (Windows five times, then it resets; RFC 6298). When nothing comes "
             "back, packets of one or both directions vanish on the way - or in the other machine's filter driver or "
             "firewall, or that machine is down. Both captures together tell these apart. (Article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = judge_pair,
};
