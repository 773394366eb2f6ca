/* Says how many connections could not be told apart, why, and what would tell. */
#ifndef TDSCOPE_DOUBT_NOTES_H
#define TDSCOPE_DOUBT_NOTES_H

#include "view_groups.h"

void doubt_notes_add(struct casebook *casebook, const struct view_groups *groups);

#endif
