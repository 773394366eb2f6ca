/* none.normal: nothing else holds. The judge asks it last, so that it is the absence of every other cause. */
#include "detector.h"
#include "signs.h"

static double confidence_of(const struct conversation *c, const struct surroundings *s)
{
    if (signs_of_one_direction(c))
        return 0.4;
    if (!signs_of_sql(c, s))
        return 0.6;
    double confidence = c->ending == ENDING_FIN ? 0.95 : c->ending == ENDING_OPEN ? 0.85 : 0.7;
    if (c->tds && !signs_of_login_done(c))
        confidence = 0.6;
    return signs_of_missed_packets(c) ? confidence - 0.15 : confidence;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    judgement->confidence = confidence_of(c, s);
    struct moment close = conversation_first_close(c);
    judgement_prove(judgement, &close, "the %s closes", c->closed_first_by == SIDE_CLIENT ? "client" : "server");
    if (signs_of_one_direction(c))
        judgement_say(judgement, "Only one side's packets were captured: nothing can be held against anybody.");
    else if (signs_of_other_service(c, s) && !conversation_established(c))
        judgement_say(judgement,
                      "It was not made, and port %u belongs to another service than SQL Server; if SQL Server listens "
                      "there, say so with `--server-port %u`.",
                      c->ends[SIDE_SERVER].port, c->ends[SIDE_SERVER].port);
    else if (!signs_of_sql(c, s))
        judgement_say(judgement, "No SQL Server traffic was recognised, and the connection was made.");
    else if (c->ending == ENDING_OPEN)
        judgement_say(judgement,
                      "Nothing is wrong with it as far as it was captured; it was open when the trace ended.");
    else if (c->ending == ENDING_RESET)
        judgement_say(
            judgement,
            "Nothing is wrong with it; the reset at its end is how this client closes its connections, or the answer "
            "to late packets.");
    else
        judgement_say(judgement, "Nothing is wrong with it.");
    return true;
}

static const char *const actions[] = {"Nothing is to be done.", NULL};

const struct detector none_normal = {
    .cause = "none.normal",
    .title = "Nothing is wrong",
    .holds_when = "No other cause holds.",
    .means = "The packets show a connection that worked as far as it was captured. A reset that answers packets "
             "after a FIN, a single lost packet, or a pooled connection of which neither begin nor end is in the "
             "trace are part of normal life. (Article, 1.5.7 and 1.5.10.)",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .judge = judge,
};
