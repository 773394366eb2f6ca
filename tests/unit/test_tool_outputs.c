/* Tests of the readers of what Microsoft's own tools leave beside a capture: SQLTrace's log and events, SQLNA's csv. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "evidence_texts.h"

#define STAMP "2026/03/02 09:30:0"

static void test_sqltrace_log(void **state)
{
    struct evidence *e = *state;
    assert_true(read_utf16(e, "\n  SQLTrace.ps1 version 1.0.0234.0\n\nMIT License\n" STAMP
                              "0.125 INFO    Read the ini file:  SQLTrace.ini\n" STAMP
                              "1.250 INFO    NETSH: started\n" STAMP "2.500 INFO    Traces have started...\n" STAMP
                              "3.000 WARN    Restart the application\n" STAMP
                              "9.750 INFO    Stopping Traces ...\n" STAMP "9.900 INFO    Traces have stopped ...\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_SQLTRACE_LOG);
    assert_int_equal(e->sources[0].records, 2);
    assert_int_equal(e->sources[0].zone, ZONE_OPEN);
    assert_int_equal(evidence_log(e, 0)->event, LOG_TRACE_STARTED);
    assert_int_equal(evidence_log(e, 0)->at.frame, 7);
    assert_int_equal(evidence_log(e, 1)->event, LOG_TRACE_STOPPED);
    assert_int_equal(e->sources[0].last_ns - e->sources[0].first_ns, 7250 * NS_PER_MS);
}

static void test_what_is_no_sqltrace_log(void **state)
{
    struct evidence *e = *state;
    assert_false(read_text(e, STAMP "0.125 INFO    Server started\n"));
    assert_false(read_text(e, STAMP "0.125 DEBUG   Traces have started...\n"));
    assert_false(read_text(e, "Traces have started...\n"));
}

static void test_sqltrace_events(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e,
                          "Event[0]:\n  Log Name: Application\n  Source: MSSQL-SQLTrace\n"
                          "  Date: 2026-03-02T09:30:02.500Z\n  Event ID: 3002\n\nEvent[1]:\n  Log Name: Application\n"
                          "  Source: MSSQL-SQLTrace\n  Date: 2026-03-02T09:31:02.500Z\n  Event ID: 3003\n\n"
                          "Event[2]:\n  Log Name: Application\n  Source: Another\n"
                          "  Date: 2026-03-02T09:32:02.500Z\n  Event ID: 3003\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_EVENTS);
    assert_int_equal(e->log.in_use, 2);
    assert_int_equal(evidence_log(e, 0)->event, LOG_TRACE_STARTED);
    assert_int_equal(evidence_log(e, 1)->event, LOG_TRACE_STOPPED);
}

#define SQLNA_HEADER "SourceIP,SourcePort,DestIP,DestPort,IPVersion,Protocol,Syn,Fin,Reset,ZeroWindow,AckSynDelayms\r\n"

static void test_sqlna_csv(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, SQLNA_HEADER "10.1.0.5,50123,10.1.0.9,1433,IPV4,TCP,2,0,1,,\r\n"
                                          "fd00::5,50124,fd00::9,1433,IPV6,TCP,2,2,0,,3\r\n10.1.0.5,50123\r\n\r\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_SQLNA_CSV);
    assert_int_equal(e->sources[0].records, 2);
    assert_int_equal(e->sources[0].notes.count, 1);
    assert_false(read_text(e, "SourceIP,SourcePort,Bytes\n10.1.0.5,50123,7\n"));
}

static const struct process_record *process_at(const struct evidence *e, uint32_t n)
{
    assert_true(n < e->processes.in_use);
    return slab_at(&e->processes, n);
}

#define RULER "========================= ======== ================ =========== ============\r\n"

static void test_tasklist(void **state)
{
    struct evidence *e = *state;
    assert_true(
        read_text(e, "\r\nAbbildname                     PID Sitzungsname       Sitz.-Nr. Speichernutzung\r\n" RULER
                     "System Idle Process              0 Services                   0        4 K\r\n"
                     "svc host m\xc3\xbc.exe              4711 Services                   0   19.204 K\r\n"
                     "                                   Dhcp, EventLog\r\n"
                     "x.exe                          n/a Services                   0        4 K\r\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_TASKLIST);
    assert_int_equal(e->processes.in_use, 1);
    assert_int_equal(process_at(e, 0)->process, 4711);
    assert_string_equal(process_at(e, 0)->image, "svc host m\xc3\xbc.exe");
    assert_int_equal(process_at(e, 0)->at.frame, 5);
}

static void test_other_forms_of_tasklist(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "\"Image Name\",\"PID\",\"Session Name\",\"Session#\",\"Mem Usage\"\r\n"
                             "\"System Idle Process\",\"0\",\"Services\",\"0\",\"8 K\"\r\n"
                             "\"app.exe\",\"4711\",\"Services\",\"0\",\"1,044 K\"\r\n\"app.exe\",\"\r\n"));
    assert_true(read_utf16(e, "\nAbbildname:      app.exe\nPID:             4712\nSitzungsname:    Services\n\n"
                              "Abbildname:      \nPID: 4713\nPID:\n"));
    assert_int_equal(e->processes.in_use, 2);
    assert_int_equal(process_at(e, 0)->process, 4711);
    assert_int_equal(process_at(e, 1)->process, 4712);
    assert_string_equal(process_at(e, 1)->image, "app.exe");
}

static void test_what_is_no_tasklist(void **state)
{
    struct evidence *e = *state;
    assert_false(read_text(e, "====\n"));
    assert_false(read_text(e, "========================= ========\n"));
    assert_false(read_text(e, "\"name\",\"12\",\"3\"\n"));
    assert_false(read_text(e, "Name: x\nPID: 12\n"));
}

int main(void)
{
#define OUTPUT_TEST(test) cmocka_unit_test_setup_teardown(test, open_evidence, close_evidence)
    static const struct CMUnitTest tests[] = {
        OUTPUT_TEST(test_sqltrace_log),
        OUTPUT_TEST(test_what_is_no_sqltrace_log),
        OUTPUT_TEST(test_sqltrace_events),
        OUTPUT_TEST(test_sqlna_csv),
        OUTPUT_TEST(test_tasklist),
        OUTPUT_TEST(test_other_forms_of_tasklist),
        OUTPUT_TEST(test_what_is_no_tasklist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
