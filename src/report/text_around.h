/* The section of the text report on names, instances and tickets: only what was slow, failed or was not answered. */
#ifndef TDSCOPE_TEXT_AROUND_H
#define TDSCOPE_TEXT_AROUND_H

#include "renderer.h"

void text_around(const struct report *report, struct sink *sink);

#endif
