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

/* How each packet fared between the captures of both ends. */
static void write_crossings(const struct shown_crossings *crossings, struct sink *sink)
{
    static const char *const fates[] = {[FATE_ARRIVED] = "arrived",          [FATE_LOST] = "lost",
                                        [FATE_INJECTED] = "injected",        [FATE_DUPLICATED] = "duplicated",
                                        [FATE_MISSED] = "missed-by-capture", [FATE_OPEN] = "not-judged"};
    sink_put(sink, ",\n\"crossings\":[\n");
    for (uint32_t i = 0; i < crossings->count && !sink->failed; i++) {
        const struct crossing *crossing = &crossings->list[i];
        bool by_client = crossing->sender == SIDE_CLIENT;
        json_t *object = json_new_object();
        object_add_text(object, "from", side_name(crossing->sender));
        object_add_text(object, "fate", fates[crossing->fate]);
        add_frame(object, "client_frame", by_client ? &crossing->sent : &crossing->arrived);
        add_frame(object, "server_frame", by_client ? &crossing->arrived : &crossing->sent);
        if (crossing->fate == FATE_ARRIVED)
            object_add_seconds(object, "took_s", crossing->took_ns > 0 ? crossing->took_ns : 0);
        sink_put(sink, i ? ",\n" : "");
        json_write(object, false, sink);
    }
    sink_put(sink, "\n]");
}

void json_packets(const struct report *report, struct sink *sink)
{
    struct reused_tuples reused;
    reused_tuples_open(&reused, report->casebook, report->judge->surroundings.reused_tuples);
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
            write_crossings(&report->shown->crossings, sink);
        sink_put(sink, "}\n");
    }
    reused_tuples_close(&reused);
}
