/* server.closed-in-login: the server closes or resets part-way through the login. */
#include "actions.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"

/* A client that says nothing for this long after the server's last word has left the login to time out. */
#define CLIENT_SILENT_NS (10 * NS_PER_SECOND)

/* A TLS alert says that this was no accident: the server could not go on with what the client had sent. */
static void say_broken_off(const struct login_halt *halt, struct judgement *judgement)
{
    char alert[ALERT_WORDS_SIZE];
    signs_alert_words(halt->alert, alert);
    judgement_prove(judgement, &halt->alert->moment, "the server sends %s", alert);
    judgement_prove(judgement, &halt->close, "the %s closes", halt->closed_by == SIDE_SERVER ? "server" : "client");
    judgement_say(judgement, "The server broke the TLS handshake off with %s, %s after %s.", alert,
                  seconds_words(halt->waited_ns).text, login_step_words(halt->last_step));
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
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
    /* A server that got the packet acknowledges it. Repeated in vain, it did not get there, or the answer was not its own. */
    bool only_resets = server->packets == (uint32_t)server->resets + server->capture_duplicates;
    bool unheard =
        halt.turn == SIDE_SERVER && !halt.acknowledged && (c->sides[SIDE_CLIENT].data_run.count > 0 || only_resets);
    /* A reset without ACK answers a packet of a connection that had ended before; how, the capture that began later does not show. */
    bool forgotten = reset && !c->starts_with_syn && signs_of_forgotten(c, SIDE_SERVER);
    bool open = client_silent || unheard || forgotten || (reset && !halt.alert && signs_of_doubtful_close(c, s));
    judgement->confidence = signs_of_missed_packets(c) || open ? 0.6 : reset ? 0.82 : 0.85;
    if (open)
        judgement->culprit = CULPRIT_UNKNOWN;
    if (reset)
        judgement->would_settle = settle_by_server_capture;
    judgement_prove(judgement, &halt.since, "the last word of the login: %s", login_step_words(halt.last_step));
    if (halt.alert) {
        say_broken_off(&halt, judgement);
        return true;
    }
    judgement_prove(judgement, &halt.close, "the server %s", reset ? "resets the connection" : "closes (FIN)");
    judgement_say(judgement, "The server %s %s after %s, without an error message%s.",
                  reset ? "reset the connection" : "closed the connection", seconds_words(halt.waited_ns).text,
                  login_step_words(halt.last_step),
                  client_silent ? "; the client, whose turn it was, had said nothing all that time" : "");
    return true;
}

static const char *const actions[] = {
    ACTION_ERRORLOG,
    ACTION_RING_BUFFER,
    "Look for errors 17830, 17836, 17828 and 18056 in the ERRORLOG, and for a crash or restart: `EXEC "
    "sp_readerrorlog 0, 1, N'178'; SELECT sqlserver_start_time FROM sys.dm_os_sys_info`; dumps: `SELECT * FROM "
    "sys.dm_server_memory_dumps`.",
    "If the close follows the TLS packets, look for Schannel's events in the server's System log: `Get-WinEvent "
    "-FilterHashtable @{LogName='System'; ProviderName='Schannel'} -MaxEvents 50` (36874, 36888).",
    NULL,
};

const struct detector server_closed_in_login = {
    .cause = "server.closed-in-login",
    .title = "The server closes part-way through the login",
    .holds_when = "The server's FIN or reset comes before the client's, or a TLS alert of it that both close after, "
                  "once the login began and before it was answered, without an error token. The culprit stays open "
                  "when it was the client's turn and it had been silent for 10 s, when the client repeats a packet "
                  "that the server never acknowledged or the server sends nothing but resets, or when the connection "
                  "began before the capture and the reset bears no acknowledgement: then the server did not know the "
                  "connection any more; likewise when the reset has not what the server's packets have (IP IDs, "
                  "timestamps), and no machine's plain answer would come so soon. Not when the reset's TTL shows that "
                  "the server did not send it. Not when a "
                  "sequence number of the server or the other side's SACK shows that it had sent more than arrived.",
    .means =
        "A server that does not want a login says so with an error; to hang up in the middle means that it failed: "
        "the process crashed or was stopped, had no resources, or could not go on with TLS or authentication. "
        "(Article, 1.5.6.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
};
