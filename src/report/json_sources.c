/* Logs, command outputs and reports in JSON. */
#include "json_sources.h"

#include "capture_notes.h"
#include "fact_names.h"

static void add_sentence(void *array, const char *sentence)
{
    array_add_text(array, sentence);
}

static json_t *source_object(const struct source_facts *source)
{
    json_t *object = json_new_object();
    object_add_text(object, "file", source->file);
    object_add_text(object, "kind", source_kind_name(source->kind));
    if (source->role != CAPTURE_ROLE_UNKNOWN)
        object_add_text(object, "role", capture_role_name(source->role));
    object_add_text(object, "machine", source->machine);
    object_add_text(object, "encoding", source->encoding);
    object_add_count(object, "records", source->records);
    object_add_count(object, "joined", source->joined);
    if (source->first_ns <= source->last_ns) {
        object_add_time(object, "first", source->first_ns);
        object_add_time(object, "last", source->last_ns);
    }
    json_t *notes = json_new_array();
    source_notes_each(source, add_sentence, notes);
    object_add(object, "notes", notes);
    return object;
}

void json_sources(const struct evidence *evidence, struct sink *sink)
{
    sink_put(sink, "\"sources\":[");
    for (uint32_t i = 0; i < evidence->source_count; i++) {
        sink_put(sink, i ? ",\n" : "\n");
        json_write(source_object(&evidence->sources[i]), false, sink);
    }
    sink_put(sink, evidence->source_count ? "\n],\n" : "],\n");
}
