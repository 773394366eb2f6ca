/*
 * The output of Windows' tasklist (Microsoft: "tasklist"), in any language: name of the image and process ID come first in each of its forms.
 *
 *   System Idle Process              0 Services          ...     under a row of "="; with /SVC and /M a row may go on in the next line
 *   "System Idle Process","0","Services",...                     /FO CSV
 *   Image Name:   System Idle Process                            /FO LIST, where "PID" is no word of any language
 *   PID:          0
 */
#include "evidence_reader.h"
#include "text_table.h"

enum { HEAD_LINES = 200, IMAGE_COLUMN_WIDTH = 25, PROCESS_COLUMN_WIDTH = 8, IMAGE_MAX = 64 };

struct tasklist {
    struct evidence_input *input;
    struct text_table table; /* column_count 0: none began yet */
    struct text before;      /* the line before this one */
};

static struct span text_span(const struct text *text)
{
    return (struct span){(const uint8_t *)text_string(text), text->size};
}

static struct span without_return(struct span line)
{
    return span_part(line, 0, line.size - (line.size > 0 && line.data[line.size - 1] == '\r'));
}

/* The row of "=" has a column of 25, one of 8, and at least one more. */
static bool is_ruler(struct span line)
{
    static const size_t widths[] = {IMAGE_COLUMN_WIDTH, PROCESS_COLUMN_WIDTH};
    for (int i = 0; i < 2; i++) {
        struct span column = words_until(&line, ' ');
        for (size_t at = 0; at < column.size; at++)
            if (column.data[at] != '=')
                return false;
        if (column.size != widths[i])
            return false;
    }
    return words_begin(line, "=");
}

static bool is_image(struct span image)
{
    enum { ENDING = 4 };
    return image.size > 0 && image.size <= IMAGE_MAX &&
           (words_equal(image, "System Idle Process") || words_equal(image, "System") ||
            (image.size > ENDING && words_equal(span_from(image, image.size - ENDING), ".exe")));
}

/* "name","123","... */
static bool read_csv(struct span line, struct span *image, uint64_t *process)
{
    if (!words_begin(line, "\""))
        return false;
    line = span_from(line, 1);
    *image = words_until(&line, '"');
    if (!words_begin(line, ",\"") || !is_image(*image))
        return false;
    line = span_from(line, 2);
    return words_take_number(&line, process) && words_begin(line, "\",\"");
}

/* "PID:   123" under "label:   name". */
static bool read_list(struct span before, struct span line, struct span *image, uint64_t *process)
{
    if (!words_begin(line, "PID:") || !words_number(words_trim(span_from(line, 4)), process))
        return false;
    words_until(&before, ':');
    *image = words_trim(before);
    return is_image(*image);
}

static bool recognises(struct span head)
{
    struct span before = {head.data, 0}, image;
    uint64_t process;
    for (int i = 0; i < HEAD_LINES && head.size > 0; i++) {
        struct span line = without_return(words_until(&head, '\n'));
        if (is_ruler(line) || read_csv(line, &image, &process) || read_list(before, line, &image, &process))
            return true;
        before = line;
    }
    return false;
}

static bool read_row(const struct tasklist *tasks, struct span line, struct span *image, uint64_t *process)
{
    *image = text_table_cell(&tasks->table, line, 0);
    return tasks->table.column_count > 0 && image->size > 0 &&
           words_number(text_table_cell(&tasks->table, line, 1), process);
}

static void read_line(struct tasklist *tasks, struct span line)
{
    struct span image;
    uint64_t process;
    if (is_ruler(line)) {
        text_table_begin(&tasks->table, text_span(&tasks->before), line);
        return;
    }
    bool known = read_csv(line, &image, &process) || read_list(text_span(&tasks->before), line, &image, &process) ||
                 read_row(tasks, line, &image, &process);
    if (!known || process == 0 || process > UINT32_MAX)
        return;
    struct moment at = evidence_input_moment(tasks->input, 0);
    struct process_record *record = evidence_add_process(tasks->input->evidence, &at);
    if (!record)
        return;
    record->process = (uint32_t)process;
    record->image = evidence_input_text(tasks->input, span_part(image, 0, IMAGE_MAX));
}

static void read(struct evidence_input *input)
{
    struct tasklist tasks = {.input = input, .before = {.ceiling = TABLE_HEADER_MAX}};
    evidence_input_source(input)->system = SYSTEM_WINDOWS;
    for (struct span line; text_lines_next(input->lines, &line);) {
        read_line(&tasks, line);
        text_clear(&tasks.before);
        text_add_bytes(&tasks.before, (const char *)line.data, line.size);
    }
    text_table_close(&tasks.table);
    text_close(&tasks.before);
}

const struct evidence_reader tasklist = {
    .kind = SOURCE_TASKLIST,
    .recognises = recognises,
    .read = read,
};
