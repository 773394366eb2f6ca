/* client.firewall-drop, server.firewall-drop: the machine's firewall dropped packets of a connection, and says so. */
#include <stdio.h>

#include "actions.h"
#include "count_words.h"
#include "finding_list.h"
#include "memory.h"
#include "signs.h"
#include "survey.h"

/* Of a survey: which side's machine a drop happened on is asked for that side only. */
struct drop_place {
    bool known;
    enum side side;
};

static bool has_address(const struct evidence *evidence, uint32_t source, const struct address *address)
{
    for (uint32_t i = 0; i < evidence->addresses.in_use; i++) {
        const struct machine_address *own = slab_at(&evidence->addresses, i);
        if (own->source == source && address_equal(&own->address, address))
            return true;
    }
    return false;
}

/* On the machine that the user named; else on that of the end which a packet came to or left from; else by the machine's addresses. */
static struct drop_place place_of(const struct casebook *casebook, const struct drop_record *drop,
                                  const struct endpoint *client, const struct endpoint *server)
{
    const struct source_facts *source = evidence_source_of(&casebook->evidence, &drop->at);
    uint32_t number = moment_source(&drop->at);
    const struct endpoint *own = drop->inbound ? &drop->destination : &drop->source;
    if (source->role_given && source->role != CAPTURE_ROLE_MIDDLE)
        return (struct drop_place){true, capture_role_side(source->role)};
    if (drop->inbound != drop->outbound && (endpoint_equal(own, client) || endpoint_equal(own, server)))
        return (struct drop_place){true, endpoint_equal(own, client) ? SIDE_CLIENT : SIDE_SERVER};
    if (has_address(&casebook->evidence, number, &client->address))
        return (struct drop_place){true, SIDE_CLIENT};
    if (has_address(&casebook->evidence, number, &server->address))
        return (struct drop_place){true, SIDE_SERVER};
    if (source->role == CAPTURE_ROLE_CLIENT || source->role == CAPTURE_ROLE_SERVER)
        return (struct drop_place){true, capture_role_side(source->role)};
    return (struct drop_place){false, SIDE_CLIENT};
}

/* Captures lie below the firewall: what it dropped on the way out is in no capture of that machine, but for the trace that tells of it. */
static bool left_the_machine(const struct casebook *casebook, const struct conversation *c,
                             const struct drop_record *drop, enum side side)
{
    enum capture_role own = capture_role_at(side);
    return drop->outbound && !drop->inbound && !drop->from_capture && casebook->points[c->point].role == own &&
           c->sides[side].packets > 0;
}

/* Drops of a filter on that side's machine among those that belong to the connection; the first of them, NULL: none. */
static const struct drop_record *drops_on(const struct casebook *casebook, const struct conversation *c, enum side side,
                                          uint32_t *count)
{
    uint32_t joined;
    const struct evidence_join *joins = casebook_joined(casebook, c, JOINED_DROP, &joined);
    const struct drop_record *first = NULL;
    *count = 0;
    for (uint32_t i = 0; i < joined; i++) {
        const struct drop_record *drop = evidence_drop(&casebook->evidence, joins[i].record);
        /* In another view of the connection the ends may be translated: its server's port is the same, mostly. */
        struct drop_place place = place_of(casebook, drop, &c->ends[SIDE_CLIENT], &c->ends[SIDE_SERVER]);
        if (drop->unfiltered || !place.known || place.side != side || left_the_machine(casebook, c, drop, side))
            continue;
        first = first ? first : drop;
        ++*count;
    }
    return first;
}

static void say(const struct drop_record *drop, uint32_t count, enum side side, struct judgement *judgement)
{
    char source[ENDPOINT_TEXT_SIZE], destination[ENDPOINT_TEXT_SIZE], filter[40] = "", reason[120] = "";
    endpoint_text(&drop->source, source);
    endpoint_text(&drop->destination, destination);
    if (drop->filter != 0)
        snprintf(filter, sizeof filter, " by filter %llu", (unsigned long long)drop->filter);
    if (drop->reason)
        snprintf(reason, sizeof reason, " (%.100s)", drop->reason);
    judgement_say(judgement, "The %s machine itself says that it dropped %s from %s to %s%s%s.", side_name(side),
                  count_words(count, "packet").text, source, destination, filter, reason);
    if (drop->at_transport)
        judgement_say_more(judgement, "That is where Windows drops what no socket takes: see first whether the program "
                                      "listens on that port.");
}

static void prove(const struct casebook *casebook, const struct conversation *c, enum side side,
                  const struct drop_record *drop, struct judgement *judgement)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT];
    struct silence silence = signs_of_silence(c);
    judgement_prove(judgement, &drop->at, "the %s machine dropped this packet", side_name(side));
    if (c->ending == ENDING_NO_ANSWER) {
        judgement_prove(judgement, &client->syn, "the client's SYN, which nothing answers");
        judgement_prove(judgement, &client->syn_last, "its last repetition, of %u", client->syn_retransmits);
    } else if (silence.held) {
        judgement_prove(judgement, &silence.first, "the %s repeats a packet", side_name(silence.retrier));
        judgement_prove(judgement, &silence.last, "the last of %u repetitions", silence.retries);
    }
    uint32_t joined;
    const struct evidence_join *joins = casebook_joined(casebook, c, JOINED_DROP, &joined);
    if (joined > 1)
        judgement_prove(judgement, &evidence_drop(&casebook->evidence, joins[joined - 1].record)->at,
                        "the last of the drops");
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    enum side side = judgement->detector->culprit == CULPRIT_CLIENT ? SIDE_CLIENT : SIDE_SERVER;
    uint32_t count;
    const struct drop_record *drop = drops_on(s->casebook, c, side, &count);
    bool failed = c->ending == ENDING_NO_ANSWER || signs_of_silence(c).held ||
                  (!conversation_established(c) && moment_seen(&c->sides[SIDE_SERVER].syn));
    if (!drop || !failed || surroundings_scanned_by(s, c) || signs_of_other_service(c, s))
        return false;
    /* Surer than what packets alone say of the same silence. */
    judgement->confidence = 0.97;
    say(drop, count, side, judgement);
    prove(s->casebook, c, side, drop, judgement);
    return true;
}

static bool judge_pair(const struct pair_view *view, const struct surroundings *s, struct judgement *judgement)
{
    return judge(view->client, s, judgement) || (view->server && judge(view->server, s, judgement));
}

/* A drop between two ends that the captures know as client and server of a SQL Server. */
static bool knows_ends(const struct survey *survey, const struct drop_record *drop, struct endpoint *client,
                       struct endpoint *server)
{
    for (int turned = 0; turned < 2; turned++) {
        *client = turned ? drop->destination : drop->source;
        *server = turned ? drop->source : drop->destination;
        for (uint32_t point = 0; point < survey->surroundings->casebook->point_count; point++)
            if (surroundings_knows_pair(survey->surroundings, point, &client->address, server))
                return true;
    }
    return false;
}

struct unmatched {
    const struct drop_record *first;
    struct endpoint client, server; /* of the first */
    uint32_t count;
};

static void gather(const struct survey *survey, struct unmatched *by_source)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    enum side side = survey->detector->culprit == CULPRIT_CLIENT ? SIDE_CLIENT : SIDE_SERVER;
    for (uint32_t i = 0; i < casebook->evidence.drops.in_use; i++) {
        const struct drop_record *drop = evidence_drop(&casebook->evidence, i);
        struct unmatched *unmatched = &by_source[moment_source(&drop->at)];
        struct endpoint client, server;
        if (drop->unfiltered || evidence_source_of(&casebook->evidence, &drop->at)->joined > 0 ||
            !knows_ends(survey, drop, &client, &server))
            continue;
        struct drop_place place = place_of(casebook, drop, &client, &server);
        if (!place.known || place.side != side || unmatched->count++ > 0)
            continue;
        unmatched->first = drop;
        unmatched->client = client;
        unmatched->server = server;
    }
}

/* Windows drops late packets of connections that are over, too: without a connection that suffered it is no more than a note. */
static void survey_drops(struct survey *survey)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    if (casebook->evidence.drops.in_use == 0)
        return;
    struct unmatched *by_source = memory_take_array(casebook->evidence.source_count, sizeof *by_source);
    gather(survey, by_source);
    for (uint32_t i = 0; i < casebook->evidence.source_count; i++) {
        const struct unmatched *unmatched = &by_source[i];
        if (unmatched->count == 0)
            continue;
        char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
        struct finding *finding = survey_add(survey, SCOPE_HOST);
        finding->severity = SEVERITY_NOTE;
        finding->client = unmatched->client.address;
        finding->server = unmatched->server;
        finding->example.confidence = 0.5;
        finding_measure(finding, "drops", unmatched->count);
        judgement_prove(&finding->example, &unmatched->first->at, "the first of these drops");
        judgement_say(&finding->example,
                      "The firewall dropped %s between client and server%s between %s and %s, but none within a second "
                      "of a captured packet that was left without an answer.",
                      count_words(unmatched->count, "packet").text, unmatched->count == 1 ? "," : ", the first",
                      address_text(&unmatched->client.address, client), endpoint_text(&unmatched->server, server));
    }
    memory_give(by_source);
}

static const char *const actions[] = {
    ACTION_FIREWALL_AUDIT,
    "Find the filter by the number in the event (Filter Run-Time ID): `netsh wfp show filters "
    "file=c:\\temp\\filters.xml` and `netsh wfp show state file=c:\\temp\\state.xml`, then search both for "
    "`<filterId>NUMBER</filterId>`; its displayData names rule or product. From Windows 11 and Server 2022 on the "
    "event itself names the rule (Filter Origin).",
    ACTION_FIREWALL_RULES,
    "Let the port in where nothing does: `New-NetFirewallRule -DisplayName 'SQL Server' -Direction Inbound -Protocol "
    "TCP -LocalPort 1433 -Action Allow`, on Linux `firewall-cmd --permanent --add-port=1433/tcp && firewall-cmd "
    "--reload` or `ufw allow 1433/tcp`.",
    "Switch the auditing off again, it writes much: `auditpol /set /subcategory:\"Filtering Platform Packet Drop\" "
    "/success:disable /failure:disable`.",
    NULL,
};

const struct detector host_firewall_drop[SIDES] = HOST_DETECTORS(
    "firewall-drop", .title = "The machine's own firewall dropped packets of the connection",
    .holds_when =
        "An event 5152 or 5157 of the Security log, a DROP line of pfirewall.log, or a drop in the output of "
        "WFP or PKTMON has the addresses and ports of a connection and a time within a second of its "
        "unanswered packets. Of PKTMON's reasons only those of inspection count: the others are of cards, virtual "
        "switches, IP and TCP. Drops that belong to no connection are a note.",
    .holds_with_both = "The same of either capture's packets.",
    .means = "Packets are captured below the firewall: they are in the machine's own trace, and nothing answers them. "
             "The event proves who dropped them, and ends the search among filter drivers. It is the machine's "
             "setting, not the network's. (Article, 1.5.11, Windows Firewall Auditing.)",
    .actions = actions, .severity = SEVERITY_FAULT, .judge = judge, .judge_pair = judge_pair, .survey = survey_drops);
