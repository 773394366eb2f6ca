/* The JSON report (schema tdscope/1). One conversation is built, written and freed at a time, so memory does not follow
 * their number. */
#include <inttypes.h>

#include "capture_notes.h"
#include "fact_names.h"
#include "json_around.h"
#include "json_clocks.h"
#include "json_conversation.h"
#include "json_explanation.h"
#include "json_packets.h"
#include "json_pattern.h"
#include "json_servers.h"
#include "json_sources.h"
#include "memory.h"
#include "report_choices.h"
#include "settling.h"

static void add_sentence(void *array, const char *sentence)
{
    array_add_text(array, sentence);
}

static json_t *verdict_object(const struct judge *judge)
{
    const struct verdict *verdict = &judge->verdict;
    json_t *object = json_new_object();
    object_add_text(object, "culprit", culprit_names[verdict->culprit]);
    object_add_text(object, "cause", verdict->cause);
    object_add_confidence(object, verdict->confidence);
    object_add_text(object, "summary", verdict->summary);
    object_add_pattern(object, judge, NULL);
    return object;
}

static json_t *capture_object(const struct casebook *casebook, const struct capture_facts *capture)
{
    enum capture_role role = capture_role_told(casebook, capture);
    json_t *object = json_new_object();
    object_add_text(object, "file", capture->file);
    object_add_text(object, "format", capture->format);
    object_add_text(object, "role", capture_role_name(role));
    object_add_count(object, "packets", capture->packets);
    object_add_count(object, "bytes", capture->wire_bytes);
    if (capture->packets > 0) {
        object_add_time(object, "first", capture->first_ns);
        object_add_time(object, "last", capture->last_ns);
    }
    if (capture->dropped_known)
        object_add_count(object, "dropped_by_capture", capture->dropped_by_capture);
    if (capture->longest_cut > 0)
        object_add_count(object, "truncated_to", capture->longest_cut);
    json_t *notes = json_new_array();
    capture_notes_each(capture, add_sentence, notes);
    object_add(object, "notes", notes);
    return object;
}

static json_t *subject_object(const struct finding *finding)
{
    json_t *subject = json_new_object();
    if (finding->server.address.version != 0)
        object_add(subject, "server", json_endpoint(&finding->server));
    if (finding->client.version != 0) {
        char address[ADDRESS_TEXT_SIZE];
        json_t *client = json_new_object();
        object_add_text(client, "address", address_text(&finding->client, address));
        object_add(subject, "client", client);
    }
    if (finding->scope == SCOPE_CAPTURE)
        object_add_count(subject, "capture", finding->capture);
    if (finding->scope == SCOPE_HOST) {
        char address[ADDRESS_TEXT_SIZE];
        object_add_text(subject, "machine", finding->machine);
        object_add_text(subject, "address", address_text(&finding->machine_address, address));
        object_add_count(subject, "source", finding->source);
    }
    return subject;
}

static json_t *measures_object(const struct finding *finding)
{
    json_t *measures = json_new_object();
    for (unsigned i = 0; i < finding->measure_count; i++) {
        double value = finding->measures[i].value;
        bool whole = value == (double)(int64_t)value;
        object_add(measures, finding->measures[i].name, whole ? json_integer((json_int_t)value) : json_real(value));
    }
    return measures;
}

/* All of a finding but the ids of its conversations, which may be very many. */
static json_t *finding_object(const struct judge *judge, const struct finding *finding)
{
    const struct detector *detector = finding->detector;
    struct text explanation = {0};
    text_format(&explanation, "%s%s%s", finding->example.says, finding->example.says[0] ? " " : "", detector->means);
    json_t *object = json_new_object();
    object_add_text(object, "cause", detector->cause);
    object_add_text(object, "scope", scope_name(finding->scope));
    object_add_text(object, "culprit", culprit_names[finding->culprit]);
    object_add_text(object, "severity", severity_name(finding->severity));
    object_add_confidence(object, finding->confidence);
    object_add_text(object, "title", detector->title);
    object_add_text(object, "explanation", text_string(&explanation));
    text_close(&explanation);
    object_add(object, "subject", subject_object(finding));
    if (finding->measure_count > 0)
        object_add(object, "measured", measures_object(finding));
    object_add_text(object, "hides", finding->hides);
    if (finding->severity == SEVERITY_FAULT && !finding->surveyed)
        object_add_pattern(object, judge, finding);
    if (finding->concerned > finding->conversation_count)
        object_add_count(object, "conversation_count", finding->concerned);
    if (finding->first_ns <= finding->last_ns) {
        object_add_time(object, "first", finding->first_ns);
        object_add_time(object, "last", finding->last_ns);
    }
    object_add_proofs(object, &finding->example);
    json_t *actions = json_new_array();
    for (const char *const *action = detector->actions; action && *action; action++)
        if (!settling_is_done(judge, finding, *action))
            array_add_text(actions, *action);
    object_add(object, "actions", actions);
    object_add_text(object, "would_settle", finding->example.would_settle);
    return object;
}

static void write_finding(const struct judge *judge, const struct finding *finding, struct sink *sink)
{
    sink_put(sink, "{");
    json_write(finding_object(judge, finding), true, sink);
    sink_put(sink, ",\"conversations\":[");
    for (uint32_t i = 0; i < finding->conversation_count && !sink->failed; i++)
        sink_format(sink, "%s%" PRIu32, i ? "," : "", finding->conversations[i]);
    sink_put(sink, "]}");
}

static void write_conversations(const struct report *report, const char *between, struct sink *sink)
{
    const struct casebook *casebook = report->casebook;
    struct reused_tuples reused;
    reused_tuples_open(&reused, report->casebook, report->judge->surroundings.reused_tuples);
    const char *separator = "";
    for (uint32_t number = 0; number < casebook_conversations(casebook) && !sink->failed; number++) {
        const struct conversation *conversation = casebook_conversation(casebook, number);
        if (conversation->secondary)
            continue;
        sink_put(sink, separator);
        separator = between;
        json_write(json_conversation(report, &reused, conversation), false, sink);
    }
    if (casebook_conversations(casebook) > 0)
        sink_put(sink, "\n");
    reused_tuples_close(&reused);
}

static void write_workflow(const struct judge *judge, struct sink *sink)
{
    struct workflow_step *steps = memory_take_array(WORKFLOW_STEPS_MAX, sizeof *steps);
    uint32_t count = judge_workflow(judge, steps, WORKFLOW_STEPS_MAX);
    for (uint32_t i = 0; i < count && i < WORKFLOW_STEPS_MAX; i++) {
        json_t *object = json_new_object();
        object_add_text(object, "step", steps[i].step);
        object_add_text(object, "title", steps[i].title);
        object_add_text(object, "state", workflow_state_name(steps[i].state));
        object_add_text(object, "says", steps[i].says);
        sink_put(sink, i ? ",\n" : "");
        json_write(object, false, sink);
    }
    memory_give(steps);
}

static void write_unread(const struct notes *unread, struct sink *sink)
{
    if (unread->count == 0)
        return;
    json_t *sentences = json_new_array();
    notes_each(unread, add_sentence, sentences);
    sink_put(sink, "\"unread\":");
    json_write(sentences, false, sink);
    sink_put(sink, ",\n");
}

static void write_thresholds(const struct thresholds *thresholds, struct sink *sink)
{
    struct changed_threshold changed[THRESHOLDS];
    unsigned count = thresholds_changed(thresholds, changed);
    if (count == 0)
        return;
    json_t *object = json_new_object();
    for (unsigned i = 0; i < count; i++)
        object_add(object, changed[i].name, json_real(changed[i].value));
    sink_put(sink, "\"thresholds\":");
    json_write(object, false, sink);
    sink_put(sink, ",\n");
}

static void write_diagnosis(const struct report *report, struct sink *sink)
{
    const struct casebook *casebook = report->casebook;
    json_t *head = json_new_object();
    object_add_text(head, "schema", "tdscope/1");
    object_add(head, "verdict", verdict_object(report->judge));
    sink_put(sink, "{");
    json_write(head, true, sink);
    sink_put(sink, ",\n\"captures\":[\n");
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        sink_put(sink, i ? ",\n" : "");
        json_write(capture_object(casebook, &casebook->captures[i]), false, sink);
    }
    sink_put(sink, "\n],\n");
    json_sources(&casebook->evidence, sink);
    write_unread(&casebook->unread, sink);
    json_clocks(casebook, sink);
    write_thresholds(report->judge->surroundings.thresholds, sink);
    json_around(casebook, sink);
    json_servers(&report->judge->server_times, sink);
    sink_put(sink, "\"conversations\":[\n");
    write_conversations(report, ",\n", sink);
    sink_put(sink, "],\n\"findings\":[\n");
    for (uint32_t i = 0; i < report->judge->finding_count && !sink->failed; i++) {
        sink_put(sink, i ? ",\n" : "");
        write_finding(report->judge, &report->judge->findings[i], sink);
    }
    sink_put(sink, "\n],\n\"workflow\":[\n");
    write_workflow(report->judge, sink);
    sink_put(sink, "\n]}\n");
}

static void write_lines(const struct report *report, struct sink *sink)
{
    write_conversations(report, "\n", sink);
}

const struct renderer render_json = {
    .name = "json",
    .diagnosis = write_diagnosis,
    .conversations = write_lines,
    .packets = json_packets,
    .explanation = json_explanation,
};
