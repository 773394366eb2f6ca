/* Matches conversations by the lengths of their messages (conversation.h), where captures have little more than headers. */
#ifndef TDSCOPE_MATCH_LENGTHS_H
#define TDSCOPE_MATCH_LENGTHS_H

#include "view_groups.h"

/* Unites those that have a series of lengths which no other conversation of their captures has, where that agrees with the clocks, or, as
 * long as these are not known, with most others on how they differ. */
void match_lengths_round(struct casebook *casebook, struct view_groups *groups);

#endif
