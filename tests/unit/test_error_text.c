/* Tests of the reader of what drivers told applications. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "evidence_texts.h"
#include "text.h"

#define NOON_NS (1772452800LL * NS_PER_SECOND) /* 2026-03-02T12:00:00Z */

static const struct error_record *only_error(const struct evidence *e)
{
    assert_int_equal(e->errors.in_use, 1);
    assert_int_equal(e->sources[0].kind, SOURCE_ERROR_TEXT);
    assert_int_equal(e->sources[0].records, 1);
    return evidence_error(e, 0);
}

static void check_times(const struct error_record *record, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e)
{
    const int32_t expected[OPEN_TIMES] = {a, b, c, d, e};
    for (int i = 0; i < OPEN_TIMES; i++)
        assert_int_equal(record->spent_ms[i], expected[i]);
}

static void test_exception_in_a_log(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(
        e, "2026-03-02T12:00:00.000+02:00 INFO  started\r\n"
           "2026-03-02T14:00:15.250+02:00 ERROR Orders.Db cannot open Server=sql01;User ID=app;Password=geheim\r\n"
           "Microsoft.Data.SqlClient.SqlException (0x80131904): Connection Timeout Expired.  The timeout period "
           "elapsed while "
           "attempting to consume the pre-login handshake acknowledgement.  The duration spent while attempting to "
           "connect to "
           "this server was - [Pre-Login] initialization=23; handshake=14979; \r\n"
           " ---> System.ComponentModel.Win32Exception (258): The wait operation timed out.\r\n"
           "   at Microsoft.Data.SqlClient.SqlConnection.Open()\r\n"
           "ClientConnectionId:3f2504e0-4f89-11d3-9a0c-0305e82c3301\r\nError Number:-2,State:0,Class:11\r\n"
           "2026-03-02T14:00:16.000+02:00 INFO  goes on\r\n"));
    const struct error_record *record = only_error(e);
    static const uint8_t id[] = {0xe0, 4, 0x25, 0x3f, 0x89, 0x4f, 0xd3, 0x11, 0x9a, 0x0c, 3, 5, 0xe8, 0x2c, 0x33, 1};
    assert_int_equal(record->phase, ERROR_PHASE_PRELOGIN);
    assert_int_equal(record->number, 258);
    check_times(record, 23, 14979, -1, -1, -1);
    assert_true(record->has_connection_id);
    assert_memory_equal(record->connection_id, id, sizeof id);
    assert_int_equal(record->at.frame, 3);
    assert_int_equal(record->at.time_ns, NOON_NS + 15250 * NS_PER_MS);
    assert_int_equal(e->sources[0].zone, ZONE_TOLD);
    assert_int_equal(e->sources[0].role, CAPTURE_ROLE_CLIENT);
}

static void test_messages_without_times(void **state)
{
    struct evidence *e = *state;
    assert_true(read_utf16(
        e, "System.Data.SqlClient.SqlException: A transport-level error has occurred when receiving results from the "
           "server. "
           "(provider: TCP Provider, error: 0 - The specified network name is no longer available.)\n"
           "ClientConnectionId:00000000-0000-0000-0000-000000000000\nError Number:64,State:0,Class:20\n"
           "System.Data.SqlClient.SqlException: A network-related or instance-specific error occurred while "
           "establishing a "
           "connection to SQL Server. (provider: SQL Network Interfaces, error: 26 - Error Locating Server/Instance "
           "Specified)\n"
           "\nTimeout expired.  The timeout period elapsed prior to obtaining a connection from the pool.\n"));
    assert_int_equal(e->errors.in_use, 3);
    assert_int_equal(evidence_error(e, 0)->phase, ERROR_PHASE_SESSION);
    assert_int_equal(evidence_error(e, 0)->number, 64);
    assert_false(evidence_error(e, 0)->has_connection_id);
    assert_int_equal(evidence_error(e, 1)->phase, ERROR_PHASE_CONNECT);
    assert_int_equal(evidence_error(e, 1)->number, 26);
    assert_int_equal(evidence_error(e, 1)->at.frame, 4);
    assert_int_equal(evidence_error(e, 2)->phase, ERROR_PHASE_POOL);
    assert_int_equal(e->sources[0].zone, ZONE_NONE);
}

/* By labels, order and shape; the sentences are not read. */
static void test_other_languages(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(
        e, "Verbindungszeiten: [Vor Anmeldung] Initialisierung=1; Handshake=2; [Anmeldung] Initialisierung=3; "
           "Authentifizierung=4; [Nach Anmeldung] Abgeschlossen=14062; \n\n"
           "걸린 시간은 [사전 로그인] 초기화=7, 핸드셰이크=15000입니다.\n\n"
           "持续时间是 - [Pre-Login] initialization=21036；\n\n"
           "SqlException: Une connexion a été établie (provider: Fournisseur SSL, error: 0 - L'attente a expiré.)\n"
           "ClientConnectionId :3f2504e0-4f89-11d3-9a0c-0305e82c3301\nError Number :258,State :0,Class :20\n"));
    assert_int_equal(e->errors.in_use, 4);
    check_times(evidence_error(e, 0), 1, 2, 3, 4, 14062);
    assert_int_equal(evidence_error(e, 0)->phase, ERROR_PHASE_LOGIN);
    check_times(evidence_error(e, 1), 7, 15000, -1, -1, -1);
    assert_int_equal(evidence_error(e, 2)->phase, ERROR_PHASE_CONNECT);
    assert_int_equal(evidence_error(e, 3)->phase, ERROR_PHASE_PRELOGIN);
    assert_int_equal(evidence_error(e, 3)->number, 258);
    assert_true(evidence_error(e, 3)->has_connection_id);
}

struct example {
    const char *line;
    enum error_phase phase;
    int32_t number;
    const char *server;
    uint16_t port;
};

/* As their issues show them. */
static const struct example examples[] = {
    {"pyodbc.OperationalError: ('08S01', '[08S01] [Microsoft][ODBC Driver 11 for SQL Server]TCP "
     "\xe6\x8f\x90\xe4\xbe\x9b\xe7\xa8\x8b\xe5\xba\x8f: \xe8\xbf\x9c\xe7\xa8\x8b\\r\\n (10054) (SQLExecDirectW)')",
     ERROR_PHASE_SESSION, 10054, "", 0},
    {"('08001', '[08001] [Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x274D (10061) "
     "(SQLDriverConnect); [08001] [Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired (0)')",
     ERROR_PHASE_OPENING, 10061, "", 0},
    {"SQLSTATE[08S01]: [Microsoft][ODBC Driver 17 for SQL Server]TCP Provider: Error code 0x68", ERROR_PHASE_SESSION,
     104, "", 0},
    {"Sqlcmd: Error: Microsoft ODBC Driver 17 for SQL Server : Login timeout expired.", ERROR_PHASE_OPENING, 0, "", 0},
    {"[DBNETLIB][ConnectionOpen (Connect()).]SQL Server does not exist or access denied.", ERROR_PHASE_CONNECT, 17, "",
     0},
    {"com.microsoft.sqlserver.jdbc.SQLServerException: The TCP/IP connection to the host sql01, port 1433 has failed. "
     "Error: "
     "\"connect timed out.",
     ERROR_PHASE_CONNECT, 0, "sql01", 1433},
    {"ConnectionError: Failed to connect to 10.2.0.9:1433 in 15000ms", ERROR_PHASE_OPENING, 0, "10.2.0.9:1433", 1433},
    {"unable to open tcp connection with host 'sql01:1433': dial tcp 172.16.20.185:1433: connectex: No connection "
     "could be made "
     "because the target machine actively refused it.",
     ERROR_PHASE_CONNECT, 10061, "sql01:1433", 1433},
    {"[(20009, b'DB-Lib error message 20009, severity 9:\\nUnable to connect: Adaptive Server is unavailable or does "
     "not exist "
     "(10.2.0.9)\\nNet-Lib error during Connection timed out (110)\\n')]",
     ERROR_PHASE_CONNECT, 110, "10.2.0.9", 0},
    {"com.microsoft.sqlserver.jdbc.SQLServerException: Connection reset "
     "ClientConnectionId:3f2504e0-4f89-11d3-9a0c-0305e82c3301",
     ERROR_PHASE_UNKNOWN, 0, "", 0},
    {"{\"name\": \"ConnectionError\", \"message\": \"Failed to connect to SQL7\\PROD:undefined in 60000ms\"}",
     ERROR_PHASE_OPENING, 0, "SQL7\\PROD:undefined", 0},
    {"mssql: Failed to connect to sqlserver://sa:geheim@sql01:1433", ERROR_PHASE_OPENING, 0, "", 0},
    {"mssql: Failed to connect to sa:geheim@sql01:1433", ERROR_PHASE_OPENING, 0, "", 0},
    {"mssql: Failed to connect to sa:gehe#im@sql01:1433", ERROR_PHASE_OPENING, 0, "", 0},
    {"mssql: Failed to connect to sa:geheim", ERROR_PHASE_OPENING, 0, "", 0},
    {"mssql: Failed to connect to sa:1234567", ERROR_PHASE_OPENING, 0, "", 0},
    {"mssql: Failed to connect to Server=sql01;Password=geheim", ERROR_PHASE_OPENING, 0, "", 0},
    {"mssql: Failed to connect to [2001:db8::9]:1433: i/o timeout", ERROR_PHASE_OPENING, 0, "[2001:db8::9]:1433", 1433},
    {"WARN c.m.s.j.internals.SQLServerConnection : ConnectionID:1 Prelogin error: host 127.0.0.1 port 11433 Error "
     "reading prelogin "
     "response: Connection reset",
     ERROR_PHASE_PRELOGIN, 0, "127.0.0.1", 11433},
    {"(18456, b\"Login failed for user 'app'.DB-Lib error message 20018, severity 14:\\nGeneral SQL Server error\")",
     ERROR_PHASE_LOGIN, 18456, "", 0},
};

static void test_other_drivers(void **state)
{
    struct evidence *e = *state;
    for (uint32_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        assert_true(read_text(e, examples[i].line));
        assert_int_equal(e->errors.in_use, i + 1);
        const struct error_record *record = evidence_error(e, i);
        assert_int_equal(record->phase, examples[i].phase);
        assert_int_equal(record->number, examples[i].number);
        assert_string_equal(record->server_name, examples[i].server);
        assert_int_equal(record->server.port, examples[i].port);
    }
}

static void test_both_ends_of_a_socket(void **state)
{
    struct evidence *e = *state;
    assert_true(
        read_text(e, "2026/03/02 12:00:00 ERROR: BeginRead failed read tcp 10.1.0.5:50032->10.2.0.9:1433: i/o timeout\n"
                     "2026/03/02 12:00:01 redis: read tcp 10.1.0.5:50033->10.2.0.8:6379: i/o timeout\n"));
    const struct error_record *record = only_error(e);
    assert_int_equal(record->client.port, 50032);
    assert_int_equal(record->server.address.bytes[3], 9);
    assert_int_equal(record->at.time_ns, NOON_NS);
    assert_int_equal(e->sources[0].zone, ZONE_OPEN);
}

/* The first error of a long log is far behind its begin. */
static void test_found_wherever_it_stands(void **state)
{
    struct evidence *e = *state;
    struct text log = {0};
    for (int i = 0; i < 2000; i++)
        text_add(&log, "[2026-03-02 11:59:59,125] [DEBUG] nothing happened\n");
    text_add(&log,
             "[2026-03-02 12:00:00,500] [ERROR] A transport-level error has occurred when sending the request to the "
             "server.\n");
    assert_true(read_text(e, text_string(&log)));
    text_close(&log);
    assert_int_equal(only_error(e)->at.frame, 2001);
    assert_int_equal(only_error(e)->at.time_ns, NOON_NS + 500 * NS_PER_MS);
}

static void test_what_tells_of_no_connection(void **state)
{
    struct evidence *e = *state;
    static const char *const others[] = {
        "",
        "[2026-03-02 12:00:00] connection reset by peer",
        "Login failed for user 'app'",
        "Communication link failure",
        ("System.Data.SqlClient.SqlException: Violation of PRIMARY KEY\n"
         "ClientConnectionId:3f2504e0-4f89-11d3-9a0c-0305e82c3301\nError Number:2627,State:1,Class:14\n"),
        "('23000', '[23000] [Microsoft][ODBC Driver 17 for SQL Server][SQL Server]Violation of UNIQUE KEY (2627)')",
        "read tcp 10.1.0.5:50032->10.2.0.9:6379: i/o timeout",
        "(provider: X)",
        "[Pre-Login] initialization={0};",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(read_text(e, others[i]));
    assert_int_equal(e->source_count, 0);
}

static void test_hostile_texts(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(
        e, "SqlException (provider: , error: 99999999999999999999 - \n[Pre-Login] initialization=99999999999;\n"
           "[Pre-Login] a=1;b=-5;c=\nError Number:\nError Number:-2,State:,Class:\n"
           "ClientConnectionId:\nConnectionError: Failed to connect to \n"
           "read tcp ->\nread tcp 1.2.3.4:5->\ndial tcp \nNet-Lib error during (\nError code 0x\n"
           "The TCP/IP connection to the host , port 99999 has failed\n"));
    for (uint32_t i = 0; i < e->errors.in_use; i++)
        assert_true(evidence_error(e, i)->phase < ERROR_PHASES);
}

int main(void)
{
#define ERROR_TEST(test) cmocka_unit_test_setup_teardown(test, open_evidence, close_evidence)
    static const struct CMUnitTest tests[] = {
        ERROR_TEST(test_exception_in_a_log),
        ERROR_TEST(test_messages_without_times),
        ERROR_TEST(test_other_languages),
        ERROR_TEST(test_other_drivers),
        ERROR_TEST(test_both_ends_of_a_socket),
        ERROR_TEST(test_found_wherever_it_stands),
        ERROR_TEST(test_what_tells_of_no_connection),
        ERROR_TEST(test_hostile_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
