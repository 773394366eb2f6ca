/* Matches conversations that were under way when the captures began, by the sequence numbers that both directions count through. */
#ifndef TDSCOPE_UNDER_WAY_H
#define TDSCOPE_UNDER_WAY_H

#include "view_groups.h"

/* Unites what no other capture is known to have, where just one fits. */
void under_way_match(struct casebook *casebook, struct view_groups *groups);

#endif
