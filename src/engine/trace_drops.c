/* Dropped packets of event traces as evidence. */
#include "trace_drops.h"

#include <string.h>

#include "etl_drops.h"
#include "memory.h"
#include "packet_decoder.h"
#include "text.h"

static void add_source(struct casebook *casebook, const struct capture_facts *capture)
{
    struct evidence *evidence = &casebook->evidence;
    struct source_facts *source = evidence_add_source(evidence);
    source->file = memory_copy_text(capture->file);
    source->kind = SOURCE_PKTMON;
    source->role = capture->role_given ? capture->role : casebook->points[capture->point].role;
    source->role_given = capture->role_given;
    source->system = SYSTEM_WINDOWS;
    source->encoding = "binary";
}

static const char *reason_text(struct evidence *evidence, const struct etl_drop *drop)
{
    struct text text = {0};
    text_format(&text, "reason %u%s%s", drop->reason, drop->means ? ": " : "", drop->means ? drop->means : "");
    const char *string = text_string(&text), *kept = arena_copy_text(&evidence->texts, string, strlen(string));
    text_close(&text);
    return kept;
}

static void add_drop(struct evidence *evidence, const struct etl_drop *drop, const struct packet *packet,
                     const char *reason)
{
    struct moment at = drop->frame.moment;
    at.capture = (evidence->source_count - 1) | MOMENT_IN_SOURCE;
    struct drop_record *record = evidence_add_drop(evidence, &at);
    if (!record)
        return;
    record->source = packet->source;
    record->destination = packet->destination;
    record->inbound = packet->inbound;
    record->outbound = packet->outbound;
    record->unfiltered = !drop->by_filter;
    record->from_capture = true;
    record->reason = reason;
}

static void read_drops(struct evidence *evidence, struct etl_drops *drops)
{
    struct packet_decoder decoder;
    struct capture_facts facts = {0}; /* what is odd was told when its packets were read */
    struct packet packet;
    const char *reason = NULL; /* of the drop before: many in a row have the same */
    uint32_t reason_before = 0;
    packet_decoder_open(&decoder);
    for (struct etl_drop drop; etl_drops_next(drops, &drop);) {
        if (!packet_decode(&decoder, &drop.frame, &facts, &packet) || packet.kind != PACKET_TCP)
            continue;
        if (!reason || drop.reason != reason_before)
            reason = reason_text(evidence, &drop);
        reason_before = drop.reason;
        add_drop(evidence, &drop, &packet, reason);
    }
    packet_decoder_close(&decoder);
    notes_close(&facts.notes);
}

void trace_drops_read(struct casebook *casebook)
{
    struct error error;
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        const struct capture_facts *capture = &casebook->captures[i];
        struct etl_drops *drops =
            capture->dropped_by_machine > 0 ? etl_drops_open(capture_facts_path(capture), &error) : NULL;
        if (!drops)
            continue;
        add_source(casebook, capture);
        read_drops(&casebook->evidence, drops);
        evidence_tell_zone(&casebook->evidence, casebook->evidence.source_count - 1, ZONE_TOLD, 0);
        etl_drops_close(drops);
    }
}
