/* The section of the text report on how fast servers answered. */
#ifndef TDSCOPE_TEXT_SERVERS_H
#define TDSCOPE_TEXT_SERVERS_H

#include "renderer.h"

void text_servers(const struct server_times_list *times, struct sink *sink);

#endif
