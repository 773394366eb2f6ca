/* Recognises a file by its content and lets its reader read it. */
#include "evidence_file.h"

#include <string.h>

#include "count_words.h"
#include "evidence_reader.h"
#include "memory.h"

static void read_source(const struct evidence_reader *reader, struct evidence_input *input)
{
    reader->read(input);
    struct source_facts *source = evidence_input_source(input);
    const struct text_lines *lines = input->lines;
    source->incomplete = source->incomplete || lines->failed;
    if (lines->failed)
        notes_add(&source->notes, CAPTURE_BROKEN_NOTE, "%.200s", lines->error.text);
    if (lines->cut > 0)
        notes_add(&source->notes, "long lines", "%s %s longer than %d bytes: the rest %snot read",
                  count_words(lines->cut, "line").text, lines->cut == 1 ? "is" : "are", TEXT_LINE_MAX_BYTES,
                  lines->cut == 1 ? "was " : "of each was ");
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

static bool read_text(struct evidence *evidence, struct decoded_text *text, enum capture_role role)
{
    struct span begin;
    if (text->encoding == TEXT_BINARY || !decoded_text_next(text, &begin, NULL))
        return false;
    const struct evidence_reader *reader = evidence_reader_for(span_part(begin, 0, EVIDENCE_HEAD_BYTES));
    if (!reader)
        return false;
    struct text_lines lines;
    text_lines_open(&lines, text, begin);
    add_source(evidence, os_file_path(text->file), reader, role, text->encoding);
    read_source(reader, &(struct evidence_input){&lines, evidence, evidence->source_count - 1});
    text_lines_close(&lines);
    bool found = reader->recognises || evidence->sources[evidence->source_count - 1].records > 0;
    if (!found)
        evidence_take_back_source(evidence);
    return found;
}

bool evidence_file_read_open(struct evidence *evidence, struct os_file *file, enum capture_role role)
{
    struct decoded_text *text = memory_take(sizeof *text);
    bool read = false;
    if (decoded_text_open(text, file, NULL)) {
        read = read_text(evidence, text, role);
        decoded_text_close(text);
    }
    memory_give(text);
    return read;
}

bool evidence_file_read(struct evidence *evidence, const char *path, enum capture_role role)
{
    struct os_file *file = os_file_open(path, NULL);
    if (file &&
        !os_file_can_reopen(file)) { /* a pipe: its begin is gone already, where it was looked at as a capture */
        os_file_close(file);
        file = NULL;
    }
    return file && evidence_file_read_open(evidence, file, role);
}
