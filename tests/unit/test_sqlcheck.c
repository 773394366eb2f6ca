/* Tests of the reader of SQLCHECK reports, and of tables under a row of dashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "evidence_texts.h"
#include "memory.h"
#include "text_table.h"

#define TITLE "SQL Server Connectivity Check v1.0.1500.0, run on 03/02/2026 09:00:00 AM (UTC-05:00) Eastern Time\n\n"

static void test_machine(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "------- Start of Report -------\n\n" TITLE "NETBIOS Name:               APP01\n"
                             "FQDN:                       APP01.EXAMPLE.NET\n"
                             "Windows Version:            10.0.14393.4583\n\n"
                             "    Address Family  Address\n"
                             "    --------------  ---------------------------\n"
                             "    InterNetworkV6  fe80::e0e3:a24b:3705:ba35%4\n"
                             "    InterNetwork    192.0.2.102\n\n"
                             "    InterNetwork    192.0.2.103\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_SQLCHECK);
    assert_string_equal(e->sources[0].machine, "APP01");
    assert_int_equal(e->sources[0].system, SYSTEM_WINDOWS);
    assert_int_equal(only_value(e, SETTING_REPORT_DATE), 20260302);
    assert_true(only_value(e, SETTING_WINDOWS_BUILD) == windows_build(14393, 4583));
    assert_string_equal(setting_at(e, SETTING_WINDOWS_BUILD, 0)->text, "10.0.14393.4583");
    assert_int_equal(e->addresses.in_use, 2); /* the table ends at its blank line */
    assert_int_equal(address_of(e, 0)->version, 6);
    assert_int_equal(address_of(e, 1)->bytes[3], 102);
}

static void test_network_settings_in_utf16(void **state)
{
    struct evidence *e = *state;
    assert_true(read_utf16(e, TITLE "Network Settings:\n\n"
                                    "TCPMaxDataRetransmissions:  3\n"
                                    "TCPChimney:                 enabled\n"
                                    "RSS:                        disabled\n"
                                    "TCPA:                       disabled\n"
                                    "Min Ephemeral Port:         10000\n"
                                    "Max Ephemeral Port:         10999\n"
                                    "TCP Timed Wait Delay:       300\n"));
    assert_string_equal(e->sources[0].encoding, "utf-16le");
    assert_int_equal(only_value(e, SETTING_RETRANSMISSIONS), 3);
    assert_int_equal(only_value(e, SETTING_RSS), 0);
    assert_null(setting_at(e, SETTING_RSS, 0)->text);
    assert_int_equal(setting_at(e, SETTING_RSS, 0)->at.frame, 7);
    assert_int_equal(setting_at(e, SETTING_OFFLOAD, 0)->value, 1);
    assert_int_equal(setting_at(e, SETTING_OFFLOAD, 1)->value, 0);
    assert_int_equal(only_value(e, SETTING_PORTS_FIRST), 10000);
    assert_int_equal(only_value(e, SETTING_PORTS_COUNT), 1000);
    assert_int_equal(only_value(e, SETTING_TIME_WAIT_S), 300);
}

static void test_what_windows_did_not_tell(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, TITLE "TCPMaxDataRetransmissions:  <missing> Default is 5\nTCPChimney:\nRSS:\n"
                                   "Min Ephemeral Port:         -1\nMax Ephemeral Port:         -2\n"
                                   "TCP Timed Wait Delay:       \nWindows Version:            10.0\n"
                                   "Min Ephemeral Port:         5000\nMax Ephemeral Port:         4000\n"
                                   "Min Ephemeral Port:         99999999999999999999999\n"));
    assert_null(setting_at(e, SETTING_RETRANSMISSIONS, 0));
    assert_null(setting_at(e, SETTING_RSS, 0));
    assert_null(setting_at(e, SETTING_PORTS_COUNT, 0));
    assert_null(setting_at(e, SETTING_TIME_WAIT_S, 0));
    assert_null(setting_at(e, SETTING_WINDOWS_BUILD, 0));
}

static void test_adapters(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, TITLE "Name:                       no adapter's\n"
                                   "Network Adapters:\n\n"
                                   "Name:                       Intel(R) Ethernet Connection X722\n"
                                   "Driver Date:                4-9-2021\n"
                                   "RSS:                        Disabled (0)\n\n"
                                   "Offloading: Large Send Offload Version 2 (IPv4) (*LsoV2IPv4): Enabled (1)\n\n"
                                   "Name:                       Microsoft Hyper-V Network Adapter\n"
                                   "Driver Date:                6-21-2006\n"
                                   "RSS:                        Enabled (1)\n\n"
                                   "Name:                       vmxnet3 Ethernet Adapter\n"
                                   "Driver Date:                1-2-2015\n"
                                   "Warning: The vnetflt.sys driver is installed on this machine.\n"));
    assert_int_equal(only_value(e, SETTING_DRIVER_DATE), 20210409);
    assert_string_equal(setting_at(e, SETTING_DRIVER_DATE, 0)->text, "Intel(R) Ethernet Connection X722");
    assert_string_equal(setting_at(e, SETTING_RSS, 0)->text, "Intel(R) Ethernet Connection X722");
    assert_int_equal(setting_at(e, SETTING_RSS, 1)->value, 1);
    assert_int_equal(only_value(e, SETTING_OFFLOAD), 1);
    assert_string_equal(setting_at(e, SETTING_OFFLOAD, 0)->text, "Large Send Offload Version 2 (IPv4)");
    assert_string_equal(setting_at(e, SETTING_VIRTUAL_ADAPTER, 0)->text, "Microsoft Hyper-V Network Adapter");
    assert_string_equal(setting_at(e, SETTING_VIRTUAL_ADAPTER, 1)->text, "vmxnet3 Ethernet Adapter");
    assert_string_equal(setting_at(e, SETTING_DELAYING_DRIVER, 0)->text, "vnetflt.sys");
}

static void test_filters(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, TITLE "FLTMC Filters: wdfilter|edrflt| RsFx0501 ||Wof\n\n"
                                   "Network Mini-Drivers:\n\n"
                                   "    Service Name    Filter Media Types  Help Text\n"
                                   "    --------------  ------------------  ---------\n"
                                   "    MsBridge        ms_implatform       a\n"
                                   "                                        b\n"
                                   "    edrlwf          ethernet            c\n"));
    assert_string_equal(setting_at(e, SETTING_FILTER_DRIVER, 0)->text, "edrflt");
    assert_string_equal(setting_at(e, SETTING_FILTER_DRIVER, 1)->text, "edrlwf");
    assert_null(setting_at(e, SETTING_FILTER_DRIVER, 2));
}

static void test_tls(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, TITLE "    Client/Server  TLS Version  Default   Enabled in Reg  Effective Value\n"
                                   "    -------------  -----------  --------  --------------  ---------------\n"
                                   "    Client         SSL 2.0      Enabled                   Enabled\n"
                                   "    Client         TLS 1.2      Enabled                   Enabled\n"
                                   "    Server         TLS 1.0      Enabled   False (0x0) ok  Disabled\n"
                                   "    Server         TLS 1.3      None                      Not Supported\n"
                                   "    Server         TLS 1.1\n\n"
                                   "Cipher Suite Protocol Order:\n\n"
                                   "    Registry List  Policy List\n"
                                   "    -------------  -----------\n"
                                   "    TLS_A          TLS_C\n"
                                   "    TLS_B\n\n"
                                   "Diffie-Hellman algorithm version: 2\n"
                                   "Diffie-Hellman cipher suites are enabled. Possible risk of failures.\n"));
    assert_int_equal(only_value(e, SETTING_TLS_CLIENT), 0x0303);
    assert_int_equal(setting_at(e, SETTING_TLS_SERVER, 0)->value, -0x0301);
    assert_int_equal(setting_at(e, SETTING_TLS_SERVER, 1)->value, -0x0304);
    assert_null(setting_at(e, SETTING_TLS_SERVER, 2));
    assert_string_equal(setting_at(e, SETTING_CIPHER_SUITE, 1)->text, "TLS_C");
    assert_int_equal(setting_at(e, SETTING_CIPHER_SUITE, 1)->value, 1);
    assert_string_equal(setting_at(e, SETTING_CIPHER_SUITE, 2)->text, "TLS_B");
    assert_int_equal(only_value(e, SETTING_DHE), 1);
    assert_int_equal(only_value(e, SETTING_DHE_ALGORITHM), 2);
}

static void test_drivers_and_instances(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, TITLE
                          "    Client Name  Keep-Alive Interval (ms)  Keep-Alive Retry Interval (ms)\n"
                          "    -----------  ------------------------  ------------------------------\n"
                          "    SNI18.0                         60000                            1000\n"
                          "    Old                                                                  \n\n"
                          "TCP Port(s):                99\n"
                          "Details for SQL Server Instance: SQL2017 (Developer Edition)\n\n"
                          "Keep-Alive Interval (ms):   30000\nTCP Port(s):                2433, 0, 2434\n"
                          "Dynamic TCP Port(s):        \nCurrent Process ID:         2960\n\n"
                          "Details for SQL Server Instance: STOPPED (Express)\n\nCurrent Process ID:         \n"));
    assert_int_equal(setting_at(e, SETTING_KEEP_ALIVE_MS, 0)->value, 60000);
    assert_string_equal(setting_at(e, SETTING_KEEP_ALIVE_MS, 0)->text, "SNI18.0");
    assert_string_equal(setting_at(e, SETTING_KEEP_ALIVE_MS, 1)->text, "SQL2017");
    assert_int_equal(only_value(e, SETTING_KEEP_ALIVE_EVERY_MS), 1000);
    assert_int_equal(setting_at(e, SETTING_SQL_PORT, 0)->value, 2433);
    assert_int_equal(setting_at(e, SETTING_SQL_PORT, 1)->value, 2434);
    assert_null(setting_at(e, SETTING_SQL_PORT, 2));
    assert_string_equal(setting_at(e, SETTING_SQL_RUNS, 0)->text, "SQL2017");
    assert_null(setting_at(e, SETTING_SQL_RUNS, 1));
}

static void test_other_columns_of_another_version(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, TITLE "    Effective Value  Note  Client/Server  TLS Version\n"
                                   "    ---------------  ----  -------------  -----------\n"
                                   "    Enabled          x y   Server         TLS 1.2\n\n"
                                   "    Name   Instance  Service Account  Started  Status\n"
                                   "    -----  --------  ---------------  -------  ------\n"
                                   "    MSSQL  X         NT\n"));
    assert_int_equal(only_value(e, SETTING_TLS_SERVER), 0x0303);
    assert_null(setting_at(e, SETTING_SQL_RUNS, 0));
}

static void test_cut_anywhere(void **state)
{
    struct evidence *e = *state;
    static const char whole[] = TITLE "NETBIOS Name:               APP01\n\n    Address Family  Address\n"
                                      "    --------------  ----------\n    InterNetwork    192.0.2.10\n";
    for (size_t size = 0; size < sizeof whole; size++) {
        struct evidence cut;
        evidence_open(&cut);
        read_bytes(&cut, whole, size);
        evidence_close(&cut);
    }
    assert_true(read_bytes(e, whole, sizeof whole - 5));
    assert_int_equal(e->addresses.in_use, 0); /* "192.0.2" is no address */
}

/* A line of 70000 dashes and a table of more columns than any has. */
static void test_hostile_lengths(void **state)
{
    struct evidence *e = *state;
    enum { DASHES = 70000, COLUMNS = 200 };
    char *text = memory_take(2 * DASHES + 8 * COLUMNS);
    size_t size = (size_t)sprintf(text, "%s    Client/Server\n    ", TITLE);
    memset(text + size, '-', DASHES);
    size += DASHES;
    text[size++] = '\n';
    for (int row = 0; row < 2; row++) {
        for (int i = 0; i < COLUMNS; i++)
            size += (size_t)sprintf(text + size, "%s ", row ? "--" : "aa");
        text[size++] = '\n';
    }
    size += (size_t)sprintf(text + size, "FLTMC Filters: ");
    memset(text + size, 'f', 500);
    size += 500;
    assert_true(read_bytes(e, text, size));
    memory_give(text);
    assert_null(setting_at(e, SETTING_FILTER_DRIVER, 0)); /* it is a row of the table that no blank line ended */
    assert_true(e->sources[0].notes.count > 0);
}

static void test_long_names_are_cut(void **state)
{
    struct evidence *e = *state;
    char text[1000];
    int size = snprintf(text, sizeof text, "%sFLTMC Filters: %0*d|\x1b[31m\n", TITLE, 400, 7);
    assert_true(read_bytes(e, text, (size_t)size));
    assert_int_equal(strlen(setting_at(e, SETTING_FILTER_DRIVER, 0)->text), 160);
    assert_null(strchr(setting_at(e, SETTING_FILTER_DRIVER, 1)->text, '\x1b'));
}

static struct span span_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static bool is_cell(const struct text_table *table, const char *row, const char *header, const char *wanted)
{
    struct span cell = text_table_cell(table, span_of(row), text_table_column(table, header));
    return cell.size == strlen(wanted) && memcmp(cell.data, wanted, cell.size) == 0;
}

static void test_table_counts_characters(void **state)
{
    (void)state;
    struct text_table table = {0};
    assert_true(text_table_begin(&table, span_of("  Größe  Name"), span_of("  -----  -----")));
    assert_true(is_cell(&table, "  ééé    Zwölf", "Name", "Zwölf"));
    assert_true(is_cell(&table, "  a b    x y and more", "Größe", "a b"));
    assert_true(is_cell(&table, "  a b    x y and more", "Name", "x y and more"));
    assert_true(is_cell(&table, "  a", "Name", ""));
    assert_true(is_cell(&table, "  a", "Absent", ""));
    assert_false(text_table_begin(&table, span_of("a  b"), span_of("--- x ---")));
    assert_false(text_table_begin(&table, span_of("a"), span_of("------")));
    assert_false(text_table_begin(&table, span_of(""), span_of("")));
    text_table_close(&table);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_evidence, close_evidence)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_machine),
        CASE(test_network_settings_in_utf16),
        CASE(test_what_windows_did_not_tell),
        CASE(test_adapters),
        CASE(test_filters),
        CASE(test_tls),
        CASE(test_drivers_and_instances),
        CASE(test_other_columns_of_another_version),
        CASE(test_cut_anywhere),
        CASE(test_hostile_lengths),
        CASE(test_long_names_are_cut),
        cmocka_unit_test(test_table_counts_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
