/*
 * SQL Server's connectivity ring buffer: rows of sys.dm_os_ring_buffers as XML (Microsoft: "Connectivity troubleshooting with the ring buffer"),
 * and its twins among the extended events, connectivity_ring_buffer_recorded and error_reported.
 *
 * Rows have names of two generations for their timers, and a local time without leading zeros; events have UTC.
 */
#include "errorlog_messages.h"
#include "xml_records.h"

static bool recognises(struct span head)
{
    struct span from;
    if (xml_has_element(head, "ConnectivityTraceRecord"))
        return true;
    return xml_has_element(head, "event") && xml_has_element(head, "data") &&
           words_find(head, "package=\"sqlserver\"", &from);
}

static struct span first_of(const struct xml_record *record, const char *const *paths)
{
    struct span value = {0};
    for (; *paths && value.size == 0; paths++)
        value = xml_record_value(record, *paths);
    return value;
}

static int32_t milliseconds(const struct xml_record *record, const char *older, const char *newer)
{
    const char *const paths[] = {older, newer, NULL};
    uint64_t value;
    return words_number(first_of(record, paths), &value) && value <= INT32_MAX ? (int32_t)value : -1;
}

/* The machine itself ("<local machine>", port 0) is no end of a captured connection. */
static void read_client(struct span host, struct span port, struct endpoint *client)
{
    uint64_t number;
    if (!words_address(host, &client->address) || !words_number(port, &number) || number > UINT16_MAX)
        return;
    client->port = (uint16_t)number;
}

static bool is_flag_set(const struct xml_record *record, const char *path)
{
    return words_equal(xml_record_value(record, path), "1");
}

/* How a connection that ended came to do so. */
static enum log_event event_of(uint64_t error, bool error_before_login, bool closed)
{
    enum log_event event;
    if (errorlog_knows_number(error, &event))
        return event;
    return closed && !error_before_login ? LOG_INPUT_FAILED : LOG_LOGIN_BROKEN;
}

static uint32_t number_at(const struct xml_record *record, const char *const *paths)
{
    uint64_t number;
    return words_number(first_of(record, paths), &number) && number <= UINT32_MAX ? (uint32_t)number : 0;
}

#define ROW "ConnectivityTraceRecord/"
#define OLD_TIMERS ROW "LoginTimers/"
#define NEW_TIMERS ROW "LoginTimersInMilliseconds/"
#define FLAGS ROW "TdsDisconnectFlags/"

static void read_row_timers(const struct xml_record *xml, struct login_times *times)
{
    *times = (struct login_times){
        .total = milliseconds(xml, OLD_TIMERS "TotalLoginTimeInMilliseconds", NEW_TIMERS "TotalTime"),
        .enqueued = milliseconds(xml, OLD_TIMERS "LoginTaskEnqueuedInMilliseconds", NEW_TIMERS "EnqueueTime"),
        .writes = milliseconds(xml, OLD_TIMERS "NetworkWritesInMilliseconds", NEW_TIMERS "NetWritesTime"),
        .reads = milliseconds(xml, OLD_TIMERS "NetworkReadsInMilliseconds", NEW_TIMERS "NetReadsTime"),
        .tls = milliseconds(xml, OLD_TIMERS "SslProcessingInMilliseconds", NEW_TIMERS "Ssl/TotalTime"),
        .sspi = milliseconds(xml, OLD_TIMERS "SspiProcessingInMilliseconds", NEW_TIMERS "Sspi/TotalTime"),
        .validation = milliseconds(xml, OLD_TIMERS "LoginTriggerAndResourceGovernorProcessingInMilliseconds",
                                   NEW_TIMERS "TriggerAndResGovTime"),
    };
}

static void take_row(const struct evidence_input *input, const struct xml_record *xml)
{
    static const char *const errors[] = {ROW "SniConsumerError", NULL}, *const states[] = {ROW "State", NULL};
    static const char *const system_errors[] = {ROW "OSError", ROW "TdsBuffersInformation/TdsInputBufferError",
                                                ROW "TdsBufInfo/InputBufError", NULL};
    struct span time = xml_record_value(xml, ROW "RecordTime");
    enum date_order order;
    int64_t time_ns;
    bool closed = words_equal(xml_record_value(xml, ROW "RecordType"), "ConnectionClose");
    bool normal = is_flag_set(xml, FLAGS "NormalDisconnect") || is_flag_set(xml, FLAGS "NormalLogout");
    if (!words_take_local_time(&time, DATE_MONTH_FIRST, &time_ns, &order) || (closed && normal))
        return;
    struct moment at = evidence_input_moment(input, time_ns);
    struct log_record *record = evidence_add_log(input->evidence, &at);
    if (!record)
        return;
    record->number = number_at(xml, errors);
    record->state = number_at(xml, states);
    record->system_error = number_at(xml, system_errors);
    record->event = event_of(record->number, is_flag_set(xml, FLAGS "ErrorFoundBeforeLogin"), closed);
    read_client(xml_record_value(xml, ROW "RemoteHost"), xml_record_value(xml, ROW "RemotePort"), &record->client);
    record->has_connection_id = words_guid(xml_record_value(xml, ROW "ClientConnectionId"), record->connection_id);
    read_row_timers(xml, &record->times);
}

static struct span data_of(const struct xml_record *xml, const char *name)
{
    char path[80] = "data:";
    strncat(path, name, 64);
    strncat(path, "/value", 8);
    return xml_record_value(xml, path);
}

static uint32_t data_number(const struct xml_record *xml, const char *name)
{
    uint64_t number;
    return words_number(data_of(xml, name), &number) && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static int32_t data_milliseconds(const struct xml_record *xml, const char *name)
{
    uint64_t value;
    return words_number(data_of(xml, name), &value) && value <= INT32_MAX ? (int32_t)value : -1;
}

static void take_connectivity(const struct xml_record *xml, struct log_record *record)
{
    struct span type = xml_record_value(xml, "data:type/text"), found;
    bool closed = words_find(type, "Close", &found) || words_find(type, "CLOSE", &found);
    record->number = data_number(xml, "sni_consumer_error");
    record->state = data_number(xml, "state");
    record->system_error = data_number(xml, "os_error");
    if (record->system_error == 0)
        record->system_error = data_number(xml, "tds_input_buffer_error");
    record->event = event_of(record->number, false, closed);
    read_client(data_of(xml, "remote_host"), data_of(xml, "remote_port"), &record->client);
    record->has_connection_id = words_guid(data_of(xml, "client_connection_id"), record->connection_id) ||
                                words_guid(data_of(xml, "connection_id"), record->connection_id);
    record->times = (struct login_times){
        .total = data_milliseconds(xml, "total_login_time_ms"),
        .enqueued = data_milliseconds(xml, "login_task_enqueued_ms"),
        .writes = data_milliseconds(xml, "network_writes_ms"),
        .reads = data_milliseconds(xml, "network_reads_ms"),
        .tls = data_milliseconds(xml, "ssl_processing_ms"),
        .sspi = data_milliseconds(xml, "sspi_processing_ms"),
        .validation = data_milliseconds(xml, "login_trigger_and_resource_governor_processing_ms"),
    };
}

static void take_event(const struct evidence_input *input, const struct xml_record *xml)
{
    struct span name = xml_record_value(xml, "@name"), time = xml_record_value(xml, "@timestamp");
    bool connectivity = words_equal(name, "connectivity_ring_buffer_recorded");
    enum log_event event = LOG_LOGIN_BROKEN;
    uint64_t number = 0;
    int64_t time_ns;
    if (!words_take_time(&time, &time_ns))
        return;
    if (!connectivity &&
        (!words_equal(name, "error_reported") || !words_number(data_of(xml, "error_number"), &number) ||
         number > UINT32_MAX || !errorlog_knows_number(number, &event)))
        return;
    struct moment at = evidence_input_moment(input, time_ns);
    struct log_record *record = evidence_add_log(input->evidence, &at);
    if (!record)
        return;
    record->event = event;
    record->number = (uint32_t)number;
    if (connectivity) {
        take_connectivity(xml, record);
        return;
    }
    record->state = data_number(xml, "state");
    errorlog_read_message(record, data_of(xml, "message"));
}

static void take(void *context, const struct xml_record *xml)
{
    const struct evidence_input *input = context;
    struct source_facts *source = evidence_input_source(input);
    bool row = words_equal((struct span){(const uint8_t *)xml->name, strlen(xml->name)}, "Record");
    source->zone = row ? ZONE_OPEN : ZONE_TOLD;
    if (row)
        take_row(input, xml);
    else
        take_event(input, xml);
}

static void read(struct evidence_input *input)
{
    static const char *const names[] = {"Record", "event", NULL};
    struct source_facts *source = evidence_input_source(input);
    if (!source->role_given)
        source->role = CAPTURE_ROLE_SERVER;
    xml_records_read(input, &(struct xml_format){names, take, input});
    evidence_tell_zone(input->evidence, input->source, source->zone, 0);
}

const struct evidence_reader ring_buffer = {
    .kind = SOURCE_RING_BUFFER,
    .recognises = recognises,
    .read = read,
};
