/* Records in XML (XML 1.0), through expat. */
#include "xml_records.h"

#include <expat.h>
#include <stdio.h>

#include "memory.h"

/* So often reading goes on behind something broken; a file that needs it more often is none of these. */
enum { RESTARTS_MAX = 1000 };

/* Expat looks again at a token that has not ended, with each chunk: none of these formats has a tag as long as this. */
enum { TOKEN_MAX_BYTES = 1 << 20 };

static const char root_begin[] = "<evidence>";

struct xml_reading {
    struct evidence_input *input;
    const struct xml_format *format;
    XML_Parser parser;
    uint64_t line_base;                  /* lines before the text that the parser was given */
    uint64_t fed;                        /* bytes of it */
    uint32_t depth;                      /* of elements, of our root: 1 */
    uint32_t record_depth;               /* 0: in no record */
    struct text path;                    /* from the record's element on, without it */
    size_t path_size[XML_DEPTH_MAX + 1]; /* by depth, of the path of the element there */
    struct text value;                   /* of the innermost element so far */
    bool full;                           /* the record holds no more */
    struct xml_record *record;
    uint32_t restarts;
};

static size_t name_end(struct span s)
{
    size_t size = 0;
    while (size < s.size && !strchr(" \t\r\n/>", s.data[size]))
        size++;
    return size;
}

bool xml_has_element(struct span text, const char *name)
{
    struct span from;
    while (words_find(text, "<", &from)) {
        text = span_from(from, 1);
        if (words_equal(span_part(text, 0, name_end(text)), name))
            return true;
    }
    return false;
}

static bool is_record_name(const struct xml_format *format, struct span name)
{
    for (const char *const *known = format->record_names; *known; known++)
        if (words_equal(name, *known))
            return true;
    return false;
}

static struct span span_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trimmed(struct span s)
{
    while (s.size > 0 && is_space(s.data[0]))
        s = span_from(s, 1);
    while (s.size > 0 && is_space(s.data[s.size - 1]))
        s.size--;
    return s;
}

static void add_field(struct xml_reading *reading, const char *attribute, struct span value)
{
    struct xml_record *record = reading->record;
    value = trimmed(value);
    if (value.size == 0)
        return;
    size_t size = reading->path.size + (attribute ? strlen(attribute) + 1 : 0) + value.size + 2;
    if (record->fields == XML_FIELDS_MAX || record->texts.size + size > XML_RECORD_MAX_BYTES) {
        reading->full = true;
        return;
    }
    record->path_at[record->fields] = (uint32_t)record->texts.size;
    text_add_bytes(&record->texts, text_string(&reading->path), reading->path.size);
    if (attribute) {
        text_add(&record->texts, "@");
        text_add(&record->texts, attribute);
    }
    text_add_bytes(&record->texts, "", 1);
    record->value_at[record->fields++] = (uint32_t)record->texts.size;
    text_add_bytes(&record->texts, (const char *)value.data, value.size);
    text_add_bytes(&record->texts, "", 1);
}

/* Namespace prefixes tell nothing here. */
static const char *local_name(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

static void begin_record(struct xml_reading *reading, const char *name)
{
    struct xml_record *record = reading->record;
    reading->record_depth = reading->depth;
    reading->full = false;
    text_clear(&record->texts);
    text_clear(&reading->path);
    record->fields = 0;
    record->line = (uint32_t)(reading->line_base + XML_GetCurrentLineNumber(reading->parser));
    snprintf(record->name, sizeof record->name, "%s", name);
}

static void add_attributes(struct xml_reading *reading, const char **attributes)
{
    for (const char **attribute = attributes; attribute[0] && attribute[1]; attribute += 2)
        add_field(reading, local_name(attribute[0]), span_of(attribute[1]));
}

/* "<Data Name='SourcePort'>", "<data name="state">", "<action name="session_id">": the name says which it is. */
static bool is_named(const char *element)
{
    return words_equal(span_of(element), "data") || words_equal(span_of(element), "action");
}

static void extend_path(struct xml_reading *reading, const char *name, const char **attributes)
{
    if (reading->path.size > 0)
        text_add(&reading->path, "/");
    text_add(&reading->path, name);
    for (const char **attribute = attributes; attribute[0] && attribute[1]; attribute += 2)
        if (is_named(name) && words_equal(span_of(attribute[0]), "name")) {
            text_add(&reading->path, ":");
            text_add(&reading->path, attribute[1]);
        }
}

static void XMLCALL take_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct xml_reading *reading = context;
    if (++reading->depth > XML_DEPTH_MAX) {
        XML_StopParser(reading->parser, XML_FALSE);
        return;
    }
    name = local_name(name);
    text_clear(&reading->value);
    if (reading->record_depth == 0) {
        if (!is_record_name(reading->format, span_of(name)))
            return;
        begin_record(reading, name);
    } else if (!reading->full) {
        extend_path(reading, name, attributes);
    }
    reading->path_size[reading->depth] = reading->path.size;
    if (!reading->full)
        add_attributes(reading, attributes);
    if (reading->path.size > XML_RECORD_MAX_BYTES)
        reading->full = true;
}

static void XMLCALL take_characters(void *context, const XML_Char *text, int size)
{
    struct xml_reading *reading = context;
    if (reading->record_depth > 0 && !reading->full && size > 0)
        text_add_bytes(&reading->value, text, (size_t)size);
}

static void XMLCALL take_end(void *context, const XML_Char *name)
{
    struct xml_reading *reading = context;
    (void)name;
    if (reading->record_depth > 0) {
        if (!reading->full)
            add_field(reading, NULL, (struct span){(const uint8_t *)text_string(&reading->value), reading->value.size});
        text_clear(&reading->value);
        size_t outer = reading->depth > reading->record_depth ? reading->path_size[reading->depth - 1] : 0;
        if (outer <= reading->path.size && reading->path.data) {
            reading->path.size = outer;
            reading->path.data[outer] = '\0';
        }
    }
    if (reading->depth == reading->record_depth) {
        reading->record_depth = 0;
        reading->input->lines->number = reading->record->line;
        reading->format->take(reading->format->context, reading->record);
    }
    reading->depth--;
}

static void begin_parser(struct xml_reading *reading)
{
    if (reading->parser)
        XML_ParserFree(reading->parser);
    reading->parser = memory_require(XML_ParserCreate("UTF-8"));
    reading->depth = reading->record_depth = 0;
    XML_SetUserData(reading->parser, reading);
    XML_SetElementHandler(reading->parser, take_start, take_end);
    XML_SetCharacterDataHandler(reading->parser, take_characters);
    reading->fed = strlen(root_begin);
    XML_Parse(reading->parser, root_begin, (int)reading->fed, XML_FALSE);
}

static uint64_t lines_in(struct span text)
{
    uint64_t count = 0;
    struct span from;
    for (; words_find(text, "\n", &from); count++)
        text = span_from(from, 1);
    return count;
}

/* Where the next record's tag begins; text.size: nowhere in it. */
static size_t next_record(const struct xml_format *format, struct span text)
{
    struct span rest = text, from;
    while (words_find(rest, "<", &from)) {
        rest = span_from(from, 1);
        if (is_record_name(format, span_part(rest, 0, name_end(rest))))
            return text.size - from.size;
    }
    return text.size;
}

static bool parses(struct xml_reading *reading, struct span text)
{
    reading->fed += text.size;
    if (XML_Parse(reading->parser, (const char *)text.data, (int)text.size, XML_FALSE) != XML_STATUS_OK)
        return false;
    XML_Index at = XML_GetCurrentByteIndex(reading->parser);
    return at < 0 || reading->fed - (uint64_t)at < TOKEN_MAX_BYTES;
}

/* How much of the chunk lies before what is broken, and one byte of that. */
static size_t taken_until_error(const struct xml_reading *reading, struct span chunk)
{
    XML_Index at = XML_GetCurrentByteIndex(reading->parser);
    uint64_t left = at >= 0 && (uint64_t)at < reading->fed ? reading->fed - (uint64_t)at : 0;
    return left >= chunk.size ? (chunk.size > 0) : chunk.size - (size_t)left + (left > 0);
}

static void note_broken(struct xml_reading *reading, uint64_t line)
{
    reading->restarts++;
    notes_add(&evidence_input_source(reading->input)->notes, "broken XML",
              "at line %llu the XML is broken: reading went on with the next record", (unsigned long long)line);
}

/* line: of the chunk's begin, from 0. */
static void read_chunk(struct xml_reading *reading, struct span chunk, uint64_t line)
{
    while (chunk.size > 0 && reading->restarts < RESTARTS_MAX && !parses(reading, chunk)) {
        size_t taken = taken_until_error(reading, chunk);
        line += lines_in(span_part(chunk, 0, taken));
        note_broken(reading, line + 1);
        chunk = span_from(chunk, taken);
        size_t next = next_record(reading->format, chunk);
        line += lines_in(span_part(chunk, 0, next));
        chunk = span_from(chunk, next);
        begin_parser(reading);
        reading->line_base = line;
    }
}

/* "<?xml version=...?>" may stand at a file's begin only, which our root has taken. */
static struct span without_declaration(struct span chunk, uint64_t *lines)
{
    struct span rest = chunk;
    while (rest.size > 0 && is_space(rest.data[0]))
        rest = span_from(rest, 1);
    if (!words_begin(rest, "<?xml") || !words_after(rest, "?>", &rest))
        return chunk;
    *lines += lines_in(span_part(chunk, 0, chunk.size - rest.size));
    return rest;
}

void xml_records_read(struct evidence_input *input, const struct xml_format *format)
{
    struct xml_reading reading = {.input = input,
                                  .format = format,
                                  .path = {.ceiling = XML_RECORD_MAX_BYTES * 2},
                                  .value = {.ceiling = XML_RECORD_MAX_BYTES}};
    reading.record = memory_take(sizeof *reading.record);
    begin_parser(&reading);
    uint64_t line = 0;
    struct span chunk;
    bool first = true;
    while (reading.restarts < RESTARTS_MAX && text_lines_take_chunk(input->lines, &chunk)) {
        uint64_t lines = lines_in(chunk), skipped = 0;
        if (first)
            chunk = without_declaration(chunk, &skipped);
        if (first)
            reading.line_base = skipped;
        first = false;
        read_chunk(&reading, chunk, line + skipped);
        line += lines;
    }
    if (reading.restarts >= RESTARTS_MAX)
        evidence_input_source(input)->incomplete = true;
    XML_ParserFree(reading.parser);
    text_close(&reading.path);
    text_close(&reading.value);
    text_close(&reading.record->texts);
    memory_give(reading.record);
}

struct span xml_record_nth(const struct xml_record *record, const char *path, uint32_t nth)
{
    for (uint32_t i = 0; i < record->fields; i++)
        if (words_equal(span_of(record->texts.data + record->path_at[i]), path) && nth-- == 0)
            return span_of(record->texts.data + record->value_at[i]);
    return (struct span){0};
}

struct span xml_record_value(const struct xml_record *record, const char *path)
{
    return xml_record_nth(record, path, 0);
}

bool xml_record_number(const struct xml_record *record, const char *path, uint64_t *number)
{
    return words_number(xml_record_value(record, path), number);
}
