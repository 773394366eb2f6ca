/* Recognises a file by its content and lets its reader read it. */
#include "evidence_file.h"

#include <string.h>

#include "evidence_reader.h"
#include "memory.h"

/* Reads the begin a first time, to recognise it: then the reader gets all of it. */
static const struct evidence_reader *recognise(struct decoded_text *text, const char *path)
{
    const struct evidence_reader *reader = NULL;
    struct span head;
    if (!decoded_text_open(text, path, NULL))
        return NULL;
    if (os_file_can_reopen(text->file) && text->encoding != TEXT_BINARY && decoded_text_next(text, &head, NULL))
        reader = evidence_reader_for(span_part(head, 0, EVIDENCE_HEAD_BYTES));
    decoded_text_close(text);
    return reader;
}

static void read_source(const struct evidence_reader *reader, struct evidence_input *input)
{
    reader->read(input);
    struct source_facts *source = evidence_input_source(input);
    const struct text_lines *lines = input->lines;
    source->incomplete = source->incomplete || lines->failed;
    if (lines->failed)
        notes_add(&source->notes, "file broken", "%.200s", lines->error.text);
    if (lines->cut > 0)
        notes_add(&source->notes, "long lines", "%u lines are longer than %d bytes: the rest of each was not read",
                  lines->cut, TEXT_LINE_MAX_BYTES);
}

static void add_source(struct evidence *evidence, const char *path, const struct evidence_reader *reader,
                       enum capture_role role, enum text_encoding encoding)
{
    struct source_facts *source = evidence_add_source(evidence);
    size_t size = strlen(path) + 1;
    source->file = memcpy(memory_take(size), path, size);
    source->kind = reader->kind;
    source->role = role;
    source->role_given = role != CAPTURE_ROLE_UNKNOWN;
    source->encoding = text_encoding_names[encoding];
}

bool evidence_file_read(struct evidence *evidence, const char *path, enum capture_role role)
{
    struct decoded_text *text = memory_take(sizeof *text);
    const struct evidence_reader *reader = recognise(text, path);
    bool readable = reader && decoded_text_open(text, path, NULL);
    if (readable) {
        struct text_lines lines;
        text_lines_open(&lines, text);
        add_source(evidence, path, reader, role, text->encoding);
        struct evidence_input input = {&lines, evidence, evidence->source_count - 1};
        read_source(reader, &input);
        text_lines_close(&lines);
        decoded_text_close(text);
    }
    memory_give(text);
    return readable;
}
