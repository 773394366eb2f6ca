/* "clock", "clocks" and "delays" of the JSON report: how clocks differ, and how long packets were on their way. */
#ifndef TDSCOPE_JSON_CLOCKS_H
#define TDSCOPE_JSON_CLOCKS_H

#include "json_values.h"

/* Writes the members, each with a comma behind it; those of which nothing is known are left out. */
void json_clocks(const struct casebook *casebook, struct sink *sink);

#endif
