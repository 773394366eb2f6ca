/* Tests of the readers of firewalls, events, ring buffers and sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "evidence_texts.h"
#include "text.h"

#define FIELDS "#Fields: date time action protocol src-ip dst-ip src-port dst-port size tcpflags path\n"

static void test_firewall_log(void **state)
{
    struct evidence *e = *state;
    assert_true(
        read_text(e, "#Version: 1.5\n" FIELDS "2026-03-02 09:30:00 DROP TCP 10.0.0.5 10.0.0.9 50123 1433 52 S RECEIVE\n"
                     "2026-03-02 09:30:01 ALLOW TCP 10.0.0.5 10.0.0.9 50124 1433 52 S RECEIVE\n"
                     "2026-03-02 09:30:02 DROP TCP 10.0.0.5 10.0.0.9 99999 1433 52 S RECEIVE\n"
                     "2026-03-02 09:30:03 DROP\n2026-03-02 09:30:04 DROP UDP 10.0.0.5 10.0.0.9 1 2 3 - SEND\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_FIREWALL_LOG);
    assert_int_equal(e->drops.in_use, 1);
    assert_int_equal(evidence_drop(e, 0)->source.port, 50123);
    assert_true(evidence_drop(e, 0)->inbound);
    assert_int_equal(evidence_drop(e, 0)->at.frame, 3);
    assert_int_equal(e->sources[0].zone, ZONE_OPEN);
    assert_false(read_text(e, "#Fields: date time cs-method cs-uri-stem sc-status\n2026-03-02 09:30:00 GET / 200\n"));
}

#define EVENT(id, provider, data)                                                                                      \
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='" provider           \
    "'/><EventID>" id "</EventID><TimeCreated SystemTime='2026-03-02T09:30:00.5Z'/><Computer>SQL01</Computer>"         \
    "</System><EventData>" data "</EventData></Event>"
#define DROP                                                                                                           \
    "<Data Name='Direction'>%%14593</Data><Data Name='SourceAddress'>::1</Data><Data Name='SourcePort'>1</Data>"       \
    "<Data Name='DestAddress'>10.0.0.9</Data><Data Name='DestPort'>1433</Data><Data Name='Protocol'>6</Data>"          \
    "<Data Name='FilterRTID'>77</Data><Data Name='LayerName'>%%14597</Data>"

static void test_events_in_xml(void **state)
{
    struct evidence *e = *state;
    /* Two roots, one broken event between them, one of another provider. */
    assert_true(
        read_text(e, EVENT("5157", "Microsoft-Windows-Security-Auditing", DROP) "\n<Event><System & ></Event>\n" EVENT(
                         "36888", "Schannel", "<Data Name='AlertDesc'>70</Data>") EVENT("4227", "Tcpip", "")
                         EVENT("4227", "SomethingElse", "")));
    assert_int_equal(e->drops.in_use, 1);
    assert_true(evidence_drop(e, 0)->outbound && evidence_drop(e, 0)->at_transport);
    assert_int_equal(evidence_drop(e, 0)->filter, 77);
    assert_int_equal(e->log.in_use, 2);
    assert_int_equal(evidence_log(e, 0)->state, 70);
    assert_int_equal(evidence_log(e, 0)->at.frame, 3);
    assert_int_equal(evidence_log(e, 1)->event, LOG_NO_PORTS);
    assert_string_equal(e->sources[0].machine, "SQL01");
    assert_int_equal(e->sources[0].zone, ZONE_TOLD);
    assert_int_equal(e->sources[0].notes.count, 1);
}

/* Where nothing was dropped, nothing is exported: that is no file which cannot be read. */
static void test_no_events(void **state)
{
    struct evidence *e = *state;
    assert_true(read_utf16(e, "<Events>\n</Events>\n"));
    assert_true(read_text(e, "<Events></Events>"));
    assert_int_equal(e->sources[1].kind, SOURCE_EVENTS);
    assert_int_equal(e->sources[1].records, 0);
    assert_false(read_text(e, "<Events><Party/></Events>"));
    assert_false(read_text(e, "<Events>"));
}

static void test_hostile_xml(void **state)
{
    struct evidence *e = *state;
    struct text text = {0};
    text_add(&text, "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'><!ENTITY c '&a;&a;&a;'>]>");
    text_add(&text, EVENT("5719", "NETLOGON", "<Data>&c;</Data>"));
    for (int i = 0; i < 5000; i++)
        text_add(&text, "<a>");
    text_add(&text, EVENT("5719", "NETLOGON", ""));
    for (int i = 0; i < 3000; i++)
        text_add(&text, "<Event <");
    assert_true(read_text(e, text_string(&text)));
    assert_int_equal(e->log.in_use, 1);
    assert_true(e->sources[0].incomplete);
    text_close(&text);
}

static void test_events_as_text(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "Event[0]:\n  Log Name: System\n  Source: Schannel\n  Date: 2026-03-02T09:30:00.000Z\n"
                             "  Event ID: 36888\n  Description:\nThe fatal error code is 40. The state is 1205.\n\n"
                             "Event[1]:\n  Log Name: System\n  Source: NETLOGON\n  Date: 2026-03-02T09:31:00.000Z\n"
                             "  Event ID: 5719\n"));
    assert_int_equal(e->log.in_use, 2);
    assert_int_equal(evidence_log(e, 0)->state, 40);
    assert_int_equal(evidence_log(e, 1)->at.time_ns - evidence_log(e, 0)->at.time_ns, 60 * NS_PER_SECOND);
    assert_int_equal(e->sources[0].zone, ZONE_TOLD);
    assert_false(read_text(e, "Started: 2026-03-02 09:30:00\nItems: 17\nName: x\n"));
}

static void test_ring_buffer(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(
        e, "<Record id='1' type='RING_BUFFER_CONNECTIVITY'><ConnectivityTraceRecord><RecordType>Error</RecordType>"
           "<SniConsumerError>18456</SniConsumerError><State>8</State><RemoteHost>10.0.0.5</RemoteHost>"
           "<RemotePort>50123</RemotePort><RecordTime>3/2/2026 9:5:8.22</RecordTime>"
           "<ClientConnectionId>0A1B2C3D-0011-2233-4455-66778899AABB</ClientConnectionId>"
           "<LoginTimersInMilliseconds><TotalTime>12</TotalTime><Sspi><TotalTime>9</TotalTime></Sspi>"
           "</LoginTimersInMilliseconds></ConnectivityTraceRecord></Record>"));
    const struct log_record *record = evidence_log(e, 0);
    assert_int_equal(record->event, LOG_LOGIN_FAILED);
    assert_int_equal(record->client.port, 50123);
    assert_true(record->has_connection_id);
    assert_int_equal(record->connection_id[0], 0x3d);
    assert_int_equal(record->times.total, 12);
    assert_int_equal(record->times.sspi, 9);
    assert_int_equal(record->times.tls, -1);
    assert_int_equal(record->at.time_ns, 1772442308220000000);
}

static void test_sockets(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "  TCP    10.0.0.5:50123    10.0.0.9:1433    WARTEND    0\n"
                             "  TCP    [::]:135    [::]:0    ABH\xd6REN    4\n"
                             "  TCP    10.0.0.5:50124    sql01:ms-sql-s    HERGESTELLT    4711\n"
                             "  TCP    10.0.0.5:50125    10.0.0.9:1433    ESPERANDO    0\n"
                             "  UDP    0.0.0.0:123    *:*    4\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_NETSTAT);
    assert_string_equal(e->sources[0].encoding, "windows-1252");
    assert_int_equal(e->sockets.in_use, 4);
    assert_int_equal(evidence_socket(e, 0)->state, SOCKET_TIME_WAIT);
    assert_int_equal(evidence_socket(e, 1)->state, SOCKET_LISTEN);
    assert_int_equal(evidence_socket(e, 2)->remote.port, 1433);
    assert_int_equal(evidence_socket(e, 2)->process, 4711);
    assert_int_equal(evidence_socket(e, 3)->state, SOCKET_TIME_WAIT);
    assert_int_equal(e->addresses.in_use, 1);
    assert_true(read_text(e, "tcp4  0  0 10.0.0.6.50123  10.0.0.9.1433  ESTABLISHED\n"));
    assert_int_equal(evidence_socket(e, 4)->local.port, 50123);
    assert_true(read_text(e, "State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
                             "TIME-WAIT 0 0 10.0.0.7:50123 10.0.0.9:1433\n"
                             "ESTAB 0 0 10.0.0.7:50124 10.0.0.9:1433 users:((\"a\",pid=77,fd=5))\n"));
    assert_int_equal(e->sources[2].kind, SOURCE_SS);
    assert_int_equal(evidence_socket(e, 6)->process, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_firewall_log, open_evidence, close_evidence),
        cmocka_unit_test_setup_teardown(test_events_in_xml, open_evidence, close_evidence),
        cmocka_unit_test_setup_teardown(test_no_events, open_evidence, close_evidence),
        cmocka_unit_test_setup_teardown(test_hostile_xml, open_evidence, close_evidence),
        cmocka_unit_test_setup_teardown(test_events_as_text, open_evidence, close_evidence),
        cmocka_unit_test_setup_teardown(test_ring_buffer, open_evidence, close_evidence),
        cmocka_unit_test_setup_teardown(test_sockets, open_evidence, close_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
