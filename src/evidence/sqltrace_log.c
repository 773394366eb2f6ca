/*
 * SQLTrace.log, which Microsoft's SQLTrace.ps1 writes (CSS SQL networking tools): a line is local time, level and text; lines without are the
 * script's own banner. The script speaks English on every Windows.
 *
 *   2026/03/02 09:30:00.125 INFO    Traces have started...
 */
#include "evidence_reader.h"

enum { HEAD_LINES = 200 };

/* Texts that this script alone writes; those of its settings have the value behind them. */
static const struct {
    const char *begin;
    enum log_event event; /* LOG_EVENTS: none */
} known_texts[] = {
    {"Traces have started", LOG_TRACE_STARTED},
    {"Stopping Traces", LOG_TRACE_STOPPED},
    {"Starting traces ...", LOG_EVENTS},
    {"Traces have stopped", LOG_EVENTS},
    {"Read the ini file:", LOG_EVENTS},
    {"BIDTrace ", LOG_EVENTS},
    {"NETTrace ", LOG_EVENTS},
    {"SQLTrace requires elevated privileges", LOG_EVENTS},
    {"Progress Log name: ", LOG_EVENTS},
};

static bool read_entry(struct span line, int64_t *local_ns, struct span *text)
{
    struct span rest = line;
    if (!words_take_time(&rest, local_ns))
        return false;
    struct span level = words_next(&rest);
    *text = words_trim(rest);
    return words_equal(level, "INFO") || words_equal(level, "WARN") || words_equal(level, "ERR");
}

static bool knows_text(struct span text, enum log_event *event)
{
    for (size_t i = 0; i < sizeof known_texts / sizeof *known_texts; i++)
        if (words_begin(text, known_texts[i].begin)) {
            *event = known_texts[i].event;
            return true;
        }
    return false;
}

static bool recognises(struct span head)
{
    for (int i = 0; i < HEAD_LINES && head.size > 0; i++) {
        struct span line = words_until(&head, '\n'), text;
        int64_t local_ns;
        enum log_event event;
        if (read_entry(words_until(&line, '\r'), &local_ns, &text) && knows_text(text, &event))
            return true;
    }
    return false;
}

static void read(struct evidence_input *input)
{
    struct span line, text;
    int64_t local_ns;
    enum log_event event;
    evidence_input_source(input)->system = SYSTEM_WINDOWS;
    while (text_lines_next(input->lines, &line)) {
        if (!read_entry(line, &local_ns, &text) || !knows_text(text, &event) || event == LOG_EVENTS)
            continue;
        struct moment at = evidence_input_moment(input, local_ns);
        struct log_record *record = evidence_add_log(input->evidence, &at);
        if (record)
            record->event = event;
    }
    evidence_tell_zone(input->evidence, input->source, ZONE_OPEN, 0);
}

const struct evidence_reader sqltrace_log = {
    .kind = SOURCE_SQLTRACE_LOG,
    .recognises = recognises,
    .read = read,
};
