/*
 * Holes of a capture that its own conversations tell of.
 *
 * Theory of operation. A conversation that acknowledges, after a silence, what was never captured went on in that silence. One packet may
 * be missed at any time; when several are all missed while nothing at all was recorded, the capture stood still. What conversations that
 * were not heard of again did meanwhile, nobody knows. Where TCP's timers should have gone off and did not, it stood still as well, or its
 * clock was set forward.
 */
#include "unseen_holes.h"

#include "hole_notes.h"

void unseen_holes_find(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (c->unseen.packets > 0 && c->point < casebook->point_count)
            capture_silences_pass(&casebook->points[c->point].silences, c->unseen.from_ns, c->unseen.to_ns,
                                  c->unseen.packets, c->unseen.both_ways);
        if (c->left_alone.to_ns != 0 && c->point < casebook->point_count)
            capture_silences_stand_still(&casebook->points[c->point].silences, c->left_alone.from_ns,
                                         c->left_alone.to_ns);
    }
    hole_notes_add(casebook, HOLE_BY_OWN_CONNECTIONS,
                   "although its connections went on meanwhile, as what they acknowledge afterwards shows");
    hole_notes_add(
        casebook, HOLE_BY_TIMERS,
        "although TCP would have repeated or acknowledged what was under way (it stood still then, or missed "
        "just that, or its clock was set forward)");
}
