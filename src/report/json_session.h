/* What the JSON conversation object says of TLS and of the steps of the login. */
#ifndef TDSCOPE_JSON_SESSION_H
#define TDSCOPE_JSON_SESSION_H

#include "casebook.h"
#include "json_values.h"

json_t *json_tls(const struct conversation *conversation); /* "tls"; its tds->tls is there */
json_t *json_timeline(const struct casebook *casebook,
                      const struct conversation *conversation); /* "timeline": a list, empty when no step was seen */

#endif
