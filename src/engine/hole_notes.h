/* What a user is told of holes of captures. */
#ifndef TDSCOPE_HOLE_NOTES_H
#define TDSCOPE_HOLE_NOTES_H

#include "casebook.h"

/* What tells of a hole, the first that does. */
enum hole_sign { HOLE_BY_OWN_CONNECTIONS, HOLE_BY_TIMESTAMPS, HOLE_BY_TIMERS, HOLE_BY_OTHER_CAPTURE };

/* Notes the holes of each capture that this tells of. because: what shows that packets passed. */
void hole_notes_add(struct casebook *casebook, enum hole_sign sign, const char *because);

#endif
