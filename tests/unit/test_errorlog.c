/* Tests of the reader of SQL Server's ERRORLOG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "evidence_texts.h"

#define START "2026-03-02 09:30:00.00 Server      "
#define LOGON "2026-03-02 09:30:01.50 Logon       "
#define SPID "2026-03-02 09:30:02.25 spid7s      "

static void test_errors_of_two_lines(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, LOGON "Error: 18456, Severity: 14, State: 38.\r\n" LOGON
                                   "Login failed for user 'app'. Reason: x. [CLIENT: 10.1.0.5]\r\n" LOGON
                                   "Login failed for user 'other'. [CLIENT: 10.1.0.6]\r\n"));
    assert_int_equal(e->log.in_use, 1);
    const struct log_record *record = evidence_log(e, 0);
    assert_int_equal(record->event, LOG_LOGIN_FAILED);
    assert_int_equal(record->number, 18456);
    assert_int_equal(record->state, 38);
    assert_int_equal(record->client.address.bytes[3], 5);
    assert_int_equal(record->at.frame, 1);
    assert_int_equal(e->sources[0].kind, SOURCE_ERRORLOG);
    assert_int_equal(e->sources[0].role, CAPTURE_ROLE_SERVER);
    assert_int_equal(e->sources[0].zone, ZONE_OPEN);
}

static void test_zone_holds_for_lines_before_it(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, START "Microsoft SQL Server 2019 (RTM) - 15.0.2000.5 (X64)\n\tSep 24 2019\n" START
                                   "UTC adjustment: -5:30\n" SPID "Server name is 'SQL01'. This is\n"));
    assert_int_equal(evidence_log(e, 0)->event, LOG_SERVER_STARTED);
    assert_int_equal(evidence_log(e, 0)->at.time_ns, 1772443800000000000 + 19800 * NS_PER_SECOND);
    assert_int_equal(e->sources[0].first_ns, evidence_log(e, 0)->at.time_ns);
    assert_int_equal(e->sources[0].zone, ZONE_TOLD);
    assert_string_equal(e->sources[0].machine, "SQL01");
}

static void test_login_times(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(
        e, LOGON "Error: 17830, Severity: 20, State: 11.\n" LOGON
                 "Network error code 0x2746 occurred while establishing a connection; Time spent during login: total "
                 "15012 ms, enqueued 14102 ms, network writes 0 ms, network reads 15 ms, establishing SSL 4 ms, "
                 "negotiating SSPI 2 ms, validating login 1 ms. [CLIENT: fe80::1%5]\n"));
    const struct log_record *record = evidence_log(e, 0);
    assert_int_equal(record->event, LOG_LOGIN_BROKEN);
    assert_int_equal(record->system_error, 10054);
    assert_int_equal(record->times.total, 15012);
    assert_int_equal(record->times.enqueued, 14102);
    assert_int_equal(record->times.reads, 15);
    assert_int_equal(record->times.tls, 4);
    assert_int_equal(record->times.sspi, 2);
    assert_int_equal(record->client.address.version, 6);
}

static void test_domain_controller_that_is_not_there(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e,
                          LOGON "Error: 17806, Severity: 20, State: 14.\n" LOGON
                                "SSPI handshake failed with error code 0x80090311, state 14. [CLIENT: 10.1.0.5]\n" LOGON
                                "Error: 17806, Severity: 20, State: 14.\n" LOGON
                                "SSPI handshake failed with error code 0x8009030c, state 14. [CLIENT: 10.1.0.5]\n"));
    assert_int_equal(evidence_log(e, 0)->event, LOG_CONTROLLER_FAILED);
    assert_int_equal(evidence_log(e, 1)->event, LOG_LOGIN_FAILED); /* a wrong password */
}

static void test_settings(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, START
                          "Detected 16243 MB of RAM.\n" SPID
                          "Server is listening on [ 'any' <ipv4> 14330] accept sockets 1.\n" SPID
                          "Server is listening on [ 127.0.0.1 <ipv4> 1434].\n" SPID
                          "Configuration option 'max server memory (MB)' changed from 2147483647 to 8192. Run the\n"));
    assert_int_equal(e->settings.in_use, 3);
    assert_int_equal(evidence_setting(e, 0)->value, 16243);
    assert_int_equal(evidence_setting(e, 1)->setting, SETTING_SQL_PORT);
    assert_int_equal(evidence_setting(e, 1)->value, 14330);
    assert_int_equal(evidence_setting(e, 2)->value, 8192);
}

static void test_what_is_no_errorlog(void **state)
{
    struct evidence *e = *state;
    static const char *const others[] = {
        "",
        "2026-03-02 09:30:00.00",
        "2026-03-02 09:30:00.00 INFO something",
        "2026-03-02 09:30:00.00 spidx something",
        "Server is listening on [ 'any' <ipv4> 1433].",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(read_text(e, others[i]));
    assert_int_equal(e->source_count, 0);
}

static void test_hostile_lines(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, LOGON "Error: 99999999999999999999, Severity: 1, State: 1.\n" LOGON
                                   "Error: 18456, Severity: 14, State: 1.\n" START "UTC adjustment: 99:00\n" SPID
                                   "SQL Server has encountered 99999999999999 occurrence(s) of I/O requests\n" SPID
                                   "Server is listening on [ \n" LOGON "Error: 18456, Severity: 14, State: 1.\n"));
    assert_int_equal(e->sources[0].zone, ZONE_OPEN);
    for (uint32_t i = 0; i < e->log.in_use; i++)
        assert_int_equal(evidence_log(e, i)->occurrences, 1);
}

int main(void)
{
#define ERRORLOG_TEST(test) cmocka_unit_test_setup_teardown(test, open_evidence, close_evidence)
    static const struct CMUnitTest tests[] = {
        ERRORLOG_TEST(test_errors_of_two_lines),
        ERRORLOG_TEST(test_zone_holds_for_lines_before_it),
        ERRORLOG_TEST(test_login_times),
        ERRORLOG_TEST(test_domain_controller_that_is_not_there),
        ERRORLOG_TEST(test_settings),
        ERRORLOG_TEST(test_what_is_no_errorlog),
        ERRORLOG_TEST(test_hostile_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
