/* Members of JSON objects by the contract's rules: what is not known is absent. */
#ifndef TDSCOPE_JSON_VALUES_H
#define TDSCOPE_JSON_VALUES_H

#include <jansson.h>
#include <stdint.h>

#include "casebook.h"
#include "detector.h"
#include "renderer.h"

json_t *json_new_object(void);
json_t *json_new_array(void);

/* Each takes over value; memory that the system refuses ends the program, as in memory.h. */
void object_add(json_t *object, const char *key, json_t *value);
void array_add(json_t *array, json_t *value);

void object_add_text(json_t *object, const char *key,
                     const char *text); /* absent when NULL or empty; made valid UTF-8 */
void object_add_count(json_t *object, const char *key, uint64_t count);
void object_add_flag(json_t *object, const char *key, bool flag);
void object_add_time(json_t *object, const char *key, int64_t time_ns);        /* RFC 3339, UTC */
void object_add_seconds(json_t *object, const char *key, int64_t duration_ns); /* absent when negative */
void object_add_confidence(json_t *object, double confidence);
void object_add_proofs(json_t *object, const struct judgement *judgement); /* "evidence" */
void array_add_text(json_t *array, const char *text);

/* Writes value on one line and frees it. inner: without the outermost brackets. */
void json_write(json_t *value, bool inner, struct sink *sink);

#endif
