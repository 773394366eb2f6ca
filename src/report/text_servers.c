/* Response times by server, for people: a sentence for each, with its slowest answers. */
#include "text_servers.h"

#include <inttypes.h>

#include "count_words.h"
#include "server_times.h"
#include "text_layout.h"

/* The JSON report has them all. */
enum { SERVERS_TOLD = 5, WORST_TOLD = 3 };

/* The histogram has steps of powers of two; none took longer than the slowest. */
static void add_share(struct text *text, const struct server_times *times, unsigned percent, const char *words)
{
    char within[QUANTITY_TEXT_SIZE];
    int64_t below_ns = response_times_below_ns(&times->first_bytes, percent);
    if (below_ns > 0 && times->worst_count > 0 && times->worst[0].wait_ns < below_ns)
        below_ns = times->worst[0].wait_ns;
    if (below_ns > 0)
        text_format(text, ", %s within %s", words, layout_duration(below_ns, within));
}

static void put_worst(const struct worst_answer *worst, struct sink *sink)
{
    char at[CLOCK_TEXT_SIZE], waited[QUANTITY_TEXT_SIZE];
    sink_format(sink, "    %-10s conversation %" PRIu32 ", frame %" PRIu32 ", %s\n",
                layout_duration(worst->wait_ns, waited), worst->conversation, worst->asked.frame,
                layout_clock(sink, worst->asked.time_ns, at));
}

static void put_server(const struct server_times *times, struct sink *sink)
{
    char server[ENDPOINT_TEXT_SIZE];
    struct text sentence = {0};
    text_format(&sentence, "%s: %s on %s", endpoint_text(&times->server, server),
                count_words(times->first_bytes.count, "answer").text,
                count_words(times->connections, "connection").text);
    bool several = times->first_bytes.count > 1;
    if (several) {
        add_share(&sentence, times, 50, "half of them began");
        add_share(&sentence, times, 95, "95 %");
    }
    text_add(&sentence, times->worst_count == 0 ? "." : several ? ". The slowest:" : ":");
    sink_put(sink, "  ");
    layout_paragraph(sink, 2, 2, text_string(&sentence));
    text_close(&sentence);
    for (uint32_t i = 0; i < times->worst_count && i < WORST_TOLD; i++)
        put_worst(&times->worst[i], sink);
}

void text_servers(const struct server_times_list *times, struct sink *sink)
{
    if (times->count > 0)
        layout_heading(sink, "Response times");
    for (uint32_t i = 0; i < times->count && i < SERVERS_TOLD && !sink->failed; i++)
        put_server(&times->list[i], sink);
    if (times->count > SERVERS_TOLD)
        sink_format(sink, "  and %" PRIu32 " more: the JSON report lists them all.\n", times->count - SERVERS_TOLD);
}
