/*
 * What the Windows Filtering Platform dropped, as XML: `netsh wfp show netevents`, the file of `netsh wfp capture` (Microsoft:
 * FWPM_NET_EVENT_HEADER3, FWPM_NET_EVENT_CLASSIFY_DROP2). Their times are UTC.
 */
#include "xml_records.h"

enum { PROTOCOL_NUMBER_TCP = 6 };

static bool recognises(struct span head)
{
    struct span from;
    return (xml_has_element(head, "netEvent") || xml_has_element(head, "netEvents")) &&
           xml_has_element(head, "header") &&
           (xml_has_element(head, "ipProtocol") || words_find(head, "FWPM_NET_EVENT_", &from));
}

static bool take_end(const struct xml_record *record, const char *v4, const char *v6, const char *port,
                     struct endpoint *end)
{
    uint64_t number;
    if (!words_address(xml_record_value(record, v4), &end->address) &&
        !words_address(xml_record_value(record, v6), &end->address))
        return false;
    if (!xml_record_number(record, port, &number) || number > UINT16_MAX)
        return false;
    end->port = (uint16_t)number;
    return true;
}

static bool is_drop(const struct xml_record *record)
{
    uint64_t protocol;
    return words_equal(xml_record_value(record, "type"), "FWPM_NET_EVENT_TYPE_CLASSIFY_DROP") &&
           xml_record_number(record, "header/ipProtocol", &protocol) && protocol == PROTOCOL_NUMBER_TCP;
}

static void take(void *context, const struct xml_record *record)
{
    const struct evidence_input *input = context;
    struct span time = xml_record_value(record, "header/timeStamp"), from;
    struct endpoint local = {0}, remote = {0};
    int64_t time_ns;
    if (!is_drop(record) || !words_take_time(&time, &time_ns) ||
        !take_end(record, "header/localAddrV4", "header/localAddrV6", "header/localPort", &local) ||
        !take_end(record, "header/remoteAddrV4", "header/remoteAddrV6", "header/remotePort", &remote))
        return;
    struct moment at = evidence_input_moment(input, time_ns);
    struct drop_record *drop = evidence_add_drop(input->evidence, &at);
    if (!drop)
        return;
    struct span direction = xml_record_value(record, "classifyDrop/msFwpDirection");
    struct span origin = xml_record_value(record, "internalFields/filterOrigin");
    drop->inbound = words_find(direction, "_IN", &from);
    drop->outbound = words_find(direction, "_OUT", &from);
    drop->source = drop->inbound ? remote : local;
    drop->destination = drop->inbound ? local : remote;
    uint64_t filter;
    drop->filter = xml_record_number(record, "classifyDrop/filterId", &filter) ? filter : 0;
    drop->reason = origin.size > 0 ? evidence_input_text(input, origin) : NULL;
    evidence_add_address(input->evidence, input->source, &local.address);
}

static void read(struct evidence_input *input)
{
    static const char *const names[] = {"netEvent", "item", NULL};
    evidence_input_source(input)->system = SYSTEM_WINDOWS;
    xml_records_read(input, &(struct xml_format){names, take, input});
    evidence_tell_zone(input->evidence, input->source, ZONE_TOLD, 0);
}

const struct evidence_reader wfp_netevents = {
    .kind = SOURCE_WFP,
    .recognises = recognises,
    .read = read,
};
