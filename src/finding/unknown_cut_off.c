/* unknown.cut-off: the trace begins or ends too late to say. */
#include "actions.h"
#include "cut_off_headers.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"

static bool judge_begin(const struct conversation *c, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    bool reset = moment_seen(&client->reset) || moment_seen(&server->reset);
    if (c->starts_with_syn || !reset || moment_seen(&client->fin) || moment_seen(&server->fin) ||
        client->payload_bytes + server->payload_bytes > 0 || signs_of_silence(c).held)
        return false;
    judgement->confidence = 0.6;
    judgement_prove(judgement, moment_seen(&client->reset) ? &client->reset : &server->reset, "a reset");
    judgement_say(judgement, "The trace holds no more of this connection than its reset: what led to it came before.");
    return true;
}

/* Who reads a trace that missed packets of the connection cannot tell whether its last request was answered, or who closed it. */
static bool judge_gaps(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    int64_t watched_ns = surroundings_watched_after_ns(s, c);
    if (!signs_of_missed_packets(c) || c->ending != ENDING_OPEN || !signs_of_pending_request(c) ||
        watched_ns < NS_PER_SECOND)
        return false;
    judgement->confidence = 0.5;
    judgement_prove(judgement, &c->sides[SIDE_CLIENT].last_data, "the client's last data");
    judgement_prove(judgement, &c->last, "the last packet of the connection that was captured");
    judgement_say(
        judgement,
        "The capture missed packets of this connection. In the %.1f s after its last one nothing answers the client's "
        "request, and nobody closes: what did may have been missed, too.",
        seconds(watched_ns));
    return true;
}

/* Who had sent more than was captured may have asked, answered or said why it closes. */
static bool judge_more_sent(const struct conversation *c, struct judgement *judgement)
{
    bool client = signs_of_more_sent(c, SIDE_CLIENT);
    if (!client && !signs_of_more_sent(c, SIDE_SERVER))
        return false;
    const struct tcp_side *self = &c->sides[client ? SIDE_CLIENT : SIDE_SERVER];
    const char *name = client ? "client" : "server";
    judgement->confidence = 0.45;
    judgement->would_settle = client ? settle_by_client_capture : settle_by_server_capture;
    judgement_prove(judgement, &self->last_data, "the %s's last data that was captured", name);
    bool sacked = !moment_seen(&self->ahead) && self->hole_bytes > 0;
    judgement_prove(judgement,
                    sacked                      ? &self->hole
                    : moment_seen(&self->ahead) ? &self->ahead
                                                : &self->reset,
                    "by %s the %s had sent more by then", sacked ? "the other side's SACK" : "its sequence number",
                    name);
    judgement_say(judgement,
                  "By %s the %s had sent more than the capture has of it, and to the end nobody acknowledges that: it "
                  "was lost on the way, or the capture missed it. What it was, and so who failed, is not to be told.",
                  sacked ? "the other side's SACK" : "the sequence number of a packet without data, or of its close,",
                  name);
    return true;
}

/* Of one side nothing is there, although the capture has its packets in other connections of the two; and the other one repeats itself to the
 * end, or resets. With an answer it would do neither. */
static bool judge_unanswered(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    enum side side = c->sides[SIDE_CLIENT].packets > 0 ? SIDE_CLIENT : SIDE_SERVER;
    const struct tcp_side *self = &c->sides[side];
    bool repeats = self->data_run.count > 0 && self->last_data.time_ns <= self->data_run.first.time_ns;
    if (c->starts_with_syn || !signs_of_one_direction(c) || (!repeats && !moment_seen(&self->reset)) ||
        surroundings_pair(s, c)->last_heard_ns[side_other(side)] <= c->first.time_ns)
        return false;
    const char *name = side_name(side), *peer = side_name(side_other(side));
    judgement->confidence = 0.5;
    judgement->would_settle = settle_by_earlier_captures;
    judgement_prove(judgement, &self->data_run.last, "the %s repeats itself", name);
    judgement_prove(judgement, &self->reset, "the %s resets the connection", name);
    judgement_say(judgement,
                  "The trace holds only the %s's packets of this connection, which %s, and both sides' of others: it "
                  "was dead when the trace began, or what the %s sends in it passes elsewhere.",
                  name, repeats ? "get no answer" : "end with a reset", peer);
    return true;
}

/* What keeps from seeing how a conversation goes on. */
static const char *end_words(const struct conversation *c, const struct surroundings *s)
{
    return surroundings_end_ns(s, c) < surroundings_point_end_ns(s, c->point) ? "A hole of the trace begins"
                                                                              : "The trace ends";
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!signs_of_sql(c, s))
        return cut_off_headers_judge(c, s, judgement);
    if (signs_of_one_direction(c))
        return judge_unanswered(c, s, judgement);
    if (judge_begin(c, judgement) || judge_gaps(c, s, judgement) || judge_more_sent(c, judgement) ||
        cut_off_headers_judge(c, s, judgement))
        return true;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    if (c->ending == ENDING_NO_ANSWER) {
        int64_t watched_ns = surroundings_end_ns(s, c) - client->syn.time_ns;
        judgement->confidence = 0.45;
        judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
        if (watched_ns < OLD_FIRST_RTO_NS)
            judgement_say(judgement, "%s %.1f s after the SYN, too early to say whether it would have been answered.",
                          end_words(c, s), seconds(watched_ns));
        else
            judgement_say(judgement,
                          "The SYN got no answer and was not repeated: the client left before it would have been, so "
                          "nothing follows from it.");
        return true;
    }
    struct login_halt halt = signs_of_login_halt(c, s);
    if (!halt.halted || halt.closed)
        return false;
    bool watched = halt.waited_ns >= s->thresholds->late_login_ns;
    judgement->confidence = watched ? 0.5 : 0.6;
    judgement_prove(judgement, &halt.since, "the last word of the login: %s", login_step_words(halt.last_step));
    judgement_say(judgement, "%s %s after %s, with the login unfinished and the %s's turn%s.", end_words(c, s),
                  seconds_words(halt.waited_ns).text, login_step_words(halt.last_step), side_name(halt.turn),
                  watched ? "" : "; that is too early to say what became of it");
    return true;
}

static const char *const actions[] = {
    "Let the capture run until the error has appeared, and stop it right after: `" TRACE_COMMAND
    "`, then `netsh trace stop`.",
    "Give all files of a chained capture at once, so that conversations go on across them.",
    NULL,
};

const struct detector unknown_cut_off = {
    .cause = "unknown.cut-off",
    .title = "The trace begins or ends too late to say",
    .holds_when =
        "A login is open when the trace ends; a SYN without an answer is not repeated; only the reset of a connection "
        "is in the trace; or a request seems unanswered where the capture missed packets. Or of one side nothing is "
        "in the trace, though it has that side in other connections of the two, and the other side repeats itself or "
        "resets. Or a sequence number or SACK tells that a side had sent more than arrived or was captured. Or of a "
        "connection only headers were captured, and the client's last data was acknowledged and not answered for 5 s, "
        "or only a second and more after the client had left, or, on SQL Server's port, one of its first twelve "
        "packets with data was answered after 5 s or more, or the server closed first, or, where nobody knows whose "
        "the port is, somebody repeated itself in vain, or, on SQL Server's, the client closed after one or two "
        "packets of data; on any port but a system port (below 1024) of others. (--late-login sets the 5 s.)",
    .means = "What would decide lies outside the trace, or among packets that it missed. Pooled connections live for "
             "hours, so that in a short trace neither their begin nor their end is seen (article, 1.5.7); with a "
             "circular buffer the begin may have been overwritten.",
    .actions = actions,
    .culprit = CULPRIT_UNKNOWN,
    .severity = SEVERITY_NOTE,
    .judge = judge,
};
