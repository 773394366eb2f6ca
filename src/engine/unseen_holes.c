/*
 * Holes of a capture that its own conversations tell of.
 *
 * Theory of operation. A conversation that acknowledges, after a silence, what was never captured went on in that silence. One packet may
 * be missed at any time; when several are all missed while nothing at all was recorded, the capture stood still. What conversations that
 * were not heard of again did meanwhile, nobody knows.
 */
#include "unseen_holes.h"

/* People see a gap of a second. */
#define TOLD_NS NS_PER_SECOND

static void note_hole(struct capture_facts *capture, const struct capture_silence *hole)
{
    char from[TIME_TEXT_SIZE];
    time_text(hole->from_ns, from);
    notes_add(&capture->notes, "hole",
              "it has nothing from %s on for %.1f s, although its connections went on meanwhile, as what they "
              "acknowledge afterwards shows: nobody is blamed for what it lacks of that time",
              from, (double)(hole->to_ns - hole->from_ns) / (double)NS_PER_SECOND);
}

static void note_holes(struct casebook *casebook, struct capture_facts *capture)
{
    const struct capture_silences *silences = &casebook->points[capture->point].silences;
    for (uint32_t i = 0; i < silences->count; i++) {
        const struct capture_silence *silence = &silences->list[i];
        if (capture_silence_is_passed(silence) && !silence->file_lacks &&
            silence->to_ns - silence->from_ns >= TOLD_NS && silence->from_ns >= capture->first_ns &&
            silence->from_ns <= capture->last_ns)
            note_hole(capture, silence);
    }
}

void unseen_holes_find(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (c->unseen.packets > 0 && c->point < casebook->point_count)
            capture_silences_pass(&casebook->points[c->point].silences, c->unseen.from_ns, c->unseen.to_ns,
                                  c->unseen.packets, c->unseen.both_ways);
    }
    for (uint32_t i = 0; i < casebook->capture_count; i++)
        if (casebook->captures[i].point < casebook->point_count)
            note_holes(casebook, &casebook->captures[i]);
}
