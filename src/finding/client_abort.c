/* client.abort: a reset from the client ends a working connection. */
#include "actions.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "standstill.h"
#include "ttl_signs.h"

/* TLS's close_notify and MARS's SMP FIN are sent together with the FIN. */
#define GOOD_BYE_NS (100 * NS_PER_MS)

/* A driver that ends (nearly) all its connections so does it by design; of fewer than three nobody knows. */
enum { HABIT_LEAST = 3, HABIT_PERCENT = 80 };

static bool is_habit(const struct pair_record *pair)
{
    return pair->closed >= HABIT_LEAST &&
           pair->closed_by_reset * 100ULL >= pair->closed * (unsigned long long)HABIT_PERCENT;
}

/* TDS is asked and answered in turn: a FIN while an answer is due is as much an abort as a reset (a process that
 * dies on Linux sends FIN). Only a request that the decoder saw counts: the last bytes may be TLS's or MARS's good-
 * bye, which come right before the FIN. */
static bool leaves_unanswered(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    return c->tds && c->tds->request_unanswered && !client->last_data_answered && moment_seen(&c->tds->last_request) &&
           moment_seen(&client->fin) && client->fin.time_ns - client->last_data.time_ns >= GOOD_BYE_NS &&
           !moment_seen(&c->tds->smp_fin[SIDE_CLIENT]) && !signs_of_missed_packets(c);
}

/* Its reset acknowledges what it has got (RFC 9293, 3.10.7.1). What had left for longer than a way and a least time-out take, and is not
 * among that, did not come through. */
#define ON_ITS_WAY_NS (200 * NS_PER_MS)

static bool lacks_answer(const struct conversation *c, const struct moment *close)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return server->unacknowledged_bytes > 0 && client->reset_with_ack && server->last_data.time_ns <= close->time_ns &&
           close->time_ns - server->last_data.time_ns > ON_ITS_WAY_NS;
}

static bool is_healthy_until_close(const struct conversation *c, const struct surroundings *s)
{
    if (!conversation_established(c) || !signs_of_sql(c, s) || signs_of_silence(c).held || signs_of_one_direction(c))
        return false;
    if (signs_of_more_sent(c, SIDE_SERVER) || signs_of_more_sent(c, SIDE_CLIENT))
        return false; /* it had been answered, and the answer was lost; or it had asked, and that was */
    if (signs_of_login_halt(c, s).halted || signs_of_login_refused(c) || (c->tds && !signs_of_login_done(c)))
        return false;
    return c->sides[SIDE_SERVER].payload_bytes > 0 && !signs_of_foreign_reset(&c->sides[SIDE_CLIENT]) &&
           !signs_of_disowned_reset(c, s, SIDE_CLIENT);
}

/* From the last data of either side, or else from the first packet, to the close. */
static int64_t quiet_before_ns(const struct conversation *c, const struct moment *close)
{
    int64_t last_ns = c->first.time_ns;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct moment *data = &c->sides[side].last_data;
        if (moment_seen(data) && data->time_ns <= close->time_ns && data->time_ns > last_ns)
            last_ns = data->time_ns;
    }
    return close->time_ns - last_ns;
}

/* The answer, or the rest of it, came when the client had gone, by more than any way takes: it had waited for that. */
static bool answered_after(const struct conversation *c, const struct moment *close)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return c->tds && moment_seen(&c->tds->last_request) && c->tds->last_request.time_ns < close->time_ns &&
           client->last_data.time_ns <= close->time_ns && server->last_data.time_ns - close->time_ns >= NS_PER_SECOND;
}

static void say(struct judgement *judgement, const char *how, bool pending, bool long_quiet, int64_t quiet_ns)
{
    if (pending && long_quiet)
        judgement_say(
            judgement,
            "The client %s after it had waited %.1f s for an answer: its own time-out, but the server was slow.", how,
            seconds(quiet_ns));
    else if (pending)
        judgement_say(judgement, "The client %s %s after its own request, before it was answered.", how,
                      seconds_words(quiet_ns).text);
    else if (long_quiet)
        judgement_say(judgement,
                      "The client %s after %.1f s without data. It may have closed an idle connection that way, or "
                      "given up waiting for the rest of an answer that no longer came.",
                      how, seconds(quiet_ns));
    else
        judgement_say(judgement,
                      "The client ended the connection with a reset instead of a FIN. Everything was answered; some "
                      "third-party drivers always do so, otherwise the program aborted.");
}

/* The server's machine acknowledges a FIN at once, whatever its program does. */
static bool repeats_fin(const struct tcp_side *client)
{
    return client->unacknowledged_bytes > 0 && client->data_run.count > 0 && client->fin_retransmits > 0;
}

/* Who dies takes all its connections along, at one moment: the idle ones end with those that wait for an answer. */
#define TOGETHER_NS (100 * NS_PER_MS)

/* But who gives all up when the server's machine answers nobody does so, too. */
static bool goes_with_others(const struct conversation *c, const struct surroundings *s, const struct moment *close)
{
    return times_within(&surroundings_pair(s, c)->aborts, close->time_ns - TOGETHER_NS, close->time_ns + TOGETHER_NS) >
               0 &&
           !standstill_answers_nobody(s, c, close->time_ns - LONG_WAIT_NS, close->time_ns);
}

static bool say_open(struct judgement *judgement, bool fin, bool forgotten, bool gave_up, bool unknown_request)
{
    if (forgotten)
        judgement_say(judgement,
                      "The client's reset answers a packet of a connection that its machine does not know any "
                      "more: how it ended is not in the capture.");
    else if (gave_up && fin)
        judgement_say(judgement, "The client closed the connection, and nothing acknowledges that: packets do not get "
                                 "through any more, or the server's machine stands still.");
    else if (gave_up)
        judgement_say(
            judgement,
            "The client reset the connection when packets did not get through any more: what was sent before was "
            "not acknowledged.");
    else if (unknown_request)
        judgement_say(judgement, "The client reset the connection; what it had asked before is not in the capture.");
    return forgotten || gave_up || unknown_request;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    if (!c->first_close_known || c->closed_first_by != SIDE_CLIENT || !is_healthy_until_close(c, s))
        return false;
    struct moment close = conversation_first_close(c);
    bool fin = conversation_closed_by_fin(c);
    if (!fin && c->tds && moment_seen(&c->tds->smp_fin[SIDE_CLIENT]))
        return false; /* MARS: the session was closed in order, and the FIN that follows was not captured */
    bool answered_late = answered_after(c, &close);
    if (fin && !answered_late && !leaves_unanswered(c))
        return false;
    bool pending = fin || answered_late || signs_of_pending_request(c);
    if (!pending && is_habit(surroundings_pair(s, c)))
        return false;
    int64_t quiet_ns = quiet_before_ns(c, &close);
    bool long_quiet = quiet_ns >= LONG_WAIT_NS;
    bool forgotten = !fin && signs_of_forgotten(c, SIDE_CLIENT),
         gave_up = fin ? repeats_fin(client) : signs_of_giving_up(c, SIDE_CLIENT) || lacks_answer(c, &close),
         answers_nobody = pending && standstill_answers_nobody(s, c, client->last_data.time_ns, close.time_ns);
    bool unknown_request = !long_quiet && !c->starts_with_syn && client->payload_bytes == 0;
    bool open = forgotten || gave_up || unknown_request || answered_late || answers_nobody ||
                (!fin && !signs_of_own_reset(c, s, SIDE_CLIENT));
    bool together = !open && !pending && long_quiet && goes_with_others(c, s, &close);
    long_quiet &= !together;
    judgement->confidence = together ? 0.8 : long_quiet || open ? 0.6 : fin ? 0.75 : pending ? 0.88 : 0.7;
    if (signs_of_missed_packets(c))
        judgement->confidence -= 0.2;
    if (long_quiet || open) {
        judgement->culprit = CULPRIT_UNKNOWN;
        bool by_server = gave_up || answered_late || answers_nobody || (!open && long_quiet);
        judgement->would_settle = forgotten || unknown_request ? settle_by_earlier_captures
                                  : by_server                  ? settle_by_server_capture
                                                               : settle_by_client_capture;
    }
    judgement_prove(judgement, &client->last_data, "the client's last data");
    judgement_prove(judgement, &c->sides[SIDE_SERVER].last_data, "the server's last data");
    judgement_prove(judgement, &close, "the client sends %s",
                    fin                      ? "FIN"
                    : client->reset_with_ack ? "ACK+RST"
                                             : "a reset");
    if (together)
        judgement_say(judgement,
                      "The client reset this connection, idle for %.1f s, at the moment at which it reset another one "
                      "before its request was answered: the program ended, or aborted them all.",
                      seconds(quiet_ns));
    else if (!say_open(judgement, fin, forgotten, gave_up, unknown_request))
        say(judgement, fin ? "closed the connection" : "reset the connection", pending, long_quiet, quiet_ns);
    if (answers_nobody)
        judgement_say_more(judgement,
                           "Meanwhile the server's machine acknowledged nothing in other connections, either: "
                           "it may have stood still (a paused virtual machine), or the way there was dead.");
    return true;
}

static const char *const actions[] = {
    "Look in the application's log for an exception or a stop at that time: killed process, recycled application "
    "pool, cancelled task.",
    "Find the program on the client by its port, while it runs: `Get-Process -Id (Get-NetTCPConnection -LocalPort "
    "PORT).OwningProcess`, on Linux `ss -tnp sport = :PORT`. The login carries the process ID, too: `Get-Process -Id "
    "PID`.",
    ACTION_DRIVER_TRACE,
    ACTION_FILTER_DRIVERS,
    NULL,
};

const struct detector client_abort = {
    .cause = "client.abort",
    .title = "The client aborts the connection",
    .holds_when =
        "After the login the client's reset comes first, without retries or keep-alives in vain before it, and the "
        "client does not end nearly all its connections to this server that way; or its FIN comes while its own "
        "request is unanswered. The culprit stays open after 5 s or more without data, unless the client resets "
        "another connection with an unanswered request at the same moment (0.1 s), and when the answer comes a "
        "second and more after the client left. It stays open where the reset has no ACK, for then it answers a "
        "packet of a connection that had ended before; where what either side repeats is not acknowledged any more; "
        "and where the reset does not acknowledge data that had left a fifth of a second before. Likewise where the "
        "capture began later and has no data of the client; and where it was not given as the client's and the reset "
        "does not go on with the client's IP IDs, timestamps or window, for then a device may have made it. And it "
        "stays open where the FIN is repeated and nothing acknowledges it, or where, while the client waited, the "
        "server's machine acknowledged nothing in another connection for a second and more. Not when a sequence "
        "number of either side or the other's SACK shows that it had sent more than arrived.",
    .means = "ACK+RST is what a machine sends when the program aborts a connection, dies, or closes with data unread; "
             "on Linux the FIN of a program that dies may come first. The packets before it were received and "
             "acknowledged, so the network did its part. Some third-party drivers and probes close with a reset by "
             "design. (Article, 1.5.5 and 1.5.10.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
};
