/*
 * Windows' events as text: wevtutil /f:Text, Event Viewer's "Copy details as text", Get-WinEvent | Format-List. Each is a block of lines "label:
 * value"; their labels are in the language of the machine, their order is not:
 *
 *   Log Name, Source, Date, Event ID, ..., Computer, Description       Event Viewer, wevtutil
 *   TimeCreated, ProviderName, Id, Message                             Format-List
 *
 * So an event begins where a number stands one or two lines below a date. A drop's fields are known by order and shape, too: process, direction,
 * address and port of the source, of the destination, protocol, number of the filter.
 */
#include "memory.h"
#include "windows_events.h"

enum { HEAD_LINES = 400, LINES_AFTER_DATE = 2, VALUE_MAX = 128, KEPT = 3 };

/* Which field of a drop comes next. */
enum drop_field {
    FIELD_DIRECTION,
    FIELD_SOURCE_PORT,
    FIELD_DESTINATION,
    FIELD_DESTINATION_PORT,
    FIELD_PROTOCOL,
    FIELD_FILTER,
    FIELD_LAYER,
    FIELD_LAYER_ID,
    FIELDS_DONE
};

struct kept_value {
    char text[VALUE_MAX];
    size_t size;
};

struct event_text {
    struct evidence_input *input;
    enum date_order order; /* of dates that do not tell */
    bool contradicted;     /* dates of both orders */
    uint32_t dates, dates_told_in_utc;
    int64_t time_ns;                /* of the newest date */
    unsigned lines_since;           /* it, with a value */
    bool time_pending;              /* it belongs to no event yet */
    struct kept_value latest[KEPT]; /* the newest values: the provider is among them */
    unsigned latest_place;

    bool in_drop, in_tls;
    struct moment at;
    enum drop_field next;
    struct kept_value fields[FIELDS_DONE + 2]; /* of a drop, by order: see add_drop() */
    struct kept_value origin;
    struct log_record *tls;
};

static struct span value_span(const struct kept_value *value)
{
    return (struct span){(const uint8_t *)value->text, value->size};
}

static void keep(struct kept_value *value, struct span text)
{
    value->size = text.size < VALUE_MAX ? text.size : VALUE_MAX;
    if (value->size > 0)
        memcpy(value->text, text.data, value->size);
}

/* "label: value"; labels may have a colon of full width (Chinese, Japanese). */
static bool split(struct span line, struct span *label, struct span *value)
{
    struct span rest = line, wide;
    if (words_find(line, "\xef\xbc\x9a", &wide)) {
        *label = words_trim(span_part(line, 0, line.size - wide.size));
        *value = words_trim(span_from(wide, 3));
        return true;
    }
    *label = words_trim(words_until(&rest, ':'));
    *value = words_trim(rest);
    return label->size + rest.size < line.size && label->size > 0;
}

static bool is_id_label(struct span label)
{
    return words_equal(label, "Event ID") || words_equal(label, "Id") || words_equal(label, "EventID") ||
           words_equal(label, "InstanceId");
}

static bool read_date(struct event_text *text, struct span value)
{
    enum date_order proved;
    int64_t time_ns;
    bool month_first = words_find(value, "/", &(struct span){0});
    enum date_order usual = text->order != DATE_TOLD ? text->order : month_first ? DATE_MONTH_FIRST : DATE_DAY_FIRST;
    if (!words_take_local_time(&value, usual, &time_ns, &proved))
        return false;
    if (proved != DATE_TOLD) {
        text->contradicted = text->contradicted || (text->dates > 0 && proved != usual);
        text->order = proved;
    }
    text->dates++;
    text->dates_told_in_utc += words_begin(value, "Z");
    text->time_ns = time_ns;
    text->lines_since = 0;
    text->time_pending = true;
    return true;
}

static void add_drop(struct event_text *text)
{
    if (!text->in_drop || text->next < FIELD_FILTER)
        return;
    const struct windows_drop drop = {
        .direction = value_span(&text->fields[FIELD_DIRECTION]),
        .source_address = value_span(&text->fields[FIELDS_DONE]),
        .source_port = value_span(&text->fields[FIELD_SOURCE_PORT]),
        .destination_address = value_span(&text->fields[FIELD_DESTINATION]),
        .destination_port = value_span(&text->fields[FIELD_DESTINATION_PORT]),
        .protocol = value_span(&text->fields[FIELD_PROTOCOL]),
        .filter = value_span(&text->fields[FIELD_FILTER]),
        .origin = value_span(&text->origin),
        .layer = value_span(&text->fields[FIELD_LAYER]),
    };
    windows_event_add_drop(text->input, &text->at, &drop);
}

static void end_event(struct event_text *text)
{
    add_drop(text);
    text->in_drop = text->in_tls = false;
    text->tls = NULL;
}

static bool named_before(const struct event_text *text, uint64_t id, enum log_event *event)
{
    for (unsigned i = 0; i < KEPT; i++)
        if (windows_event_knows(id, value_span(&text->latest[i]), event))
            return true;
    return false;
}

static void begin_event(struct event_text *text, uint64_t id)
{
    enum log_event event;
    end_event(text);
    text->at = evidence_input_moment(text->input, text->time_pending ? text->time_ns : 0);
    text->time_pending = false;
    if (windows_event_is_drop(id)) {
        text->in_drop = true;
        text->next = FIELD_DIRECTION;
        memset(text->fields, 0, sizeof text->fields);
        text->origin.size = 0;
    } else if (named_before(text, id, &event)) {
        struct log_record *record = windows_event_add_log(text->input, &text->at, event, id);
        text->in_tls = record && event == LOG_TLS_FAILED;
        text->tls = record;
    }
}

/* A filter's owner may stand before its number. */
static void take_drop_value(struct event_text *text, struct span value)
{
    struct address address;
    uint64_t number;
    bool is_number = words_number(value, &number);
    switch (text->next) {
    case FIELD_DIRECTION:
        if (words_address(value, &address)) {
            keep(&text->fields[FIELDS_DONE], value);
            text->next = FIELD_SOURCE_PORT;
        } else {
            keep(&text->fields[FIELD_DIRECTION], value);
        }
        return;
    case FIELD_DESTINATION:
        if (!words_address(value, &address))
            return;
        break;
    case FIELD_FILTER:
        if (!is_number) {
            keep(&text->origin, value);
            return;
        }
        break;
    case FIELD_LAYER:
        break;
    default:
        if (!is_number)
            return;
    }
    if (text->next < FIELDS_DONE)
        keep(&text->fields[text->next++], value);
}

/* Schannel tells the alert or the version within its sentence. */
static void take_tls_line(struct event_text *text, struct span line)
{
    uint32_t version = windows_event_tls_version(line);
    if (!text->tls || text->tls->state != 0)
        return;
    if (text->tls->number == 36874) {
        text->tls->state = version;
        return;
    }
    for (uint64_t alert; line.size > 0; line = span_from(line, 1))
        if (words_take_number(&line, &alert)) {
            text->tls->state = alert <= UINT8_MAX ? (uint32_t)alert : 0;
            return;
        }
}

static void read_value(struct event_text *text, struct span label, struct span value)
{
    uint64_t number;
    bool soon = text->time_pending && text->lines_since < LINES_AFTER_DATE;
    text->lines_since++;
    if (words_number(value, &number) && number <= UINT16_MAX && (soon || is_id_label(label)))
        begin_event(text, number);
    else if (text->in_drop)
        take_drop_value(text, value);
    struct source_facts *source = evidence_input_source(text->input);
    if (!source->machine && words_equal(label, "Computer"))
        source->machine = evidence_input_text(text->input, value);
    keep(&text->latest[text->latest_place++ % KEPT], value);
}

static void read_line(struct event_text *text, struct span line)
{
    struct span label, value;
    if (words_begin(line, "Event[")) {
        end_event(text);
        text->time_pending = false;
        return;
    }
    bool has_label = split(line, &label, &value) && value.size > 0;
    if (has_label && read_date(text, value))
        return;
    if (text->in_tls && !is_id_label(label))
        take_tls_line(text, line);
    if (has_label)
        read_value(text, label, value);
}

/* A known event ID at its place below a date, or with its English label. */
static bool recognises(struct span head)
{
    unsigned since = LINES_AFTER_DATE;
    bool described = false;
    for (int i = 0; i < HEAD_LINES && head.size > 0; i++) {
        struct span line = words_until(&head, '\n'), label, value, rest;
        int64_t time_ns;
        uint64_t id;
        enum date_order order;
        line = words_until(&line, '\r');
        if (words_begin(line, "Event["))
            described = true;
        if (!split(line, &label, &value) || value.size == 0)
            continue;
        rest = value;
        if (words_take_local_time(&rest, DATE_MONTH_FIRST, &time_ns, &order)) {
            since = 0;
            continue;
        }
        described = described || words_equal(label, "Log Name") || words_equal(label, "ProviderName");
        bool number = words_number(value, &id) && id <= UINT16_MAX;
        if (number && described && is_id_label(label))
            return true;
        if (number && since < LINES_AFTER_DATE && (described || windows_event_is_drop(id)))
            return true;
        since++;
    }
    return false;
}

static void read(struct evidence_input *input)
{
    struct event_text *text = memory_take(sizeof *text);
    text->input = input;
    struct source_facts *source = evidence_input_source(input);
    source->system = SYSTEM_WINDOWS;
    for (struct span line; text_lines_next(input->lines, &line);)
        read_line(text, line);
    end_event(text);
    if (text->contradicted)
        notes_add(&source->notes, "dates", "some of its dates have the day first and some the month");
    bool utc = text->dates > 0 && text->dates_told_in_utc == text->dates;
    evidence_tell_zone(input->evidence, input->source, utc ? ZONE_TOLD : ZONE_OPEN, 0);
    memory_give(text);
}

const struct evidence_reader event_text = {
    .kind = SOURCE_EVENTS,
    .recognises = recognises,
    .read = read,
};
