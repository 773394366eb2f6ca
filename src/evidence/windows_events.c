/*
 * Windows' events (Microsoft: events 5152 and 5157; 4227, 4231 and 4266 of Tcpip; 5719 of NETLOGON; 36874 and 36888 of Schannel; 3002 and 3003
 * of MSSQL-SQLTrace, the source that SQLTrace.ps1 registers).
 */
#include "windows_events.h"

enum { EVENT_PACKET_DROPPED = 5152, EVENT_CONNECTION_FORBIDDEN = 5157, PROTOCOL_NUMBER_TCP = 6 };

static const struct {
    uint32_t id;
    const char *provider;
    enum log_event event;
} known_events[] = {
    {4227, "Tcpip", LOG_NO_PORTS},
    {4231, "Tcpip", LOG_NO_PORTS},
    {4266, "Tcpip", LOG_NO_PORTS},
    {5719, "NETLOGON", LOG_CONTROLLER_FAILED},
    {36874, "Schannel", LOG_TLS_FAILED},
    {36888, "Schannel", LOG_TLS_FAILED},
    {3002, "MSSQL-SQLTrace", LOG_TRACE_STARTED},
    {3003, "MSSQL-SQLTrace", LOG_TRACE_STOPPED},
};

/* Numbers of Windows' message table, which an event has in place of the words. */
static const struct {
    const char *number, *words;
} layers[] = {
    {"%%14597", "Transport"},      {"%%14598", "Forward"}, {"%%14608", "Resource Assignment"}, {"%%14609", "Listen"},
    {"%%14610", "Receive/Accept"}, {"%%14611", "Connect"}, {"%%14612", "Flow Established"},
};

bool windows_event_is_drop(uint64_t id)
{
    return id == EVENT_PACKET_DROPPED || id == EVENT_CONNECTION_FORBIDDEN;
}

static bool has_word(struct span text, const char *word)
{
    for (; text.size > 0; text = span_from(text, 1))
        if (words_begin_any_case(text, word))
            return true;
    return false;
}

bool windows_event_knows(uint64_t id, struct span provider, enum log_event *event)
{
    for (size_t i = 0; i < sizeof known_events / sizeof *known_events; i++)
        if (known_events[i].id == id && has_word(provider, known_events[i].provider)) {
            *event = known_events[i].event;
            return true;
        }
    return false;
}

static const char *layer_words(const struct evidence_input *input, struct span layer)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (words_equal(layer, layers[i].number))
            return layers[i].words;
    return layer.size > 0 ? evidence_input_text(input, layer) : NULL;
}

void windows_event_add_drop(const struct evidence_input *input, const struct moment *at,
                            const struct windows_drop *drop)
{
    struct endpoint source = {0}, destination = {0};
    uint64_t protocol, filter = 0;
    if (!words_number(drop->protocol, &protocol) || protocol != PROTOCOL_NUMBER_TCP ||
        !words_address_and_port(drop->source_address, drop->source_port, &source) ||
        !words_address_and_port(drop->destination_address, drop->destination_port, &destination))
        return;
    struct drop_record *record = evidence_add_drop(input->evidence, at);
    if (!record)
        return;
    record->source = source;
    record->destination = destination;
    record->inbound = words_equal(drop->direction, "%%14592") || words_equal(drop->direction, "Inbound");
    record->outbound = words_equal(drop->direction, "%%14593") || words_equal(drop->direction, "Outbound");
    record->filter = words_number(drop->filter, &filter) ? filter : 0;
    record->at_transport = words_equal(drop->layer, "%%14597") || words_equal(drop->layer, "Transport");
    record->reason = drop->origin.size > 0 ? evidence_input_text(input, drop->origin) : layer_words(input, drop->layer);
}

struct log_record *windows_event_add_log(const struct evidence_input *input, const struct moment *at,
                                         enum log_event event, uint64_t id)
{
    struct log_record *record = evidence_add_log(input->evidence, at);
    if (!record)
        return NULL;
    record->event = event;
    record->number = (uint32_t)id;
    return record;
}

uint32_t windows_event_tls_version(struct span text)
{
    struct span rest;
    uint64_t minor;
    if (!words_after(text, "TLS 1.", &rest) || !words_take_number(&rest, &minor) || minor > 3)
        return 0;
    return 0x0301 + (uint32_t)minor;
}
