/* Conversations in trouble, in the order of the findings, and a count of all the others. */
#include "text_troubles.h"

#include <inttypes.h>

#include "count_words.h"
#include "fact_names.h"
#include "report_choices.h"
#include "text_layout.h"
#include "wireshark_filter.h"

enum { TROUBLES_SHOWN = 20 };

/* Where a device translates addresses, the other capture needs a filter of its own. */
static void put_filters(const struct casebook *casebook, const struct reused_tuples *reused,
                        const struct conversation *conversation, struct sink *sink)
{
    char filter[WIRESHARK_FILTER_SIZE];
    layout_colour(sink, COLOUR_FAINT);
    sink_format(sink, "         %s\n",
                wireshark_conversation_filter(conversation, reused_tuples_have(reused, conversation), filter));
    struct endpoint ends[SIDES] = {conversation->ends[SIDE_CLIENT], conversation->ends[SIDE_SERVER]};
    for (uint32_t next = conversation->next_view; next != 0;) {
        const struct conversation *view = casebook_conversation(casebook, next - 1);
        next = view->next_view;
        if (endpoint_equal(&view->ends[SIDE_CLIENT], &ends[SIDE_CLIENT]) &&
            endpoint_equal(&view->ends[SIDE_SERVER], &ends[SIDE_SERVER]))
            continue;
        sink_put(sink, "         in ");
        layout_put_untrusted(sink, casebook->captures[view->first.capture].file);
        sink_format(sink, ": %s\n", wireshark_conversation_filter(view, reused_tuples_have(reused, view), filter));
    }
    layout_colour(sink, COLOUR_PLAIN);
}

static void put_trouble(const struct report *report, const struct reused_tuples *reused, uint32_t id, struct sink *sink)
{
    const struct conversation *conversation = casebook_conversation(report->casebook, id - 1);
    struct judgement judgement;
    judge_conversation(report->judge, conversation, &judgement);
    char client[ENDPOINT_TEXT_SIZE], server[ENDPOINT_TEXT_SIZE], clock[CLOCK_TEXT_SIZE], lasted[QUANTITY_TEXT_SIZE];
    sink_format(
        sink, "  %-6" PRIu32 " %s -> %s  %s, %s, %s\n", id, endpoint_text(&conversation->ends[SIDE_CLIENT], client),
        endpoint_text(&conversation->ends[SIDE_SERVER], server), layout_clock(sink, conversation->first.time_ns, clock),
        layout_duration(conversation->last.time_ns - conversation->first.time_ns, lasted),
        ending_name(conversation->ending));
    sink_format(sink, "         %s (%s, %.0f %%), login: %s\n", judgement.detector->cause,
                culprit_names[judgement.culprit], judgement.confidence * 100,
                login_stage_name(conversation_login_stage(conversation)));
    put_filters(report->casebook, reused, conversation, sink);
}

static void put_troubles(const struct report *report, uint32_t troubled, struct sink *sink)
{
    layout_heading(sink, "Conversations in trouble");
    struct reused_tuples reused;
    reused_tuples_open(&reused, report->casebook, report->judge->surroundings.reused_tuples);
    uint32_t shown = 0;
    for (uint32_t i = 0; i < report->judge->finding_count; i++) {
        const struct finding *finding = &report->judge->findings[i];
        for (uint32_t j = 0;
             finding_lists_troubles(finding) && j < finding->conversation_count && shown < TROUBLES_SHOWN; j++) {
            put_trouble(report, &reused, finding->conversations[j], sink);
            shown++;
        }
    }
    reused_tuples_close(&reused);
    if (troubled > shown)
        sink_format(sink, "  and %" PRIu32 " more: `tdscope conversations` lists them all.\n", troubled - shown);
}

void text_troubles(const struct report *report, struct sink *sink)
{
    struct conversation_tally tally = tally_conversations(report);
    uint32_t all = casebook_connections(report->casebook);
    if (tally.troubled > 0)
        put_troubles(report, tally.troubled, sink);
    if (all == 0 || report->judge->verdict.other_services)
        return;
    sink_format(sink, "\n%" PRIu32 " of %" PRIu32 " conversation%s %s healthy.", tally.healthy, all, count_plural(all),
                tally.healthy == 1 || all == 1 ? "was" : "were");
    if (tally.at_risk > 0)
        sink_format(sink, " %" PRIu32 " %s the risks named above.", tally.at_risk, tally.at_risk == 1 ? "has" : "have");
    if (tally.unjudged > 0)
        sink_format(sink, " %" PRIu32 " could not be judged.", tally.unjudged);
    sink_put(sink, "\n");
}
