/* Holes of a capture that its own conversations tell of. */
#ifndef TDSCOPE_UNSEEN_HOLES_H
#define TDSCOPE_UNSEEN_HOLES_H

#include "casebook.h"

/* Once all conversations are known: tells each capture point's silences what passed in them, and notes those that are holes. */
void unseen_holes_find(struct casebook *casebook);

#endif
