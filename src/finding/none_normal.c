/* none.normal: nothing else holds. The judge asks it last, so that it is the absence of every other cause. */
#include <stdio.h>

#include "detector.h"
#include "login_signs.h"
#include "signs.h"
#include "unread_wait.h"

static double confidence_of(const struct conversation *c, const struct surroundings *s)
{
    if (signs_of_one_direction(c))
        return 0.4;
    if (!signs_of_sql(c, s) || (conversation_established(c) && unread_is(c, s)))
        return 0.6;
    /* Of one that is nearly over when the capture begins nobody knows how it went. */
    if (!c->starts_with_syn && c->sides[SIDE_CLIENT].payload_bytes + c->sides[SIDE_SERVER].payload_bytes == 0)
        return 0.5;
    double confidence = c->ending == ENDING_FIN ? 0.95 : c->ending == ENDING_OPEN ? 0.85 : 0.7;
    if (c->tds && !signs_of_login_done(c))
        confidence = 0.6;
    return signs_of_missed_packets(c) ? confidence - 0.15 : confidence;
}

/* Windows repeats a SYN after 3 s or 1 s, Linux after 1 s. */
#define REPEATED_SYN_NS (9 * NS_PER_SECOND / 10)

/* The server still remembered an older connection on the same ports, and its old acknowledgement made the client reset that and ask
 * again (RFC 9293, 3.5.2; RFC 1337). */
static void tell_old_acknowledgement(const struct conversation *c, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    int64_t cost_ns = server->syn.time_ns - client->syn.time_ns;
    if (!moment_seen(&client->older_reset) || !moment_seen(&server->syn) || cost_ns < REPEATED_SYN_NS)
        return;
    char says[JUDGEMENT_TEXT_SIZE];
    snprintf(says, sizeof says,
             " But it took %.1f s to be accepted: the server still knew an older connection on the client's port %u "
             "(TIME-WAIT) and answered with that one's acknowledgement. The client uses its ports again too soon.",
             seconds(cost_ns), c->ends[SIDE_CLIENT].port);
    judgement_say_more(judgement, says);
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &client->older_reset,
                    "it resets the older connection, which the server's answer was about");
    judgement_prove(judgement, &server->syn, "the server accepts, %.1f s after the first SYN", seconds(cost_ns));
}

/* What the answer was, encryption hides; that the server did not close, and the client went to another one at once, speaks for a redirect. */
static bool judge_sent_on(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct unasked_close left = login_signs_unasked_close(c, s);
    if (!left.held || left.by == SIDE_SERVER || !left.next)
        return false;
    char name[ENDPOINT_TEXT_SIZE];
    endpoint_text(&left.next->ends[SIDE_SERVER], name);
    judgement->confidence = 0.7;
    judgement->would_settle = "The server's ERRORLOG: a refused login would be in it as error 18456.";
    judgement_prove(judgement, &c->tds->steps[LOGIN_STEP_LOGIN_ANSWER], "the server answers the login, encrypted");
    judgement_prove(judgement, &left.close, "the client closes");
    judgement_prove(judgement, &left.next->sides[SIDE_CLIENT].syn, "the client connects to %s", name);
    judgement_say(judgement,
                  "The server answered the encrypted login, and the client closed and connected to %s at once: it was "
                  "probably sent on there (routing). A server that refuses closes of its own accord, and this one "
                  "waited for the client.",
                  name);
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (judge_sent_on(c, s, judgement))
        return true;
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
        judgement_say(
            judgement,
            conversation_established(c)
                ? "No SQL Server traffic was recognised; the connection was made, and what other services do on one is "
                  "not judged."
                : "No SQL Server traffic was recognised, and the connection was not made as far as it was captured.");
    else if (conversation_established(c) && unread_is(c, s))
        judgement_say(judgement, "Nothing is wrong with it as far as its headers tell; what was said on it was not "
                                 "captured.");
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
    tell_old_acknowledgement(c, judgement);
    return true;
}

static const char *const actions[] = {"Nothing is to be done.", NULL};

const struct detector none_normal = {
    .cause = "none.normal",
    .title = "Nothing is wrong",
    .holds_when = "No other cause holds.",
    .means = "The packets show a connection that worked as far as it was captured. A reset that answers packets after "
             "a FIN, a single lost packet, or a pooled connection of which neither begin nor end is in the trace are "
             "part of normal life. (Article, 1.5.7 and 1.5.10.)",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .judge = judge,
};
