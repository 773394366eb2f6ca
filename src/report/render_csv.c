/*
 * Conversations as CSV (RFC 4180), one row each, for spreadsheets. What is not known is empty.
 */
#include <stdio.h>
#include <string.h>

#include "conversation_columns.h"
#include "json_conversation.h"
#include "memory.h"
#include "text.h"

/* What spreadsheets would take for a formula, and run, is told to be text: names come from strangers. */
static bool looks_like_formula(const char *text)
{
    return text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
}

static void put_text(const char *value, struct sink *sink)
{
    sink_put(sink, looks_like_formula(value) ? "\"'" : "\"");
    for (size_t size; (size = strcspn(value, "\"")), value[size]; value += size + 1) {
        sink_put_bytes(sink, value, size);
        sink_put(sink, "\"\"");
    }
    sink_put(sink, value);
    sink_put(sink, "\"");
}

static void put_cell(const json_t *value, struct sink *sink)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        put_text(json_string_value(value), sink);
        break;
    case JSON_INTEGER:
        sink_format(sink, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        sink_format(sink, "%.9g", json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        sink_put(sink, json_is_true(value) ? "true" : "false");
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_NULL:
        break;
    }
}

static void put_head(struct sink *sink)
{
    for (unsigned i = 0; i < conversation_column_count; i++)
        sink_format(sink, "%s%s", i > 0 ? "," : "", conversation_columns[i]);
    sink_put(sink, "\r\n");
}

static void put_row(json_t *object, struct sink *sink)
{
    for (unsigned i = 0; i < conversation_column_count; i++) {
        sink_put(sink, i > 0 ? "," : "");
        put_cell(conversation_member(object, conversation_columns[i]), sink);
    }
    sink_put(sink, "\r\n");
    json_decref(object);
}

static void conversations(const struct report *report, struct sink *sink)
{
    const struct casebook *casebook = report->casebook;
    struct reused_tuples reused;
    reused_tuples_open(&reused, casebook, report->judge->surroundings.reused_tuples);
    put_head(sink);
    for (uint32_t number = 0; number < casebook_conversations(casebook) && !sink->failed; number++) {
        const struct conversation *conversation = casebook_conversation(casebook, number);
        if (!conversation->secondary)
            put_row(json_conversation(report, &reused, conversation), sink);
    }
    reused_tuples_close(&reused);
}

const struct renderer render_csv = {
    .name = "csv",
    .diagnosis = conversations,
    .conversations = conversations,
};
