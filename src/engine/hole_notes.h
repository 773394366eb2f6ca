/* What a user is told of holes of captures. */
#ifndef TDSCOPE_HOLE_NOTES_H
#define TDSCOPE_HOLE_NOTES_H

#include <stdbool.h>

#include "casebook.h"

/* Notes the holes of each capture that its own conversations tell of (passed), or else those that they do not. because: what shows that
 * packets passed. */
void hole_notes_add(struct casebook *casebook, bool passed, const char *because);

#endif
