/* Gathers the failures, and words what they have in common. */
#include "failure_pattern.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count_words.h"
#include "failure_times.h"
#include "memory.h"
#include "signs.h"
#include "sorted.h"
#include "text.h"

/* Failures within so small a part of the time that was captured lie together. */
#define TOGETHER_SHARE 0.25

/* Told in tenths of a second. */
#define TOLD_NS (100 * NS_PER_MS)

/* Of the times between bursts: in so many of them something has to have worked. */
enum { WORKED_PERCENT = 80 };

struct failure {
    int64_t time_ns;
    struct address client;
    struct endpoint server;
};

struct failures {
    struct failure *list;
    uint32_t count;
};

/* When it began to fail: a login with its SYN; a session with the first packet that got no answer, or with its close. */
static int64_t failed_at_ns(const struct conversation *c)
{
    struct silence silence = signs_of_silence(c);
    struct moment close = conversation_first_close(c);
    if (c->starts_with_syn && !signs_of_login_done(c))
        return c->first.time_ns;
    if (silence.held)
        return silence.first.time_ns;
    return moment_seen(&close) ? close.time_ns : c->last.time_ns;
}

static int compare_times(const void *left, const void *right)
{
    const struct failure *a = left, *b = right;
    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static int compare_clients(const void *left, const void *right)
{
    const struct failure *a = left, *b = right;
    return memcmp(&a->client, &b->client, sizeof a->client);
}

static int compare_servers(const void *left, const void *right)
{
    const struct failure *a = left, *b = right;
    int order = memcmp(&a->server.address, &b->server.address, sizeof a->server.address);
    return order ? order : (a->server.port > b->server.port) - (a->server.port < b->server.port);
}

static void add_failure(struct failures *failures, const struct casebook *casebook, const struct conversation *c)
{
    failures->list[failures->count++] =
        (struct failure){.time_ns = casebook_common_ns(casebook, c->point, failed_at_ns(c)),
                         .client = c->ends[SIDE_CLIENT].address,
                         .server = c->ends[SIDE_SERVER]};
}

static void gather(const struct judge *judge, const struct finding *finding, struct failures *failures,
                   struct failure_pattern *pattern)
{
    uint8_t cause = 0;
    const struct casebook *casebook = judge->surroundings.casebook;
    uint32_t count = finding ? finding->conversation_count : casebook_conversations(casebook);
    failures->list = memory_take_array(count + 1u, sizeof *failures->list);
    failures->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = finding ? finding->conversations[i] - 1 : i;
        if (!finding && !judge_in_trouble(judge, number))
            continue;
        const struct conversation *c = casebook_conversation(casebook, number);
        if (!finding && !signs_of_sql(c, &judge->surroundings))
            continue;
        add_failure(failures, casebook, c);
        uint8_t detector = judge->marks[number].detector;
        pattern->several_causes = !finding && (pattern->several_causes || (failures->count > 1 && detector != cause));
        cause = detector;
    }
}

static uint32_t count_distinct(struct failures *failures, int (*compare)(const void *, const void *))
{
    uint32_t distinct = 0;
    qsort(failures->list, failures->count, sizeof *failures->list, compare);
    for (uint32_t i = 0; i < failures->count; i++)
        distinct += i == 0 || compare(&failures->list[i - 1], &failures->list[i]) != 0;
    return distinct;
}

static bool has(const struct failures *failures, const struct failure *wanted,
                int (*compare)(const void *, const void *))
{
    return bsearch(wanted, failures->list, failures->count, sizeof *failures->list, compare) != NULL;
}

/* Clients that logged in to one of the servers that others failed at, and never failed. */
static uint32_t count_spared(const struct judge *judge, struct failures *failures)
{
    const struct slab *pairs = &judge->surroundings.pairs;
    struct failures candidates = {memory_take_array(pairs->in_use + 1u, sizeof *candidates.list), 0};
    qsort(failures->list, failures->count, sizeof *failures->list, compare_servers);
    for (uint32_t i = 0; i < pairs->in_use; i++) {
        const struct pair_record *pair = slab_at(pairs, i);
        struct failure wanted = {.client = pair->client, .server = pair->server};
        if (pair->logins_done > 0 && has(failures, &wanted, compare_servers))
            candidates.list[candidates.count++] = wanted;
    }
    uint32_t spared = 0;
    qsort(failures->list, failures->count, sizeof *failures->list, compare_clients);
    qsort(candidates.list, candidates.count, sizeof *candidates.list, compare_clients);
    for (uint32_t i = 0; i < candidates.count; i++)
        spared += (i == 0 || compare_clients(&candidates.list[i - 1], &candidates.list[i]) != 0) &&
                  !has(failures, &candidates.list[i], compare_clients);
    memory_give(candidates.list);
    return spared;
}

static const char *application_of(const struct tds_facts *tds)
{
    return tds->application;
}

static const char *library_of(const struct tds_facts *tds)
{
    return tds->library;
}

/* What all failures have in common whose login could be read, when that is no chance: were they drawn from all logins at random, they would
 * all be of it with less than this probability (hypergeometric). */
#define COMMON_BY_CHANCE 0.01

static const char *only_of(const struct judge *judge, const char *(*trait_of)(const struct tds_facts *tds))
{
    const struct casebook *casebook = judge->surroundings.casebook;
    const char *only = NULL;
    uint32_t failed = 0, with_trait = 0, known = 0;
    for (unsigned pass = 0; pass < 2 && (pass == 0 || only); pass++)
        for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
            bool in_trouble = judge_in_trouble(judge, i);
            if (in_trouble != (pass == 0))
                continue;
            const struct conversation *c = casebook_conversation(casebook, i);
            const char *trait = c->tds && !c->secondary ? trait_of(c->tds) : NULL;
            if (!trait)
                continue;
            only = only ? only : trait;
            bool same = strcmp(trait, only) == 0;
            if (in_trouble && !same)
                return NULL;
            failed += in_trouble;
            with_trait += same;
            known++;
        }
    double chance = failed ? 1 : COMMON_BY_CHANCE;
    for (uint32_t i = 0; i < failed; i++)
        chance *= (double)(with_trait - i) / (double)(known - i);
    return chance < COMMON_BY_CHANCE ? only : NULL;
}

static int compare_bursts(const void *left, const void *right)
{
    const struct failure_burst *a = left, *b = right;
    return (a->first_ns > b->first_ns) - (a->first_ns < b->first_ns);
}

/* The first burst that begins after time_ns. */
static uint32_t burst_after(const struct failure_burst *bursts, uint32_t count, int64_t time_ns)
{
    const struct failure_burst later = {.first_ns = time_ns + 1};
    return sorted_place(&later, bursts, count, sizeof *bursts, compare_bursts);
}

/* When every attempt fails, the failures have the attempts' intervals, which say nothing of the fault. */
static bool worked_between(const struct judge *judge, const struct failure_burst *bursts, uint32_t count)
{
    const struct casebook *casebook = judge->surroundings.casebook;
    int32_t *begins = memory_take_array(
        count + 1u, sizeof *begins); /* of healthy conversations, minus ends, by time between bursts */
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        if (judge_in_trouble(judge, i))
            continue;
        const struct conversation *c = casebook_conversation(casebook, i);
        if (c->secondary || !signs_of_login_done(c))
            continue;
        begins[burst_after(bursts, count, casebook_common_ns(casebook, c->point, c->first.time_ns))]++;
        uint32_t end = burst_after(bursts, count, casebook_common_ns(casebook, c->point, c->last.time_ns));
        if (end < count)
            begins[end + 1]--;
    }
    uint32_t worked = 0;
    int32_t open = begins[0];
    for (uint32_t i = 1; i < count; i++)
        worked += (open += begins[i]) > 0;
    memory_give(begins);
    return worked * 100ULL >= (count - 1) * (uint64_t)WORKED_PERCENT;
}

static void look_at_times(const struct judge *judge, bool all, struct failures *failures,
                          struct failure_pattern *pattern)
{
    qsort(failures->list, failures->count, sizeof *failures->list, compare_times);
    int64_t *times_ns = memory_take_array(failures->count, sizeof *times_ns);
    struct failure_burst *bursts = memory_take_array(failures->count, sizeof *bursts);
    for (uint32_t i = 0; i < failures->count; i++)
        times_ns[i] = failures->list[i].time_ns;
    pattern->first_ns = times_ns[0];
    pattern->last_ns = times_ns[failures->count - 1];
    pattern->burst_count = failure_times_gather(times_ns, failures->count, bursts);
    failure_times_test(bursts, pattern->burst_count, pattern);
    pattern->worked_known = all && pattern->periodic;
    pattern->worked_between = pattern->worked_known && worked_between(judge, bursts, pattern->burst_count);
    for (uint32_t i = 0; i < pattern->burst_count && i < BURSTS_LISTED; i++)
        pattern->bursts[i] = bursts[i];
    memory_give(bursts);
    memory_give(times_ns);
}

static void look_at_others(const struct judge *judge, struct failures *failures, struct failure_pattern *pattern)
{
    pattern->spared_clients = count_spared(judge, failures);
    pattern->application = only_of(judge, application_of);
    pattern->library = only_of(judge, library_of);
}

static void say_who(struct text *text, const struct failure_pattern *pattern)
{
    char client[ADDRESS_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], all[COUNT_TEXT_SIZE];
    if (pattern->failures == 2)
        snprintf(all, sizeof all, "Both failures%s", pattern->several_causes ? ", whatever their cause," : "");
    else
        snprintf(all, sizeof all, "The %" PRIu32 " failures%s", pattern->failures,
                 pattern->several_causes ? ", whatever their cause," : "");
    if (pattern->clients == 1)
        text_format(text, "%s are of one client, %s", all, address_text(&pattern->client, client));
    else
        text_format(text, "%s are of %" PRIu32 " clients", all, pattern->clients);
    if (pattern->servers == 1)
        text_format(text, ", with one server, %s", endpoint_text(&pattern->server, server));
    else
        text_format(text, ", with %" PRIu32 " servers", pattern->servers);
    if (pattern->spared_clients > 0)
        text_format(text, "; %s worked there without one", count_words(pattern->spared_clients, "other client").text);
    text_add(text, ".");
    if (pattern->application)
        text_format(text, " All of them whose login could be read are of the application %s, hardly by chance.",
                    pattern->application);
    if (pattern->library)
        text_format(text, " All of them whose login could be read use the driver %s, hardly by chance.",
                    pattern->library);
}

static void add_duration(struct text *text, int64_t ns)
{
    double duration_s = seconds(ns);
    if (duration_s < 120)
        text_format(text, "%.1f s", duration_s);
    else if (duration_s < 7200)
        text_format(text, "%.1f min", duration_s / 60);
    else
        text_format(text, "%.2f h", duration_s / 3600);
}

static void say_period(struct text *text, const struct failure_pattern *pattern)
{
    text_add(text, pattern->burst_count < pattern->failures ? " They come in bursts every " : " They come every ");
    add_duration(text, pattern->period_ns);
    text_format(text, " (%" PRIu32 " times, within ", pattern->burst_count);
    add_duration(text, pattern->off_most_ns);
    if (pattern->p_value < 1e-6)
        text_add(text, "; by chance p < 0.000001)");
    else
        text_format(text, "; by chance p = %.6f)", pattern->p_value);
    if (!pattern->worked_known)
        text_add(text, ".");
    else
        text_add(text, pattern->worked_between
                           ? ": look for what runs at that interval."
                           : ", but little worked between: that may be no more than the pace of the attempts.");
}

static void say_when(struct text *text, const struct failure_pattern *pattern, int64_t captured_ns)
{
    int64_t span_ns = pattern->last_ns - pattern->first_ns;
    if (pattern->periodic) {
        say_period(text, pattern);
    } else if (pattern->p_value < 1) {
        text_format(text, " They come at irregular times, in %" PRIu32 " bursts.", pattern->burst_count);
    } else if ((double)span_ns <= TOGETHER_SHARE * (double)captured_ns) {
        text_add(text, span_ns < TOLD_NS ? " They lie together, within a tenth of a second" : " They lie within ");
        if (span_ns >= TOLD_NS)
            add_duration(text, span_ns);
        text_add(text, " of the ");
        add_duration(text, captured_ns);
        text_add(text, " that were captured.");
    } else if (pattern->burst_count > 1) {
        text_format(text, " They lie at %" PRIu32 " times, more than 5 s apart.", pattern->burst_count);
    }
}

static int64_t captured_ns(const struct casebook *casebook)
{
    int64_t longest_ns = 0;
    for (uint32_t i = 0; i < casebook->point_count; i++)
        if (casebook->points[i].has_packets && casebook->points[i].last_ns - casebook->points[i].first_ns > longest_ns)
            longest_ns = casebook->points[i].last_ns - casebook->points[i].first_ns;
    return longest_ns;
}

bool failure_pattern_of(const struct judge *judge, const struct finding *finding, struct failure_pattern *pattern)
{
    struct failures failures;
    *pattern = (struct failure_pattern){.p_value = 1};
    gather(judge, finding, &failures, pattern);
    pattern->failures = failures.count;
    if (failures.count >= 2) {
        struct text text = {0};
        pattern->clients = count_distinct(&failures, compare_clients);
        pattern->servers = count_distinct(&failures, compare_servers);
        if (pattern->clients == 1)
            pattern->client = failures.list[0].client;
        if (pattern->servers == 1)
            pattern->server = failures.list[0].server;
        if (!finding)
            look_at_others(judge, &failures, pattern);
        look_at_times(judge, !finding, &failures, pattern);
        say_who(&text, pattern);
        say_when(&text, pattern, captured_ns(judge->surroundings.casebook));
        snprintf(pattern->says, sizeof pattern->says, "%s", text_string(&text));
        text_close(&text);
    }
    memory_give(failures.list);
    return failures.count >= 2;
}
