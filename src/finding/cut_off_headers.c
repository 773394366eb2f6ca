/* Connections of which only headers were captured. */
#include "cut_off_headers.h"

#include "count_words.h"
#include "signs.h"
#include "unread_wait.h"

static const char would_show_more[] =
    "The same with 180 bytes of each packet: they show how far the login came, and what was asked.";

/* Headers tell that the client waited, not for what. */
static bool judge_wait(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct unread_wait wait = unread_wait_of(c, s);
    if (!wait.held || wait.waited_ns < s->thresholds->late_login_ns)
        return false;
    judgement->confidence = signs_of_sql(c, s) ? 0.5 : 0.4;
    judgement->would_settle = would_show_more;
    judgement_prove(judgement, &wait.since, "the client's last data, which nothing answers");
    judgement_prove(judgement, &wait.close, "the %s closes", side_name(wait.closed_by));
    judgement_say(
        judgement,
        "The server machine acknowledged the client's last data, and in %.1f s nothing answered it%s. Only headers "
        "were captured: whether it was of the login, a request, or something that asks for nothing, is not to be told.",
        seconds(wait.waited_ns), wait.closed ? ", until the connection was closed" : "");
    return true;
}

/* The same where the answer came in the end. */
static bool judge_slow_answer(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct unread_answer answer = unread_answer_of(c, s);
    if (!answer.held || answer.waited_ns < s->thresholds->late_login_ns)
        return false;
    judgement->confidence = 0.5;
    judgement->would_settle = would_show_more;
    judgement_prove(judgement, &answer.asked, "data of the client, its packet %u with any", answer.packets);
    judgement_say(judgement,
                  "The server's answer to packet %u of the client with data came after %.1f s%s. Only headers were "
                  "captured: whether that was of the login or a request%s is not to be told.",
                  answer.packets, seconds(answer.waited_ns),
                  answer.repeated ? ", and packets were sent again meanwhile" : "",
                  answer.repeated ? ", and whose time it was," : "");
    return true;
}

/* Nobody logs in to ask for nothing: a certificate that is not trusted, or TLS that fails, looks like that. */
static bool judge_few_words(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    if (!unread_is(c, s) || !c->starts_with_syn || !c->first_close_known || c->closed_first_by != SIDE_CLIENT ||
        client->data_packets == 0 || client->data_packets > LOGIN_WORDS || signs_of_missed_packets(c))
        return false;
    struct moment close = conversation_first_close(c);
    judgement->confidence = 0.4;
    judgement->would_settle = would_show_more;
    judgement_prove(judgement, &client->last_data, "the client's last data");
    judgement_prove(judgement, &close, "the client closes");
    judgement_say(judgement,
                  "The client closes after %s with data: a login and a query take more. Only headers were captured: "
                  "whether the login failed, and why, is not to be told.",
                  count_words(client->data_packets, "packet").text);
    return true;
}

/* A server closes first after a refused login, when it ends a session, and when it stops; what went well the client ends. */
static bool judge_server_closes(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!unread_is(c, s) || signs_of_other_service(c, s) || !c->first_close_known ||
        c->closed_first_by != SIDE_SERVER || client->payload_bytes == 0)
        return false;
    judgement->confidence = signs_of_sql(c, s) ? 0.5 : 0.4;
    judgement->would_settle = would_show_more;
    judgement_prove(judgement, &client->last_data, "the client's last data");
    judgement_prove(judgement, &server->last_data, "the server's last data");
    judgement_prove(judgement, conversation_closed_by_fin(c) ? &server->fin : &server->reset, "the server closes");
    judgement_say(judgement,
                  "The server closes first: so it does after a login that it refuses, when it ends a session, and when "
                  "it stops. Only headers were captured: which of these it was is not to be told.");
    return true;
}

/* Whatever is spoken on the port, who repeats itself is not heard or not answered. Where it is known to be SQL Server's, others judge it. */
static bool judge_silence(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct silence silence = signs_of_silence(c);
    if (!unread_is(c, s) || signs_of_other_service(c, s) || !silence.held)
        return false;
    const char *name = side_name(silence.retrier);
    judgement->confidence = 0.4;
    judgement->would_settle = would_show_more;
    judgement_prove(judgement, &silence.first, "the %s repeats itself", name);
    judgement_prove(judgement, &silence.last, "it does for the last time");
    judgement_say(judgement,
                  "The %s repeats itself in vain. Only headers were captured, and nobody knows whose port %u is: if "
                  "SQL Server listens there, say so with `--server-port %u`.",
                  name, c->ends[SIDE_SERVER].port, c->ends[SIDE_SERVER].port);
    return true;
}

bool cut_off_headers_judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (judge_wait(c, s, judgement) || judge_server_closes(c, s, judgement) || judge_slow_answer(c, s, judgement))
        return true;
    return signs_of_sql(c, s) ? judge_few_words(c, s, judgement) : judge_silence(c, s, judgement);
}
