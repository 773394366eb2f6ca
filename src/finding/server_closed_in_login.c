/* server.closed-in-login: the server closes or resets part-way through the login. */
#include "actions.h"
#include "detector.h"
#include "login_signs.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* A client that says nothing for this long after the server's last word has left the login to time out. */
#define CLIENT_SILENT_NS (10 * NS_PER_SECOND)

/* A TLS alert says that this was no accident: the server could not go on with what the client had sent. */
static void say_broken_off(const struct login_halt *halt, struct judgement *judgement)
{
    char alert[ALERT_WORDS_SIZE];
    signs_alert_words(halt->alert, alert);
    judgement_prove(judgement, &halt->alert->moment, "the server sends %s", alert);
    judgement_prove(judgement, &halt->close, "the %s closes", side_name(halt->closed_by));
    judgement_say(judgement, "The server broke the TLS handshake off with %s, %s after %s.", alert,
                  seconds_words(halt->waited_ns).text, login_step_words(halt->last_step));
}

/* A proxy or balancer that finds no server behind it does so, too; and who never logs in here may be a scanner, which nobody owes a session. */
static bool judge_turned_away(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!login_signs_turning_away(c, s))
        return false;
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    struct moment close = conversation_first_close(c);
    bool at_server = surroundings_stands_at(s, c, SIDE_SERVER),
         open = !at_server || surroundings_pair(s, c)->speaks_tds == 0;
    judgement->confidence = open ? 0.5 : 0.7;
    if (open)
        judgement->culprit = CULPRIT_UNKNOWN;
    judgement->would_settle = at_server ? settle_by_listener : settle_by_server_capture;
    judgement_prove(judgement, &server->syn, "the connection is accepted");
    judgement_prove(judgement, &close, "the server's side %s",
                    moment_seen(&server->fin) ? "closes (FIN)" : "resets it");
    judgement_say(judgement,
                  "The connection was accepted, and %s later the server's side closed it, before a byte was said: SQL "
                  "Server takes no more connections%s.",
                  seconds_words(close.time_ns - server->syn.time_ns).text,
                  at_server ? ", or another program has its port"
                            : ", another program has its port, or a proxy or balancer in front of it has no server to "
                              "pass them to");
    return true;
}

/* Others than the server may have ended it, or been the reason. */
static bool is_open(const struct conversation *c, const struct surroundings *s, const struct login_halt *halt,
                    bool reset)
{
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    /* A server that got the packet acknowledges it. Repeated in vain, it did not get there, or the answer was not its own. */
    bool only_resets = server->packets == (uint32_t)server->resets + server->capture_duplicates;
    bool unheard =
        halt->turn == SIDE_SERVER && !halt->acknowledged && (c->sides[SIDE_CLIENT].data_run.count > 0 || only_resets);
    /* A reset without ACK answers a packet of a connection that had ended before; how, the capture that began later does not show. */
    bool forgotten = reset && !c->starts_with_syn && signs_of_forgotten(c, SIDE_SERVER);
    /* At the server's machine it is a program there that speaks something else; elsewhere, a device may. */
    bool foreign = login_signs_foreign_answer(c) && !surroundings_stands_at(s, c, SIDE_SERVER);
    return unheard || forgotten || foreign || halt->unfinished || login_signs_encryption_clash(c).held ||
           login_signs_strict_unanswered(c) || (reset && !halt->alert && signs_of_doubtful_close(c, s));
}

/* What the server's side had answered, or been asked, may be the reason. */
static void say_reason(const struct conversation *c, struct judgement *judgement)
{
    struct encryption_clash clash = login_signs_encryption_clash(c);
    if (clash.held)
        judgement_say_more(judgement, clash.lacking == SIDE_CLIENT
                                          ? "The server demands encryption, and the client said that it has none."
                                          : "The client demands encryption, and the server said that it has none.");
    if (!login_signs_foreign_answer(c))
        return;
    judgement->would_settle = settle_by_listener;
    judgement_say_more(judgement, "What answered PRELOGIN does not speak TDS: another program than SQL Server has the "
                                  "port, or a device on the way answers in its place.");
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (judge_turned_away(c, s, judgement))
        return true;
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    struct login_halt halt = signs_of_login_halt(c, s);
    if (!halt.halted || !halt.closed || halt.stopped_by != SIDE_SERVER || signs_of_silence(c).held)
        return false;
    if (signs_of_more_sent(c, SIDE_SERVER))
        return false; /* perhaps the answer, or an error */
    if (signs_of_one_direction(c) || (moment_seen(&server->reset) && signs_of_foreign_reset(server)) ||
        signs_of_stand_in(c, s))
        return false;
    bool reset = moment_seen(&server->reset) && server->reset.time_ns == halt.close.time_ns;
    bool client_silent = halt.turn == SIDE_CLIENT && halt.waited_ns >= CLIENT_SILENT_NS;
    bool open = client_silent || is_open(c, s, &halt, reset);
    judgement->confidence = signs_of_missed_packets(c) || open ? 0.6 : reset ? 0.82 : 0.85;
    if (open)
        judgement->culprit = CULPRIT_UNKNOWN;
    if (reset)
        judgement->would_settle = settle_by_server_capture;
    judgement_prove(judgement, &halt.since, "the last word of the login: %s", login_step_words(halt.last_step));
    if (halt.alert) {
        say_broken_off(&halt, judgement);
        login_signs_doubt_tds8(c, judgement);
        return true;
    }
    judgement_prove(judgement, &halt.close, "the server %s", reset ? "resets the connection" : "closes (FIN)");
    judgement_say(judgement, "The server %s %s after %s, without an error message%s.",
                  reset ? "reset the connection" : "closed the connection", seconds_words(halt.waited_ns).text,
                  login_step_words(halt.last_step),
                  client_silent ? "; the client, whose turn it was, had said nothing all that time" : "");
    say_reason(c, judgement);
    login_signs_doubt_tds8(c, judgement);
    return true;
}

static const char *const actions[] = {
    ACTION_ERRORLOG,
    ACTION_RING_BUFFER,
    "Look for errors 17830, 17836, 17828 and 18056 in the ERRORLOG, and for a crash or restart: `EXEC sp_readerrorlog "
    "0, 1, N'178'; SELECT sqlserver_start_time FROM sys.dm_os_sys_info`; dumps: `SELECT * FROM "
    "sys.dm_server_memory_dumps`.",
    "If the close follows the TLS packets, look for Schannel's events in the server's System log: `Get-WinEvent "
    "-FilterHashtable @{LogName='System'; ProviderName='Schannel'} -MaxEvents 50` (36874, 36888).",
    NULL,
};

const struct detector server_closed_in_login = {
    .cause = "server.closed-in-login",
    .title = "The server closes part-way through the login",
    .holds_when =
        "The server's FIN or reset comes before the client's, or a TLS alert of it that both close after, once the "
        "login began and before it was answered, without an error token. Or the server's side closes within a second "
        "after the handshake, before a byte was said: then the culprit is named only in a capture that was given as "
        "the server's, and when the same client speaks TDS to it on another connection. The culprit stays open when "
        "it was the client's turn and it had been silent for 10 s; when the client repeats a packet that the server "
        "never acknowledged, or the server sends nothing but resets; and when the client's packet is longer, as it "
        "says itself, than what came of it. Likewise when the connection began before the capture and the reset bears "
        "no acknowledgement: then the server did not know the connection any more. Likewise when the reset has not "
        "what the server's packets have (IP IDs, timestamps), and no machine's plain answer would come so soon. It "
        "stays open, too, when the two do not agree about encryption (MS-TDS 2.2.6.5); when the connection begins "
        "with TLS and the hello was not captured as far as its ALPN, which names TDS 8, for a scanner begins so, too; "
        "and when what answered PRELOGIN is no TDS, unless the capture was given as the server's. Not when the "
        "reset's TTL shows that the server did not send it. Not when a sequence number of the server or the other "
        "side's SACK shows that it had sent more than arrived.",
    .means = "A server that does not want a login says so with an error; to hang up in the middle means that it "
             "failed: the process crashed or was stopped, had no resources, or could not go on with TLS or "
             "authentication. (Article, 1.5.6.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
};
