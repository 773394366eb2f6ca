/* The end of the text report: conversations in trouble with their display filters, and how many were healthy. */
#ifndef TDSCOPE_TEXT_TROUBLES_H
#define TDSCOPE_TEXT_TROUBLES_H

#include "renderer.h"

void text_troubles(const struct report *report, struct sink *sink);

#endif
