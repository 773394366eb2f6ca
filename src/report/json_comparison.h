/* JSON of what comparing both captures of a connection packet by packet found. */
#ifndef TDSCOPE_JSON_COMPARISON_H
#define TDSCOPE_JSON_COMPARISON_H

#include "json_values.h"

/* "compared"; absent when the connection was not compared. */
void json_add_comparison(json_t *object, const struct casebook *casebook, const struct conversation *conversation);

#endif
