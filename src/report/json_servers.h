/* "response_times" of the JSON report: how fast each server answers. */
#ifndef TDSCOPE_JSON_SERVERS_H
#define TDSCOPE_JSON_SERVERS_H

#include "json_values.h"

/* Writes the member with a comma behind it; nothing when no request was answered. */
void json_servers(const struct server_times_list *times, struct sink *sink);

#endif
