/* How connections that are in several captures are known to be the same. */
#ifndef TDSCOPE_TEXT_MATCHES_H
#define TDSCOPE_TEXT_MATCHES_H

#include "renderer.h"

/* A paragraph; nothing when no connection is in several captures. */
void text_matches(const struct casebook *casebook, struct sink *sink);

#endif
