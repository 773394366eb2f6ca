/* A machine that stands still - asleep, or a virtual one that is paused - looks to others as if the way to it were dead. */
#ifndef TDSCOPE_STANDSTILL_H
#define TDSCOPE_STANDSTILL_H

#include "detector.h"
#include "pair_view.h"

/* For a judgement that packets of that side, from the first to the last of these moments (in its own capture), were lost on the way. Where
 * the other side's capture recorded nothing at all meanwhile, and lacks packets of several connections, that machine may have stood still.
 * A client speaks of its own accord, so that its silence is no less odd than a dead way: the culprit stays open. A server waits to be
 * asked: it is told, and less sure. */
void standstill_doubt(const struct pair_view *view, const struct surroundings *surroundings, enum side sender,
                      const struct moment *first, const struct moment *last, struct judgement *judgement);

#endif
