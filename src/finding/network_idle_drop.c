/* network.idle-drop: after an idle time the connection is dead although neither side closed it. */
#include "count_words.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "standstill.h"

/* A connection that was quiet for about as long as keep-alives are apart before the first lost packet was idle; no common device forgets
 * connections sooner (the shortest idle time-outs are one to four minutes). */
#define IDLE_NS (KEEP_ALIVE_NS - NS_PER_SECOND)

/* Ten probes a second apart are all that Windows sends. */
#define ALL_PROBES_NS (10 * NS_PER_SECOND)

/* Who probes an idle connection does so again, each time after the same silence, and again and again when no answer comes (RFC
 * 9293, 3.8.4). When it no longer does, its probes do not arrive - or it is gone, without a FIN. */
static bool judge_probes_missing(const struct conversation *c, const struct surroundings *s, enum side side,
                                 struct judgement *judgement)
{
    const struct tcp_side *self = &c->sides[side];
    enum capture_role role = surroundings_role(s, c);
    bool here = role == capture_role_at(side);
    if (here || role == CAPTURE_ROLE_UNKNOWN || self->probes_after_ns == 0 || !self->probes_answered ||
        c->ending != ENDING_OPEN)
        return false;
    int64_t silent_ns = surroundings_watched_after_ns(s, c), overdue_ns = silent_ns - self->probes_after_ns;
    if (overdue_ns < self->probes_after_ns || overdue_ns < ALL_PROBES_NS)
        return false;
    const char *name = side_name(side);
    judgement_leave_open(judgement, 0.6);
    judgement->would_settle = settle_by_capture_at(side);
    judgement_prove(judgement, &self->keep_alive_run.first, "the %s probes the idle connection", name);
    judgement_prove(judgement, &c->last, "the last packet");
    judgement_say(judgement,
                  "The %s probes this connection when it was idle for %.0f s, and gets its answer. Then nothing comes "
                  "for %.0f s, neither a probe nor a FIN: its packets do not arrive any more, or it is gone.",
                  name, seconds(self->probes_after_ns), seconds(silent_ns));
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct silence silence = signs_of_silence(c);
    if (signs_of_one_direction(c) || !signs_of_sql(c, s))
        return false;
    if (!silence.held &&
        (judge_probes_missing(c, s, SIDE_CLIENT, judgement) || judge_probes_missing(c, s, SIDE_SERVER, judgement)))
        return true;
    if (silence.kind != SILENCE_TOTAL)
        return false;
    if (!silence.keep_alives && silence.quiet_before_ns < IDLE_NS)
        return false;
    const struct tcp_side *self = &c->sides[silence.retrier], *other = &c->sides[side_other(silence.retrier)];
    bool long_idle = silence.quiet_before_ns >= IDLE_NS;
    /* What a device had forgotten would not get through later. The other machine may have been asleep. */
    bool came_back = other->last.time_ns > silence.last.time_ns;
    bool alive =
        !came_back && surroundings_pair(s, c)->last_heard_ns[side_other(silence.retrier)] > silence.last.time_ns;
    judgement->confidence = alive ? 0.78 : long_idle ? 0.7 : 0.65;
    /* What this machine's own capture has was not dropped on the way to it. */
    bool arrives = surroundings_stands_at(s, c, side_other(silence.retrier));
    /* No device forgets a connection within the seconds that a login takes. */
    bool in_login = c->tds && !signs_of_session(c) && !long_idle;
    if (!alive || arrives || in_login)
        judgement->culprit = CULPRIT_UNKNOWN;
    if (signs_of_missed_packets(c))
        judgement->confidence -= 0.2;
    judgement->would_settle = settle_by_capture_at(side_other(silence.retrier));
    const char *name = side_name(silence.retrier);
    judgement_prove(judgement, &other->last,
                    came_back ? "the other side comes back" : "the last packet of the other side");
    judgement_prove(judgement, &silence.first, "the %s %s, without an answer", name,
                    silence.keep_alives ? "probes the connection" : "repeats itself");
    judgement_prove(judgement, &silence.last, "the last of %u repetitions", silence.retries);
    judgement_prove(judgement, &self->reset, "the %s gives up with a reset", name);
    judgement_say(judgement, "After %.0f s without a packet from the other side the %s %s %s and got no answer%s.",
                  seconds(silence.quiet_before_ns), name,
                  silence.keep_alives ? "sent keep-alives" : "repeated its packet",
                  count_words(silence.retries, "time").text,
                  came_back ? ", and then the other side came back: the way was dead until then, in this direction at "
                              "least, or the other machine stood still (asleep, or a paused virtual machine)"
                            : ": a device on the way has most likely forgotten the idle connection");
    return true;
}

/* The later of the two moments at which something last got through, on the client's clock. */
static int64_t last_passage_ns(const struct pair_view *view, const struct surroundings *s)
{
    int64_t last_ns = TIME_EARLIEST_NS;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct moment *left = &view->compared->passages[side].last_arrival_sent;
        int64_t left_ns = moment_seen(left) ? casebook_moment_ns(s->casebook, left) : TIME_EARLIEST_NS;
        if (left_ns > last_ns)
            last_ns = left_ns;
    }
    return last_ns;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    enum pair_drop drop = pair_view_drop(view);
    if (drop == PAIR_DROP_NONE)
        return false;
    enum side first = drop == PAIR_DROP_TO_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
    const struct passage *out = &view->compared->passages[SIDE_CLIENT], *back = &view->compared->passages[SIDE_SERVER];
    if (drop == PAIR_DROP_BOTH && casebook_moment_ns(s->casebook, &back->lost_at_end_first) <
                                      casebook_moment_ns(s->casebook, &out->lost_at_end_first))
        first = SIDE_SERVER;
    const struct passage *passage = &view->compared->passages[first];
    int64_t lost_ns = casebook_moment_ns(s->casebook, &passage->lost_at_end_first),
            passage_ns = last_passage_ns(view, s);
    /* One capture began when the connection was dead: the other has what came before. */
    if (passage_ns == TIME_EARLIEST_NS)
        passage_ns = casebook_moment_ns(s->casebook, first == SIDE_CLIENT ? &view->server->last : &view->client->last);
    int64_t idle_ns = lost_ns - passage_ns;
    if (idle_ns < IDLE_NS && !(passage->probe_first && idle_ns > 0))
        return false;
    const char *name = side_name(first), *peer = side_name(side_other(first));
    judgement->confidence = pair_view_confidence(view) + 0.01;
    judgement_prove(judgement, &passage->last_arrival, "the last packet of the %s that reaches the %s", name, peer);
    judgement_prove(judgement, &passage->lost_at_end_first, "%.0f s later: the first packet that does not arrive%s",
                    seconds(idle_ns), passage->probe_first ? ", a keep-alive" : "");
    judgement_prove(judgement, &passage->last_lost, "the last of %u that do not arrive", passage->lost_at_end);
    judgement_say(judgement,
                  "After %.0f s without a packet, %s that left the %s did not reach the %s: a device on the way had "
                  "forgotten the idle connection.",
                  seconds(idle_ns), count_words(passage->lost_at_end, "packet").text, name, peer);
    standstill_doubt(view, s, first, &passage->lost_at_end_first, &passage->last_lost, judgement);
    if (pair_view_doubts_drop(view, drop))
        settling_doubt_capture(judgement);
    return true;
}

static const char *const actions[] = {
    action_trace_both,
    "Look up the idle time-outs of firewalls, load balancers and NAT gateways on the way (often 60, 240, 300, 350 or "
    "3600 s) and compare them with the quiet time before the fault.",
    "Let keep-alives be sent more often than that; the SQL Server drivers' default is 30 s. See whether the "
    "connections have them: on Linux `ss -tno dport = :1433` (timer:(keepalive,...)) and `sysctl "
    "net.ipv4.tcp_keepalive_time`; elsewhere `tdscope explain client.keep-alive-settings`.",
    "See whether pooled connections outlive the device's limit, and set the pool's connection lifetime below it "
    "(SqlClient: `Load Balance Timeout=SECONDS` in the connection string; HikariCP: `maxLifetime`).",
    NULL,
};

const struct detector network_idle_drop = {
    .cause = "network.idle-drop",
    .title = "A device on the way has forgotten an idle connection",
    .holds_when =
        "Three or more keep-alives in a row get no answer, or after 29 s or more without a packet data is repeated "
        "three times or more without one; the connection had been working, and nobody had closed it. It is the "
        "network's where the other machine is heard on another connection afterwards; otherwise the culprit stays "
        "open, for that machine may be gone, or was asleep, as when it comes back on this connection, and where they "
        "arrive at the machine that the capture was taken on. So it does in the midst of a login, unless that was idle "
        "for so long, too; and where the other machine had been probing the "
        "idle connection, and its probes no longer come, for twice the usual time and all that it would repeat them.",
    .holds_with_both =
        "Packets of one side or of both stop arriving as in network.drop-to-server, network.drop-to-client or "
        "network.drop-both-ways, after 29 s or more in which nothing got through; or the first that does not arrive is "
        "a keep-alive. Where one capture begins only then, the time counts from the connection's last packet in the "
        "other. The culprit stays open as there.",
    .means = "Firewalls, load balancers and NAT gateways keep a table of connections and drop entries that were idle "
             "for long; later packets vanish without a word, and some ignore keep-alives. A machine that is alive "
             "would answer at once, with an ACK or a reset. From one side alone a dead peer looks the same, so it is "
             "not certain. (Article, 1.5.4.)",
    .actions = actions,
    .culprit = CULPRIT_NETWORK,
    .severity = SEVERITY_FAULT,
    .judge = judge,
    .judge_pair = judge_pair,
};
