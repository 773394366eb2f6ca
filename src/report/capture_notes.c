/* Sentences about captures, from their counters and from what their readers noted. */
#include "capture_notes.h"

#include "count_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void say_safely(const char *sentence, take_sentence *take, void *context)
{
    struct text safe = {0};
    text_add_untrusted(&safe, (struct span){(const uint8_t *)sentence, strlen(sentence)});
    take(context, text_string(&safe));
    text_close(&safe);
}

static void say_how_recorded(const struct capture_facts *capture, struct text *sentence, take_sentence *take,
                             void *context)
{
    if (capture->dropped_known && capture->dropped_by_capture > 0) {
        text_format(sentence,
                    "the capture itself dropped %" PRIu64 " packet%s: what is missing here may have been on the wire",
                    capture->dropped_by_capture, count_plural(capture->dropped_by_capture));
        take(context, text_string(sentence));
        text_clear(sentence);
    }
    if (capture->cut_packets > 0) {
        text_format(sentence,
                    "%" PRIu64 " packet%s recorded only in part, %" PRIu32
                    " bytes at most: what lies beyond is unknown",
                    capture->cut_packets, capture->cut_packets == 1 ? " was" : "s were", capture->longest_cut);
        take(context, text_string(sentence));
        text_clear(sentence);
    }
    if (capture->duplicates > 0) {
        text_format(sentence,
                    "%" PRIu64 " packet%s recorded more than once; the copies are not counted as retransmissions",
                    capture->duplicates, capture->duplicates == 1 ? " was" : "s were");
        take(context, text_string(sentence));
        text_clear(sentence);
    }
    if (capture_facts_disordered(capture)) {
        text_format(
            sentence,
            "%" PRIu64
            " packets are earlier than the one before, by up to a second: the file is not in order of time, and nobody "
            "is blamed where packets of a connection changed places. `reordercap IN OUT` of Wireshark sorts it",
            capture->out_of_order);
        take(context, text_string(sentence));
        text_clear(sentence);
    }
    if (capture->time_backwards > 0) {
        text_format(sentence,
                    "time goes backwards at %" PRIu64 " packet%s: the clock was set, or files were joined out of order",
                    capture->time_backwards, count_plural(capture->time_backwards));
        take(context, text_string(sentence));
        text_clear(sentence);
    }
}

static void say_what_is_inside(const struct capture_facts *capture, struct text *sentence, take_sentence *take,
                               void *context)
{
    if (capture->undecoded > 0) {
        text_format(sentence, "%" PRIu64 " packet%s no IP inside, or an unknown link layer", capture->undecoded,
                    capture->undecoded == 1 ? " has" : "s have");
        take(context, text_string(sentence));
        text_clear(sentence);
    }
    if (capture->bad_checksums > 0) {
        text_format(sentence, "%" PRIu64 " TCP checksum%s wrong: damage on the way, or the capture was edited",
                    capture->bad_checksums, capture->bad_checksums == 1 ? " is" : "s are");
        take(context, text_string(sentence));
        text_clear(sentence);
    }
}

void notes_each(const struct notes *notes, take_sentence *take, void *context)
{
    struct text sentence = {0};
    for (uint32_t i = 0; i < notes->count; i++) {
        const struct note *note = &notes->list[i];
        text_add(&sentence, note->text);
        if (note->count > 1)
            text_format(&sentence, " (and %" PRIu64 " more like it)", note->count - 1);
        say_safely(text_string(&sentence), take, context);
        text_clear(&sentence);
    }
    if (notes->dropped > 0) {
        text_format(&sentence, "and %" PRIu64 " more of other kinds", notes->dropped);
        take(context, text_string(&sentence));
    }
    text_close(&sentence);
}

void capture_notes_each(const struct capture_facts *capture, take_sentence *take, void *context)
{
    struct text sentence = {0};
    if (capture->failed)
        take(context, "nothing of this file could be read");
    else if (capture->incomplete && capture->notes.count == 0)
        take(context, "reading stopped before the end of the file: packets after that are missing");
    say_how_recorded(capture, &sentence, take, context);
    say_what_is_inside(capture, &sentence, take, context);
    notes_each(&capture->notes, take, context);
    text_close(&sentence);
}

static void take_joined_zone(const struct source_facts *source, take_sentence *take, void *context)
{
    char sentence[160];
    long long minutes = source->utc_offset_ns / (60 * NS_PER_SECOND), hours = minutes < 0 ? -minutes : minutes;
    snprintf(sentence, sizeof sentence,
             "its times are local and name no time zone: by the connections that it is about they are UTC%s%lld:%02lld",
             minutes < 0 ? "-" : "+", hours / 60, hours % 60);
    take(context, sentence);
}

void source_notes_each(const struct source_facts *source, take_sentence *take, void *context)
{
    if (source->zone == ZONE_OPEN)
        take(context, "its times are local and name no time zone: they are taken for UTC");
    if (source->zone == ZONE_JOINED)
        take_joined_zone(source, take, context);
    if (source->records == 0)
        take(context, "nothing in it that matters here");
    notes_each(&source->notes, take, context);
}
