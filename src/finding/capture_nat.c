/* capture.nat: addresses or ports differ between the two captures of the same connections. */
#include <stdio.h>

#include "count_words.h"
#include "finding_list.h"
#include "survey.h"

struct rewrites {
    uint32_t connections; /* in more than one capture */
    uint32_t pairs, client_addresses, client_ports, servers;
    uint32_t first_id;
};

static void compare(struct rewrites *rewrites, const struct conversation *here, const struct conversation *there)
{
    const struct endpoint *client = &here->ends[SIDE_CLIENT], *seen = &there->ends[SIDE_CLIENT];
    rewrites->connections++;
    bool address = !address_equal(&client->address, &seen->address), port = client->port != seen->port,
         server = !endpoint_equal(&here->ends[SIDE_SERVER], &there->ends[SIDE_SERVER]);
    if (!address && !port && !server)
        return;
    rewrites->pairs++;
    rewrites->client_addresses += address;
    rewrites->client_ports += port;
    rewrites->servers += server;
    if (rewrites->pairs == 1)
        rewrites->first_id = here->id;
}

static void say(struct judgement *example, const struct rewrites *rewrites, const struct casebook *casebook)
{
    const struct conversation *here = casebook_conversation(casebook, rewrites->first_id - 1),
                              *there = casebook_conversation(casebook, here->twin - 1);
    enum side differs = rewrites->servers == rewrites->pairs ? SIDE_SERVER : SIDE_CLIENT;
    char inside[ENDPOINT_TEXT_SIZE], outside[ENDPOINT_TEXT_SIZE];
    endpoint_text(&here->ends[differs], inside);
    endpoint_text(&there->ends[differs], outside);
    judgement_prove(example, &here->first, "here the %s is %s", side_name(differs), inside);
    judgement_prove(example, &there->first, "the same connection: here it is %s", outside);
    judgement_say(example,
                  "Of %s in both captures, %u %s other addresses or ports in the one than in the other: the %s's %s is "
                  "%s at the server's end.",
                  count_words(rewrites->connections, "connection").text, rewrites->pairs,
                  rewrites->pairs == 1 ? "has" : "have", side_name(differs), inside, outside);
}

static bool is_seen_twice(const struct conversation *c, const struct surroundings *surroundings)
{
    (void)surroundings;
    return c->twin && !c->secondary;
}

static void survey_pairs(struct survey *survey)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    struct rewrites rewrites = {0};
    const struct numbers *seen_twice = survey_suspects(survey);
    for (uint32_t i = 0; i < seen_twice->count; i++) {
        const struct conversation *c = casebook_conversation(casebook, seen_twice->list[i]);
        bool relayed = c->comparison && c->comparison->relayed; /* that is two connections: capture.proxy */
        if (!relayed)
            compare(&rewrites, c, casebook_conversation(casebook, c->twin - 1));
    }
    if (rewrites.pairs == 0)
        return;
    struct finding *finding = survey_add_point(survey, casebook_conversation(casebook, rewrites.first_id - 1)->point);
    finding->example.confidence = 0.95;
    say(&finding->example, &rewrites, casebook);
    finding_measure(finding, "connections_rewritten", rewrites.pairs);
    finding_measure(finding, "client_addresses_rewritten", rewrites.client_addresses);
    finding_measure(finding, "client_ports_rewritten", rewrites.client_ports);
    finding_measure(finding, "servers_rewritten", rewrites.servers);
}

static const char *const actions[] = {
    "Find out which device translates, and how long it remembers a connection without traffic. Linux: `sysctl "
    "net.netfilter.nf_conntrack_tcp_timeout_established`; Azure: `az network nat gateway show -g GROUP -n NAME --query "
    "idleTimeoutInMinutes`.",
    "See whether it has ports left for so many connections: on Linux `conntrack -S` and `conntrack -C`; cloud gateways "
    "count \"SNAT connections\".",
    "Keep idle connections alive more often than it forgets them: `KeepAlive` of the driver, or the pool's idle time "
    "below the device's.",
    NULL,
};

const struct detector capture_nat = {
    .cause = "capture.nat",
    .title = "A device between the ends translates addresses",
    .holds_when = "The same connection, known by its GUID or its sequence numbers, has another address or port in the "
                  "server's capture than in the client's.",
    .means =
        "A router, load balancer or gateway rewrites addresses, so it keeps state for each connection, and can forget "
        "it. Connections are matched by what it does not change. A capture of one end alone cannot show this.",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .suspects = is_seen_twice,
    .survey = survey_pairs,
};
