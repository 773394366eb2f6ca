/* Who fails, and when, as JSON. */
#ifndef TDSCOPE_JSON_PATTERN_H
#define TDSCOPE_JSON_PATTERN_H

#include "json_values.h"
#include "judge.h"

/* Adds "pattern": of the finding's conversations, or with NULL of all in trouble; absent when there are fewer than two. */
void object_add_pattern(json_t *object, const struct judge *judge, const struct finding *finding);

#endif
