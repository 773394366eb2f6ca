/* Both sides beside each other: frames left and right, lost packets as arrows that end on the way, those of a device that begin there. */
#include "text_crossings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "packet_words.h"
#include "text_layout.h"

enum { WORDS_COLUMNS = 34, LINE_LEAST = 4, ARROW_SIZE = 2 * (WORDS_COLUMNS + LINE_LEAST) + 16 };
#define QUIET_NS NS_PER_SECOND

struct packet_in_view {
    const struct shown_packet *packet; /* NULL: not kept */
    const struct conversation *view;
    enum side sender;
};

static const struct shown_conversation *shown_view(const struct shown_packets *shown, uint32_t id)
{
    for (unsigned i = 0; i < shown->count; i++)
        if (shown->conversations[i].id == id)
            return &shown->conversations[i];
    return NULL;
}

static struct packet_in_view find_packet(const struct report *report, uint32_t id, const struct moment *moment)
{
    const struct shown_conversation *shown = shown_view(report->shown, id);
    if (!shown || !moment_seen(moment))
        return (struct packet_in_view){0};
    const struct conversation *view = casebook_conversation(report->casebook, id - 1);
    for (uint32_t i = 0; i < shown->first_count + shown->last_count; i++) {
        const struct shown_packet *packet = shown_packet_at(shown, i);
        if (packet->moment.frame == moment->frame && packet->moment.capture == moment->capture)
            return (struct packet_in_view){packet, view, packet_sender(shown, packet, view)};
    }
    return (struct packet_in_view){0};
}

/* The sender's capture knows best what it is; a packet that is only in the other one is told by that. */
static void put_words(const struct report *report, const struct conversation *client, const struct crossing *crossing,
                      struct text *words)
{
    uint32_t own = crossing->sender == SIDE_CLIENT ? client->id : client->twin,
             other = crossing->sender == SIDE_CLIENT ? client->twin : client->id;
    struct packet_in_view found = find_packet(report, own, &crossing->sent);
    if (!found.packet)
        found = find_packet(report, other, &crossing->arrived);
    if (found.packet)
        packet_words(found.packet, found.view, found.sender, words);
    else
        text_add(words, "packet");
}

static const char *fate_words(enum packet_fate fate)
{
    switch (fate) {
    case FATE_LOST:
        return "lost on the way";
    case FATE_INJECTED:
        return "made by a device: never sent";
    case FATE_DUPLICATED:
        return "arrives once more than sent";
    case FATE_MISSED:
        return "missed by one capture";
    case FATE_OPEN:
        return "outside the other capture's time";
    case FATE_ARRIVED:
        break;
    }
    return "";
}

/* "words ----->|", from where the packet is seen to where it is seen. X: lost there. *: a device made it. */
static void arrow(const struct crossing *crossing, const char *words, char line[static ARROW_SIZE])
{
    char shown[WORDS_COLUMNS + 1], dashes[WORDS_COLUMNS + LINE_LEAST + 1];
    snprintf(shown, sizeof shown, "%s", words);
    size_t count = WORDS_COLUMNS + LINE_LEAST - strlen(shown);
    memset(dashes, '-', count);
    dashes[count] = '\0';
    bool lost = crossing->fate == FATE_LOST, made = crossing->fate == FATE_INJECTED;
    if (crossing->sender == SIDE_CLIENT)
        snprintf(line, ARROW_SIZE, "%s %s %s%s", made ? "    *" : "|-", shown, dashes, lost ? "X     " : ">|");
    else
        snprintf(line, ARROW_SIZE, "%s%s %s %s", lost ? "     X" : "|<", dashes, shown, made ? "*    " : "-|");
}

static void frame_text(const struct moment *moment, char text[static 16])
{
    if (moment_seen(moment))
        snprintf(text, 16, "%" PRIu32, moment->frame);
    else
        snprintf(text, 16, "-");
}

static enum text_colour crossing_colour(enum packet_fate fate)
{
    return fate == FATE_LOST || fate == FATE_INJECTED ? COLOUR_BAD
           : fate == FATE_ARRIVED                     ? COLOUR_PLAIN
                                                      : COLOUR_UNSURE;
}

static void put_crossing(const struct report *report, const struct conversation *client,
                         const struct crossing *crossing, struct text *words, struct sink *sink)
{
    char clock[CLOCK_TEXT_SIZE], left[16], right[16], line[ARROW_SIZE], took[QUANTITY_TEXT_SIZE];
    bool by_client = crossing->sender == SIDE_CLIENT;
    text_clear(words);
    put_words(report, client, crossing, words);
    arrow(crossing, text_string(words), line);
    frame_text(by_client ? &crossing->sent : &crossing->arrived, left);
    frame_text(by_client ? &crossing->arrived : &crossing->sent, right);
    sink_format(sink, "%8s  %s  ", left, layout_clock(sink, crossing->time_ns, clock));
    layout_colour(sink, crossing_colour(crossing->fate));
    sink_put(sink, line);
    layout_colour(sink, COLOUR_PLAIN);
    if (crossing->fate == FATE_ARRIVED)
        sink_format(sink, "  %-8s %s\n", right, layout_duration(crossing->took_ns > 0 ? crossing->took_ns : 0, took));
    else
        sink_format(sink, "  %-8s %s\n", right, fate_words(crossing->fate));
}

static void put_crossings(const struct report *report, const struct conversation *client, struct sink *sink)
{
    const struct shown_crossings *crossings = &report->shown->crossings;
    layout_heading(sink, "Both ends");
    sink_put(sink, "  Times by the client's clock; the last column is the time on the way.\n");
    sink_format(sink, "%8s  %-12s  %-*s  frame\n", "frame", "time", WORDS_COLUMNS + LINE_LEAST + 6, "client");
    struct text words = {0};
    for (uint32_t i = 0; i < crossings->count && !sink->failed; i++) {
        const struct crossing *crossing = &crossings->list[i];
        int64_t quiet_ns = i ? crossing->time_ns - crossings->list[i - 1].time_ns : 0;
        char quiet[QUANTITY_TEXT_SIZE];
        if (quiet_ns >= QUIET_NS)
            sink_format(sink, "%8s  %12s    ... %s ...\n", "", "", layout_duration(quiet_ns, quiet));
        put_crossing(report, client, crossing, &words, sink);
    }
    text_close(&words);
    if (crossings->beyond > 0)
        sink_format(sink, "  %" PRIu32 " more packets are not shown.\n", crossings->beyond);
}

bool text_crossings(const struct report *report, const struct conversation *conversation, struct sink *sink)
{
    const struct shown_crossings *crossings = &report->shown->crossings;
    if (crossings->count == 0 || (conversation->id != crossings->id && conversation->twin != crossings->id))
        return false;
    if (conversation->id == crossings->id)
        put_crossings(report, conversation, sink);
    return true;
}
