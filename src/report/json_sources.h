/* "sources" of the JSON report: everything that was read beside the captures. */
#ifndef TDSCOPE_JSON_SOURCES_H
#define TDSCOPE_JSON_SOURCES_H

#include "json_values.h"

/* Writes the member with a comma behind it. */
void json_sources(const struct evidence *evidence, struct sink *sink);

#endif
