/* server.not-listening: a SYN that is answered with a reset (RFC 9293, 3.10.7.1: no such port is open). */
#include <stdio.h>

#include "actions.h"
#include "detector.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* The machine itself says nothing else anywhere. What refuses may be a firewall before it, which rejects in its name. */
static void doubt_unheard(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    static const double less = 0.1;
    if (surroundings_role(s, c) == CAPTURE_ROLE_SERVER ||
        surroundings_host_ttls(s, c->point, &c->ends[SIDE_SERVER].address).most > 0)
        return;
    judgement->confidence -= less;
    judgement->would_settle = settle_by_server_capture;
    judgement_say_more(judgement, "Nothing else of that machine is in the capture to compare the reset with: a "
                                  "firewall in front of it may have made it.");
}

/* Sooner than a way to the machine and back ever took: it did not come from there. */
static void doubt_hasty(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    const struct server_record *host = surroundings_host(s, c);
    int64_t took_ns = server->reset.time_ns - client->syn.time_ns, usual_ns = host->host_shortest_trip_ns;
    if (surroundings_role(s, c) == CAPTURE_ROLE_SERVER || host->host_timed_handshakes < HANDSHAKES_TO_COMPARE ||
        took_ns < 0 || took_ns * 2 >= usual_ns || usual_ns - took_ns < HANDSHAKE_CHANCE_NS)
        return;
    judgement_leave_open(judgement, 0.5);
    judgement->would_settle = settle_by_server_capture;
    char more[JUDGEMENT_TEXT_SIZE];
    snprintf(more, sizeof more,
             "But the reset came after %.1f ms, and no way to that machine and back takes less than %.1f ms: a device "
             "nearer than it seems to refuse.",
             seconds(took_ns) * 1000, seconds(usual_ns) * 1000);
    judgement_say_more(judgement, more);
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    /* A client that sends data has had an answer to its SYN, which the capture missed. */
    if (c->ending != ENDING_REFUSED || !c->starts_with_syn || client->payload_bytes > 0 ||
        surroundings_scanned_by(s, c) || signs_of_other_service(c, s) || signs_of_foreign_refusal(c, s))
        return false;
    const struct server_record *record = surroundings_server(s, c);
    char name[ENDPOINT_TEXT_SIZE];
    endpoint_text(&c->ends[SIDE_SERVER], name);
    judgement_prove(judgement, &client->syn, "the client asks for a connection (SYN)");
    judgement_prove(judgement, &server->reset, "the server refuses it with a reset");
    if (record->accepted == 0) {
        judgement->confidence = record->refused > 1 ? 0.95 : 0.9;
        judgement_say(judgement, "Nothing listens on %s: %s to it %s refused with a reset.", name,
                      record->refused == 1 ? "the only attempt to connect" : "all attempts to connect",
                      record->refused == 1 ? "was" : "were");
    } else {
        judgement->confidence = 0.8;
        judgement_say(
            judgement,
            "%s refused this connection with a reset: nothing listened there at that moment. Of the attempts to "
            "connect to it, %u %s refused and %u accepted.",
            name, record->refused, record->refused == 1 ? "was" : "were", record->accepted);
    }
    if (!signs_of_sql(c, s))
        judgement->confidence -= 0.2;
    doubt_unheard(c, s, judgement);
    doubt_hasty(c, s, judgement);
    return true;
}

static const char *const actions[] = {
    "See on the server whether SQL Server runs and on which port it listens: `Get-Service MSSQL*`, "
    "`Get-NetTCPConnection -State Listen -LocalPort 1433`, on Linux `systemctl status mssql-server` and `ss -ltnp`; "
    "and in its ERRORLOG `EXEC sp_readerrorlog 0, 1, N'Server is listening on'`.",
    "Compare with the address and port that the client uses: connection string, alias (`cliconfg`), DNS "
    "(`Resolve-DnsName NAME`), and for a named instance the SQL Server Browser (UDP 1434).",
    "See whether a firewall in front of the server refuses in its name: its logs, or a capture on the server, which "
    "then has neither the SYN nor the reset.",
    "Test it from the client: `Test-NetConnection SERVER -Port PORT`.",
    "Look for a restart or failover at that time: `EXEC sp_readerrorlog 0, 1, N'Starting up database'`.",
    NULL,
};

const struct detector server_not_listening = {
    .cause = "server.not-listening",
    .title = "The server refuses the connection: nothing listens on the port",
    .holds_when =
        "The client's SYN is answered with a reset, and no other connection to the same port is accepted both within 3 "
        "s before and within 3 s after it (that is server.backlog-full). A client that sends data was let in, whatever "
        "the capture has of it. Not told of a port scan, nor of a system port (below 1024) unless SQL Server was seen "
        "there or `--server-port` names it; nor where the reset came over another number of hops than all that the "
        "machine says otherwise (network.device-reset). It is the less sure where the machine says nothing otherwise, "
        "and the culprit stays open where the reset comes in less than half of the time that the way to the machine "
        "and back takes in three connections or more.",
    .means = "A machine that gets a SYN for a port where nobody listens answers with ACK+RST (RFC 9293, 3.10.7.1); the "
             "client reports error 10061 or \"connection refused\". The machine is up and reachable, so SQL Server is "
             "stopped, or listens on another port or address - or a firewall that rejects instead of dropping stands "
             "before it, which the server's capture shows. (Article, 1.5.6.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
