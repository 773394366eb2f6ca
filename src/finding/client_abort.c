/* client.abort: a reset from the client ends a working connection. */
#include "actions.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "standstill.h"
#include "ttl_signs.h"
#include "unread_wait.h"

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

/* Likewise a FIN in the midst of an answer, when more of it does not come: who does not read would have shut its window. */
static bool leaves_unfinished(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return c->tds && c->tds->server_unfinished && !c->tds->mars && moment_seen(&c->tds->last_request) &&
           moment_seen(&client->fin) && moment_seen(&server->last_data) &&
           client->fin.time_ns - server->last_data.time_ns >= GOOD_BYE_NS && client->zero_windows == 0 &&
           !signs_of_missed_packets(c);
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

/* The server's machine acknowledges data and FIN at once, whatever its program does. */
static bool repeats_in_vain(const struct tcp_side *client, const struct moment *fin)
{
    return client->unacknowledged_bytes > 0 && client->data_run.count > 0 &&
           (client->fin_retransmits > 0 || client->data_run.first.time_ns < fin->time_ns);
}

/* The server's machine acknowledges, and its program, which a FIN tells that nobody waits any more, does not close for its part: it does not run. */
static bool unheeded(const struct conversation *c, const struct surroundings *s, const struct moment *fin)
{
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    return !moment_seen(&server->fin) && !moment_seen(&server->reset) && server->last_data.time_ns <= fin->time_ns &&
           surroundings_end_ns(s, c) - fin->time_ns >= LONG_WAIT_NS && !surroundings_lacks_ends(s, c->point);
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

/* Who asks has the whole answer to what he asked before (MS-TDS 3.1), and his packet acknowledges it. Where it does not, the two crossed: that may
 * be the answer, recorded before its request, or the two do not take turns. */
static bool crosses_answer(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    return c->tds && !c->tds->mars && server->payload_bytes > 0 && !server->last_data_answered &&
           server->last_data.time_ns <= client->last_data.time_ns;
}

/* A close of the client's, and what keeps from holding it against the client. */
struct abort {
    struct moment close;
    bool fin;
    bool pending; /* an answer was due */
    int64_t quiet_ns;
    bool answered_late;
    bool forgotten, gave_up, answers_nobody, timed_out, stuck, unknown_request, perhaps_login, crossed, doubtful;
};

static bool read_close(const struct conversation *c, const struct surroundings *s, struct abort *abort)
{
    if (!c->first_close_known || c->closed_first_by != SIDE_CLIENT || !is_healthy_until_close(c, s))
        return false;
    *abort = (struct abort){.close = conversation_first_close(c), .fin = conversation_closed_by_fin(c)};
    if (!abort->fin && c->tds && moment_seen(&c->tds->smp_fin[SIDE_CLIENT]))
        return false; /* MARS: the session was closed in order, and the FIN that follows was not captured */
    abort->answered_late = answered_after(c, &abort->close);
    if (abort->fin && !abort->answered_late && !leaves_unanswered(c) && !leaves_unfinished(c))
        return false;
    abort->pending = abort->fin || abort->answered_late || signs_of_pending_request(c);
    abort->quiet_ns = quiet_before_ns(c, &abort->close);
    return abort->pending || !is_habit(surroundings_pair(s, c));
}

static bool is_open(const struct conversation *c, const struct surroundings *s, struct abort *abort)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    const struct moment *close = &abort->close;
    bool long_quiet = abort->quiet_ns >= LONG_WAIT_NS;
    abort->forgotten = !abort->fin && signs_of_forgotten(c, SIDE_CLIENT);
    abort->gave_up =
        abort->fin ? repeats_in_vain(client, close) : signs_of_giving_up(c, SIDE_CLIENT) || lacks_answer(c, close);
    abort->answers_nobody =
        abort->pending && standstill_answers_nobody(s, c, client->last_data.time_ns, close->time_ns);
    abort->timed_out = abort->pending && !long_quiet && signs_of_time_out(abort->quiet_ns);
    abort->stuck = abort->fin && unheeded(c, s, close);
    abort->unknown_request = !long_quiet && !c->starts_with_syn && client->payload_bytes == 0;
    struct unread_wait wait = unread_wait_of(c, s);
    abort->perhaps_login =
        !long_quiet && wait.held && wait.perhaps_of_login && wait.waited_ns >= s->thresholds->slow_login_ns;
    abort->crossed = abort->pending && crosses_answer(c);
    abort->doubtful = !abort->fin && !signs_of_own_reset(c, s, SIDE_CLIENT);
    return abort->forgotten || abort->gave_up || abort->answers_nobody || abort->timed_out || abort->stuck ||
           abort->unknown_request || abort->perhaps_login || abort->crossed || abort->doubtful || abort->answered_late;
}

static const char *settled_by(const struct abort *abort, bool open)
{
    if (abort->forgotten || abort->unknown_request)
        return settle_by_earlier_captures;
    if (abort->gave_up || abort->answered_late || abort->answers_nobody || !open)
        return settle_by_server_capture;
    if (abort->timed_out || abort->stuck || abort->perhaps_login)
        return "Which time-out the client's program sets, and what the server did with the request: an Extended Events "
               "session with `sql_batch_completed`, `rpc_completed` and `attention`.";
    return settle_by_client_capture;
}

static bool say_open(struct judgement *judgement, const struct abort *abort)
{
    if (abort->forgotten)
        judgement_say(judgement, "The client's reset answers a packet of a connection that its machine does not know "
                                 "any more: how it ended is not in the capture.");
    else if (abort->gave_up && abort->fin)
        judgement_say(judgement, "The client closed the connection, and nothing acknowledges that: packets do not get "
                                 "through any more, or the server's machine stands still.");
    else if (abort->gave_up)
        judgement_say(judgement, "The client reset the connection when packets did not get through any more: what was "
                                 "sent before was not acknowledged.");
    else if (abort->unknown_request)
        judgement_say(judgement, "The client reset the connection; what it had asked before is not in the capture.");
    return abort->forgotten || abort->gave_up || abort->unknown_request;
}

static void say_why_open(struct judgement *judgement, const struct abort *abort)
{
    if (abort->timed_out)
        judgement_say_more(judgement, "That is a whole number of seconds, as time-outs are and a program that dies "
                                      "hardly hits: it seems to have waited for the server.");
    if (abort->stuck)
        judgement_say_more(judgement, "The server's machine acknowledges that, and its program does not close for its "
                                      "part: it hardly runs, and the client may have waited in vain.");
    if (abort->perhaps_login)
        judgement_say_more(judgement, "Only headers were captured: it may have been in the midst of its login.");
    if (abort->crossed)
        judgement_say_more(
            judgement,
            "That request left before the server's last data had come: this may be its answer, recorded before it.");
    if (abort->answers_nobody)
        judgement_say_more(judgement,
                           "Meanwhile the server's machine acknowledged nothing in other connections, either: it may "
                           "have stood still (a paused virtual machine), or the way there was dead.");
}

static void prove(const struct conversation *c, const struct abort *abort, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    judgement_prove(judgement, &client->last_data, "the client's last data");
    judgement_prove(judgement, &c->sides[SIDE_SERVER].last_data, "the server's last data");
    judgement_prove(judgement, &abort->close, "the client sends %s",
                    abort->fin               ? "FIN"
                    : client->reset_with_ack ? "ACK+RST"
                                             : "a reset");
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct abort abort;
    if (!read_close(c, s, &abort))
        return false;
    bool long_quiet = abort.quiet_ns >= LONG_WAIT_NS, open = is_open(c, s, &abort);
    bool together = !open && !abort.pending && long_quiet && goes_with_others(c, s, &abort.close);
    long_quiet &= !together;
    judgement->confidence = together ? 0.8 : long_quiet || open ? 0.6 : abort.fin ? 0.75 : abort.pending ? 0.88 : 0.7;
    if (signs_of_missed_packets(c))
        judgement->confidence -= 0.2;
    if (long_quiet || open) {
        judgement->culprit = CULPRIT_UNKNOWN;
        judgement->would_settle = settled_by(&abort, open);
    }
    prove(c, &abort, judgement);
    if (together)
        judgement_say(judgement,
                      "The client reset this connection, idle for %.1f s, at the moment at which it reset another one "
                      "before its request was answered: the program ended, or aborted them all.",
                      seconds(abort.quiet_ns));
    else if (!say_open(judgement, &abort))
        say(judgement, abort.fin ? "closed the connection" : "reset the connection", abort.pending, long_quiet,
            abort.quiet_ns);
    say_why_open(judgement, &abort);
    return true;
}

static const char *const actions[] = {
    "Look in the application's log for an exception or a stop at that time: killed process, recycled application pool, "
    "cancelled task.",
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
        "request is unanswered, or in the midst of an answer, of which no more came for a tenth of a second while its "
        "window was open. The culprit stays open after 5 s or more without data, unless the client resets "
        "another connection with a request unanswered for less at the same moment (0.1 s), and when the answer comes a "
        "second and more after the client left. It stays open where the reset has no ACK, for then it answers a packet "
        "of a connection that had ended before; where what either side repeats is not acknowledged any more; and where "
        "the reset does not acknowledge data that had left a fifth of a second before. Likewise where the capture "
        "began later and has no data of the client; and where it was not given as the client's and the reset does not "
        "go on with the client's IP IDs, timestamps or window, for then a device may have made it. And it stays open "
        "where the FIN is repeated and nothing acknowledges it, or where, while the client waited, the server's "
        "machine acknowledged nothing in another connection for a second and more. Likewise where the client leaves an "
        "unanswered request after two seconds or more, a whole number of them (within 0.05 s), as time-outs have it; "
        "where the server's program does not close within 5 s after the client's FIN; where a request that is 2 s and "
        "more old may be a login's, because the capture has headers only; and where the request does not acknowledge "
        "what the server had sent before, without MARS, for then it and its answer may have been recorded in the wrong "
        "order. Not when a sequence number of either side or the other's SACK shows that it had sent more than "
        "arrived.",
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
