/* The packets view in text: who, the login step by step, and the packets as a ladder between client and server. */
#ifndef TDSCOPE_TEXT_PACKETS_H
#define TDSCOPE_TEXT_PACKETS_H

#include "renderer.h"

void text_packets(const struct report *report, struct sink *sink);

#endif
