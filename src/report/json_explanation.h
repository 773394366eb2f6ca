/* `explain` in JSON. */
#ifndef TDSCOPE_JSON_EXPLANATION_H
#define TDSCOPE_JSON_EXPLANATION_H

#include "renderer.h"

/* cause, title, culprit, severity, holds_when, holds_with_both?, limits?, means, actions. */
void json_explanation(const struct detector *detector, struct sink *sink);

#endif
