/* The conversations view in text: one line each. */
#ifndef TDSCOPE_TEXT_CONVERSATIONS_H
#define TDSCOPE_TEXT_CONVERSATIONS_H

#include "renderer.h"

/* A header, then one line per conversation in order of id. Columns never hold blanks (an unknown value is "-"), so the
 * table can be cut apart at white space; a value wider than its column pushes the rest of its line to the right. */
void text_conversations(const struct report *report, struct sink *sink);

#endif
