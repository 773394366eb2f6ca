/* Packets of the conversations that were asked for, as JSON. */
#include "json_packets.h"

#include "fact_names.h"
#include "json_conversation.h"
#include "packet_words.h"

static void add_flags(json_t *object, const struct shown_packet *packet, struct text *text)
{
    text_clear(text);
    packet_flags(packet, text);
    object_add_text(object, "flags", text_string(text));
}

static json_t *packet_object(const struct shown_packet *packet, const struct conversation *conversation,
                             enum side sender, struct text *text)
{
    json_t *object = json_new_object();
    object_add_count(object, "capture", packet->moment.capture);
    object_add_count(object, "frame", packet->moment.frame);
    object_add_time(object, "time", packet->moment.time_ns);
    object_add_text(object, "from", side_name(sender));
    if (!(packet->marks & SHOWN_ICMP_ERROR)) {
        add_flags(object, packet, text);
        object_add_count(object, "seq", packet->seq);
        if (packet->ack)
            object_add_count(object, "ack", packet->ack);
        object_add_count(object, "length", packet->payload_length);
        object_add_count(object, "window", packet->window);
    }
    text_clear(text);
    packet_words(packet, conversation, sender, text);
    object_add_text(object, "says", text_string(text));
    return object;
}

static void write_packets(const struct shown_conversation *shown, const struct conversation *conversation,
                          struct sink *sink)
{
    struct text text = {0};
    uint32_t kept = shown->first_count + shown->last_count;
    for (uint32_t i = 0; i < kept && !sink->failed; i++) {
        const struct shown_packet *packet = shown_packet_at(shown, i);
        sink_put(sink, i ? ",\n" : "");
        json_write(packet_object(packet, conversation, packet_sender(shown, packet, conversation), &text), false, sink);
    }
    text_close(&text);
}

static void add_frame(json_t *object, const char *key, const struct moment *moment)
{
    if (moment_seen(moment))
        object_add_count(object, key, moment->frame);
}

static const char *fate_name(enum packet_fate fate)
{
    static const char *const fates[] = {[FATE_ARRIVED] = "arrived",          [FATE_LOST] = "lost",
                                        [FATE_INJECTED] = "injected",        [FATE_DUPLICATED] = "duplicated",
                                        [FATE_MISSED] = "missed-by-capture", [FATE_OPEN] = "not-judged"};
    return fates[fate];
}

/* Each capture that has it, from the client to the server. */
static json_t *seen_list(const struct shown_crossings *crossings, const struct crossing *crossing)
{
    json_t *list = json_new_array();
    for (unsigned i = 0; i < crossings->view_count; i++) {
        const struct moment *moment = &crossing->seen[i];
        if (!moment_seen(moment))
            continue;
        json_t *object = json_new_object();
        object_add_count(object, "capture", moment->capture);
        object_add_count(object, "frame", moment->frame);
        object_add_time(object, "time", moment->time_ns);
        array_add(list, object);
    }
    return list;
}

/* What became of it between each two neighbours that it came to. */
static json_t *stretch_list(const struct report *report, const struct crossing *crossing)
{
    const struct shown_crossings *crossings = &report->shown->crossings;
    json_t *list = json_new_array();
    for (unsigned i = 0; i + 1 < crossings->view_count; i++) {
        if (crossing->fates[i] == FATE_UNTOLD)
            continue;
        json_t *object = json_new_object();
        object_add_count(object, "from",
                         casebook_conversation(report->casebook, crossings->views[i] - 1)->capture_first);
        object_add_count(object, "to",
                         casebook_conversation(report->casebook, crossings->views[i + 1] - 1)->capture_first);
        object_add_text(object, "fate", fate_name(crossing->fates[i]));
        array_add(list, object);
    }
    return list;
}

static json_t *crossing_object(const struct report *report, const struct crossing *crossing)
{
    const struct shown_crossings *crossings = &report->shown->crossings;
    unsigned last = crossings->view_count - 1;
    enum packet_fate fate = crossing_fate(crossing, 0, last);
    json_t *object = json_new_object();
    object_add_text(object, "from", side_name(crossing->sender));
    object_add_text(object, "fate", fate_name(fate));
    add_frame(object, "client_frame", &crossing->seen[0]);
    add_frame(object, "server_frame", &crossing->seen[last]);
    if (fate == FATE_ARRIVED)
        object_add_seconds(object, "took_s", crossing->took_ns > 0 ? crossing->took_ns : 0);
    object_add(object, "seen", seen_list(crossings, crossing));
    object_add(object, "stretches", stretch_list(report, crossing));
    return object;
}

/* How each packet fared between the captures. */
static void write_crossings(const struct report *report, struct sink *sink)
{
    const struct shown_crossings *crossings = &report->shown->crossings;
    sink_put(sink, ",\n\"crossings\":[\n");
    for (uint32_t i = 0; i < crossings->count && !sink->failed; i++) {
        sink_put(sink, i ? ",\n" : "");
        json_write(crossing_object(report, &crossings->list[i]), false, sink);
    }
    sink_put(sink, "\n]");
}

void json_packets(const struct report *report, struct sink *sink)
{
    struct reused_tuples reused;
    reused_tuples_open(&reused, report->casebook);
    for (unsigned i = 0; i < report->shown->count && !sink->failed; i++) {
        const struct shown_conversation *shown = &report->shown->conversations[i];
        const struct conversation *conversation = casebook_conversation(report->casebook, shown->id - 1);
        sink_put(sink, "{\"conversation\":");
        json_write(json_conversation(report, &reused, conversation), false, sink);
        if (shown->total > shown->first_count + shown->last_count)
            sink_format(sink, ",\n\"packets_left_out\":%u",
                        (unsigned)(shown->total - shown->first_count - shown->last_count));
        sink_put(sink, ",\n\"packets\":[\n");
        write_packets(shown, conversation, sink);
        sink_put(sink, "\n]");
        if (report->shown->crossings.id == shown->id && report->shown->crossings.count > 0)
            write_crossings(report, sink);
        sink_put(sink, "}\n");
    }
    reused_tuples_close(&reused);
}
