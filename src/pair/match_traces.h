/* Matches conversations by traces of their packets, where devices rewrite both addresses and sequence numbers. */
#ifndef TDSCOPE_MATCH_TRACES_H
#define TDSCOPE_MATCH_TRACES_H

#include "view_groups.h"

/* Unites what is far likelier one connection than chance would have it, and than any other two. */
void match_traces_round(struct casebook *casebook, struct view_groups *groups);

#endif
