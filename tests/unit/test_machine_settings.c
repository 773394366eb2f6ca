/* Tests of the readers of netsh's, ipconfig's and sysctl's output, and of what none of them may take for its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "evidence_texts.h"

static void test_port_range(void **state)
{
    struct evidence *e = *state;
    assert_true(read_utf16(e, "\nProtocol tcp Dynamic Port Range\n---------------------------------\n"
                              "Start Port      : 1025\nNumber of Ports : 64511\n\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_PORT_RANGE);
    assert_int_equal(only_value(e, SETTING_PORTS_FIRST), 1025);
    assert_int_equal(only_value(e, SETTING_PORTS_COUNT), 64511);
    assert_int_equal(setting_at(e, SETTING_PORTS_COUNT, 0)->at.frame, 5);
}

static void test_port_range_of_any_language(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "Dynamischer Portbereich f\x81r das Protokoll \"tcp\" tcp\r\n"
                             "---------------------------------\r\nStartport : 49152\r\nAnzahl : 16384\r\n"));
    assert_int_equal(only_value(e, SETTING_PORTS_COUNT), 16384);
    assert_true(read_text(e, "プロトコル tcp の動的ポートの範囲\n---------------------------------\n"
                             "開始ポート     : 10000\nポート数       : 55000\n"));
    assert_int_equal(setting_at(e, SETTING_PORTS_COUNT, 1)->value, 55000);
}

static void test_port_range_of_udp_is_none(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "Protocol udp Dynamic Port Range\n---------------------------------\n"
                             "Start Port : 49152\nNumber of Ports : 100\n\n"
                             "Protocol tcp Dynamic Port Range\n---------------------------------\n"
                             "Start Port : 49152\nNumber of Ports : 200\n"));
    assert_int_equal(only_value(e, SETTING_PORTS_COUNT), 200);
}

static void test_port_range_that_is_none(void **state)
{
    struct evidence *e = *state;
#define RANGE "Protocol tcp Dynamic Port Range\n---------------------------------\n"
    assert_false(read_text(e, RANGE "Start Port : 49152\n"));
    assert_false(read_text(e, RANGE "Start Port : 49152\nNumber of Ports : many\n"));
    assert_false(read_text(e, RANGE "Start Port : 49152\nNumber of Ports : 20000\n"));
    assert_false(read_text(e, RANGE "Start Port : 0\nNumber of Ports : 10\n"));
    assert_false(read_text(e, RANGE "Start Port : 1\nNumber of Ports : 18446744073709551616\n"));
    assert_false(read_text(e, "A : 1\n---------------------------------\nStart Port : 1\nNumber of Ports : 10\n"));
}

static void test_tcp_global(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "Querying active state...\r\n\r\nTCP Global Parameters\r\n"
                             "----------------------------------------------\r\n"
                             "Receive-Side Scaling State          : disabled\r\n"
                             "Chimney Offload State               : automatic\r\n"
                             "NetDMA State                        : enabled\r\n"
                             "Direct Cache Access (DCA)           : disabled\r\n"
                             "Receive Window Auto-Tuning Level    : normal\r\n"
                             "Add-On Congestion Control Provider  : ctcp\r\n"
                             "ECN Capability                      : disabled\r\n"
                             "RFC 1323 Timestamps                 : disabled\r\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_HOST_SETTINGS);
    assert_int_equal(only_value(e, SETTING_RSS), 0);
    assert_int_equal(setting_at(e, SETTING_RSS, 0)->at.frame, 5);
    assert_string_equal(setting_at(e, SETTING_OFFLOAD, 0)->text, "TCP Chimney");
    assert_int_equal(setting_at(e, SETTING_OFFLOAD, 0)->value, 1);
    assert_string_equal(setting_at(e, SETTING_OFFLOAD, 1)->text, "NetDMA");
    assert_null(setting_at(e, SETTING_OFFLOAD, 2));
}

/* Auto-tuning is no offload, and there is none before it. */
static void test_tcp_global_of_newer_windows(void **state)
{
    struct evidence *e = *state;
    assert_true(
        read_text(e, "接收方缩放状态 : enabled\n接收窗口自动调节级别 : disabled\n加载项拥塞控制提供程序 : default\n"
                     "ECN 功能 : disabled\nRFC 1323 时间戳 : allowed\n初始 RTO : 1000\n接收段合并状态 : enabled\n"));
    assert_int_equal(only_value(e, SETTING_RSS), 1);
    assert_int_equal(only_value(e, SETTING_OFFLOAD), 1);
    assert_string_equal(setting_at(e, SETTING_OFFLOAD, 0)->text, "Receive Segment Coalescing");
}

static void test_tcp_global_that_is_none(void **state)
{
    struct evidence *e = *state;
    assert_false(read_text(e, "ECN Capability : disabled\nRFC 1323 Timestamps : disabled\n"));
    assert_false(read_text(e, "RSS : enabled\nA : normal\nB : none\nRFC 1323 : x\nECN : y\n"));
    assert_false(read_text(e, "Name : x\nA : normal\nB : none\nECN : disabled\nRFC 1323 : x\n"));
}

static void test_ipconfig(void **state)
{
    struct evidence *e = *state;
    assert_true(read_utf16(e, "\nWindows IP Configuration\n\n"
                              "   Host Name . . . . . . . . . . . . : APP01\n"
                              "   Primary Dns Suffix  . . . . . . . : example.net\n"
                              "   Node Type . . . . . . . . . . . . : Hybrid\n\n"
                              "Ethernet adapter Ethernet:\n\n"
                              "   Description . . . . . . . . . . . : 1.2.3.4 Adapter\n"
                              "   Link-local IPv6 Address . . . . . : fe80::c936:c2db:79ad:e1c6%16(Preferred)\n"
                              "   IPv4 Address. . . . . . . . . . . : 10.1.0.5(Preferred)\n"
                              "   Subnet Mask . . . . . . . . . . . : 255.255.255.0\n"
                              "   Default Gateway . . . . . . . . . : 10.1.0.1\n"
                              "   DHCP Server . . . . . . . . . . . : 10.1.0.2\n"
                              "   DNS Servers . . . . . . . . . . . : 2001:db8::53\n"
                              "                                       10.1.0.53\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_IPCONFIG);
    assert_string_equal(e->sources[0].machine, "APP01");
    assert_int_equal(e->addresses.in_use, 2);
    assert_int_equal(address_of(e, 0)->version, 6);
    assert_int_equal(address_of(e, 1)->bytes[3], 5);
    assert_int_equal(e->sources[0].records, 2);
}

static void test_ipconfig_of_another_language(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "Windows-IP-Konfiguration\r\n\r\n   Hostname  . . . . . . . . . . . . : RECHNER-3\r\n"
                             "   Prim\x84res DNS-Suffix . . . . . . . : \r\n\r\nEthernet-Adapter Ethernet:\r\n\r\n"
                             "   Verbindungsspezifisches DNS-Suffix: speedport\r\n"
                             "   IPv4-Adresse (Auto. Konfiguration): 169.254.244.106(Bevorzugt) \r\n"
                             "   Subnetzmaske  . . . . . . . . . . : 255.255.0.0\r\n"
                             "   Standardgateway . . . . . . . . . : fe80::1%4\r\n"));
    assert_string_equal(e->sources[0].machine, "RECHNER-3");
    assert_int_equal(e->addresses.in_use, 1);
}

/* Windows XP says no more than "IP Address"; without /all there is no machine's name. */
static void test_ipconfig_of_old_windows(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "\nWindows IP Configuration\n\n\nEthernet adapter Local Area Connection:\n\n"
                             "   Connection-specific DNS Suffix  . : example.net\n"
                             "   IP Address. . . . . . . . . . . . : 192.0.2.135\n"
                             "   Subnet Mask . . . . . . . . . . . : 255.255.255.128\n"
                             "   Default Gateway . . . . . . . . . : 192.0.2.129\n"));
    assert_null(e->sources[0].machine);
    assert_int_equal(e->addresses.in_use, 1);
    assert_int_equal(address_of(e, 0)->bytes[3], 135);
}

static void test_sysctl_of_linux(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e,
                          "abi.vsyscall32 = 1\nkernel.hostname = web3\nkernel.ostype = Linux\n"
                          "net.ipv4.ip_local_port_range = 32768\t60999\nnet.ipv4.tcp_keepalive_time = 7200\n"
                          "net.ipv4.tcp_keepalive_intvl = 75\nnet.ipv4.tcp_retries2 = 15\nnet.ipv4.tcp_tw_reuse = 1\n"
                          "net.ipv4.tcp_mem = 88053\t117406\t176106\nsysctl: permission denied on key 'vm.x'\n"));
    assert_int_equal(e->sources[0].kind, SOURCE_HOST_SETTINGS);
    assert_int_equal(e->sources[0].system, SYSTEM_LINUX);
    assert_string_equal(e->sources[0].machine, "web3");
    assert_int_equal(only_value(e, SETTING_PORTS_FIRST), 32768);
    assert_int_equal(only_value(e, SETTING_PORTS_COUNT), 28232);
    assert_int_equal(only_value(e, SETTING_KEEP_ALIVE_MS), 7200000);
    assert_int_equal(only_value(e, SETTING_KEEP_ALIVE_EVERY_MS), 75000);
    assert_int_equal(only_value(e, SETTING_RETRANSMISSIONS), 15);
    assert_int_equal(only_value(e, SETTING_PORTS_REUSED), 1);
}

static void test_sysctl_of_few_names(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "net.ipv4.tcp_retries2 = 5\r\n"));
    assert_int_equal(only_value(e, SETTING_RETRANSMISSIONS), 5);
    assert_true(read_text(e, "# our settings\nnet.ipv4.tcp_tw_reuse=2\n"));
    assert_int_equal(only_value(e, SETTING_PORTS_REUSED), 0);
}

static void test_sysctl_of_other_systems(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "kern.ostype: Darwin\nkern.hostname: mac.example.net\nnet.inet.ip.portrange.first: 49152\n"
                             "net.inet.ip.portrange.last: 65535\nnet.inet.tcp.keepidle: 7200000\n"
                             "net.inet.tcp.msl: 15000\n"));
    assert_int_equal(e->sources[0].system, SYSTEM_MACOS);
    assert_int_equal(only_value(e, SETTING_PORTS_COUNT), 16384);
    assert_int_equal(only_value(e, SETTING_KEEP_ALIVE_MS), 7200000);
    assert_int_equal(only_value(e, SETTING_TIME_WAIT_S), 30);
    assert_true(read_text(e, "kern.ostype: FreeBSD\nnet.inet.ip.portrange.last: 65535\n"
                             "net.inet.ip.portrange.first: 10000\n"));
    assert_int_equal(e->sources[1].system, SYSTEM_BSD);
    assert_int_equal(setting_at(e, SETTING_PORTS_COUNT, 1)->value, 55536);
}

static void test_sysctl_numbers_that_are_none(void **state)
{
    struct evidence *e = *state;
    assert_true(read_text(e, "net.ipv4.ip_local_port_range = 32768\nnet.ipv4.ip_local_port_range = 2 1\n"
                             "net.ipv4.ip_local_port_range = 1 99999\nnet.ipv4.tcp_retries2 = -1\n"
                             "net.ipv4.tcp_keepalive_time = 99999999999999999999\nnet.inet.tcp.msl: x\n"
                             "net.ipv4.tcp_retries2 =\nnet.inet.ip.portrange.first: 99999999\n"));
    assert_int_equal(e->settings.in_use, 0);
}

/* What people have beside their captures, and keep in the same folder. */
static void test_ordinary_texts_are_nobodys(void **state)
{
    static const char *const texts[] = {
        "",
        "\n\n\n",
        "Dear all,\n\nthe connection broke off at 10:42. The IP is 10.1.0.5.\n\nWindows IP questions: none.\n",
        "[section]\nname = value\nnet = none\n",
        "a.b = 1\nc.d = 2\nproject.version: 3\n",
        "{\"net.ipv4.tcp_retries2\": 15}\n",
        "name: tdscope\non: push\njobs:\n  build:\n    runs-on: linux\n   - run: make\n",
        "#include <stdio.h>\nint main(void)\n{\n    return 0;\n}\n",
        "time,source,destination\n09:30,10.1.0.5,10.2.0.9\n",
        "--------------------\nStart : 1\nEnd : 2\n",
        "Name   Value\n-----  -----\nRSS    enabled\n",
        "we ran SQL Server Connectivity Check and it said nothing\n",
        "   one . . : two\n",
        "Host: www.example.net\nContent-Type: text/html\nContent-Length: 12\n\nhello\n",
    };
    struct evidence *e = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(read_text(e, texts[i]));
    static const uint8_t capture[] = {0xd4, 0xc3, 0xb2, 0xa1, 2,    0,    4, 0, 0, 0, 0, 0,
                                      0,    0,    0,    0,    0xff, 0xff, 0, 0, 1, 0, 0, 0};
    assert_false(read_bytes(e, capture, sizeof capture));
    assert_int_equal(e->source_count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_evidence, close_evidence)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_port_range),
        CASE(test_port_range_of_any_language),
        CASE(test_port_range_of_udp_is_none),
        CASE(test_port_range_that_is_none),
        CASE(test_tcp_global),
        CASE(test_tcp_global_of_newer_windows),
        CASE(test_tcp_global_that_is_none),
        CASE(test_ipconfig),
        CASE(test_ipconfig_of_another_language),
        CASE(test_ipconfig_of_old_windows),
        CASE(test_sysctl_of_linux),
        CASE(test_sysctl_of_few_names),
        CASE(test_sysctl_of_other_systems),
        CASE(test_sysctl_numbers_that_are_none),
        CASE(test_ordinary_texts_are_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
