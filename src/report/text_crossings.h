/* One connection as all its captures have it, packet by packet, in one picture. */
#ifndef TDSCOPE_TEXT_CROSSINGS_H
#define TDSCOPE_TEXT_CROSSINGS_H

#include "renderer.h"

/* The frames of each capture, an arrow for each packet, and what became of it on the way: with the view that stands for all.
 * False, and nothing is written, when this conversation's packets are not shown so. */
bool text_crossings(const struct report *report, const struct conversation *conversation, struct sink *sink);

#endif
