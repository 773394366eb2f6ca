/* The report for people: the verdict first, then why, what to do, and what it was made from. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capture_notes.h"
#include "count_words.h"
#include "fact_names.h"
#include "failure_pattern.h"
#include "report_choices.h"
#include "settling.h"
#include "text_around.h"
#include "text_conversations.h"
#include "text_delays.h"
#include "text_layout.h"
#include "text_matches.h"
#include "text_packets.h"
#include "text_servers.h"
#include "text_troubles.h"
#include "wireshark_filter.h"

static const enum text_colour headline_colours[] = {
    [CULPRIT_NONE] = COLOUR_GOOD,   [CULPRIT_CLIENT] = COLOUR_BAD,     [CULPRIT_SERVER] = COLOUR_BAD,
    [CULPRIT_NETWORK] = COLOUR_BAD, [CULPRIT_UNKNOWN] = COLOUR_UNSURE,
};
static_assert(sizeof headline_colours / sizeof *headline_colours == CULPRITS, "a colour for each culprit");

/* Before anything else: what the evidence lacks, and what nobody can say therefore. */
static void put_limits(const struct judge *judge, struct sink *sink)
{
    bool any = false;
    for (uint32_t i = 0; i < judge->finding_count && !sink->failed; i++) {
        const struct finding *finding = &judge->findings[i];
        if (!finding->hides)
            continue;
        if (!any)
            sink_put(sink, "Limits of this evidence\n");
        any = true;
        sink_put(sink, "  - ");
        struct text sentence = {0};
        text_format(&sentence, "%s %s", finding->example.says, finding->hides);
        layout_paragraph(sink, 4, 4, text_string(&sentence));
        text_close(&sentence);
    }
    if (any)
        sink_put(sink, "\n");
}

/* blamed: the finding that the verdict speaks of; NULL: it blames nobody. */
static void put_verdict(const struct judge *judge, const struct finding *blamed, struct sink *sink)
{
    const struct verdict *verdict = &judge->verdict;
    bool risk = verdict_is_of_risk(verdict, blamed);
    layout_colour(sink, COLOUR_STRONG);
    layout_colour(sink, risk ? COLOUR_UNSURE : headline_colours[verdict->culprit]);
    sink_put(sink, verdict_headline(verdict, blamed));
    layout_colour(sink, COLOUR_PLAIN);
    sink_put(sink, "\n");
    if (verdict->summary[0])
        layout_paragraph(sink, 0, 2, verdict->summary);
    struct failure_pattern pattern;
    if (failure_pattern_of(judge, NULL, &pattern))
        layout_paragraph(sink, 0, 2, pattern.says);
    if (!blamed)
        return;
    /* The pattern may be plain where the fault is not: then the ID is no accusation. */
    const char *label = verdict->culprit == CULPRIT_UNKNOWN ? "Pattern" : "Cause";
    sink_format(sink, "  %s: %s. Confidence: %s (%.0f %%).\n", label, verdict->cause,
                confidence_words(verdict->confidence), verdict->confidence * 100);
}

static void put_proof_place(const struct casebook *casebook, const struct moment *moment, struct sink *sink)
{
    char day[CLOCK_TEXT_SIZE], zone[CLOCK_TEXT_SIZE];
    sink_put(sink, "  ");
    if (moment_is_in_source(moment))
        layout_put_untrusted(sink, evidence_source_of(&casebook->evidence, moment)->file);
    else if (moment->capture < casebook->capture_count)
        layout_put_untrusted(sink, casebook->captures[moment->capture].file);
    if (moment_is_in_source(moment) && moment->time_ns == 0)
        sink_put(sink, ":\n");
    else
        sink_format(sink, ", %s, times in %s:\n", layout_day(sink, moment->time_ns, day), layout_zone(sink, zone));
}

static void put_proof_moment(const struct casebook *casebook, const struct moment *moment, const struct moment *first,
                             struct sink *sink)
{
    char clock[CLOCK_TEXT_SIZE];
    sink_format(sink, "    %-5s %-8" PRIu32 "  ", moment_unit(casebook, moment), moment->frame);
    if (moment_is_in_source(moment) && moment->time_ns == 0) {
        sink_format(sink, "%*s", 28, "");
        return;
    }
    int64_t since_ns = casebook_moment_ns(casebook, moment) - casebook_moment_ns(casebook, first);
    double since_s = (double)since_ns / (double)NS_PER_SECOND;
    sink_format(sink, "%s %+11.3f s  ", layout_clock(sink, moment->time_ns, clock), since_s);
}

static void put_proofs(const struct casebook *casebook, const struct judgement *judgement, struct sink *sink)
{
    enum { SAYS_COLUMN = 46 };
    struct proof proofs[PROOFS_MAX];
    proofs_in_order(casebook, judgement, proofs);
    for (unsigned i = 0; i < judgement->proof_count; i++) {
        const struct moment *moment = &proofs[i].moment;
        if (i == 0 || moment->capture != proofs[i - 1].moment.capture)
            put_proof_place(casebook, moment, sink);
        put_proof_moment(casebook, moment, &proofs[0].moment, sink);
        layout_paragraph(sink, SAYS_COLUMN, SAYS_COLUMN, proofs[i].says);
    }
}

/* Which conversation that is. One in trouble is listed with its filter below. */
static void put_example(const struct report *report, const struct finding *finding, struct sink *sink)
{
    if (finding->surveyed || finding->conversation_count == 0)
        return;
    if (finding->conversation_count > 1)
        sink_format(sink, "  This is conversation %" PRIu32 ", the clearest of %" PRIu32 " with this cause.\n",
                    finding->example_conversation, finding->conversation_count);
    else if (casebook_connections(report->casebook) > 1)
        sink_format(sink, "  This is conversation %" PRIu32 ".\n", finding->example_conversation);
    if (finding->severity == SEVERITY_FAULT)
        return;
    char filter[WIRESHARK_FILTER_SIZE];
    const struct conversation *example = casebook_conversation(report->casebook, finding->example_conversation - 1);
    layout_colour(sink, COLOUR_FAINT);
    sink_format(sink, "  In Wireshark: %s\n", wireshark_conversation_filter(example, false, filter));
    layout_colour(sink, COLOUR_PLAIN);
}

static void put_reasons(const struct report *report, const struct finding *finding, struct sink *sink)
{
    layout_heading(sink, "Why");
    layout_paragraph(sink, 0, 2, finding->example.says);
    put_example(report, finding, sink);
    put_proofs(report->casebook, &finding->example, sink);
    layout_paragraph(sink, 0, 2, finding->detector->means);
}

static void put_advice(const struct report *report, const struct finding *finding, struct sink *sink)
{
    const char *const *actions = finding->detector->actions;
    unsigned number = 0;
    for (unsigned i = 0; actions && actions[i]; i++) {
        if (settling_is_done(report->judge, finding, actions[i]))
            continue;
        if (number++ == 0)
            layout_heading(sink, "What to do next");
        sink_format(sink, "  %u.", number);
        layout_paragraph(sink, number < 10 ? 4 : 5, number < 10 ? 5 : 6, actions[i]);
    }
    if (finding->example.would_settle) {
        layout_heading(sink, "What would settle it");
        layout_paragraph(sink, 0, 2, finding->example.would_settle);
    }
}

static void put_machine(const struct finding *finding, struct sink *sink)
{
    char address[ADDRESS_TEXT_SIZE];
    bool known = finding->machine_address.version != 0;
    if (finding->machine) {
        sink_put(sink, ", machine ");
        layout_put_untrusted(sink, finding->machine);
        if (known)
            sink_format(sink, " (%s)", address_text(&finding->machine_address, address));
    } else if (known) {
        sink_format(sink, ", machine %s", address_text(&finding->machine_address, address));
    }
}

static void put_subject(const struct finding *finding, struct sink *sink)
{
    char server[ENDPOINT_TEXT_SIZE], client[ADDRESS_TEXT_SIZE];
    if (finding->server.address.version != 0)
        sink_format(sink, ", server %s", endpoint_text(&finding->server, server));
    if (finding->client.version != 0)
        sink_format(sink, ", client %s", address_text(&finding->client, client));
    else if (finding->concerned > 1 && finding->scope != SCOPE_HOST)
        sink_put(sink, ", several clients");
    put_machine(finding, sink);
}

/* Which conversations it is about: for `tdscope show`. */
static void put_concerned(const struct finding *finding, struct sink *sink)
{
    enum { NAMED = 5 };
    if (finding->concerned == 0)
        return;
    if (finding->concerned == 1 && finding->conversation_count == 1) {
        sink_format(sink, ": conversation %" PRIu32, finding->conversations[0]);
        return;
    }
    sink_format(sink, ": %s", count_words(finding->concerned, "conversation").text);
    for (uint32_t i = 0; i < finding->conversation_count && i < NAMED; i++)
        sink_format(sink, "%s%" PRIu32, i == 0 ? " (" : ", ", finding->conversations[i]);
    if (finding->conversation_count > 0)
        sink_put(sink, finding->concerned > NAMED ? ", ...)" : ")");
}

/* Of one cause at so many servers the rest says nothing new. */
enum { FINDINGS_OF_A_CAUSE = 3 };

static void put_untold(const uint32_t *of_cause, struct sink *sink)
{
    for (unsigned number = 0; number < detector_count; number++)
        if (of_cause[number] > FINDINGS_OF_A_CAUSE)
            sink_format(sink, "  and %" PRIu32 " more of %s: the JSON report lists them all.\n",
                        of_cause[number] - FINDINGS_OF_A_CAUSE, detectors[number]->cause);
}

static void put_other_findings(const struct judge *judge, const struct finding *told, struct sink *sink)
{
    bool first = true;
    uint32_t of_cause[DETECTORS_MAX] = {0};
    for (uint32_t i = 0; i < judge->finding_count && !sink->failed; i++) {
        const struct finding *finding = &judge->findings[i];
        if (finding == told || finding->hides || !finding_is_told(finding) ||
            of_cause[detector_number(finding->detector)]++ >= FINDINGS_OF_A_CAUSE)
            continue;
        if (first)
            layout_heading(sink, "Other findings");
        first = false;
        sink_format(sink, "  %s (%s, %.0f %%)", finding->detector->cause, severity_name(finding->severity),
                    finding->confidence * 100);
        put_concerned(finding, sink);
        put_subject(finding, sink);
        sink_put(sink, "\n");
        layout_paragraph(sink, 0, 4, finding->example.says[0] ? finding->example.says : finding->detector->title);
    }
    put_untold(of_cause, sink);
}

static void put_note(void *context, const char *sentence)
{
    struct sink *sink = context;
    sink_put(sink, "    - ");
    layout_paragraph(sink, 6, 6, sentence);
}

static void put_capture(const struct casebook *casebook, const struct capture_facts *capture, struct sink *sink)
{
    char bytes[QUANTITY_TEXT_SIZE], first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE], lasted[QUANTITY_TEXT_SIZE];
    enum capture_role role = capture_role_told(casebook, capture);
    sink_put(sink, "  ");
    layout_put_untrusted(sink, capture->file);
    sink_put(sink, "\n    ");
    if (capture->format)
        sink_format(sink, "%s, ", capture->format);
    if (role == CAPTURE_ROLE_UNKNOWN)
        sink_put(sink, "where it was taken is not known");
    else
        sink_format(sink, "taken at the %s (%s)",
                    role == CAPTURE_ROLE_MIDDLE ? "middle of the path" : capture_role_name(role),
                    capture->role_given ? "as you said" : "inferred");
    sink_format(sink, "; %" PRIu64 " packet%s, %s\n", capture->packets, count_plural(capture->packets),
                layout_bytes(capture->wire_bytes, bytes));
    if (capture->packets > 0)
        sink_format(sink, "    %s to %s (%s)\n", layout_instant(sink, capture->first_ns, first),
                    layout_instant(sink, capture->last_ns, last),
                    layout_duration(capture->last_ns - capture->first_ns, lasted));
    capture_notes_each(capture, put_note, sink);
}

static void put_point(const struct casebook *casebook, uint32_t point, struct sink *sink)
{
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (casebook->captures[i].point == point) {
            layout_put_untrusted(sink, casebook->captures[i].file);
            return;
        }
}

/* Told in millionths of a second. */
#define CLOCK_TOLD_S 0.5e-6

static void put_pair(const struct casebook *casebook, const struct point_pair *pair, struct sink *sink)
{
    const struct clock_facts *clock = &pair->clock;
    int64_t least_ns, most_ns;
    clock_extent(clock, &least_ns, &most_ns);
    double ahead_s = (double)(least_ns + (most_ns - least_ns) / 2) / (double)NS_PER_SECOND;
    char is[64] = "agrees with";
    if (fabs(ahead_s) >= CLOCK_TOLD_S)
        snprintf(is, sizeof is, "is %.6f s %s", fabs(ahead_s), ahead_s < 0 ? "behind" : "ahead of");
    sink_format(sink,
                pair->connections == 1 ? "  %" PRIu32 " connection is in both "
                                       : "  %" PRIu32 " connections are in both ",
                pair->connections);
    if (casebook->pairs.count == 1 && casebook->points[pair->near].role == CAPTURE_ROLE_CLIENT &&
        casebook->points[pair->far].role == CAPTURE_ROLE_SERVER) {
        sink_format(sink, "captures. The server's clock %s the client's", is);
    } else {
        put_point(casebook, pair->near, sink);
        sink_put(sink, " and ");
        put_point(casebook, pair->far, sink);
        sink_format(sink, ". The clock of the second, which is nearer to the server, %s that of the first", is);
    }
    if (clock->knot_count > 0 || clock->drift != 0)
        sink_format(sink, ", more or less by %.6f s while they ran, for ",
                    (double)(most_ns - least_ns) / 2 / (double)NS_PER_SECOND);
    if (clock->knot_count > 0)
        sink_put(sink, "their rates changed");
    else if (clock->drift != 0)
        sink_format(sink, "it gains %.1f parts in a million", clock->drift * 1e6);
    sink_format(sink, " (known to %.6f s).\n", (double)clock->uncertainty_ns / (double)NS_PER_SECOND);
}

static void put_source(const struct source_facts *source, struct sink *sink)
{
    char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];
    sink_put(sink, "  ");
    layout_put_untrusted(sink, source->file);
    sink_format(sink, "\n    %s", source_kind_name(source->kind));
    if (source->machine)
        sink_format(sink, " of %s", source->machine);
    if (source->role != CAPTURE_ROLE_UNKNOWN)
        sink_format(sink, ", the %s's%s", capture_role_name(source->role), source->role_given ? " as you said" : "");
    sink_format(sink, "; %" PRIu64 " record%s that matter%s here", source->records, count_plural(source->records),
                source->records == 1 ? "s" : "");
    if (source->first_ns <= source->last_ns)
        sink_format(sink, "\n    %s to %s", layout_instant(sink, source->first_ns, first),
                    layout_instant(sink, source->last_ns, last));
    sink_put(sink, "\n");
    source_notes_each(source, put_note, sink);
}

static void put_sources(const struct evidence *evidence, struct sink *sink)
{
    if (evidence->source_count > 0)
        layout_heading(sink, "Other evidence");
    for (uint32_t i = 0; i < evidence->source_count && !sink->failed; i++)
        put_source(&evidence->sources[i], sink);
}

static void put_captures(const struct casebook *casebook, struct sink *sink)
{
    if (casebook->capture_count > 0)
        layout_heading(sink, "Captures");
    for (uint32_t i = 0; i < casebook->capture_count && !sink->failed; i++)
        put_capture(casebook, &casebook->captures[i], sink);
    for (uint32_t i = 0; i < casebook->pairs.count && !sink->failed; i++)
        if (casebook->pairs.list[i].clock.known) {
            put_pair(casebook, &casebook->pairs.list[i], sink);
            text_delays(&casebook->pairs.list[i], sink);
        }
    text_matches(casebook, sink);
    put_sources(&casebook->evidence, sink);
    if (casebook->unread.count > 0) {
        layout_heading(sink, "Not read");
        notes_each(&casebook->unread, put_note, sink);
    }
}

static void put_thresholds(const struct thresholds *thresholds, struct sink *sink)
{
    struct changed_threshold changed[THRESHOLDS];
    unsigned count = thresholds_changed(thresholds, changed);
    if (count > 0)
        layout_heading(sink, "Thresholds that were set");
    for (unsigned i = 0; i < count; i++)
        sink_format(sink, "  %s: %g (usually %g)\n", changed[i].name, changed[i].value, changed[i].usual);
}

static void write_diagnosis(const struct report *report, struct sink *sink)
{
    const struct finding *finding = finding_of_verdict(report->judge);
    bool blames = finding && finding_is_told(finding);
    put_limits(report->judge, sink);
    put_verdict(report->judge, blames ? finding : NULL, sink);
    if (blames) {
        put_reasons(report, finding, sink);
        put_advice(report, finding, sink);
    }
    put_other_findings(report->judge, finding, sink);
    text_servers(&report->judge->server_times, sink);
    text_around(report, sink);
    put_captures(report->casebook, sink);
    put_thresholds(report->judge->surroundings.thresholds, sink);
    text_troubles(report, sink);
}

const struct renderer render_text = {
    .name = "text",
    .diagnosis = write_diagnosis,
    .conversations = text_conversations,
    .packets = text_packets,
    .explanation = text_explanation,
};
