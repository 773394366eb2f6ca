/* capture.windows-differ: the captures of the two ends do not cover the same time. */
#include <stdio.h>

#include "count_words.h"
#include "finding_list.h"
#include "signs.h"
#include "survey.h"

/* Captures that are started by hand begin seconds apart. What matters is traffic of the one in the time that the other does not
 * cover; a second of it is more than any path delays. */
#define UNCOVERED_NS NS_PER_SECOND

enum { SENTENCE_SIZE = 160, QUANTITY_SIZE = 48 };

struct window {
    int64_t from_ns, to_ns; /* on the common clock */
};

static struct window window_of(const struct casebook *casebook, uint32_t point)
{
    const struct point_facts *facts = &casebook->points[point];
    return (struct window){casebook_common_ns(casebook, point, facts->first_ns),
                           casebook_common_ns(casebook, point, facts->last_ns)};
}

/* The other capture would have it, had it been running: it has a part of it, or others of the same two ends (of the client's capture: to the
 * same server). A server has more clients than the one that captured. */
static bool belongs_to_both(const struct survey *survey, const struct conversation *c, uint32_t other)
{
    const struct surroundings *s = survey->surroundings;
    if (casebook_view_at(s->casebook, c, other))
        return true;
    if (s->casebook->points[c->point].role == CAPTURE_ROLE_CLIENT)
        return surroundings_knows_server(s, other, &c->ends[SIDE_SERVER]);
    return surroundings_knows_pair(s, other, &c->ends[SIDE_CLIENT].address, &c->ends[SIDE_SERVER]);
}

/* Conversations of that point with packets where the other capture has none. */
static uint32_t conversations_outside(const struct survey *survey, uint32_t point, uint32_t other)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    const struct window covered = window_of(casebook, other);
    uint32_t outside = 0;
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (c->point == point && signs_of_sql(c, survey->surroundings) && belongs_to_both(survey, c, other))
            outside += casebook_common_ns(casebook, point, c->first.time_ns) < covered.from_ns - UNCOVERED_NS ||
                       casebook_common_ns(casebook, point, c->last.time_ns) > covered.to_ns + UNCOVERED_NS;
    }
    return outside;
}

/* What the one's capture has before the other's begins and after it ends. */
static void say_lacking(struct judgement *example, const char *lacks, struct window own, const char *has,
                        struct window other)
{
    int64_t before_ns = own.from_ns - other.from_ns, after_ns = other.to_ns - own.to_ns;
    char sentence[SENTENCE_SIZE], begin[QUANTITY_SIZE] = "", end[QUANTITY_SIZE] = "";
    if (before_ns > UNCOVERED_NS)
        snprintf(begin, sizeof begin, "the first %.1f s", seconds(before_ns));
    if (after_ns > UNCOVERED_NS)
        snprintf(end, sizeof end, "the last %.1f s", seconds(after_ns));
    if (!begin[0] && !end[0])
        return;
    snprintf(sentence, sizeof sentence, "The %s's lacks %s%s%s of the %s's.", lacks, begin,
             begin[0] && end[0] ? " and " : "", end, has);
    judgement_say_more(example, sentence);
}

static struct finding *add_finding(struct survey *survey, uint32_t server, double confidence)
{
    struct finding *finding = survey_add_point(survey, server);
    finding->hides = "Of the time that only one of them covers, the report has one end's word only: what the other "
                     "lacks of that time does not count as lost.";
    finding->example.confidence = confidence;
    return finding;
}

static void compare_windows(struct survey *survey, uint32_t client, uint32_t server)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    uint32_t outside = conversations_outside(survey, client, server) + conversations_outside(survey, server, client);
    if (outside == 0)
        return;
    struct window here = window_of(casebook, client), there = window_of(casebook, server);
    struct finding *finding = add_finding(survey, server, 0.95);
    char reaching[SENTENCE_SIZE];
    judgement_say(&finding->example, "The captures cover different times.");
    say_lacking(&finding->example, "server", there, "client", here);
    say_lacking(&finding->example, "client", here, "server", there);
    snprintf(reaching, sizeof reaching, "%s %s into time that only one of them covers.",
             count_words(outside, "conversation").text, outside == 1 ? "reaches" : "reach");
    judgement_say_more(&finding->example, reaching);
    finding_measure(finding, "conversations_outside", outside);
    finding_measure(finding, "client_begins_before_server_s", seconds(there.from_ns - here.from_ns));
    finding_measure(finding, "client_ends_after_server_s", seconds(here.to_ns - there.to_ns));
}

/* Without a common clock: a connection whose SYN is in the one capture is in the midst of its life where the other begins. */
static void compare_begins(struct survey *survey, uint32_t server)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    uint32_t connections = 0, under_way = 0;
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (!c->twin || c->secondary)
            continue;
        connections++;
        under_way += c->starts_with_syn != casebook_conversation(casebook, c->twin - 1)->starts_with_syn;
    }
    if (under_way == 0)
        return;
    struct finding *finding = add_finding(survey, server, 0.9);
    judgement_say(&finding->example,
                  "The captures cover different times: of %s in both, %u %s in the one and %s under way where the "
                  "other begins. By how much the clocks differ is not known.",
                  count_words(connections, "connection").text, under_way, under_way == 1 ? "begins" : "begin",
                  under_way == 1 ? "is" : "are");
    finding_measure(finding, "connections_under_way", under_way);
}

static uint32_t point_of(const struct casebook *casebook, enum capture_role role)
{
    for (uint32_t i = 0; i < casebook->point_count; i++)
        if (casebook->points[i].role == role && casebook->points[i].has_packets)
            return i;
    return UINT32_MAX;
}

/* No two captures are known to be related: then the only one of each end are held against each other. */
static void compare_unrelated(struct survey *survey)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    uint32_t client = point_of(casebook, CAPTURE_ROLE_CLIENT), server = point_of(casebook, CAPTURE_ROLE_SERVER);
    if (client == UINT32_MAX || server == UINT32_MAX)
        return;
    if (casebook->secondary_count > 0) {
        compare_begins(survey, server);
        return;
    }
    struct window here = window_of(casebook, client), there = window_of(casebook, server);
    if (here.from_ns <= there.to_ns && there.from_ns <= here.to_ns)
        return;
    struct finding *finding = add_finding(survey, server, 0.7);
    judgement_say(&finding->example, "The two captures do not overlap in time, and no connection is in both: they were "
                                     "taken at different times, or one of the clocks is wrong.");
}

static void survey_windows(struct survey *survey)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    if (!casebook->clock.known) {
        compare_unrelated(survey);
        return;
    }
    for (uint32_t i = 0; i < casebook->pairs.count; i++) {
        const struct point_pair *pair = &casebook->pairs.list[i];
        if (pair->clock.known && casebook->points[pair->near].role == CAPTURE_ROLE_CLIENT &&
            casebook->points[pair->far].role == CAPTURE_ROLE_SERVER)
            compare_windows(survey, pair->near, pair->far);
    }
}

static const char *const actions[] = {
    "Start both captures before the error and stop both after it. With circular files stop both at once: the busier "
    "machine overwrites its begin sooner.",
    "Give the busier machine more room: `netsh trace start capture=yes filemode=circular maxsize=4096 "
    "packettruncatebytes=180`, or `dumpcap -b filesize:300000 -b files:40 -s 180`.",
    "Set both clocks by the same source: `w32tm /resync`, `chronyc tracking`.",
    NULL,
};

const struct detector capture_windows_differ = {
    .cause = "capture.windows-differ",
    .title = "The captures of both ends cover different times",
    .holds_when = "On one clock, conversations with SQL Server in the one capture have packets more than a second "
                  "before the other begins or after it ends; or connections begin in the one and are under way in the "
                  "other; or the two do not overlap at all.",
    .means = "Packets that are only in one capture count as lost only while the other was running. What lies outside "
             "is known from one end.",
    .actions = actions,
    .culprit = CULPRIT_NONE,
    .severity = SEVERITY_NOTE,
    .survey = survey_windows,
};
