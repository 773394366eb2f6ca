/*
 * Windows' TCP settings: `netsh int tcp show global`, rows "label : state" in the order that all languages share. States are English
 * everywhere, and so are "ECN" and "RFC 1323" in the labels: before them come the congestion provider, auto-tuning and what the
 * card does of TCP; Receive Side Scaling is the first row of all.
 */
#include "evidence_reader.h"

enum { ROWS_MAX = 24, ROW_TEXT_MAX = 128, HEAD_ROWS = 64 };

struct global_row {
    char label[ROW_TEXT_MAX], state[ROW_TEXT_MAX];
    uint32_t line;
};

/* Rows that follow each other. */
struct global_rows {
    struct global_row list[ROWS_MAX];
    unsigned count;
};

static struct span span_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static void keep(char *to, struct span text)
{
    size_t size = text.size < ROW_TEXT_MAX ? text.size : ROW_TEXT_MAX - 1;
    memcpy(to, text.data, size);
    to[size] = '\0';
}

/* Whether the line is a row, which then is kept. */
static bool add_row(struct global_rows *rows, struct span line, uint32_t number)
{
    struct span state = line;
    struct span label = words_trim(words_until(&state, ':'));
    state = words_trim(state);
    if (state.size > 0 && state.data[state.size - 1] == '\r')
        state = words_trim(span_part(state, 0, state.size - 1));
    if (label.size == 0 || state.size == 0 || rows->count == ROWS_MAX)
        return false;
    struct global_row *row = &rows->list[rows->count++];
    row->line = number;
    keep(row->label, label);
    keep(row->state, state);
    return true;
}

static int row_named(const struct global_rows *rows, const char *part)
{
    struct span from;
    for (unsigned i = 0; i < rows->count; i++)
        if (words_find(span_of(rows->list[i].label), part, &from))
            return (int)i;
    return -1;
}

static bool is_switch(const struct global_row *row)
{
    struct span state = span_of(row->state);
    return words_equal(state, "enabled") || words_equal(state, "disabled");
}

static bool are_global(const struct global_rows *rows)
{
    enum { LEAST_BEFORE = 3 }; /* RSS, auto-tuning, congestion provider */
    int ecn = row_named(rows, "ECN");
    return ecn >= LEAST_BEFORE && row_named(rows, "RFC 1323") == ecn + 1 && is_switch(&rows->list[0]);
}

static bool recognises(struct span head)
{
    struct global_rows rows = {0};
    for (int i = 0; i < HEAD_ROWS && head.size > 0; i++) {
        if (add_row(&rows, words_until(&head, '\n'), 0))
            continue;
        if (are_global(&rows))
            return true;
        rows.count = 0;
    }
    return are_global(&rows);
}

static void set(const struct evidence_input *input, const struct global_row *row, enum machine_setting setting,
                const char *text)
{
    struct moment at = {0, row->line, input->source | MOMENT_IN_SOURCE};
    bool on = !words_equal(span_of(row->state), "disabled");
    evidence_add_setting(input->evidence, &at, setting, on, text);
}

static void read_rows(const struct evidence_input *input, const struct global_rows *rows)
{
    if (!are_global(rows))
        return;
    int ecn = row_named(rows, "ECN"), tuning = ecn - 2;
    set(input, &rows->list[0], SETTING_RSS, NULL);
    if (tuning >= 2)
        set(input, &rows->list[1], SETTING_OFFLOAD, "TCP Chimney");
    if (tuning >= 3 && row_named(rows, "NetDMA") == 2)
        set(input, &rows->list[2], SETTING_OFFLOAD, "NetDMA");
    /* ECN, time stamps, the initial RTO (a number), and then the joining of received segments. */
    uint64_t number;
    if (ecn + 3 < (int)rows->count && words_number(span_of(rows->list[ecn + 2].state), &number) &&
        is_switch(&rows->list[ecn + 3]))
        set(input, &rows->list[ecn + 3], SETTING_OFFLOAD, "Receive Segment Coalescing");
}

static void read(struct evidence_input *input)
{
    struct global_rows rows = {0};
    struct span line;
    evidence_input_source(input)->system = SYSTEM_WINDOWS;
    while (text_lines_next(input->lines, &line)) {
        if (add_row(&rows, line, input->lines->number))
            continue;
        read_rows(input, &rows);
        rows.count = 0;
    }
    read_rows(input, &rows);
}

const struct evidence_reader netsh_global = {
    .kind = SOURCE_HOST_SETTINGS,
    .recognises = recognises,
    .read = read,
};
