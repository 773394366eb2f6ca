/*
 * Kernel settings of Linux ("net.ipv4.tcp_retries2 = 15"), FreeBSD and macOS ("net.inet.tcp.keepidle: 7200000"), as `sysctl -a` or
 * `sysctl NAME...` prints them. Linux counts keep-alives in seconds, the others in milliseconds.
 */
#include "evidence_reader.h"

enum { HEAD_LINES = 40, NAME_MAX = 80 };

struct sysctl {
    struct evidence_input *input;
    int64_t ports_first, ports_last; /* of systems that tell them apart, in either order; 0: not told yet */
};

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '/' || c == '%' || c == '@';
}

/* "net.ipv4.tcp_retries2 = 15" or "net.inet.tcp.msl: 15000"; also without blanks around the sign. */
static bool read_line(struct span line, struct span *name, struct span *value)
{
    size_t size = 0, dots = 0;
    while (size < line.size && is_name_byte(line.data[size]))
        dots += line.data[size++] == '.';
    *name = span_part(line, 0, size);
    struct span rest = words_trim(span_from(line, size));
    if (dots == 0 || size > NAME_MAX || !(words_begin(rest, "=") || words_begin(rest, ":")))
        return false;
    *value = words_trim(span_from(rest, 1));
    if (value->size > 0 && value->data[value->size - 1] == '\r')
        *value = words_trim(span_part(*value, 0, value->size - 1));
    return true;
}

static bool is_of_kernel(struct span name)
{
    static const char *const trees[] = {"net.", "kernel.", "kern.", "vm.", "fs.", "dev.", "debug.", "abi.", "crypto."};
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++)
        if (words_begin(name, trees[i]))
            return true;
    return false;
}

/* Most lines are settings of a kernel's; and of net., if there are few. */
static bool recognises(struct span head)
{
    unsigned lines = 0, settings = 0, net = 0, trees = 0;
    while (lines < HEAD_LINES && head.size > 0) {
        struct span line = words_trim(words_until(&head, '\n')), name, value;
        if (line.size == 0 || words_begin(line, "\r") || words_begin(line, "#"))
            continue;
        lines++;
        bool setting = read_line(line, &name, &value) && is_of_kernel(name);
        settings += setting;
        net += setting && (words_begin(name, "net.ipv4.") || words_begin(name, "net.inet.") ||
                           words_begin(name, "net.ipv6.") || words_begin(name, "net.core."));
        trees += setting && (words_begin(name, "kern.") || words_begin(name, "kernel.") ||
                             words_begin(name, "debug.") || words_begin(name, "abi."));
    }
    return settings * 5 >= lines * 4 && (net > 0 || (trees > 0 && lines == HEAD_LINES));
}

static void set(const struct sysctl *reading, enum machine_setting setting, int64_t value)
{
    evidence_input_set(reading->input, setting, value, (struct span){NULL, 0});
}

static void set_number(const struct sysctl *reading, enum machine_setting setting, struct span value, int64_t factor)
{
    uint64_t number;
    if (words_number(value, &number) && number <= INT32_MAX)
        set(reading, setting, (int64_t)number * factor);
}

static void set_ports(const struct sysctl *reading, uint64_t first, uint64_t last)
{
    if (first == 0 || last < first || last > UINT16_MAX)
        return;
    set(reading, SETTING_PORTS_FIRST, (int64_t)first);
    set(reading, SETTING_PORTS_COUNT, (int64_t)(last - first + 1));
}

static void read_linux(struct sysctl *reading, struct span name, struct span value)
{
    struct span rest = value;
    uint64_t first, last;
    if (words_equal(name, "net.ipv4.ip_local_port_range")) {
        if (words_number(words_next(&rest), &first) && words_number(words_trim(rest), &last))
            set_ports(reading, first, last);
    } else if (words_equal(name, "net.ipv4.tcp_keepalive_time")) {
        set_number(reading, SETTING_KEEP_ALIVE_MS, value, 1000);
    } else if (words_equal(name, "net.ipv4.tcp_keepalive_intvl")) {
        set_number(reading, SETTING_KEEP_ALIVE_EVERY_MS, value, 1000);
    } else if (words_equal(name, "net.ipv4.tcp_retries2")) {
        set_number(reading, SETTING_RETRANSMISSIONS, value, 1);
    } else if (words_equal(name, "net.ipv4.tcp_tw_reuse")) {
        if (words_number(value, &first))
            set(reading, SETTING_PORTS_REUSED, first == 1); /* 2: on the loopback only */
    }
}

static void read_bsd(struct sysctl *reading, struct span name, struct span value)
{
    uint64_t first, last;
    if (words_equal(name, "net.inet.ip.portrange.first") && words_number(value, &first) && first <= UINT16_MAX) {
        reading->ports_first = (int64_t)first;
    } else if (words_equal(name, "net.inet.tcp.keepidle")) {
        set_number(reading, SETTING_KEEP_ALIVE_MS, value, 1);
    } else if (words_equal(name, "net.inet.tcp.keepintvl")) {
        set_number(reading, SETTING_KEEP_ALIVE_EVERY_MS, value, 1);
    } else if (words_equal(name, "net.inet.tcp.msl") && words_number(value, &first) && first <= INT32_MAX) {
        set(reading, SETTING_TIME_WAIT_S, (int64_t)(2 * first / 1000));
    } else if (words_equal(name, "net.inet.ip.portrange.last") && words_number(value, &last)) {
        reading->ports_last = (int64_t)(last <= UINT16_MAX ? last : 0);
    }
}

static void read_machine(const struct sysctl *reading, struct span name, struct span value)
{
    struct source_facts *source = evidence_input_source(reading->input);
    if (words_equal(name, "kernel.hostname") || words_equal(name, "kern.hostname"))
        source->machine = evidence_input_text(reading->input, span_part(value, 0, SETTING_TEXT_MAX));
    else if (words_equal(name, "kern.ostype"))
        source->system = words_equal(value, "Darwin") ? SYSTEM_MACOS : SYSTEM_BSD;
    else if (words_begin(name, "net.ipv4.") || words_begin(name, "kernel."))
        source->system = SYSTEM_LINUX;
}

static void read(struct evidence_input *input)
{
    struct sysctl reading = {.input = input};
    struct span line, name, value;
    while (text_lines_next(input->lines, &line)) {
        if (!read_line(words_trim(line), &name, &value))
            continue;
        read_machine(&reading, name, value);
        if (words_begin(name, "net.ipv4."))
            read_linux(&reading, name, value);
        else if (words_begin(name, "net.inet."))
            read_bsd(&reading, name, value);
        if (reading.ports_first > 0 && reading.ports_last > 0) {
            set_ports(&reading, (uint64_t)reading.ports_first, (uint64_t)reading.ports_last);
            reading.ports_first = reading.ports_last = 0;
        }
    }
}

const struct evidence_reader sysctl = {
    .kind = SOURCE_HOST_SETTINGS,
    .recognises = recognises,
    .read = read,
};
