/* Windows' events as XML: wevtutil /f:XML or /f:RenderedXml, Event Viewer's "Save as XML", Get-WinEvent's ToXml() (the schema of
 * http://schemas.microsoft.com/win/2004/08/events/event). Their times are UTC. */
#include "windows_events.h"
#include "xml_records.h"

/* What wevtutil writes where no event is asked for that there is: its root only. */
static bool is_empty(struct span head)
{
    struct span root = words_trim(words_until(&head, '>')), end = words_trim(words_until(&head, '>'));
    while (end.size > 0 && (end.data[0] == '\r' || end.data[0] == '\n'))
        end = words_trim(span_from(end, 1));
    return words_equal(root, "<Events") && words_equal(end, "</Events");
}

static bool recognises(struct span head)
{
    struct span from;
    if (is_empty(head))
        return true;
    return xml_has_element(head, "Event") && xml_has_element(head, "EventID") &&
           words_find(head, "schemas.microsoft.com/win/2004/08/events/event", &from);
}

static struct span data_of(const struct xml_record *record, const char *name)
{
    char path[64] = "EventData/Data:";
    strncat(path, name, sizeof path - strlen(path) - 1);
    return xml_record_value(record, path);
}

static void take_drop(const struct evidence_input *input, const struct moment *at, const struct xml_record *record)
{
    const struct windows_drop drop = {
        .direction = data_of(record, "Direction"),
        .source_address = data_of(record, "SourceAddress"),
        .source_port = data_of(record, "SourcePort"),
        .destination_address = data_of(record, "DestAddress"),
        .destination_port = data_of(record, "DestPort"),
        .protocol = data_of(record, "Protocol"),
        .filter = data_of(record, "FilterRTID"),
        .origin = data_of(record, "FilterOrigin"),
        .layer = data_of(record, "LayerName"),
    };
    windows_event_add_drop(input, at, &drop);
}

static void take_tls(const struct xml_record *record, struct log_record *log)
{
    uint64_t alert;
    if (words_number(data_of(record, "AlertDesc"), &alert) && alert <= UINT8_MAX)
        log->state = (uint32_t)alert;
    else
        log->state = windows_event_tls_version(data_of(record, "Protocol"));
}

static void take(void *context, const struct xml_record *record)
{
    const struct evidence_input *input = context;
    struct source_facts *source = evidence_input_source(input);
    struct span time = xml_record_value(record, "System/TimeCreated@SystemTime");
    struct span computer = xml_record_value(record, "System/Computer");
    struct span provider = xml_record_value(record, "System/Provider@Name");
    uint64_t id;
    enum log_event event;
    int64_t time_ns;
    if (!xml_record_number(record, "System/EventID", &id) || !words_take_time(&time, &time_ns))
        return;
    if (!source->machine && computer.size > 0)
        source->machine = evidence_input_text(input, computer);
    struct moment at = evidence_input_moment(input, time_ns);
    if (windows_event_is_drop(id)) {
        take_drop(input, &at, record);
    } else if (windows_event_knows(id, provider, &event)) {
        struct log_record *log = windows_event_add_log(input, &at, event, id);
        if (log && event == LOG_TLS_FAILED)
            take_tls(record, log);
    }
}

static void read(struct evidence_input *input)
{
    static const char *const names[] = {"Event", NULL};
    evidence_input_source(input)->system = SYSTEM_WINDOWS;
    xml_records_read(input, &(struct xml_format){names, take, input});
    evidence_tell_zone(input->evidence, input->source, ZONE_TOLD, 0);
}

const struct evidence_reader event_xml = {
    .kind = SOURCE_EVENTS,
    .recognises = recognises,
    .read = read,
};
