/* Files of one capture are known by their names, and captures of two machines are told apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture_series.h"

static bool are_same(const char *a, const char *b)
{
    struct capture_series of_a, of_b;
    capture_series_open(&of_a, a);
    capture_series_open(&of_b, b);
    bool same = capture_series_same(&of_a, &of_b);
    capture_series_close(&of_a);
    capture_series_close(&of_b);
    return same;
}

static void assert_same(const char *a, const char *b)
{
    if (!are_same(a, b) || !are_same(b, a))
        fail_msg("%s and %s are one capture", a, b);
}

static void assert_different(const char *a, const char *b)
{
    if (are_same(a, b) || are_same(b, a))
        fail_msg("%s and %s are two captures", a, b);
}

static void a_ring_buffer_is_one(void **state)
{
    (void)state;
    assert_same("fw/trace_00001_20261126163045.pcapng", "fw/trace_00002_20261126170112.pcapng");
    assert_same("trace_20261126163045_00001.pcapng", "trace_20261126170112_00002.pcapng");
    assert_same("trace_99999_20261126163045.pcapng", "trace_100000_20261126163046.pcapng");
    assert_same("trace.pcap", "trace.pcap1");
    assert_same("trace.pcap9", "trace.pcap10");
    assert_same("sql1.pcap", "sql1.pcap1");
    assert_same("trace.pcap00", "trace.pcap11");
    assert_same("trace.pcap3.gz", "trace.pcap4");
    assert_same("trace", "trace1");
    assert_same("trace-20261126-163000.pcap", "trace-20261126-164000.pcap");
    assert_same("trace-20261126-163000.pcap", "trace-20261126-163000.pcap1");
    assert_same("2026-11-26_16-30-00_sql01.pcap", "2026-11-27_00-30-00_sql01.pcap");
    assert_same("sql01 26-11-2026 16.30.pcap", "sql01 27-11-2026 16.30.pcap");
    assert_same("sql01_1795710600.pcap", "sql01_1795714200.pcap");
    assert_same("trace-20261126T163000Z.pcap", "trace-20261126T173000Z.pcap");
    assert_same("test.cap", "test(1).cap");
    assert_same("test(1).cap", "test(2).cap");
    assert_same("PktMon1.etl", "PktMon2.etl");
    assert_same("in/2026/11/26/packetcapture_16_30_00_123.cap", "in/2026/11/27/packetcapture_17_30_00_456.cap");
    assert_same("./fw//a1.pcap", "fw/a2.pcap");
    assert_same("/a1.pcap", "/a2.pcap");
}

static void two_machines_are_two(void **state)
{
    (void)state;
    assert_different("fw/trace_00001_20261126163045.pcapng", "srv/trace_00002_20261126170112.pcapng");
    assert_different("sql01/trace.pcap1", "sql02/trace.pcap2");
    assert_different("10.1.0.5/trace.pcap1", "10.1.0.6/trace.pcap2");
    assert_different("client.pcapng", "server.pcapng");
    assert_different("sql01_00001_20261126163045.pcapng", "sql02_00002_20261126170112.pcapng");
    assert_different("sql-01_00001_20261126163045.pcapng", "sql-02_00002_20261126170112.pcapng");
    assert_different("SQL2016-01_00001_20261126163045.pcapng", "SQL2019-01_00002_20261126170112.pcapng");
    assert_different("sql-01.pcap1", "sql-02.pcap2");
    assert_different("sql-01_20261126-163000.pcap", "sql-02_20261126-164000.pcap");
    assert_different("2026-11-26_16-30-00_sql01.pcap", "2026-11-26_16-40-00_sql02.pcap");
    assert_different("10.1.0.5.pcap", "10.1.0.9.pcap");
    assert_different("10.20.30.40_00001_20261126163045.pcapng", "10.20.30.41_00002_20261126170112.pcapng");
    assert_different("20261126-10.1.0.5.pcap", "20261126-10.1.0.9.pcap");
    assert_different("trace.pcapng", "trace (1).pcapng");
    assert_different("/fw/trace.pcap", "fw/trace.pcap");
    assert_different("-", "trace.pcap");
}

static void assert_left_out(const char *earlier, const char *later, uint64_t first, uint64_t last)
{
    struct capture_series before, after;
    capture_series_open(&before, earlier);
    capture_series_open(&after, later);
    struct files_left_out out = capture_series_left_out(&before, &after);
    if (out.first != first || out.last != last)
        fail_msg("between %s and %s: %d to %d", earlier, later, (int)out.first, (int)out.last);
    capture_series_close(&before);
    capture_series_close(&after);
}

static void a_lacking_number_is_a_lacking_file(void **state)
{
    (void)state;
    assert_left_out("trace_00002_20261126163045.pcapng", "trace_00005_20261126170112.pcapng", 3, 4);
    assert_left_out("trace_99999_20261126163045.pcapng", "trace_100001_20261126170112.pcapng", 100000, 100000);
    assert_left_out("trace_20261126163045_00001.pcapng", "trace_20261126170112_00003.pcapng", 2, 2);
    assert_left_out("fw/trace.pcap9", "fw/trace.pcap11", 10, 10);
    assert_left_out("trace.pcap", "trace.pcap2", 1, 1);
    assert_left_out("trace-20261126-163000.pcap", "trace-20261126-163000.pcap3", 1, 2);
    assert_left_out("trace.pcap1.gz", "trace.pcap3", 2, 2);
    assert_left_out("NAME1.cap", "NAME4.cap", 2, 3);
    assert_left_out("test(1).cap", "test(3).cap", 2, 2);
}

static void no_file_lacks_without_its_number(void **state)
{
    (void)state;
    assert_left_out("trace_00001_20261126163045.pcapng", "trace_00002_20261126170112.pcapng", 1, 0);
    assert_left_out("trace.pcap", "trace.pcap1", 1, 0);
    assert_left_out("trace.pcap11", "trace.pcap00", 1, 0); /* around a ring */
    assert_left_out("trace.pcap", "trace3.pcap", 1, 0);    /* who names by hand begins with 2 */
    assert_left_out("trace-20261126-163000.pcap", "trace-20261126-183000.pcap", 1, 0);
    assert_left_out("trace-20261126-163000.pcap1", "trace-20261126-164000.pcap5", 1, 0); /* two counts */
    assert_left_out("sql01_1795710600.pcap", "sql01_1795714200.pcap", 1, 0);
    assert_left_out("2026/11/26/packet1.cap", "2026/11/27/packet5.cap", 1, 0);
    assert_left_out("2026/11/26/packetcapture_16_30_00_123.cap", "2026/11/26/packetcapture_17_30_00_456.cap", 1, 0);
    assert_left_out("a1.cap", "b3.cap", 1, 0);
    assert_left_out("10.1.0.5.pcap", "10.1.0.9.pcap", 1, 0);
}

/* Nothing in a name can be read past its end. */
static void any_name_has_a_series(void **state)
{
    static const char *const names[] = {"",
                                        "/",
                                        ".",
                                        "..",
                                        "a/",
                                        "1",
                                        "(1)",
                                        ")",
                                        "(",
                                        ".1",
                                        "1.",
                                        "_1",
                                        "--",
                                        "T1T",
                                        "1.2",
                                        ".gz",
                                        "1.gz",
                                        "1.2.3",
                                        "1.2.3.",
                                        "1.2.3.4",
                                        "20261126163045",
                                        "_00001_20261126163045"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            assert_true(are_same(names[i], names[i]) && are_same(names[i], names[j]) == are_same(names[j], names[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_buffer_is_one),
        cmocka_unit_test(two_machines_are_two),
        cmocka_unit_test(a_lacking_number_is_a_lacking_file),
        cmocka_unit_test(no_file_lacks_without_its_number),
        cmocka_unit_test(any_name_has_a_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
