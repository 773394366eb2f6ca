/* server.reset: the server sends a reset on an established connection. */
#include "actions.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"

/* Devices that forget idle connections may reset them in the server's name. SQL Server acts on a session that asks it something; one
 * that waits for its client it leaves alone, unless it stops, and then it closes all of them (server.closed-many). */
#define IDLE_NS NS_PER_SECOND

/* An unanswered request may take its time. */
#define IDLE_PENDING_NS (30 * NS_PER_SECOND)

/* The client's first bytes were seen, are none that open TDS or TLS, and were not answered: SQL Server closes such connections (its errors
 * 17828 and 17836), and nobody meant to log in. */
static bool answers_other_language(const struct conversation *c, const struct surroundings *s)
{
    return c->starts_with_syn && !c->tds && surroundings_server(s, c)->speaks_tds > 0 &&
           c->sides[SIDE_CLIENT].payload_bytes > 0 && c->sides[SIDE_SERVER].payload_bytes == 0 &&
           !signs_of_missed_packets(c);
}

/* An acknowledgement may wait for half a second at most (RFC 9293, 3.8.6.3). */
#define ACKNOWLEDGED_BY_NS NS_PER_SECOND

/* Who has a packet acknowledges it, in time: what is repeated in vain, or left without that, did not reach the server that is said to reset. */
static bool is_unheard(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    /* What is not seen to be sent was sent before the capture began. */
    const struct moment *since = moment_seen(&client->last_data) ? &client->last_data : &c->first;
    bool late = c->sides[SIDE_SERVER].reset.time_ns - since->time_ns >= ACKNOWLEDGED_BY_NS;
    return client->unacknowledged_bytes > 0 && (client->data_run.count > 0 || late);
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!c->first_close_known || c->closed_first_by != SIDE_SERVER || !conversation_established(c) ||
        !signs_of_sql(c, s))
        return false;
    if (!moment_seen(&server->reset) || moment_seen(&server->fin) || signs_of_silence(c).held ||
        signs_of_one_direction(c) || signs_of_disowned_reset(c, s, SIDE_SERVER) || signs_of_mistaken_answer(c))
        return false;
    if (client->payload_bytes + server->payload_bytes == 0 || signs_of_login_refused(c) ||
        signs_of_more_sent(c, SIDE_SERVER))
        return false;
    struct login_halt halt = signs_of_login_halt(c, s);
    if (halt.halted && halt.closed)
        return false; /* whose turn it was then is server.closed-in-login's to tell */
    bool asked_after = client->last_data.time_ns > server->reset.time_ns;
    const struct moment *last =
        asked_after || server->last_data.time_ns > client->last_data.time_ns ? &server->last_data : &client->last_data;
    int64_t quiet_ns = server->reset.time_ns - (moment_seen(last) ? last : &c->first)->time_ns;
    bool at_server = surroundings_stands_at(s, c, SIDE_SERVER);
    bool foreign = !at_server && signs_of_foreign_reset(server);
    bool pending = !asked_after && signs_of_pending_request(c);
    bool idle = !at_server && quiet_ns >= (pending ? IDLE_PENDING_NS : IDLE_NS);
    bool unheard = !at_server && is_unheard(c);
    /* A reset without ACK answers a packet of a connection that the machine does not know (RFC 9293, 3.10.7.1): it gave it up before, was
     * started again, or a device on the way gave the connection another port. Why is in what came before this capture. */
    bool partly = !c->starts_with_syn || signs_of_missed_packets(c);
    bool forgotten = partly && signs_of_forgotten(c, SIDE_SERVER), gave_up = signs_of_giving_up(c, SIDE_SERVER);
    bool other_language = answers_other_language(c, s);
    /* Who gets no answer to its probes of a silent connection resets it: the capture may leave these out like acknowledgements. */
    bool unprobed = quiet_ns >= IDLE_NS && surroundings_lacks_acknowledgements(s, c->point, SIDE_SERVER);
    bool lacking = server->fin_missed || unprobed;
    bool open = lacking || foreign || idle || unheard || forgotten || gave_up || other_language ||
                !signs_of_own_reset(c, s, SIDE_SERVER);
    judgement->confidence = open ? 0.5 : at_server ? 0.85 : 0.7;
    if (signs_of_missed_packets(c))
        judgement->confidence -= 0.1;
    if (open)
        judgement->culprit = CULPRIT_UNKNOWN;
    if (lacking)
        judgement->would_settle = settle_by_complete_capture;
    else if (forgotten)
        judgement->would_settle = settle_by_earlier_captures;
    else if (gave_up)
        judgement->would_settle = settle_by_client_capture;
    else if (!at_server)
        judgement->would_settle = settle_by_server_capture;
    judgement_prove(judgement, &client->last_data, "the client's last data");
    judgement_prove(judgement, &server->last_data, "the server's last data");
    judgement_prove(judgement, &server->reset, "a reset from the server's address");
    judgement_say(
        judgement, "A reset from the server ended the connection %s after the last data%s%s%s%s.",
        seconds_words(quiet_ns).text, pending ? ", while a request was unanswered" : "",
        gave_up ? ", when packets did not get through any more" : "",
        forgotten
            ? ", and answers a packet of a connection that the server machine does not know: it gave it up before "
              "the capture began, was started again, or a device that translates addresses gave the "
              "connection another port"
            : "",
        at_server ? "" : "; a device on the way could have sent it in its name");
    if (other_language)
        judgement_say_more(judgement,
                           "What the client had said does not begin TDS: SQL Server closes such connections.");
    return true;
}

static const char *const actions[] = {
    ACTION_ERRORLOG,
    ACTION_RING_BUFFER,
    action_trace_server,
    "See whether the session was killed or the server restarted: `EXEC sp_readerrorlog 0, 1, N'was killed'; SELECT "
    "sqlserver_start_time FROM sys.dm_os_sys_info`.",
    NULL,
};

const struct detector server_reset = {
    .cause = "server.reset",
    .title = "The server resets an established connection",
    .holds_when =
        "A reset with the server's address ends a conversation that was established, before either side closed. The "
        "culprit stays open: where the capture was not given as the server's and the connection was idle (1 s, or 30 s "
        "while a request is unanswered), the client repeats a packet in vain or waits a second for its "
        "acknowledgement, the reset came over another number of "
        "hops, or it does not go on with the server's IP IDs, timestamps or window; where a reset without ACK ends a "
        "connection whose begin was not captured, or of which packets were missed, for the machine may have given it "
        "up before; where what the server sent before was not acknowledged for long; where it had sent a FIN that "
        "the capture missed, or was silent before in a capture that leaves out acknowledgements alone, and with them "
        "its probes; and where the client's first bytes were no TDS and not answered. Not in the middle of a login, "
        "which is server.closed-in-login's. Not when a sequence number of "
        "the server or the other side's SACK shows that it had sent more than arrived.",
    .means = "A program that aborts a connection, a process that dies, or a machine that no longer knows the "
             "connection (after a restart, say) sends a reset. From the client's capture alone a device could have "
             "sent it; the server's capture shows whether it left there. (Article, 1.5.4, 1.5.6 and 1.5.10.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
};
