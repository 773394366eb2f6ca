/* How long packets were on their way between two captures, over time. */
#ifndef TDSCOPE_TEXT_DELAYS_H
#define TDSCOPE_TEXT_DELAYS_H

#include "renderer.h"

/* A table, if some packets were late; else nothing. */
void text_delays(const struct point_pair *pair, struct sink *sink);

#endif
