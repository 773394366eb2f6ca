/* The text of a JSON value. */
#ifndef TDSCOPE_JSON_TEXT_H
#define TDSCOPE_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "text.h"

/* On one line, without spaces. inner: without the outermost brackets. */
void json_text_add(struct text *text, json_t *value, bool inner);

#endif
