/* Notes of holes. */
#include "hole_notes.h"

/* People see a gap of a second; what is shorter they are told of by the packets that are lacking. That a file lacks was told. */
static bool is_worth_a_note(const struct capture_silence *silence)
{
    return capture_silence_is_hole(silence) && !silence->file_lacks &&
           silence->to_ns - silence->from_ns >= NS_PER_SECOND;
}

static enum hole_sign sign_of(const struct capture_silence *hole)
{
    return capture_silence_is_passed(hole) ? HOLE_BY_OWN_CONNECTIONS
           : hole->no_time                 ? HOLE_BY_TIMESTAMPS
           : hole->stood_still             ? HOLE_BY_TIMERS
                                           : HOLE_BY_OTHER_CAPTURE;
}

static void note_hole(struct capture_facts *capture, const struct capture_silence *hole, const char *because)
{
    char from[TIME_TEXT_SIZE];
    time_text(hole->from_ns, from);
    notes_add(&capture->notes, "hole",
              "it has nothing from %s on for %.1f s, %s: nobody is blamed for what it lacks of that time", from,
              (double)(hole->to_ns - hole->from_ns) / (double)NS_PER_SECOND, because);
}

void hole_notes_add(struct casebook *casebook, enum hole_sign sign, const char *because)
{
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        struct capture_facts *capture = &casebook->captures[i];
        if (capture->point >= casebook->point_count)
            continue;
        const struct capture_silences *silences = &casebook->points[capture->point].silences;
        for (uint32_t j = 0; j < silences->count; j++) {
            const struct capture_silence *silence = &silences->list[j];
            if (is_worth_a_note(silence) && sign_of(silence) == sign && silence->from_ns >= capture->first_ns &&
                silence->from_ns <= capture->last_ns)
                note_hole(capture, silence, because);
        }
    }
}
