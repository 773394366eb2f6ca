/*
 * The log of the Windows firewall, pfirewall.log (Microsoft: "Interpreting the Windows Firewall Log"; W3C extended log format): "#Fields:" names
 * the columns, each other line has them, "-" where there is nothing.
 *
 * It has local time. Lines of packets that were let through are not read.
 */
#include "evidence_reader.h"

enum column {
    COLUMN_DATE,
    COLUMN_TIME,
    COLUMN_ACTION,
    COLUMN_PROTOCOL,
    COLUMN_SOURCE,
    COLUMN_DESTINATION,
    COLUMN_SOURCE_PORT,
    COLUMN_DESTINATION_PORT,
    COLUMN_PATH,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {
    [COLUMN_DATE] = "date",
    [COLUMN_TIME] = "time",
    [COLUMN_ACTION] = "action",
    [COLUMN_PROTOCOL] = "protocol",
    [COLUMN_SOURCE] = "src-ip",
    [COLUMN_DESTINATION] = "dst-ip",
    [COLUMN_SOURCE_PORT] = "src-port",
    [COLUMN_DESTINATION_PORT] = "dst-port",
    [COLUMN_PATH] = "path",
};

enum { COLUMNS_MAX = 32, HEAD_LINES = 32 };

struct firewall_log {
    struct evidence_input *input;
    uint8_t meaning[COLUMNS_MAX]; /* by place in the line; COLUMNS: none that matters */
    enum source_zone zone;
};

static bool read_fields(struct firewall_log *log, struct span names)
{
    unsigned found = 0;
    for (int place = 0; place < COLUMNS_MAX; place++) {
        struct span name = words_next(&names);
        log->meaning[place] = COLUMNS;
        for (uint8_t column = 0; column < COLUMNS; column++)
            if (words_equal(name, column_names[column])) {
                log->meaning[place] = column;
                found |= 1u << column;
            }
    }
    return found + 1 == 1u << COLUMNS || found + 1 == 1u << COLUMN_PATH;
}

static bool is_fields_line(struct span line, struct span *names)
{
    return words_begin_any_case(line, "#Fields:") && words_after(line, ":", names);
}

static bool recognises(struct span head)
{
    struct firewall_log log = {0};
    struct span names;
    for (int i = 0; i < HEAD_LINES && head.size > 0; i++) {
        struct span line = words_until(&head, '\n');
        if (is_fields_line(line, &names))
            return read_fields(&log, words_until(&names, '\r'));
    }
    return false;
}

static void read_row(struct firewall_log *log, struct span line)
{
    struct span values[COLUMNS + 1] = {{0}}, rest = line;
    for (int place = 0; place < COLUMNS_MAX; place++)
        values[log->meaning[place]] = words_next(&rest);
    struct endpoint source = {0}, destination = {0};
    int64_t time_ns;
    /* Date and time stand side by side. */
    struct span date = values[COLUMN_DATE];
    struct span time = date.size > 0 ? span_from(line, (size_t)(date.data - line.data)) : date;
    if (!words_equal(values[COLUMN_ACTION], "DROP") || !words_equal(values[COLUMN_PROTOCOL], "TCP") ||
        !words_take_time(&time, &time_ns) ||
        !words_address_and_port(values[COLUMN_SOURCE], values[COLUMN_SOURCE_PORT], &source) ||
        !words_address_and_port(values[COLUMN_DESTINATION], values[COLUMN_DESTINATION_PORT], &destination))
        return;
    struct moment at = evidence_input_moment(log->input, time_ns);
    struct drop_record *record = evidence_add_drop(log->input->evidence, &at);
    if (!record)
        return;
    record->source = source;
    record->destination = destination;
    record->inbound = words_equal(values[COLUMN_PATH], "RECEIVE");
    record->outbound = words_equal(values[COLUMN_PATH], "SEND");
}

static void read_header(struct firewall_log *log, struct span line)
{
    struct span rest;
    if (is_fields_line(line, &rest))
        read_fields(log, rest);
    else if (words_begin_any_case(line, "#Time Format:") && words_after(line, ":", &rest))
        log->zone =
            words_equal(words_trim(rest), "UTC") || words_equal(words_trim(rest), "GMT") ? ZONE_TOLD : ZONE_OPEN;
}

static void read(struct evidence_input *input)
{
    struct firewall_log log = {.input = input, .zone = ZONE_OPEN};
    evidence_input_source(input)->system = SYSTEM_WINDOWS;
    memset(log.meaning, COLUMNS, sizeof log.meaning);
    for (struct span line; text_lines_next(input->lines, &line);) {
        if (words_begin(line, "#"))
            read_header(&log, line);
        else
            read_row(&log, line);
    }
    evidence_tell_zone(input->evidence, input->source, log.zone, 0);
}

const struct evidence_reader pfirewall_log = {
    .kind = SOURCE_FIREWALL_LOG,
    .recognises = recognises,
    .read = read,
};
