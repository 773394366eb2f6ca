/* Gathers conversations and captures for the surveys, and runs them. */
#include "survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "finding_list.h"
#include "host_survey.h"
#include "memory.h"
#include "signs.h"

/* Conversations that a survey's finding lists: enough to look at; how many there are is said apart. */
enum { CONVERSATIONS_LISTED = 1000 };

/* Findings of one survey that are kept, the largest first: nobody reads more, and 200000 clients without a pool are one cause. */
enum { FINDINGS_KEPT = 50 };

/* Puts numbers 0 to count - 1 behind each other by their group, keeping their order. Those of no group (UINT32_MAX) are left out. */
static void groups_open(struct groups *groups, const uint32_t *group_of, uint32_t count, uint32_t group_count)
{
    *groups = (struct groups){.count = group_count};
    groups->first = memory_take_array((size_t)group_count + 2, sizeof *groups->first);
    groups->numbers = memory_take_array((size_t)count + 1, sizeof *groups->numbers);
    uint32_t *next = groups->first + 1;
    for (uint32_t i = 0; i < count; i++)
        if (group_of[i] != UINT32_MAX)
            next[group_of[i] + 1]++;
    for (uint32_t i = 0; i < group_count; i++)
        next[i + 1] += next[i];
    for (uint32_t i = 0; i < count; i++)
        if (group_of[i] != UINT32_MAX)
            groups->numbers[next[group_of[i]]++] = i;
}

static void groups_close(struct groups *groups)
{
    memory_give(groups->first);
    memory_give(groups->numbers);
}

/* The number of each pair's client, from 0; returns how many clients there are. */
static uint32_t number_clients(const struct surroundings *s, uint32_t *client_of_pair)
{
    struct hash_index index;
    hash_index_open(&index);
    uint32_t clients = 0;
    for (uint32_t i = 0; i < s->pairs.in_use; i++) {
        const struct pair_record *pair = slab_at(&s->pairs, i);
        uint32_t hash = hash_bytes(&pair->client, sizeof pair->client) ^ pair->point * 2654435761u;
        struct hash_probe probe = hash_index_probe(&index, hash);
        uint32_t n;
        while ((n = hash_probe_next(&probe)) != HASH_NONE) {
            const struct pair_record *other = slab_at(&s->pairs, n);
            if (other->point == pair->point && address_equal(&other->client, &pair->client))
                break;
        }
        client_of_pair[i] = n == HASH_NONE ? clients++ : client_of_pair[n];
        if (n == HASH_NONE)
            hash_index_add(&index, hash, i);
    }
    hash_index_close(&index);
    return clients;
}

static void gather_groups(struct survey *survey)
{
    const struct surroundings *s = survey->surroundings;
    uint32_t count = casebook_conversations(s->casebook), pairs = s->pairs.in_use, *group_of = survey->pair_of;
    uint32_t *client_of_pair = memory_take_array((size_t)pairs + 1, sizeof *client_of_pair);
    groups_open(&survey->by_pair, group_of, count, pairs);
    uint32_t clients = number_clients(s, client_of_pair);
    for (uint32_t i = 0; i < count; i++)
        if (group_of[i] != UINT32_MAX)
            group_of[i] = client_of_pair[group_of[i]];
    groups_open(&survey->by_client, group_of, count, clients);
    memory_give(client_of_pair);
    memory_give(group_of);
    survey->pair_of = NULL;
}

static void add_file(struct point_survey *point, uint32_t index, const struct capture_facts *facts)
{
    static const char *const ceilings[] = {"conversation ceiling", "memory ceiling", "name lookups", "instance lookups",
                                           "ticket requests"};
    if (point->files++ == 0)
        point->capture = index;
    point->packets += facts->packets;
    point->tcp_packets += facts->tcp_packets;
    point->cut_packets += facts->cut_packets;
    point->dropped += facts->dropped_known ? facts->dropped_by_capture : 0;
    point->offloaded += facts->offload_checksums;
    point->time_backwards += facts->time_backwards;
    point->undecoded += facts->undecoded;
    point->incomplete += facts->incomplete;
    if (facts->longest_cut > point->longest_cut)
        point->longest_cut = facts->longest_cut;
    for (uint32_t i = 0; i < facts->notes.count; i++)
        for (size_t j = 0; j < sizeof ceilings / sizeof *ceilings; j++)
            if (strcmp(facts->notes.list[i].kind, ceilings[j]) == 0)
                point->ceiling = ceilings[j];
}

/* A machine answers each packet that comes too late with the same reset again (RFC 9293, 3.10.7.1): such packets are no copies, though
 * they look like it. */
static void add_copies(struct point_survey *point, const struct conversation *c)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        if (moment_seen(&c->sides[side].reset))
            continue;
        point->copied += c->sides[side].capture_duplicates;
        point->copyable += c->sides[side].packets;
    }
}

/* More than a SYN and a reset: somebody was spoken to who is not in the capture. */
static bool is_half_heard(const struct conversation *c)
{
    int64_t said = 0;
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        said +=
            c->sides[side].packets - c->sides[side].syns - c->sides[side].resets - c->sides[side].capture_duplicates;
    return said >= 2 && signs_of_one_direction(c);
}

static void add_conversation(struct point_survey *point, const struct conversation *c, const struct surroundings *s)
{
    bool one_direction = signs_of_one_direction(c);
    point->conversations++;
    point->one_direction += is_half_heard(c);
    add_copies(point, c);
    if (!one_direction && signs_of_missed_packets(c)) {
        uint32_t pieces = c->sides[SIDE_CLIENT].unseen_segments + c->sides[SIDE_SERVER].unseen_segments;
        point->missed++;
        point->pieces += pieces ? pieces : 1;
    }
    if (!signs_of_sql(c, s))
        return;
    point->sql++;
    point->sql_begun += c->starts_with_syn;
    point->sql_inside += !c->starts_with_syn && c->ending == ENDING_OPEN;
}

void survey_open(struct survey *survey, struct judge *judge)
{
    const struct casebook *casebook = judge->surroundings.casebook;
    *survey = (struct survey){.judge = judge, .surroundings = &judge->surroundings};
    survey->pair_of = memory_take_array((size_t)casebook_conversations(casebook) + 1, sizeof *survey->pair_of);
    survey->suspects = memory_take_array(detector_count, sizeof *survey->suspects);
    survey->points = memory_take_array((size_t)casebook->point_count + 1, sizeof *survey->points);
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (casebook->captures[i].point < casebook->point_count)
            add_file(&survey->points[casebook->captures[i].point], i, &casebook->captures[i]);
}

static void suspect(struct numbers *suspects, uint32_t number)
{
    if (suspects->count == suspects->capacity) {
        suspects->capacity = suspects->capacity ? suspects->capacity * 2 : 64;
        suspects->list = memory_grow(suspects->list, suspects->capacity, sizeof *suspects->list);
    }
    suspects->list[suspects->count++] = number;
}

void survey_see(struct survey *survey, const struct conversation *c)
{
    const struct surroundings *s = survey->surroundings;
    survey->pair_of[c->id - 1] = c->secondary ? UINT32_MAX : surroundings_pair_number(s, c);
    if (c->point < s->casebook->point_count)
        add_conversation(&survey->points[c->point], c, s);
    for (unsigned i = 0; i < detector_count; i++)
        if (detectors[i]->suspects && detectors[i]->suspects(c, s))
            suspect(&survey->suspects[i], c->id - 1);
}

const struct numbers *survey_suspects(const struct survey *survey)
{
    return &survey->suspects[detector_number(survey->detector)];
}

struct finding *survey_add(struct survey *survey, enum finding_scope scope)
{
    struct finding *finding = judge_add_finding(survey->judge, survey->detector);
    finding->scope = scope;
    finding->surveyed = true;
    finding->example.detector = survey->detector;
    finding->example.culprit = survey->detector->culprit;
    return finding;
}

struct finding *survey_add_point(struct survey *survey, uint32_t point)
{
    struct finding *finding = survey_add(survey, SCOPE_CAPTURE);
    const struct point_facts *facts = &survey->surroundings->casebook->points[point];
    finding->capture = survey->points[point].capture;
    finding->first_ns = facts->first_ns;
    finding->last_ns = facts->last_ns;
    return finding;
}

void survey_concern(struct finding *finding, const struct conversation *conversation)
{
    if (finding->conversation_count < CONVERSATIONS_LISTED)
        finding_add_conversation(finding, conversation);
    else
        finding->concerned++;
}

const char *survey_point_words(const struct survey *survey, uint32_t point, char text[static POINT_TEXT_SIZE])
{
    static const char *const words[] = {[CAPTURE_ROLE_UNKNOWN] = "The capture",
                                        [CAPTURE_ROLE_CLIENT] = "The client's capture",
                                        [CAPTURE_ROLE_SERVER] = "The server's capture",
                                        [CAPTURE_ROLE_MIDDLE] = "The capture on the way"};
    const char *which = words[survey->surroundings->casebook->points[point].role];
    if (survey->points[point].files > 1)
        snprintf(text, POINT_TEXT_SIZE, "%s (%u files)", which, survey->points[point].files);
    else
        snprintf(text, POINT_TEXT_SIZE, "%s", which);
    return text;
}

double survey_percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static int compare_size(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    if (a->concerned != b->concerned)
        return a->concerned > b->concerned ? -1 : 1;
    return (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns);
}

/* Of the findings from `first` on, which one survey added. */
static void keep_largest(struct judge *judge, uint32_t first)
{
    if (judge->finding_count - first <= FINDINGS_KEPT)
        return;
    qsort(judge->findings + first, judge->finding_count - first, sizeof *judge->findings, compare_size);
    for (uint32_t i = first + FINDINGS_KEPT; i < judge->finding_count; i++)
        memory_give(judge->findings[i].conversations);
    struct judgement *said = &judge->findings[first].example;
    size_t length = strlen(said->says);
    snprintf(said->says + length, sizeof said->says - length, " So do %u others, of which %d are listed.",
             judge->finding_count - first - 1, FINDINGS_KEPT - 1);
    judge->finding_count = first + FINDINGS_KEPT;
}

void survey_run(struct survey *survey)
{
    struct judge *judge = survey->judge;
    struct hosts hosts;
    survey->hosts = &hosts;
    hosts_open(&hosts, &survey->surroundings->casebook->evidence);
    gather_groups(survey);
    for (unsigned i = 0; i < detector_count; i++) {
        uint32_t first = judge->finding_count;
        if (!detectors[i]->survey)
            continue;
        survey->detector = detectors[i];
        survey->detector->survey(survey);
        for (uint32_t j = first; j < judge->finding_count; j++)
            judge->findings[j].confidence = judge->findings[j].example.confidence;
        keep_largest(judge, first);
    }
    hosts_close(&hosts);
}

void survey_close(struct survey *survey)
{
    groups_close(&survey->by_client);
    groups_close(&survey->by_pair);
    for (unsigned i = 0; i < detector_count; i++)
        memory_give(survey->suspects[i].list);
    memory_give(survey->suspects);
    memory_give(survey->points);
}
