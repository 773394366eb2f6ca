/* Cuts decoded text into lines. */
#include "text_lines.h"

#include <string.h>

void text_lines_open(struct text_lines *lines, struct decoded_text *source, struct span chunk)
{
    *lines = (struct text_lines){.source = source, .chunk = chunk, .line = {.ceiling = TEXT_LINE_MAX_BYTES}};
}

void text_lines_close(struct text_lines *lines)
{
    text_close(&lines->line);
}

static bool refill(struct text_lines *lines)
{
    if (lines->chunk.size > 0)
        return true;
    if (lines->ended)
        return false;
    lines->failed = !decoded_text_next(lines->source, &lines->chunk, &lines->error);
    lines->ended = lines->failed || lines->chunk.size == 0;
    return !lines->ended;
}

bool text_lines_next(struct text_lines *lines, struct span *line)
{
    text_clear(&lines->line);
    bool any = false, complete = false;
    while (!complete && refill(lines)) {
        const uint8_t *end = memchr(lines->chunk.data, '\n', lines->chunk.size);
        size_t size = end ? (size_t)(end - lines->chunk.data) : lines->chunk.size;
        text_add_bytes(&lines->line, (const char *)lines->chunk.data, size);
        lines->chunk = span_from(lines->chunk, size + (end != NULL));
        any = true;
        complete = end != NULL;
    }
    if (!any)
        return false;
    lines->number++;
    lines->cut += lines->line.cut;
    lines->line.cut = false;
    size_t size = lines->line.size;
    const char *text = text_string(&lines->line);
    if (size > 0 && text[size - 1] == '\r')
        size--;
    *line = (struct span){(const uint8_t *)text, size};
    return true;
}

bool text_lines_take_chunk(struct text_lines *lines, struct span *chunk)
{
    if (!refill(lines))
        return false;
    *chunk = lines->chunk;
    lines->chunk = (struct span){0};
    return true;
}
