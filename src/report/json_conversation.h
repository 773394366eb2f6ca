/* The conversation object of the JSON contract. */
#ifndef TDSCOPE_JSON_CONVERSATION_H
#define TDSCOPE_JSON_CONVERSATION_H

#include "json_values.h"
#include "wireshark_filter.h"

json_t *json_conversation(const struct report *report, const struct reused_tuples *reused,
                          const struct conversation *conversation);

json_t *json_endpoint(const struct endpoint *endpoint); /* { "address", "port" } */

#endif
