/* What was seen around the conversations, as JSON: name lookups, instance lookups, tickets, domain controllers. */
#ifndef TDSCOPE_JSON_AROUND_H
#define TDSCOPE_JSON_AROUND_H

#include "json_values.h"

/* Those keys of the report that have something, each followed by a comma. */
void json_around(const struct casebook *casebook, struct sink *sink);

/* Members of a conversation: the lookups that led to it. */
void json_add_joins(json_t *object, const struct casebook *casebook, const struct conversation *conversation);

#endif
