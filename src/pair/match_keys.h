/* Matches conversations that have the same key: GUID, sequence numbers or ends, exactly alike in both captures. */
#ifndef TDSCOPE_MATCH_KEYS_H
#define TDSCOPE_MATCH_KEYS_H

#include "view_groups.h"

/* Unites those that have the key of that round, and are the only ones at their points that have it. */
void match_keys_round(struct casebook *casebook, struct view_groups *groups, enum match_evidence round);

#endif
