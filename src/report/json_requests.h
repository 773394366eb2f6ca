/* What TDS tells beyond the login's outcome, as members of a conversation's JSON; what is not known is absent. */
#ifndef TDSCOPE_JSON_REQUESTS_H
#define TDSCOPE_JSON_REQUESTS_H

#include "json_values.h"
#include "tds_facts.h"

/* To "login": what was asked for and granted. */
void json_add_login(json_t *login, const struct tds_facts *tds);

/* To the conversation: "spid", "routed_to", "requests", "attention_times", "mars_sessions". */
void json_add_requests(json_t *conversation, const struct tds_facts *tds);

/* What a request was; absent when that is not known. */
void object_add_request(json_t *object, const char *key, const struct tds_request *request);

/* Absent when nothing was answered. */
void object_add_times(json_t *object, const char *key, const struct response_times *times, int64_t slowest_ns);

/* The first three parts of a GUID are little-endian on the wire (MS-DTYP 2.3.4.2). */
void object_add_guid(json_t *object, const char *key, const uint8_t bytes[16]);

#endif
