/* server.login-stalled: the server machine acknowledges a login packet, and SQL Server never answers it. */
#include "actions.h"
#include "detector.h"
#include "login_signs.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"
#include "unread_wait.h"

/* The capture ends without a word of the login's end, and may have missed the answer: it lacks the end of another connection, or recorded
 * nothing of anybody for most of the wait, and may have stood still then. */
static bool may_lack_answer(const struct conversation *c, const struct surroundings *s, bool closed, int64_t waited_ns)
{
    const struct capture_silences *silences = &s->casebook->points[c->point].silences;
    return !closed &&
           (surroundings_lacks_ends(s, c->point) ||
            capture_silences_longest_ns(silences, c->last.time_ns, surroundings_end_ns(s, c)) >= waited_ns / 2);
}

static void leave_open(const struct conversation *c, const struct surroundings *s, bool closed, int64_t waited_ns,
                       struct judgement *judgement)
{
    if (may_lack_answer(c, s, closed, waited_ns)) {
        judgement_leave_open(judgement, 0.6);
        judgement->would_settle = "A capture that goes on until the client gives up: this one lacks the end of another "
                                  "connection, or recorded nothing of anybody for most of the wait.";
    }
    if (signs_of_lead_ns(c, s) > 0) {
        judgement_leave_open(judgement, 0.5);
        judgement->would_settle = settle_by_server_capture;
    }
}

static const char *end_words(bool closed, enum side closed_by)
{
    return !closed ? "the capture ended" : closed_by == SIDE_CLIENT ? "the client gave up" : "it closed";
}

/* Headers tell who spoke, and the client's first two words are of the login. */
static bool judge_unread(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct unread_wait wait = unread_wait_of(c, s);
    bool long_wait = wait.waited_ns >= s->thresholds->late_login_ns;
    bool client_left = wait.closed && wait.closed_by == SIDE_CLIENT && wait.waited_ns >= s->thresholds->slow_login_ns;
    if (!wait.held || !wait.of_login || (!long_wait && !client_left) || signs_of_stand_in(c, s))
        return false;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    const char *word = client->data_packets == 1 ? "first" : "second";
    judgement->confidence = long_wait ? 0.75 : 0.6;
    leave_open(c, s, wait.closed, wait.waited_ns, judgement);
    judgement_prove(judgement, &wait.since, "the client's %s packet with data", word);
    judgement_prove(judgement, &client->ack_of_last_data, "the server machine acknowledges it");
    judgement_prove(judgement, &wait.close, "after %.1f s without an answer the %s closes", seconds(wait.waited_ns),
                    side_name(wait.closed_by));
    judgement_say(judgement,
                  "The server machine acknowledged the client's %s packet and did not answer it for %.1f s, until %s. "
                  "Only headers were captured; by its place it is of the login.",
                  word, seconds(wait.waited_ns), end_words(wait.closed, wait.closed_by));
    return true;
}

/* The server's window is shut to the end (RFC 9293, 3.8.6): its machine is there and says so, and SQL Server does not read the rest of the
 * login. */
static bool judge_not_read(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    bool own = conversation_closed_by_fin(c) || !c->first_close_known || signs_of_own_reset(c, s, c->closed_first_by);
    if (!c->tds || signs_of_session(c) || signs_of_login_done(c) || signs_of_login_refused(c) ||
        signs_of_stand_in(c, s) || signs_of_one_direction(c))
        return false;
    if (!server->zero_window_at_end || client->zero_window_at_end || !own ||
        server->zero_window_longest_ns < s->thresholds->late_login_ns || signs_of_foreign_reset(client) ||
        signs_of_foreign_reset(server))
        return false;
    judgement->confidence = 0.9;
    struct moment close = conversation_first_close(c);
    judgement_prove(judgement, &server->first_zero_window,
                    "in the login the server announces a receive window of zero");
    judgement_prove(judgement, &server->last_zero_window, "the last of %u such packets", server->zero_windows);
    judgement_prove(judgement, &close, "the %s closes", side_name(c->closed_first_by));
    judgement_say(judgement,
                  "The server's receive window was shut for %.1f s in the midst of the login, to its end: SQL Server "
                  "did not read what the client sent.",
                  seconds(server->zero_window_longest_ns));
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (judge_unread(c, s, judgement) || judge_not_read(c, s, judgement))
        return true;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    struct login_halt halt = signs_of_login_halt(c, s);
    if (!halt.halted || halt.turn != SIDE_SERVER || halt.unfinished || !halt.acknowledged)
        return false; /* who has a part of a message only, waits for the rest */
    if (signs_of_one_direction(c) || signs_of_missed_packets(c) || signs_of_silence(c).held ||
        signs_of_more_sent(c, SIDE_SERVER) || signs_of_more_sent(c, SIDE_CLIENT))
        return false;
    if (signs_of_stand_in(c, s))
        return false; /* it was never asked */
    halt.waited_ns = login_signs_server_time_ns(c, &halt);
    if (login_signs_client_slower(c, s, &halt))
        return false; /* see client.closed-in-login */
    if (login_signs_lost_before(c, s, halt.since.time_ns, server->last_data.time_ns) > 0)
        return false; /* it may have answered in time, and in vain: see server.login-late */
    bool long_wait = halt.waited_ns >= s->thresholds->late_login_ns;
    bool client_left = halt.closed && halt.closed_by == SIDE_CLIENT && halt.waited_ns >= s->thresholds->slow_login_ns;
    if (!long_wait && !client_left)
        return false;
    if (halt.closed && halt.closed_by == SIDE_SERVER && moment_seen(&server->reset) && signs_of_foreign_reset(server))
        return false;
    judgement->confidence = long_wait ? 0.92 : 0.65;
    leave_open(c, s, halt.closed, halt.waited_ns, judgement);
    judgement_prove(judgement, &halt.since, "the client sends %s", login_step_words(halt.last_step));
    if (moment_seen(&client->ack_of_last_data) && client->ack_of_last_data.time_ns >= halt.since.time_ns)
        judgement_prove(judgement, &client->ack_of_last_data, "the server machine acknowledges it");
    judgement_prove(judgement, &halt.close, "after %.1f s without an answer the %s closes", seconds(halt.waited_ns),
                    side_name(halt.closed_by));
    judgement_say(judgement, "The server machine acknowledged %s and did not answer it for %.1f s, until %s.%s",
                  login_step_words(halt.last_step), seconds(halt.waited_ns), end_words(halt.closed, halt.closed_by),
                  signs_of_credentials_checked(halt.last_step));
    login_signs_doubt_server(c, s, &halt, judgement);
    return true;
}

static const char *const actions[] = {
    ACTION_WORKERS,
    ACTION_RING_BUFFER,
    ACTION_ERRORLOG,
    "If a new connection hangs, too, look in through the dedicated administrator connection: `sqlcmd -S admin:SERVER "
    "-Q \"SELECT session_id, wait_type, blocking_session_id FROM sys.dm_exec_requests\"`.",
    "With Windows authentication see whether the server's domain controller answers: `nltest /sc_query:DOMAIN`, event "
    "5719 (NETLOGON) in the System log.",
    ACTION_MAXDOP,
    NULL,
};

const struct detector server_login_stalled = {
    .cause = "server.login-stalled",
    .title = "The login is acknowledged and never answered",
    .holds_when =
        "The server's TCP acknowledges the client's login packet (PRELOGIN, TLS or login), and for 5 s or more no "
        "answer follows - or for 2 s, when the client then gives up, unless it had taken more than twice as long for "
        "its own steps of the login (client.closed-in-login); the culprit stays open then when client and way had "
        "taken half as long as the server or longer. What it repeated counts from the acknowledgement on. No packet "
        "of the login is missing. When nobody closes, the culprit stays open where the capture recorded nothing of "
        "anybody for half of that time, and may have stood still, or where it lacks the end of another connection. It "
        "stays open, too, when the SYN+ACK came in less than half of the time of three others or more, if by less "
        "than 2 ms: a device may answer. Not when a sequence number of either side or the other's SACK shows that it "
        "had sent more than arrived, nor when its IP IDs tell of packets that were lost before an answer came after "
        "the close (server.login-late), nor when the client's packet is longer, as it says itself, than what came of "
        "it. Or the server's receive window is shut in the midst of the login, for 5 s or more and to its end, while "
        "the "
        "client's is open. Where the capture has headers only, by their order: the client's first packet with data, or "
        "its second "
        "after one of the server's. (--slow-login sets the 2 s, --late-login the 5 s.)",
    .means = "TCP's acknowledgement comes from the kernel: the packet is on the server, so the network has done its "
             "work both ways. SQL Server did not pick it up or did not finish with it: no free worker thread "
             "(blocking, high MAXDOP, large parallel queries), a scheduler that does not yield, slow disks, or a wait "
             "for the domain controller. (Article, 1.5.6.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
