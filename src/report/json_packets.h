/* The packets view in JSON: { "conversation", "packets" } on a line for each conversation that was asked for. */
#ifndef TDSCOPE_JSON_PACKETS_H
#define TDSCOPE_JSON_PACKETS_H

#include "renderer.h"

void json_packets(const struct report *report, struct sink *sink);

#endif
