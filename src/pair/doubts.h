/* Views that may be one connection, or may not: nothing tells. They must not be said to be missing in the other capture. */
#ifndef TDSCOPE_DOUBTS_H
#define TDSCOPE_DOUBTS_H

#include "view_groups.h"

/* Sets doubtful of the conversations, and says in notes how many of them each capture has, why, and what would tell. Once all is matched
 * that can be, and the clocks are known. */
void doubts_settle(struct casebook *casebook, struct view_groups *groups);

#endif
