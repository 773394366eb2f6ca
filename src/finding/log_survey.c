/*
 * Joins logs of servers with connections in trouble, by time.
 *
 * Theory of operation: SQL Server tells of a stall while it lasts or when it is over, I/O of 15 seconds at most every five minutes, so
 * a minute to either side is near. How much of the captured time lies so near to a record is the probability that a failure
 * would by chance: where it is most of the time, the log proves less.
 */
#include "log_survey.h"

#include <stdlib.h>
#include <string.h>

#include "count_words.h"
#include "finding_list.h"
#include "memory.h"
#include "sorted.h"

/* Where a server is waited for that lacks threads, memory or its disks. */
static const char *const waits_for_server[] = {
    "server.login-stalled", "server.login-late",      "server.slow-response",          "server.query-timeout",
    "server.backlog-full",  "server.closed-in-login", "server.slow-domain-controller",
};

struct placed_record {
    int64_t time_ns; /* on the common clock */
    const struct log_record *record;
};

/* The records of one source that count, in order of time. */
struct log_span {
    const struct log_question *question;
    const struct casebook *casebook;
    uint32_t source;
    struct placed_record *list;
    uint32_t count;
    uint32_t waiting; /* connections near to one of them */
    bool several;     /* the captures hold more than one SQL Server */
    bool open;        /* so whether it is the log of their server is not known */
};

static int compare_records(const void *left, const void *right)
{
    const struct placed_record *a = left, *b = right;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return (a->record->at.frame > b->record->at.frame) - (a->record->at.frame < b->record->at.frame);
}

/* Sources are read one after the other, so the records of one stand together. */
static uint32_t first_of_source(const struct evidence *evidence, uint32_t source)
{
    uint32_t low = 0, high = evidence->log.in_use;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (moment_source(&evidence_log(evidence, middle)->at) < source)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void gather(struct log_span *span)
{
    const struct evidence *evidence = &span->casebook->evidence;
    uint32_t first = first_of_source(evidence, span->source), end = first_of_source(evidence, span->source + 1);
    span->list = memory_take_array((size_t)(end - first) + 1, sizeof *span->list);
    for (uint32_t i = first; i < end; i++) {
        const struct log_record *record = evidence_log(evidence, i);
        if (span->question->counts(record))
            span->list[span->count++] = (struct placed_record){casebook_moment_ns(span->casebook, &record->at), record};
    }
    qsort(span->list, span->count, sizeof *span->list, compare_records);
}

/* Whether the record lies before that time. */
static int compare_time(const void *record, const void *time_ns)
{
    return ((const struct placed_record *)record)->time_ns < *(const int64_t *)time_ns ? -1 : 1;
}

/* The first record that is near to the connection's life; NULL: none. */
static const struct log_record *near_record(const struct log_span *span, int64_t from_ns, int64_t to_ns)
{
    int64_t earliest_ns = from_ns - LOG_NEAR_NS;
    uint32_t at = sorted_place(&earliest_ns, span->list, span->count, sizeof *span->list, compare_time);
    return at < span->count && span->list[at].time_ns <= to_ns + LOG_NEAR_NS ? span->list[at].record : NULL;
}

static bool waits(const struct survey *survey, uint32_t number)
{
    const char *cause = detectors[survey->judge->marks[number].detector]->cause;
    for (size_t i = 0; i < sizeof waits_for_server / sizeof *waits_for_server; i++)
        if (strcmp(cause, waits_for_server[i]) == 0)
            return true;
    return false;
}

/* What a log says of its machine: it speaks of no other server. */
struct log_machine {
    bool has_addresses, has_ports;
    bool same_address, same_port; /* as the server of the connection */
};

static struct log_machine compare_machine(const struct casebook *casebook, uint32_t source,
                                          const struct conversation *c)
{
    const struct evidence *evidence = &casebook->evidence;
    /* Behind address translation they are what its own capture shows. */
    struct endpoint here = c->ends[SIDE_SERVER], there = here;
    if (c->twin)
        there = casebook_conversation(casebook, c->twin - 1)->ends[SIDE_SERVER];
    struct log_machine machine = {.has_addresses = false};
    for (uint32_t i = 0; i < evidence->addresses.in_use; i++) {
        const struct machine_address *own = slab_at(&evidence->addresses, i);
        if (own->source != source)
            continue;
        machine.has_addresses = true;
        machine.same_address = machine.same_address || address_equal(&own->address, &here.address) ||
                               address_equal(&own->address, &there.address);
    }
    for (uint32_t i = 0; i < evidence->settings.in_use; i++) {
        const struct setting_record *setting = evidence_setting(evidence, i);
        if (setting->setting != SETTING_SQL_PORT || moment_source(&setting->at) != source)
            continue;
        machine.has_ports = true;
        machine.same_port = machine.same_port || setting->value == here.port || setting->value == there.port;
    }
    return machine;
}

static bool is_of_server(const struct log_machine *machine)
{
    return (machine->same_address || !machine->has_addresses) && (machine->same_port || !machine->has_ports);
}

/* The captures hold connections of more than one SQL Server. */
static bool several_servers(const struct casebook *casebook)
{
    struct endpoint first = {.port = 0};
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (c->secondary || !c->tds)
            continue;
        if (first.port != 0 && !endpoint_equal(&first, &c->ends[SIDE_SERVER]))
            return true;
        first = c->ends[SIDE_SERVER];
    }
    return false;
}

/* Percent of the captured time that is near to a record. */
static double share_near(const struct log_span *span)
{
    int64_t first_ns = INT64_MAX, last_ns = INT64_MIN, near_ns = 0, until_ns = INT64_MIN;
    const struct casebook *casebook = span->casebook;
    for (uint32_t i = 0; i < casebook->point_count; i++)
        if (casebook->points[i].has_packets) {
            int64_t begin_ns = casebook_common_ns(casebook, i, casebook->points[i].first_ns);
            int64_t end_ns = casebook_common_ns(casebook, i, casebook->points[i].last_ns);
            first_ns = begin_ns < first_ns ? begin_ns : first_ns;
            last_ns = end_ns > last_ns ? end_ns : last_ns;
        }
    for (uint32_t i = 0; i < span->count; i++) {
        int64_t from_ns = span->list[i].time_ns - LOG_NEAR_NS, to_ns = span->list[i].time_ns + LOG_NEAR_NS;
        from_ns = from_ns < first_ns ? first_ns : from_ns;
        from_ns = from_ns < until_ns ? until_ns : from_ns;
        to_ns = to_ns > last_ns ? last_ns : to_ns;
        near_ns += to_ns > from_ns ? to_ns - from_ns : 0;
        until_ns = to_ns > until_ns ? to_ns : until_ns;
    }
    return first_ns < last_ns ? 100.0 * (double)near_ns / (double)(last_ns - first_ns) : 100;
}

static void concern_waiting(struct survey *survey, struct log_span *span, struct finding *finding)
{
    const struct casebook *casebook = span->casebook;
    for (uint32_t number = 0; number < casebook_conversations(casebook); number++) {
        if (!waits(survey, number))
            continue;
        const struct conversation *c = casebook_conversation(casebook, number);
        const struct log_record *near =
            near_record(span, casebook_moment_ns(casebook, &c->first), casebook_moment_ns(casebook, &c->last));
        if (c->secondary || !near || (span->question->concerns && !span->question->concerns(c)))
            continue;
        struct moment first = c->first;
        struct endpoint server = c->ends[SIDE_SERVER];
        struct log_machine machine = compare_machine(casebook, span->source, c);
        if (!is_of_server(&machine))
            continue;
        span->open = span->open || (!machine.has_addresses && span->several);
        finding->explained += judge_in_trouble(survey->judge, number);
        if (span->waiting++ == 0) {
            finding->server = server;
            judgement_prove(&finding->example, &first, "a connection that waits for the server begins");
            judgement_prove(&finding->example, &near->at, "%s", span->question->one);
        }
        survey_concern(finding, casebook_conversation(casebook, number));
    }
}

static void conclude(const struct log_span *span, struct finding *finding)
{
    const struct source_facts *source = &span->casebook->evidence.sources[span->source];
    const char *words = span->count == 1 ? span->question->one : span->question->several;
    bool placed = source->zone != ZONE_OPEN && !span->open;
    finding->severity = finding->explained > 0 && placed ? SEVERITY_FAULT : SEVERITY_RISK;
    finding->example.confidence = !placed ? 0.5 : span->waiting > 0 && share_near(span) > 50 ? 0.7 : 0.9;
    finding_measure(finding, "records", span->count);
    finding_measure(finding, "captured_time_near_percent", share_near(span));
    if (span->waiting > 0)
        judgement_say(&finding->example,
                      "The server's log has %u %s, and %s waited for the server within a minute of one.", span->count,
                      words, count_words(span->waiting, "connection").text);
    else
        judgement_say(&finding->example,
                      "The server's log has %u %s, but no captured connection waited for the server within a minute.",
                      span->count, words);
    if (source->zone == ZONE_OPEN)
        judgement_say_more(&finding->example, "The log names no time zone, so whether it was at that time is open.");
    if (span->open)
        judgement_say_more(&finding->example,
                           "The captures hold several servers, and the log does not say whose it is.");
    if (!placed)
        finding->explained = 0;
}

void log_survey_server(struct survey *survey, const struct log_question *question)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    bool several = casebook->evidence.log.in_use > 0 && several_servers(casebook);
    for (uint32_t i = 0; i < casebook->evidence.source_count; i++) {
        struct log_span span = {.question = question, .casebook = casebook, .source = i, .several = several};
        if (casebook->evidence.sources[i].role != CAPTURE_ROLE_SERVER)
            continue;
        gather(&span);
        if (span.count > 0) {
            struct finding *finding = survey_add(survey, question->scope);
            concern_waiting(survey, &span, finding);
            if (span.waiting == 0)
                judgement_prove(&finding->example, &span.list[0].record->at, "%s", question->one);
            conclude(&span, finding);
        }
        memory_give(span.list);
    }
}
