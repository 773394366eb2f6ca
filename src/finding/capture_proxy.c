/* capture.proxy: the two captures show two connections, which a device on the way joins. */
#include "finding_list.h"
#include "survey.h"

static const struct conversation *last_view(const struct casebook *casebook, const struct conversation *c)
{
    return casebook_conversation(casebook, c->twin - 1);
}

static void say(struct judgement *example, const struct casebook *casebook, const struct conversation *first,
                uint32_t relayed)
{
    const struct conversation *there = last_view(casebook, first);
    char client[ENDPOINT_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE];
    judgement_prove(example, &first->first, "the connection of the client begins");
    judgement_prove(example, &there->first, "the one that carries the same data to the server: %s -> %s",
                    endpoint_text(&there->ends[SIDE_CLIENT], client), endpoint_text(&there->ends[SIDE_SERVER], server));
    judgement_say(example,
                  "A device on the way ends %u of the connections that are in both captures, and opens its own to the "
                  "server: two TCP connections with the same data under other numbers. What got lost on the way "
                  "between the captures cannot be told of them packet by packet.",
                  relayed);
}

static void survey_pairs(struct survey *survey)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    uint32_t relayed = 0, first_id = 0;
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (c->secondary || !c->comparison || !c->comparison->relayed)
            continue;
        if (relayed++ == 0)
            first_id = c->id;
    }
    if (relayed == 0)
        return;
    const struct conversation *first = casebook_hold_conversation(casebook, first_id - 1);
    struct finding *finding = survey_add_point(survey, first->point);
    finding->example.confidence = 0.95;
    say(&finding->example, casebook, first, relayed);
    finding_measure(finding, "connections_relayed", relayed);
    casebook_rest_conversation(casebook, first_id - 1);
}

static const char *const actions[] = {
    "Capture on the device, too, on both of its sides, and give all captures: each of its two connections is then "
    "compared by itself.",
    "Read its log, and how long it waits before it ends an idle connection: the idle time-out of a load balancer's "
    "virtual server, `timeout client` and `timeout server` of HAProxy, `proxy_timeout` of nginx.",
    "See what its health checks say of the server at the time of the errors.",
    NULL,
};

const struct detector capture_proxy = {
    .cause = "capture.proxy",
    .title = "A device ends the connections and opens its own to the server",
    .holds_when =
        "The same PRELOGIN (its GUID) is in both captures, and the two SYNs differ in both sequence numbers "
        "and in what a device that only forwards leaves alone: time stamp, IP ID, window. Where the SYNs have neither "
        "of the first two (IPv6 without time stamps), their addresses differ.",
    .means = "A load balancer in full-proxy mode, a database proxy or a TLS inspector stands between. Each end talks "
             "to the device, which acknowledges in its own name: a time-out, a reset or a lost packet of one "
             "connection is not one of the other. When neither end closed first, the device did.",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .survey = survey_pairs,
};
