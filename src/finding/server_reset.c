/* server.reset: the server sends a reset on an established connection. */
#include "actions.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* Devices that forget idle connections may reset them in the server's name. SQL Server acts on a session that asks it something; one
 * that waits for its client it leaves alone, unless it stops, and then it closes all of them (server.closed-many). */
#define IDLE_NS NS_PER_SECOND

/* The client's first bytes were seen, are none that open TDS or TLS, and were not answered: SQL Server closes such connections (its errors
 * 17828 and 17836), and nobody meant to log in. */
static bool answers_other_language(const struct conversation *c, const struct surroundings *s)
{
    return c->starts_with_syn && !c->tds && surroundings_server(s, c)->speaks_tds > 0 &&
           c->sides[SIDE_CLIENT].payload_bytes > 0 && c->sides[SIDE_SERVER].payload_bytes == 0 &&
           !signs_of_missed_packets(c);
}

/* Who has a packet acknowledges it, in time: what is repeated in vain, or left without that, did not reach the server that is said to
 * reset. */
static bool is_unheard(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    /* What is not seen to be sent was sent before the capture began. */
    const struct moment *since = moment_seen(&client->last_data) ? &client->last_data : &c->first;
    bool late = c->sides[SIDE_SERVER].reset.time_ns - since->time_ns >= ACKNOWLEDGED_BY_NS;
    return client->unacknowledged_bytes > 0 && (client->data_run.count > 0 || late);
}

static bool is_reset_by_server(const struct conversation *c, const struct surroundings *s)
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
    return !halt.halted || !halt.closed; /* whose turn it was then is server.closed-in-login's to tell */
}

/* What the reset came after, and what makes it doubtful that the server is to blame for it. */
struct reset_signs {
    int64_t quiet_ns;
    bool at_server, pending;
    bool lacking, forgotten, gave_up, other_language; /* why it came may be told by more than this capture has */
    bool open;                                        /* any of these, or it may be somebody else's */
};

/* The client had sent something since the server's last data that the reset may answer. */
static bool was_asked(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    const struct moment *ack = &server->ack_of_last_data;
    bool acknowledges =
        moment_seen(ack) && ack->time_ns >= server->last_data.time_ns && ack->time_ns <= server->reset.time_ns;
    return acknowledges || client->last_data.time_ns > server->last_data.time_ns;
}

/* The client's window is shut, and whoever has more to send asks whether it still is. Each such probe is answered (RFC 9293, 3.8.6.1; RFC 1122,
 * 4.2.2.17): of a client that says nothing for long the server does not know whether it is there, and gives up. */
static bool is_shut_out(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    return client->zero_window_at_end &&
           c->sides[SIDE_SERVER].reset.time_ns - client->last.time_ns >= ACKNOWLEDGED_BY_NS;
}

static struct reset_signs signs_of_reset(const struct conversation *c, const struct surroundings *s)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    struct reset_signs signs = {.at_server = surroundings_stands_at(s, c, SIDE_SERVER)};
    bool asked_after = client->last_data.time_ns > server->reset.time_ns;
    const struct moment *last =
        asked_after || server->last_data.time_ns > client->last_data.time_ns ? &server->last_data : &client->last_data;
    signs.quiet_ns = server->reset.time_ns - (moment_seen(last) ? last : &c->first)->time_ns;
    signs.pending = !asked_after && signs_of_pending_request(c);
    bool idle = signs.quiet_ns >= (signs.pending ? DEVICE_PATIENCE_NS : IDLE_NS);
    bool elsewhere = !signs.at_server && (idle || signs_of_foreign_reset(server) || is_unheard(c));
    /* A reset without ACK answers a packet of a connection that the machine does not know (RFC 9293, 3.10.7.1): it gave it up before, was
     * started again, or a device on the way gave the connection another port. Why is in what this capture does not have: of a whole one at the
     * server that is nothing. */
    bool partly = (!signs.at_server && was_asked(c)) || !c->starts_with_syn || signs_of_missed_packets(c);
    signs.forgotten = partly && signs_of_forgotten(c, SIDE_SERVER);
    signs.gave_up = signs_of_giving_up(c, SIDE_SERVER) || is_shut_out(c);
    signs.other_language = answers_other_language(c, s);
    /* Who gets no answer to its probes of a silent connection resets it: the capture may leave these out like acknowledgements. */
    bool unprobed = signs.quiet_ns >= IDLE_NS && surroundings_lacks_acknowledgements(s, c->point, SIDE_SERVER);
    signs.lacking = server->fin_missed || unprobed;
    signs.open = elsewhere || signs.lacking || signs.forgotten || signs.gave_up || signs.other_language ||
                 !signs_of_own_reset(c, s, SIDE_SERVER) || signs_of_hasty_reset(c, s);
    return signs;
}

static const char *settled_by(const struct reset_signs *signs)
{
    return signs->lacking      ? settle_by_complete_capture
           : signs->forgotten  ? settle_by_earlier_captures
           : signs->gave_up    ? settle_by_client_capture
           : !signs->at_server ? settle_by_server_capture
                               : NULL;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (!is_reset_by_server(c, s))
        return false;
    struct reset_signs signs = signs_of_reset(c, s);
    judgement->confidence = signs.open ? 0.5 : signs.at_server ? 0.85 : 0.7;
    if (signs_of_missed_packets(c))
        judgement->confidence -= 0.1;
    if (signs.open)
        judgement->culprit = CULPRIT_UNKNOWN;
    judgement->would_settle = settled_by(&signs);
    judgement_prove(judgement, &c->sides[SIDE_CLIENT].last_data, "the client's last data");
    judgement_prove(judgement, &c->sides[SIDE_SERVER].last_data, "the server's last data");
    judgement_prove(judgement, &c->sides[SIDE_SERVER].reset, "a reset from the server's address");
    judgement_say(
        judgement, "A reset from the server ended the connection %s after the last data%s%s%s%s.",
        seconds_words(signs.quiet_ns).text, signs.pending ? ", while a request was unanswered" : "",
        signs.gave_up ? ", when packets did not get through any more" : "",
        signs.forgotten
            ? ", and answers a packet of a connection that the server machine does not know: it gave it up before, "
              "which this capture does not show, was started again, or a device that translates addresses gave the "
              "connection another port"
            : "",
        signs.at_server ? "" : "; a device on the way could have sent it in its name");
    if (signs.other_language)
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
        "A reset with the server's address ends a conversation that was established, before either side closed. Where "
        "the capture was not given as the server's, the culprit stays open when the connection was idle (1 s, or 30 s "
        "while a request is unanswered), and when the client repeats a packet in vain or waits a second for its "
        "acknowledgement. There it stays open, too, when the reset came over another number of hops, or does not go on "
        "with the server's IP IDs, timestamps or window; and where the client's window was shut and nothing more of it "
        "came "
        "for that long, so that the server may have given up. It stays open where a reset without ACK may answer a "
        "packet, "
        "for the machine may have given the connection up before; in a capture given as the server's only where the "
        "connection's begin was not captured, or packets of it were missed. Likewise where what the server sent before "
        "was not acknowledged for long; where it had sent a FIN that the capture missed; and where it was silent for a "
        "second in a capture that leaves out acknowledgements alone, and with them its probes. Likewise where the "
        "client's first bytes were no TDS and not answered, though others speak TDS to that server. Not in the middle "
        "of a login, which is server.closed-in-login's. Not when a sequence number of the server or the other side's "
        "SACK shows that it had sent more than arrived.",
    .means = "A program that aborts a connection, a process that dies, or a machine that no longer knows the "
             "connection (after a restart, say) sends a reset. From the client's capture alone a device could have "
             "sent it; the server's capture shows whether it left there. (Article, 1.5.4, 1.5.6 and 1.5.10.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .rests_on_absence = true,
    .judge = judge,
};
