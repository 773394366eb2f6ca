/*
 * Holes of a capture that its own conversations tell of.
 *
 * Theory of operation. A conversation that acknowledges, after a silence, what was never captured went on in that silence. One packet may
 * be missed at any time; when several are all missed while nothing at all was recorded, the capture stood still. What conversations that
 * were not heard of again did meanwhile, nobody knows. Where TCP's timers should have gone off and did not, it stood still as well, or its
 * clock was set forward. Where timestamps tell that less time passed, it was; but a clock that goes in steps is ahead by one now and then.
 */
#include "unseen_holes.h"

#include "hole_notes.h"

static void find_standstill(struct point_facts *point, const struct conversation *c)
{
    int64_t told_ns = c->left_alone.to_ns - c->left_alone.from_ns;
    bool in_steps = c->stamps_tell && told_ns <= 2 * stamp_tick_ns(&point->tick);
    if (c->left_alone.to_ns != 0 && !in_steps)
        capture_silences_stand_still(&point->silences, c->left_alone.from_ns, c->left_alone.to_ns, c->stamps_tell);
}

void unseen_holes_find(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (c->point >= casebook->point_count)
            continue;
        if (c->unseen.packets > 0)
            capture_silences_pass(&casebook->points[c->point].silences, c->unseen.from_ns, c->unseen.to_ns,
                                  c->unseen.packets, c->unseen.both_ways);
        find_standstill(&casebook->points[c->point], c);
    }
    hole_notes_add(casebook, HOLE_BY_OWN_CONNECTIONS,
                   "although its connections went on meanwhile, as what they acknowledge afterwards shows");
    hole_notes_add(casebook, HOLE_BY_TIMESTAMPS,
                   "of which less than half passed by the TCP timestamps of both ends of a connection: its clock was "
                   "set forward, or both stood still");
    hole_notes_add(casebook, HOLE_BY_TIMERS,
                   "although TCP would have repeated or acknowledged what was under way (it stood still then, or "
                   "missed just that, or its clock was set forward)");
}
