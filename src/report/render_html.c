/* The report as one page of HTML, to be sent and printed: the verdict first, as in text; no script, nothing from elsewhere. */
#include <inttypes.h>

#include "capture_notes.h"
#include "count_words.h"
#include "fact_names.h"
#include "failure_pattern.h"
#include "html_layout.h"
#include "memory.h"
#include "report_choices.h"
#include "settling.h"
#include "text.h"
#include "text_layout.h"
#include "wireshark_filter.h"

/* So many rows are more than anybody reads; --format csv has all. */
enum { ROWS_MOST = 1000 };

static void put_heading(const char *title, struct sink *sink)
{
    sink_format(sink, "<h2>%s</h2>\n", title);
}

static void put_verdict(const struct judge *judge, const struct finding *blamed, struct sink *sink)
{
    const struct verdict *verdict = &judge->verdict;
    sink_format(sink, "<h1 class=\"%s\">",
                verdict_is_of_risk(verdict, blamed) ? "risk" : culprit_names[verdict->culprit]);
    html_put(verdict_headline(verdict, blamed), sink);
    sink_put(sink, "</h1>\n");
    html_put_paragraph(verdict->summary, sink);
    struct failure_pattern pattern;
    if (failure_pattern_of(judge, NULL, &pattern))
        html_put_paragraph(pattern.says, sink);
    if (blamed)
        sink_format(sink, "<p>%s: <code>%s</code>. Confidence: %s (%.0f %%).</p>\n",
                    verdict->culprit == CULPRIT_UNKNOWN ? "Pattern" : "Cause", verdict->cause,
                    confidence_words(verdict->confidence), verdict->confidence * 100);
}

/* What the evidence lacks, and what nobody can say therefore. */
static void put_limits(const struct judge *judge, struct sink *sink)
{
    bool any = false;
    for (uint32_t i = 0; i < judge->finding_count && !sink->failed; i++) {
        const struct finding *finding = &judge->findings[i];
        if (!finding->hides)
            continue;
        if (!any)
            put_heading("Limits of this evidence", sink);
        any = true;
        struct text sentence = {0};
        text_format(&sentence, "%s %s", finding->example.says, finding->hides);
        html_put_paragraph(text_string(&sentence), sink);
        text_close(&sentence);
    }
}

static void put_file_of(const struct casebook *casebook, const struct moment *moment, struct sink *sink)
{
    if (moment_is_in_source(moment))
        html_put_untrusted(evidence_source_of(&casebook->evidence, moment)->file, sink);
    else if (moment->capture < casebook->capture_count)
        html_put_untrusted(casebook->captures[moment->capture].file, sink);
}

static void put_proof(const struct casebook *casebook, const struct proof *proof, struct sink *sink)
{
    char instant[CLOCK_TEXT_SIZE] = "";
    const struct moment *moment = &proof->moment;
    if (!moment_is_in_source(moment) || moment->time_ns != 0)
        layout_instant(sink, moment->time_ns, instant);
    sink_put(sink, "<tr><td>");
    put_file_of(casebook, moment, sink);
    sink_format(sink, "</td><td class=\"n\">%s %" PRIu32 "</td><td class=\"n\">%s</td><td>",
                moment_unit(casebook, moment), moment->frame, instant);
    html_put_words(proof->says, sink);
    sink_put(sink, "</td></tr>\n");
}

static void put_proofs(const struct casebook *casebook, const struct judgement *judgement, struct sink *sink)
{
    struct proof proofs[PROOFS_MAX];
    if (judgement->proof_count == 0)
        return;
    proofs_in_order(casebook, judgement, proofs);
    sink_put(sink, "<table>\n<tr><th>File</th><th>Where</th><th>When</th><th>What it shows</th></tr>\n");
    for (unsigned i = 0; i < judgement->proof_count; i++)
        put_proof(casebook, &proofs[i], sink);
    sink_put(sink, "</table>\n");
}

static void put_filter(const struct conversation *conversation, bool only_this, struct sink *sink)
{
    char filter[WIRESHARK_FILTER_SIZE];
    sink_put(sink, "<code>");
    html_put(wireshark_conversation_filter(conversation, only_this, filter), sink);
    sink_put(sink, "</code>");
}

static void put_reasons(const struct report *report, const struct finding *finding, struct sink *sink)
{
    put_heading("Why", sink);
    html_put_paragraph(finding->example.says, sink);
    if (!finding->surveyed && finding->conversation_count > 0) {
        sink_format(sink, "<p class=\"faint\">Conversation %" PRIu32 "; in Wireshark: ", finding->example_conversation);
        put_filter(casebook_conversation(report->casebook, finding->example_conversation - 1), false, sink);
        sink_put(sink, "</p>\n");
    }
    put_proofs(report->casebook, &finding->example, sink);
    html_put_paragraph(finding->detector->means, sink);
}

static void put_advice(const struct report *report, const struct finding *finding, struct sink *sink)
{
    const char *const *actions = finding->detector->actions;
    bool any = false;
    for (unsigned i = 0; actions && actions[i]; i++) {
        if (settling_is_done(report->judge, finding, actions[i]))
            continue;
        if (!any) {
            put_heading("What to do next", sink);
            sink_put(sink, "<ol>\n");
        }
        any = true;
        sink_put(sink, "<li>");
        html_put_words(actions[i], sink);
        sink_put(sink, "</li>\n");
    }
    sink_put(sink, any ? "</ol>\n" : "");
    if (!finding->example.would_settle)
        return;
    put_heading("What would settle it", sink);
    html_put_paragraph(finding->example.would_settle, sink);
}

static void put_other_findings(const struct judge *judge, const struct finding *told, struct sink *sink)
{
    bool any = false;
    for (uint32_t i = 0, rows = 0; i < judge->finding_count && rows < ROWS_MOST && !sink->failed; i++) {
        const struct finding *finding = &judge->findings[i];
        if (finding == told || finding->hides || !finding_is_told(finding))
            continue;
        if (!any) {
            put_heading("Other findings", sink);
            sink_put(sink, "<table>\n<tr><th>Cause</th><th>Severity</th><th>Sure</th><th>Conversations</th><th>What it "
                           "is</th></tr>\n");
        }
        any = true;
        rows++;
        sink_format(
            sink,
            "<tr><td><code>%s</code></td><td>%s</td><td class=\"n\">%.0f %%</td><td class=\"n\">%" PRIu32 "</td><td>",
            finding->detector->cause, severity_name(finding->severity), finding->confidence * 100, finding->concerned);
        html_put_words(finding->example.says[0] ? finding->example.says : finding->detector->title, sink);
        sink_put(sink, "</td></tr>\n");
    }
    sink_put(sink, any ? "</table>\n" : "");
}

static void put_conversation(const struct report *report, const struct reused_tuples *reused,
                             const struct conversation *conversation, struct sink *sink)
{
    struct judgement judgement;
    char client[ENDPOINT_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], instant[CLOCK_TEXT_SIZE], lasted[QUANTITY_TEXT_SIZE];
    judge_conversation(report->judge, conversation, &judgement);
    sink_format(sink, "<tr><td class=\"n\">%" PRIu32 "</td><td>%s &rarr; %s<br>", conversation->id,
                endpoint_text(&conversation->ends[SIDE_CLIENT], client),
                endpoint_text(&conversation->ends[SIDE_SERVER], server));
    put_filter(conversation, reused_tuples_have(reused, conversation), sink);
    sink_format(sink,
                "</td><td class=\"n\">%s<br>%s</td><td><code>%s</code><br>%s, %.0f %%</td><td>%s<br>%s</td></tr>\n",
                layout_instant(sink, conversation->first.time_ns, instant),
                layout_duration(conversation->last.time_ns - conversation->first.time_ns, lasted),
                judgement.detector->cause, culprit_names[judgement.culprit], judgement.confidence * 100,
                login_stage_name(conversation_login_stage(conversation)), ending_name(conversation->ending));
}

/* chosen: whether a conversation is to be in the table. */
static void put_conversations(const struct report *report, bool only_troubled, struct sink *sink)
{
    const struct casebook *casebook = report->casebook;
    struct reused_tuples reused;
    uint32_t rows = 0, more = 0;
    reused_tuples_open(&reused, casebook, report->judge->surroundings.reused_tuples);
    sink_put(sink, "<table>\n<tr><th>No.</th><th>Client and server</th><th>Begin, "
                   "duration</th><th>Cause</th><th>Login, end</th></tr>\n");
    for (uint32_t number = 0; number < casebook_conversations(casebook) && !sink->failed; number++) {
        const struct conversation *conversation = casebook_conversation(casebook, number);
        if (conversation->secondary || (only_troubled && !judge_in_trouble(report->judge, number)))
            continue;
        if (rows++ < ROWS_MOST)
            put_conversation(report, &reused, conversation, sink);
        else
            more++;
    }
    sink_put(sink, "</table>\n");
    reused_tuples_close(&reused);
    if (more > 0)
        sink_format(sink, "<p>And %" PRIu32 " more: <code>tdscope --format csv</code> has all.</p>\n", more);
}

static void put_troubles(const struct report *report, struct sink *sink)
{
    struct conversation_tally tally = tally_conversations(report);
    uint32_t all = casebook_connections(report->casebook);
    if (tally.troubled > 0) {
        put_heading("Conversations in trouble", sink);
        put_conversations(report, true, sink);
    }
    if (all == 0 || report->judge->verdict.other_services)
        return;
    sink_format(sink, "<p>%" PRIu32 " of %s healthy.", tally.healthy, count_words(all, "conversation").text);
    if (tally.at_risk > 0)
        sink_format(sink, " Risks: %" PRIu32 ".", tally.at_risk);
    if (tally.unjudged > 0)
        sink_format(sink, " Not judged: %" PRIu32 ".", tally.unjudged);
    sink_put(sink, "</p>\n");
}

static void put_note(void *context, const char *sentence)
{
    struct sink *sink = context;
    sink_put(sink, "<li>");
    html_put_words(sentence, sink);
    sink_put(sink, "</li>\n");
}

static void put_capture(const struct casebook *casebook, const struct capture_facts *capture, struct sink *sink)
{
    char bytes[QUANTITY_TEXT_SIZE], first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];
    enum capture_role role = capture_role_told(casebook, capture);
    sink_put(sink, "<p>");
    html_put_untrusted(capture->file, sink);
    sink_format(sink, "<br><span class=\"faint\">%s, taken at: %s; %s, %s", capture->format ? capture->format : "",
                capture_role_name(role), count_words(capture->packets, "packet").text,
                layout_bytes(capture->wire_bytes, bytes));
    if (capture->packets > 0)
        sink_format(sink, "; %s to %s", layout_instant(sink, capture->first_ns, first),
                    layout_instant(sink, capture->last_ns, last));
    sink_put(sink, "</span></p>\n<ul>\n");
    capture_notes_each(capture, put_note, sink);
    sink_put(sink, "</ul>\n");
}

static void put_source(const struct source_facts *source, struct sink *sink)
{
    sink_put(sink, "<p>");
    html_put_untrusted(source->file, sink);
    sink_format(sink, "<br><span class=\"faint\">%s; records that matter here: %" PRIu64 "</span></p>\n<ul>\n",
                source_kind_name(source->kind), source->records);
    source_notes_each(source, put_note, sink);
    sink_put(sink, "</ul>\n");
}

static void put_evidence(const struct casebook *casebook, struct sink *sink)
{
    if (casebook->capture_count > 0)
        put_heading("Captures", sink);
    for (uint32_t i = 0; i < casebook->capture_count && !sink->failed; i++)
        put_capture(casebook, &casebook->captures[i], sink);
    if (casebook->evidence.source_count > 0)
        put_heading("Other evidence", sink);
    for (uint32_t i = 0; i < casebook->evidence.source_count && !sink->failed; i++)
        put_source(&casebook->evidence.sources[i], sink);
    if (casebook->unread.count == 0)
        return;
    put_heading("Not read", sink);
    sink_put(sink, "<ul>\n");
    notes_each(&casebook->unread, put_note, sink);
    sink_put(sink, "</ul>\n");
}

static void put_workflow(const struct judge *judge, struct sink *sink)
{
    struct workflow_step *steps = memory_take_array(WORKFLOW_STEPS_MAX, sizeof *steps);
    uint32_t count = judge_workflow(judge, steps, WORKFLOW_STEPS_MAX);
    put_heading("Steps of the troubleshooting article", sink);
    sink_put(sink, "<table>\n<tr><th>Step</th><th>What</th><th>State</th><th></th></tr>\n");
    for (uint32_t i = 0; i < count && i < WORKFLOW_STEPS_MAX; i++) {
        sink_format(sink, "<tr><td class=\"n\">%s</td><td>", steps[i].step);
        html_put_words(steps[i].title, sink);
        sink_format(sink, "</td><td>%s</td><td>", workflow_state_name(steps[i].state));
        html_put_words(steps[i].says, sink);
        sink_put(sink, "</td></tr>\n");
    }
    sink_put(sink, "</table>\n");
    memory_give(steps);
}

static void write_diagnosis(const struct report *report, struct sink *sink)
{
    const struct judge *judge = report->judge;
    const struct finding *finding = finding_of_verdict(judge);
    const struct finding *blamed = finding && finding_is_told(finding) ? finding : NULL;
    html_begin(verdict_headline(&judge->verdict, blamed), sink);
    put_verdict(judge, blamed, sink);
    put_limits(judge, sink);
    if (blamed) {
        put_reasons(report, blamed, sink);
        put_advice(report, blamed, sink);
    }
    put_other_findings(judge, finding, sink);
    put_troubles(report, sink);
    put_evidence(report->casebook, sink);
    put_workflow(judge, sink);
    sink_format(sink, "<p class=\"faint\">tdscope %s</p>\n", report->version);
    html_end(sink);
}

static void write_conversations(const struct report *report, struct sink *sink)
{
    html_begin("Conversations", sink);
    put_conversations(report, false, sink);
    html_end(sink);
}

const struct renderer render_html = {
    .name = "html",
    .diagnosis = write_diagnosis,
    .conversations = write_conversations,
};
