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
        sink_put(sink, "\n]}\n");
    }
    reused_tuples_close(&reused);
}
