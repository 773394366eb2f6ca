/* The article's troubleshooting steps, and what was done about each: only what was really looked at is called done. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "count_words.h"
#include "judge.h"
#include "signs.h"

/* What the steps are computed from: one pass over the conversations. */
struct looked_at {
    uint32_t conversations, matched, sql, tls, complete, resets, resets_with_ack;
    uint32_t short_resets;   /* of them: of a handshake and hardly more */
    uint32_t short_complete; /* from SYN to FIN in few packets */
    bool role_client, role_server;
    uint32_t sqlchecks[CAPTURE_ROLE_MIDDLE + 1]; /* by the side of their machine */
};

enum { HANDSHAKE_PACKETS = 6 }; /* article, 1.5.6: "in the Reset report of 6 frames or fewer" */

static void look_at_reports(const struct evidence *evidence, struct looked_at *seen)
{
    for (uint32_t i = 0; i < evidence->source_count; i++)
        seen->sqlchecks[evidence->sources[i].role] += evidence->sources[i].kind == SOURCE_SQLCHECK;
}

static struct looked_at look(const struct judge *judge)
{
    const struct casebook *casebook = judge->surroundings.casebook;
    struct looked_at seen = {.conversations = casebook_connections(casebook)};
    look_at_reports(&casebook->evidence, &seen);
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        enum capture_role role = surroundings_role(&judge->surroundings, c);
        seen.role_client |= role == CAPTURE_ROLE_CLIENT;
        seen.role_server |= role == CAPTURE_ROLE_SERVER;
        if (c->secondary)
            continue;
        const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
        seen.matched += c->twin != 0;
        seen.sql += c->tds != NULL;
        seen.tls += c->tds && moment_seen(&c->tds->steps[LOGIN_STEP_CLIENT_HELLO]);
        bool reset = moment_seen(&client->reset) || moment_seen(&server->reset);
        seen.resets += reset;
        seen.short_resets +=
            reset && c->starts_with_syn && c->packets <= HANDSHAKE_PACKETS && signs_of_sql(c, &judge->surroundings);
        seen.resets_with_ack += (moment_seen(&client->reset) && client->reset_with_ack) ||
                                (moment_seen(&server->reset) && server->reset_with_ack);
        bool complete = c->tds && c->starts_with_syn && c->closed && c->ending == ENDING_FIN;
        seen.complete += complete;
        seen.short_complete += complete && c->packets < judge->surroundings.thresholds->short_packets;
    }
    return seen;
}

static uint32_t count_cause(const struct judge *judge, const char *prefix)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < detector_count && i < sizeof judge->cause_counts / sizeof *judge->cause_counts; i++)
        if (strncmp(detectors[i]->cause, prefix, strlen(prefix)) == 0)
            count += judge->cause_counts[i];
    return count;
}

/* What a survey found of that cause, the first of it; NULL: nothing. */
static const struct finding *survey_finding(const struct judge *judge, const char *cause)
{
    for (uint32_t i = 0; i < judge->finding_count; i++)
        if (judge->findings[i].surveyed && strcmp(judge->findings[i].detector->cause, cause) == 0)
            return &judge->findings[i];
    return NULL;
}

static uint32_t count_sources(const struct judge *judge, enum source_kind kind)
{
    const struct evidence *evidence = &judge->surroundings.casebook->evidence;
    uint32_t count = 0;
    for (uint32_t i = 0; i < evidence->source_count; i++)
        count += evidence->sources[i].kind == kind;
    return count;
}

/* The first that a client's machine told; NULL: none did. */
static const struct setting_record *client_setting(const struct judge *judge, enum machine_setting setting)
{
    const struct evidence *evidence = &judge->surroundings.casebook->evidence;
    for (uint32_t i = 0; i < evidence->settings.in_use; i++)
        if (evidence_setting(evidence, i)->setting == setting &&
            evidence_source_of(evidence, &evidence_setting(evidence, i)->at)->role == CAPTURE_ROLE_CLIENT)
            return evidence_setting(evidence, i);
    return NULL;
}

struct steps {
    struct workflow_step *list;
    uint32_t count, capacity;
};

#if defined(__GNUC__)
__attribute__((format(printf, 5, 6)))
#endif
static void
add(struct steps *steps, const char *step, const char *title, enum workflow_state state, const char *format, ...)
{
    if (steps->count++ >= steps->capacity)
        return;
    struct workflow_step *to = &steps->list[steps->count - 1];
    *to = (struct workflow_step){.step = step, .title = title, .state = state};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(to->says, sizeof to->says, format, arguments);
    va_end(arguments);
}

static void add_captures(struct steps *steps, const struct judge *judge, const struct looked_at *seen)
{
    const struct casebook *casebook = judge->surroundings.casebook;
    uint32_t of_client = seen->sqlchecks[CAPTURE_ROLE_CLIENT], of_server = seen->sqlchecks[CAPTURE_ROLE_SERVER],
             unplaced = seen->sqlchecks[CAPTURE_ROLE_UNKNOWN];
    if (of_client + of_server + unplaced == 0)
        add(steps, "1.5.0", "Collect SQLCHECK on each machine", WORKFLOW_NEEDS_EVIDENCE,
            "No SQLCHECK report was given: run SQLCHECK on client and server.");
    else
        add(steps, "1.5.0", "Collect SQLCHECK on each machine",
            of_client && of_server ? WORKFLOW_DONE : WORKFLOW_NEEDS_EVIDENCE,
            "SQLCHECK reports were read: %u of clients, %u of servers, %u of machines whose side is not known.",
            of_client, of_server, unplaced);
    bool both = seen->role_client && seen->role_server;
    if (casebook->capture_count == 0)
        add(steps, "1.5.1", "Collect network traces on client and server", WORKFLOW_NEEDS_EVIDENCE,
            "No capture was given.");
    else if (both)
        add(steps, "1.5.1", "Collect network traces on client and server", WORKFLOW_DONE,
            "Captures of both sides were read (%s).", count_words(casebook->capture_count, "file").text);
    else
        add(steps, "1.5.1", "Collect network traces on client and server", WORKFLOW_NEEDS_EVIDENCE,
            "%s of %s read; a capture of %s is missing.", count_words(casebook->capture_count, "capture file").text,
            seen->role_client   ? "the client was"
            : seen->role_server ? "the server was"
                                : "an unknown place was",
            seen->role_client   ? "the server"
            : seen->role_server ? "the client"
                                : "the other side");
    add(steps, "1.5.2", "Analyse the traces", seen->conversations > 0 ? WORKFLOW_DONE : WORKFLOW_NEEDS_EVIDENCE,
        "Conversations that were followed and judged: %u, %u of them with SQL Server; found in the captures of both "
        "ends: %u.",
        seen->conversations, seen->sql, seen->matched);
}

static void add_network(struct steps *steps, const struct judge *judge, const struct looked_at *seen)
{
    uint32_t tls_trouble = count_cause(judge, "server.tls-refused") + count_cause(judge, "server.dhe-defect") +
                           count_cause(judge, "client.certificate-rejected");
    if (seen->tls == 0)
        add(steps, "1.5.3", "Connection closed during the TLS handshake", WORKFLOW_DOES_NOT_APPLY,
            "No TLS handshake of a SQL Server connection is in the traces.");
    else
        add(steps, "1.5.3", "Connection closed during the TLS handshake", WORKFLOW_DONE,
            "TLS handshakes in the traces: %u; broken off because of TLS: %u.", seen->tls, tls_trouble);
    uint32_t drops = count_cause(judge, "network.drop") + count_cause(judge, "network.idle-drop") +
                     count_cause(judge, "network.device-reset") + count_cause(judge, "network.syn-lost");
    uint32_t losses = count_cause(judge, "network.loss");
    bool one_sided = !(seen->role_client && seen->role_server);
    add(steps, "1.5.4", "Dropped packets",
        seen->sql == 0           ? WORKFLOW_DOES_NOT_APPLY
        : drops > 0 && one_sided ? WORKFLOW_NEEDS_EVIDENCE
                                 : WORKFLOW_DONE,
        "Connections that ended in retries, keep-alives or SYNs without an answer or by a device's reset: %u; that "
        "lost packets often enough to hurt: %u.%s",
        drops, losses, drops > 0 && one_sided ? " The other side's capture would tell where the packets went." : "");
}

enum { SHORT_RESETS_TEXT_SIZE = 120 };

static void add_sides(struct steps *steps, const struct judge *judge, const struct looked_at *seen)
{
    uint32_t client = count_cause(judge, "client."), server = count_cause(judge, "server.");
    bool none = seen->conversations == 0;
    add(steps, "1.5.5", "The traces agree that the issue is on the client",
        none ? WORKFLOW_DOES_NOT_APPLY : WORKFLOW_DONE, "Connections that point to the client: %u.%s", client,
        client ? " A BID trace and a NETSH trace on it are the next step." : "");
    char few[SHORT_RESETS_TEXT_SIZE] = "";
    if (seen->short_resets > 0)
        snprintf(few, sizeof few, " Refused or hardly accepted, with a reset after six packets or fewer: %u.",
                 seen->short_resets);
    uint32_t logs = count_sources(judge, SOURCE_ERRORLOG), rings = count_sources(judge, SOURCE_RING_BUFFER);
    const char *lacking = !server || (logs && rings) ? ""
                          : logs                     ? " Its connectivity ring buffer was not given."
                          : rings                    ? " Its ERRORLOG was not given."
                                                     : " Its ERRORLOG and connectivity ring buffer were not given.";
    add(steps, "1.5.6", "The traces agree that the issue is on the server",
        none         ? WORKFLOW_DOES_NOT_APPLY
        : lacking[0] ? WORKFLOW_NEEDS_EVIDENCE
                     : WORKFLOW_DONE,
        "Connections that point to the server: %u.%s%s", server, lacking, few);
    const struct finding *pooling = survey_finding(judge, "client.no-pooling");
    if (seen->complete == 0)
        add(steps, "1.5.7", "Connection pooling", WORKFLOW_NEEDS_EVIDENCE,
            "No SQL Server connection is in the traces from begin to end; a trace of half an hour would tell.");
    else
        add(steps, "1.5.7", "Connection pooling", WORKFLOW_DONE,
            "Connections that are in the traces from begin to end: %u, of them with fewer than %u packets: %u. %s",
            seen->complete, judge->surroundings.thresholds->short_packets, seen->short_complete,
            pooling ? pooling->example.says : "No client makes so many of them that a pool is missed.");
}

static void add_ports(struct steps *steps, const struct judge *judge)
{
    uint32_t lists = count_sources(judge, SOURCE_NETSTAT) + count_sources(judge, SOURCE_SS);
    if (lists > 0)
        add(steps, "1.5.8", "NETSTAT", WORKFLOW_DONE, "Read: %s of sockets with %s.", count_words(lists, "list").text,
            count_words(judge->surroundings.casebook->evidence.sockets.in_use, "TCP row").text);
    else
        add(steps, "1.5.8", "NETSTAT", WORKFLOW_NEEDS_EVIDENCE,
            "No netstat output was given: `netstat -abon > c:\\ports.txt` on the client.");
    const struct setting_record *count = client_setting(judge, SETTING_PORTS_COUNT);
    const struct setting_record *wait = client_setting(judge, SETTING_TIME_WAIT_S);
    char lasts[SHORT_RESETS_TEXT_SIZE] = "";
    if (wait)
        snprintf(lasts, sizeof lasts, " A closed connection keeps its port for %lld s.", (long long)wait->value);
    if (count)
        add(steps, "1.5.9", "TcpTimedWaitDelay and MaxUserPort", WORKFLOW_DONE,
            "The client has %lld ephemeral ports.%s", (long long)count->value, lasts);
    else
        add(steps, "1.5.9", "TcpTimedWaitDelay and MaxUserPort", WORKFLOW_NEEDS_EVIDENCE,
            "The client's port range is not known: `netsh int ipv4 show dynamicport tcp`.%s", lasts);
}

static void add_rest(struct steps *steps, const struct judge *judge, const struct looked_at *seen)
{
    if (seen->resets == 0)
        add(steps, "1.5.10", "RESET against ACK+RESET", WORKFLOW_DOES_NOT_APPLY, "No connection was reset.");
    else
        add(steps, "1.5.10", "RESET against ACK+RESET", WORKFLOW_DONE,
            "Connections with a reset: %u, of them with ACK+RST: %u. Resets after a close were taken for answers to "
            "late packets.",
            seen->resets, seen->resets_with_ack);
    uint32_t no_ack = count_cause(judge, "client.no-ack") + count_cause(judge, "server.no-ack") +
                      count_cause(judge, "server.no-answer");
    bool role_known = seen->role_client || seen->role_server;
    add(steps, "1.5.11", "Antivirus, network filter driver or firewall",
        role_known ? WORKFLOW_DONE : WORKFLOW_NEEDS_EVIDENCE,
        "Connections whose packets reach the captured machine and are not acknowledged by it: %u.%s", no_ack,
        role_known ? "" : " Where the capture was taken is not known: say it with --client or --server.");
    const struct finding *ports = survey_finding(judge, "client.port-exhaustion");
    if (ports)
        add(steps, "1.6.1", "Ephemeral ports", WORKFLOW_DONE, "%s", ports->example.says);
    else
        add(steps, "1.6.1", "Ephemeral ports", WORKFLOW_NEEDS_EVIDENCE,
            "The traces have too few connections (%u) to use up a system's ports; the client's port range and its "
            "netstat output would tell how many it has left.",
            seen->conversations);
}

uint32_t judge_workflow(const struct judge *judge, struct workflow_step *steps, uint32_t capacity)
{
    struct steps filled = {.list = steps, .capacity = capacity};
    struct looked_at seen = look(judge);
    add_captures(&filled, judge, &seen);
    add_network(&filled, judge, &seen);
    add_sides(&filled, judge, &seen);
    add_ports(&filled, judge);
    add_rest(&filled, judge, &seen);
    return filled.count;
}
