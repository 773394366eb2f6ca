/*
 * The text of a JSON value (RFC 8259), byte by byte what jansson's JSON_COMPACT gives.
 *
 * Why not jansson's own: it looks, in each object and array, whether that contains itself, by a table of all around it that is keyed by their
 * addresses in print. Trees here are built from their leaves and cannot. That, and printf() for integers, took 166,000 of the 520,000
 * instructions that a conversation cost as JSON.
 */
#include "json_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

enum { REAL_DIGITS = 15 }; /* what a double holds of a decimal number, so that 0.9 stays 0.9 */

static void add_escaped(struct text *text, unsigned char c)
{
    switch (c) {
    case '"':
        text_add(text, "\\\"");
        break;
    case '\\':
        text_add(text, "\\\\");
        break;
    case '\b':
        text_add(text, "\\b");
        break;
    case '\f':
        text_add(text, "\\f");
        break;
    case '\n':
        text_add(text, "\\n");
        break;
    case '\r':
        text_add(text, "\\r");
        break;
    case '\t':
        text_add(text, "\\t");
        break;
    default:
        text_format(text, "\\u%04X", c);
        break;
    }
}

static void add_string(struct text *text, const char *string, size_t size)
{
    size_t written = 0;
    text_add_bytes(text, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)string[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        text_add_bytes(text, string + written, i - written);
        add_escaped(text, c);
        written = i + 1;
    }
    text_add_bytes(text, string + written, size - written);
    text_add_bytes(text, "\"", 1);
}

/* There are so many that printf() took a twentieth of the time of a report as JSON for them. */
static void add_integer(struct text *text, json_int_t value)
{
    char digits[24], *end = digits + sizeof digits, *at = end;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (value < 0)
        *--at = '-';
    text_add_bytes(text, at, (size_t)(end - at));
}

/* Very large and very small ones are seldom: how their exponents are written is left to jansson. */
static void add_real(struct text *text, json_t *value)
{
    char digits[40];
    snprintf(digits, sizeof digits, "%.*g", REAL_DIGITS, json_real_value(value));
    if (strchr(digits, 'e')) {
        char *written = memory_require(json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS)));
        text_add(text, written);
        memory_give(written);
        return;
    }
    text_add(text, digits);
    if (!strchr(digits, '.'))
        text_add(text, ".0");
}

static void add_members(struct text *text, json_t *object)
{
    const char *separator = "";
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        text_add(text, separator);
        separator = ",";
        add_string(text, key, strlen(key));
        text_add_bytes(text, ":", 1);
        json_text_add(text, json_object_iter_value(at), false);
    }
}

static void add_elements(struct text *text, json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        text_add(text, i ? "," : "");
        json_text_add(text, json_array_get(array, i), false);
    }
}

static void add_bracketed(struct text *text, json_t *value, bool inner)
{
    bool object = json_is_object(value);
    if (!inner)
        text_add(text, object ? "{" : "[");
    if (object)
        add_members(text, value);
    else
        add_elements(text, value);
    if (!inner)
        text_add(text, object ? "}" : "]");
}

void json_text_add(struct text *text, json_t *value, bool inner)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        add_bracketed(text, value, inner);
        break;
    case JSON_STRING:
        add_string(text, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        add_integer(text, json_integer_value(value));
        break;
    case JSON_REAL:
        add_real(text, value);
        break;
    case JSON_TRUE:
        text_add(text, "true");
        break;
    case JSON_FALSE:
        text_add(text, "false");
        break;
    case JSON_NULL:
        text_add(text, "null");
        break;
    }
}
