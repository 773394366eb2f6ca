/* none.probe: connect and close without a byte. */
#include "detector.h"
#include "login_signs.h"
#include "parallel_connect.h"
#include "signs.h"
#include "ttl_signs.h"

static bool judge_scan(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if ((c->ending != ENDING_REFUSED && c->ending != ENDING_NO_ANSWER) || !surroundings_scanned_by(s, c))
        return false;
    judgement->confidence = 0.8;
    judgement_prove(judgement, &c->sides[SIDE_CLIENT].syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &c->sides[SIDE_SERVER].reset, "the server refuses it");
    judgement_say(judgement, "The client tried one address and port after another in vain: a port scan.");
    return true;
}

/* The judge asks for nothing else then. */
static bool judge_lost_attempt(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct parallel_connect parallel = parallel_connect_of(c, s);
    if (!parallel.kept)
        return false;
    const struct conversation *kept = parallel.kept;
    char own[ENDPOINT_TEXT_SIZE], other[ENDPOINT_TEXT_SIZE];
    endpoint_text(&c->ends[SIDE_SERVER], own);
    endpoint_text(&kept->ends[SIDE_SERVER], other);
    judgement->confidence = 0.88;
    if (!parallel.certain) {
        judgement_leave_open(judgement, 0.6);
        judgement->would_settle = "The name in the client's connection string, and whether both addresses are of it: "
                                  "`Resolve-DnsName NAME`.";
    }
    judgement_prove(judgement, &c->sides[SIDE_CLIENT].syn, "the client asks %s for a connection (SYN)", own);
    judgement_prove(judgement, &c->sides[SIDE_SERVER].reset, "a reset refuses it");
    judgement_prove(judgement, &kept->sides[SIDE_CLIENT].syn, "it asks %s, too", other);
    judgement_prove(judgement, &kept->sides[SIDE_SERVER].syn, "that accepts it, and the client logs in there");
    judgement_say(judgement,
                  "At the same moment the client asked %s for a connection, logged in there, and let this attempt be: "
                  "drivers try all addresses of a name at once (MultiSubnetFailover) and keep the first that accepts.",
                  other);
    if (!parallel.certain)
        judgement_say_more(judgement,
                           "If the two addresses are not of one name, another server was meant, which refused.");
    return true;
}

/* Scanners and health checks that make their own packets never complete the handshake: the reset is their system's, which knows of no
 * such connection. A client that had to repeat its SYN is none of them, nor is one whose answer was late or had to be repeated: it may have had
 * enough of waiting. */
static bool judge_half_open(const struct conversation *c, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!c->starts_with_syn || !moment_seen(&client->syn) || !moment_seen(&server->syn) ||
        !moment_seen(&client->reset) || conversation_established(c) || client->syn_retransmits > 0 ||
        server->syn_retransmits > 0 || server->syn.time_ns - client->syn.time_ns >= SYN_REPEATED_NS ||
        signs_of_more_sent(c, SIDE_CLIENT))
        return false;
    judgement->confidence = 0.8;
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &server->syn, "the server accepts it");
    judgement_prove(judgement, &client->reset, "the client resets it");
    judgement_say(judgement,
                  "The client reset the connection when the server accepted it, %s after its SYN: a half-open port "
                  "probe or health check, or it had given up by then.",
                  seconds_words(client->reset.time_ns - client->syn.time_ns).text);
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    if (judge_lost_attempt(c, s, judgement) || judge_scan(c, s, judgement) || judge_half_open(c, judgement))
        return true;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (!c->starts_with_syn || !moment_seen(&server->syn) || !conversation_established(c) || !c->first_close_known)
        return false;
    if (client->payload_bytes + server->payload_bytes > 0 || signs_of_more_sent(c, SIDE_CLIENT) ||
        signs_of_more_sent(c, SIDE_SERVER) || signs_of_one_direction(c) || signs_of_missed_packets(c) ||
        signs_of_silence(c).held)
        return false;
    if (signs_of_foreign_reset(&c->sides[c->closed_first_by]))
        return false; /* somebody else closed it */
    if (login_signs_turning_away(c, s))
        return false; /* no probe does that: see server.closed-in-login */
    struct moment close = conversation_first_close(c);
    bool reset = moment_seen(&client->reset) && client->reset.time_ns == close.time_ns;
    bool by_client = c->closed_first_by == SIDE_CLIENT;
    judgement->confidence = !by_client ? 0.6 : reset ? 0.85 : 0.8;
    /* Who logs in to this server at other times may have run out of time here: see client.gave-up-before-login. */
    const struct pair_record *pair = surroundings_pair(s, c);
    bool logs_in = by_client && !reset && pair->speaks_tds > 0 && pair->byteless <= pair->speaks_tds;
    if (logs_in)
        judgement->confidence = 0.6;
    judgement_prove(judgement, &client->syn, "the client connects");
    judgement_prove(judgement, &close, "the %s %s without a byte sent", by_client ? "client" : "server",
                    reset ? "resets" : "closes");
    judgement_say(judgement,
                  "Connected and closed %s later without a byte of data: a port probe, a health check, or the losing "
                  "leg of a parallel connect.",
                  seconds_words(close.time_ns - client->syn.time_ns).text);
    if (logs_in)
        judgement_say_more(judgement, "Its address logs in to this server on other connections, so it may as well be a "
                                      "client whose time was spent before it connected.");
    return true;
}

static const char *const actions[] = {
    "Nothing is to be done. If these connections are not expected, find out which program makes them: `netstat -abon` "
    "on the client.",
    NULL,
};

const struct detector none_probe = {
    .cause = "none.probe",
    .title = "A probe: connected and closed without a byte",
    .holds_when =
        "The handshake completes, neither side sends a byte of data, and the connection is closed by FIN or reset "
        "(within a second by the server's side it is server.closed-in-login's); or the client answers SYN+ACK with a "
        "reset, when that came at once and was not repeated (else it may have given up: network.syn-lost); or a client "
        "finds twenty or more endpoints closed, as a port scan does. Or the client asked another "
        "address on the same port at the same moment (0.05 s), before either was decided, logged in there, and did not "
        "ask this one again after that, which had refused or not answered; and it asks the other one no more often "
        "than this one, or both addresses are of one name that it had looked up. The culprit stays open, for two "
        "servers may have been meant, unless they are of such a name, or the client would have repeated its SYN by "
        "then (Windows does so after a refusal, too) and asks this address no more often than the other.",
    .means = "Load balancers, monitoring and port tests look whether somebody listens and go again; a client that "
             "tries several addresses at once (MultiSubnetFailover) drops the slower ones. A client whose time was "
             "spent before it connected leaves in the same way: client.gave-up-before-login says when that is known. "
             "(Article, 1.5.5 and 1.5.10.)",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .by_client = true,
    .judge = judge,
};
