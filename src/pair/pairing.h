/* The same connection in several captures: which conversation here is which one there, and how the clocks differ. */
#ifndef TDSCOPE_PAIRING_H
#define TDSCOPE_PAIRING_H

#include "casebook.h"

/* Sets what the views of a connection know of each other (conversation.h), casebook->pairs and all clocks. */
void pairing_run(struct casebook *casebook);

#endif
