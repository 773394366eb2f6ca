/* client.gave-up-before-login: handshake, at most PRELOGIN, and the client closes: its time was spent before the
 * SYN. */
#include "actions.h"
#include "detector.h"
#include "login_signs.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* The answer to PRELOGIN tells the server's version (MS-TDS 2.2.6.5), and that is all that scanners and monitors want. They are known by their
 * habit; a program that runs out of time logs in at other times. */
static bool only_asks_version(const struct pair_record *pair)
{
    enum { HABIT_LEAST = 3 };
    return pair->left_early >= HABIT_LEAST && pair->left_early + pair->byteless >= pair->connections;
}

static bool judge_after_prelogin(const struct conversation *c, const struct surroundings *s,
                                 struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    struct login_halt halt = signs_of_login_halt(c, s);
    if (!halt.halted || !halt.closed || halt.closed_by != SIDE_CLIENT || signs_of_missed_packets(c))
        return false;
    if (!moment_seen(&client->fin) && signs_of_forgotten(c, SIDE_CLIENT))
        return false; /* it had left before, and the capture missed that */
    if (halt.last_step > LOGIN_STEP_PRELOGIN_ANSWER || (moment_seen(&client->reset) && signs_of_foreign_reset(client)))
        return false;
    bool own_turn = halt.turn == SIDE_CLIENT;
    if (!own_turn && halt.last_step == LOGIN_STEP_PRELOGIN_ANSWER)
        return false; /* it went on with something that was not captured */
    if (halt.waited_ns >= s->thresholds->slow_login_ns)
        return false; /* it had time, or waited for the server */
    judgement->confidence = own_turn ? 0.85 : halt.waited_ns < LEAVES_AT_ONCE_NS ? 0.87 : 0.5;
    if (!own_turn && halt.waited_ns >= LEAVES_AT_ONCE_NS)
        judgement->culprit = CULPRIT_UNKNOWN;
    if (signs_of_doubtful_close(c, s)) {
        judgement_leave_open(judgement, 0.5);
        judgement->would_settle = settle_by_client_capture;
    }
    bool asks_version = own_turn && only_asks_version(surroundings_pair(s, c));
    if (asks_version) {
        judgement_leave_open(judgement, 0.5);
        judgement->would_settle = "Which program of that machine connects: `netstat -abno` there, on Linux `ss -tnp`.";
    }
    judgement_prove(judgement, &client->syn, "the client connects");
    judgement_prove(judgement, &c->tds->steps[LOGIN_STEP_PRELOGIN], "the client sends PRELOGIN");
    judgement_prove(judgement, &c->tds->steps[LOGIN_STEP_PRELOGIN_ANSWER], "the server answers it");
    judgement_prove(judgement, &halt.close, "the client closes");
    judgement_say(judgement, "The client connected, sent PRELOGIN and closed %s after %s%s.",
                  seconds_words(halt.waited_ns).text, login_step_words(halt.last_step),
                  own_turn ? "" : ", without waiting for the answer: its time was spent before it connected");
    if (asks_version)
        judgement_say_more(judgement, "None of its connections goes on to a login: a scanner or a monitor that asks "
                                      "for the server's version, or a client that is always out of time.");
    login_signs_doubt_client(c, s, &halt, judgement);
    return true;
}

/* A health check leaves in just this way, and may come with the address of those that log in: from a balancer that lends them its own. So
 * something else has to tell that this client runs out of time. */
static bool judge_byteless(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    struct moment close = conversation_first_close(c);
    if (!c->first_close_known || c->closed_first_by != SIDE_CLIENT || !moment_seen(&client->fin))
        return false;
    if (moment_seen(&client->reset) && client->reset.time_ns <= client->fin.time_ns)
        return false;
    const struct pair_record *pair = surroundings_pair(s, c);
    if (pair->left_early == 0 || pair->byteless > pair->speaks_tds)
        return false;
    int64_t after_ns = close.time_ns - (moment_seen(&server->syn) ? server->syn.time_ns : client->syn.time_ns);
    if (after_ns > LEAVES_AT_ONCE_NS)
        return false;
    judgement->confidence = 0.7;
    judgement_prove(judgement, &client->syn, "the client connects");
    judgement_prove(judgement, &close, "the client closes without having sent a byte");
    judgement_say(judgement,
                  "The client connected and closed %s later without a byte. It left this server as soon as it had sent "
                  "PRELOGIN, too (%s): its time was spent before it connected.",
                  seconds_words(after_ns).text, count_words(pair->left_early, "connection").text);
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct name_wait wait;
    if (!c->starts_with_syn || !conversation_established(c) || signs_of_one_direction(c) || signs_of_silence(c).held ||
        signs_of_more_sent(c, SIDE_CLIENT))
        return false;
    if (signs_of_name_wait(c, s, &wait))
        return false; /* then it is known on what: see client.slow-name-resolution */
    if (login_signs_foreign_answer(c) || login_signs_encryption_clash(c).held)
        return false; /* what came in answer is why it left: see client.closed-in-login */
    if (c->sides[SIDE_CLIENT].payload_bytes + c->sides[SIDE_SERVER].payload_bytes == 0)
        return judge_byteless(c, s, judgement);
    return judge_after_prelogin(c, s, judgement);
}

static const char *const actions[] = {
    "See how long name resolution takes on the client: `Measure-Command { Resolve-DnsName SERVER }`, `ipconfig "
    "/displaydns`.",
    "See whether the client machine is short of worker threads or CPU, or its connection pool is exhausted: "
    "SqlClient's error then shows a large \"[Pre-Login] initialization\".",
    "See whether the client is running out of outbound ports: `netstat -abon > c:\\ports.txt`, `netsh int ipv4 show "
    "dynamicport tcp`.",
    ACTION_DRIVER_TRACE,
    NULL,
};

const struct detector client_gave_up_before_login = {
    .cause = "client.gave-up-before-login",
    .title = "The client closes as soon as it is connected",
    .holds_when =
        "After the handshake the client closes within a second and before the login; or it has sent PRELOGIN and "
        "closes within a second, or less than 2 s after the answer, when it was its own turn. (Between one second and "
        "two without an answer the culprit stays open; --slow-login sets the two.) Without a byte it counts only when "
        "the same client left this server after PRELOGIN on another connection, and closes with FIN; else it may as "
        "well be a probe. Where it is seen to have waited for its server's address, client.slow-name-resolution says "
        "so. Not when a sequence number of the client or the other side's SACK shows that it had sent more than "
        "arrived, nor when the answer to PRELOGIN is why it leaves. When the client had waited for the server for 2 s "
        "or more (--slow-login), and more than half as long as for itself, or three connections of the client or more "
        "leave after PRELOGIN, and none does anything else, the culprit stays open: its time may have run out over "
        "that, or it may only ask for the server's version.",
    .means = "The connection was made at once, and the client had no time left for it: its time-out, which began with "
             "the program's call, was spent before the first packet - on DNS, a security call, waiting for a thread, a "
             "port or a place in the pool. Server and network had no part in it. (Article, 1.5.5.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
