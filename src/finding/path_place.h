/* Where on the way something happened, when captures stand between its ends. */
#ifndef TDSCOPE_PATH_PLACE_H
#define TDSCOPE_PATH_PLACE_H

#include "detector.h"
#include "pair_view.h"

/* Adds to what the judgement says between which two captures packets were lost, made or held up, and proofs of it. Does nothing when
 * there are only two captures, or they were not compared. */
void path_place_tell(const struct pair_view *view, const struct surroundings *surroundings,
                     struct judgement *judgement);

#endif
