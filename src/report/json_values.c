/* JSON members by the contract, on top of jansson. */
#include "json_values.h"

#include <string.h>

#include "memory.h"
#include "text.h"

enum { REAL_DIGITS = 15 }; /* what a double holds of a decimal number, so that 0.9 stays 0.9 */

json_t *json_new_object(void)
{
    return memory_require(json_object());
}

json_t *json_new_array(void)
{
    return memory_require(json_array());
}

/* With a valid key and value, lack of memory is the only reason for jansson to refuse; keys are our own words. */
void object_add(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, memory_require(value)) != 0)
        memory_require(NULL);
}

void array_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, memory_require(value)) != 0)
        memory_require(NULL);
}

/* jansson refuses what is not UTF-8: file names may hold any bytes. */
static json_t *string_value(const char *text)
{
    json_t *value = json_string(text);
    if (value)
        return value;
    struct text safe = {0};
    text_add_untrusted(&safe, (struct span){(const uint8_t *)text, strlen(text)});
    value = json_string(text_string(&safe));
    text_close(&safe);
    return value;
}

void object_add_text(json_t *object, const char *key, const char *text)
{
    if (text && text[0])
        object_add(object, key, string_value(text));
}

void array_add_text(json_t *array, const char *text)
{
    array_add(array, string_value(text));
}

void object_add_count(json_t *object, const char *key, uint64_t count)
{
    object_add(object, key, json_integer((json_int_t)count));
}

void object_add_flag(json_t *object, const char *key, bool flag)
{
    object_add(object, key, json_boolean(flag));
}

void object_add_time(json_t *object, const char *key, int64_t time_ns)
{
    char text[TIME_TEXT_SIZE];
    object_add(object, key, json_string(time_text(time_ns, text)));
}

void object_add_seconds(json_t *object, const char *key, int64_t duration_ns)
{
    if (duration_ns >= 0)
        object_add(object, key, json_real((double)duration_ns / (double)NS_PER_SECOND));
}

void object_add_confidence(json_t *object, double confidence)
{
    /* A NaN is no number to jansson; every comparison with it is false. */
    double within = confidence >= 0 ? confidence <= 1 ? confidence : 1 : 0;
    object_add(object, "confidence", json_real(within));
}

static void add_place(json_t *entry, const struct moment *moment)
{
    bool in_source = moment_is_in_source(moment);
    object_add_count(entry, in_source ? "source" : "capture", in_source ? moment_source(moment) : moment->capture);
    object_add_count(entry, in_source ? "line" : "frame", moment->frame);
    if (!in_source || moment->time_ns != 0)
        object_add_time(entry, "time", moment->time_ns);
}

void object_add_proofs(json_t *object, const struct judgement *judgement)
{
    json_t *evidence = json_new_array();
    for (unsigned i = 0; i < judgement->proof_count; i++) {
        const struct proof *proof = &judgement->proofs[i];
        json_t *entry = json_new_object();
        add_place(entry, &proof->moment);
        object_add_text(entry, "says", proof->says);
        array_add(evidence, entry);
    }
    object_add(object, "evidence", evidence);
}

/* As one text: jansson's callback comes for every brace and comma. */
void json_write(json_t *value, bool inner, struct sink *sink)
{
    size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS) | (inner ? JSON_EMBED : 0);
    char *text = json_dumps(value, flags);
    json_decref(value);
    memory_require(text);
    sink_put(sink, text);
    memory_give(text);
}
