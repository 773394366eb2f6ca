/*
 * The report of SQLCHECK (Microsoft's SQL Server networking tools): sections, "Label:   value" lines, and tables under a row of dashes.
 *
 * The labels are English on every Windows; values that SQLCHECK itself got from a localized Windows may be empty or -1. Sets of
 * labels and columns differ from one version to the next, so each is known by its name, and what is not there is not told.
 */
#include "evidence_reader.h"
#include "system_drivers.h"
#include "text_table.h"

enum { CHOSEN_SUITES_MAX = 512 };

enum section { SECTION_MACHINE, SECTION_ADAPTERS, SECTION_INSTANCE };

struct sqlcheck {
    struct evidence_input *input;
    enum section section;
    struct text name; /* of the adapter or instance whose section it is */
    bool virtual_card;
    int64_t ports_first; /* 0: not told */
    struct text line_before;
    struct text_table table;
    void (*read_row)(struct sqlcheck *report, struct span row); /* of the table; NULL: it does not matter */
    bool in_table;
    unsigned suites;
};

static const char title[] = "SQL Server Connectivity Check v";

static bool recognises(struct span head)
{
    for (int i = 0; i < 32 && head.size > 0; i++)
        if (words_begin(words_trim(words_until(&head, '\n')), title))
            return true;
    return false;
}

static struct span span_of(const struct text *text)
{
    return (struct span){(const uint8_t *)text_string(text), text->size};
}

static void set(const struct sqlcheck *report, enum machine_setting setting, int64_t value, struct span text)
{
    evidence_input_set(report->input, setting, value, text);
}

static const struct span no_text = {NULL, 0};

static bool small_number(struct span s, int64_t *number)
{
    uint64_t value;
    if (!words_number(s, &value) || value > INT32_MAX)
        return false;
    *number = (int64_t)value;
    return true;
}

/* "09/16/2021 06:59:48 PM", "6-21-2006": month, day, year. */
static bool take_american_date(struct span s, char between, int64_t *yyyymmdd)
{
    uint64_t month, day, year;
    struct span rest = s;
    if (!words_number(words_until(&rest, between), &month) || !words_number(words_until(&rest, between), &day) ||
        !words_take_number(&rest, &year) || month < 1 || month > 12 || day < 1 || day > 31 || year < 1980 ||
        year > 2200)
        return false;
    *yyyymmdd = (int64_t)(year * 10000 + month * 100 + day);
    return true;
}

/* "SQL Server Connectivity Check v1.0.1160.0, run on 09/16/2021 06:59:48 PM" */
static void read_title(const struct sqlcheck *report, struct span line)
{
    struct span rest;
    int64_t date;
    if (words_after(line, ", run on ", &rest) && take_american_date(rest, '/', &date))
        set(report, SETTING_REPORT_DATE, date, no_text);
}

/* "10.0.14393.4583" */
static void read_windows_version(struct sqlcheck *report, struct span value)
{
    uint64_t parts[4];
    struct span rest = value;
    for (int i = 0; i < 4; i++)
        if (!words_number(words_until(&rest, '.'), &parts[i]) || parts[i] > 0xffffff)
            return;
    set(report, SETTING_WINDOWS_BUILD, windows_build(parts[2], parts[3]), value);
}

static void read_machine(struct sqlcheck *report, struct span value)
{
    evidence_input_source(report->input)->machine =
        evidence_input_text(report->input, span_part(value, 0, SETTING_TEXT_MAX));
}

static bool is_on(struct span value)
{
    return words_begin_any_case(value, "enabled") || words_begin_any_case(value, "automatic");
}

static void read_chimney(struct sqlcheck *report, struct span value)
{
    set(report, SETTING_OFFLOAD, is_on(value), (struct span){(const uint8_t *)"TCP Chimney", 11});
}

static void read_net_dma(struct sqlcheck *report, struct span value)
{
    set(report, SETTING_OFFLOAD, is_on(value), (struct span){(const uint8_t *)"NetDMA (TCPA)", 13});
}

static void read_rss(struct sqlcheck *report, struct span value)
{
    if (is_on(value) || words_begin_any_case(value, "disabled"))
        set(report, SETTING_RSS, is_on(value), report->section == SECTION_ADAPTERS ? span_of(&report->name) : no_text);
}

static void read_retransmissions(struct sqlcheck *report, struct span value)
{
    int64_t count;
    if (small_number(value, &count))
        set(report, SETTING_RETRANSMISSIONS, count, no_text);
}

static void read_time_wait(struct sqlcheck *report, struct span value)
{
    int64_t seconds;
    if (small_number(value, &seconds))
        set(report, SETTING_TIME_WAIT_S, seconds, no_text);
}

static void read_ports_first(struct sqlcheck *report, struct span value)
{
    report->ports_first = 0;
    small_number(value, &report->ports_first);
}

static void read_ports_last(struct sqlcheck *report, struct span value)
{
    int64_t last;
    if (!small_number(value, &last) || report->ports_first == 0 || last < report->ports_first || last > UINT16_MAX)
        return;
    set(report, SETTING_PORTS_FIRST, report->ports_first, no_text);
    set(report, SETTING_PORTS_COUNT, last - report->ports_first + 1, no_text);
}

/* "WdFilter|storqosflt|wcifs" */
static void read_filters(struct sqlcheck *report, struct span value)
{
    while (value.size > 0) {
        struct span name = words_trim(words_until(&value, '|'));
        if (name.size > 0 && !system_drivers_has_filter(name))
            set(report, SETTING_FILTER_DRIVER, 0, name);
    }
}

static void name_section(struct sqlcheck *report, enum section section, struct span name)
{
    report->section = section;
    text_clear(&report->name);
    text_add_bytes(&report->name, (const char *)name.data, name.size < SETTING_TEXT_MAX ? name.size : SETTING_TEXT_MAX);
}

static void read_adapter(struct sqlcheck *report, struct span value)
{
    if (report->section != SECTION_ADAPTERS)
        return;
    name_section(report, SECTION_ADAPTERS, value);
    report->virtual_card = system_drivers_is_virtual_card(value);
    if (report->virtual_card)
        set(report, SETTING_VIRTUAL_ADAPTER, 0, value);
}

/* Windows' own drivers all have the date of Windows Vista. */
static void read_driver_date(struct sqlcheck *report, struct span value)
{
    enum { IN_BOX_DATE = 20060621 };
    int64_t date;
    if (!report->virtual_card && take_american_date(value, '-', &date) && date != IN_BOX_DATE)
        set(report, SETTING_DRIVER_DATE, date, span_of(&report->name));
}

/* "Large Send Offload Version 2 (IPv4) (*LsoV2IPv4): Enabled (1)" */
static void read_offloading(struct sqlcheck *report, struct span value)
{
    struct span state, keyword;
    if (!words_after(value, "): ", &state))
        return;
    struct span name = span_part(value, 0, value.size - state.size - 2);
    if (words_find(name, " (*", &keyword))
        name.size -= keyword.size;
    set(report, SETTING_OFFLOAD, !words_begin_any_case(state, "disabled"), name);
}

static void read_keep_alive(struct sqlcheck *report, struct span value)
{
    int64_t ms;
    if (report->section == SECTION_INSTANCE && small_number(value, &ms))
        set(report, SETTING_KEEP_ALIVE_MS, ms, span_of(&report->name));
}

static void read_sql_ports(struct sqlcheck *report, struct span value)
{
    while (report->section == SECTION_INSTANCE && value.size > 0) {
        int64_t port;
        if (small_number(words_trim(words_until(&value, ',')), &port) && port > 0 && port <= UINT16_MAX)
            set(report, SETTING_SQL_PORT, port, span_of(&report->name));
    }
}

static void read_process(struct sqlcheck *report, struct span value)
{
    int64_t process;
    if (report->section == SECTION_INSTANCE && small_number(value, &process) && process > 0)
        set(report, SETTING_SQL_RUNS, 0, span_of(&report->name));
}

static void read_dhe_algorithm(struct sqlcheck *report, struct span value)
{
    int64_t number;
    if (small_number(value, &number))
        set(report, SETTING_DHE_ALGORITHM, number, no_text);
}

static const struct {
    const char *label;
    void (*read)(struct sqlcheck *report, struct span value);
} labels[] = {
    {"NETBIOS Name", read_machine},
    {"Windows Version", read_windows_version},
    {"TCPMaxDataRetransmissions", read_retransmissions},
    {"TCPChimney", read_chimney},
    {"TCPA", read_net_dma},
    {"RSS", read_rss},
    {"Min Ephemeral Port", read_ports_first},
    {"Max Ephemeral Port", read_ports_last},
    {"TCP Timed Wait Delay", read_time_wait},
    {"FLTMC Filters", read_filters},
    {"Name", read_adapter},
    {"Driver Date", read_driver_date},
    {"Offloading", read_offloading},
    {"Diffie-Hellman algorithm version", read_dhe_algorithm},
    {"Keep-Alive Interval (ms)", read_keep_alive},
    {"TCP Port(s)", read_sql_ports},
    {"Dynamic TCP Port(s)", read_sql_ports},
    {"Current Process ID", read_process},
};

static struct span cell(const struct sqlcheck *report, struct span row, const char *header)
{
    return text_table_cell(&report->table, row, text_table_column(&report->table, header));
}

static void read_address_row(struct sqlcheck *report, struct span row)
{
    struct address address;
    if (words_address(cell(report, row, "Address"), &address))
        evidence_add_address(report->input->evidence, report->input->source, &address);
}

static void read_network_filter_row(struct sqlcheck *report, struct span row)
{
    struct span name = cell(report, row, "Service Name");
    if (name.size > 0 && !system_drivers_has_network_filter(name))
        set(report, SETTING_FILTER_DRIVER, 0, name);
}

static void read_tls_row(struct sqlcheck *report, struct span row)
{
    static const char *const versions[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    struct span side = cell(report, row, "Client/Server"), effective = cell(report, row, "Effective Value");
    bool client = words_equal(side, "Client");
    if (effective.size == 0 || (!client && !words_equal(side, "Server")))
        return;
    for (int i = 0; i < 5; i++)
        if (words_equal(cell(report, row, "TLS Version"), versions[i]))
            set(report, client ? SETTING_TLS_CLIENT : SETTING_TLS_SERVER,
                words_equal(effective, "Enabled") ? 0x0300 + i : -(0x0300 + i), no_text);
}

static void read_suite_row(struct sqlcheck *report, struct span row)
{
    static const char *const lists[] = {"Registry List", "Policy List"};
    for (int i = 0; i < 2; i++) {
        struct span name = cell(report, row, lists[i]);
        if (name.size > 0 && report->suites++ < CHOSEN_SUITES_MAX)
            set(report, SETTING_CIPHER_SUITE, i, name);
    }
}

static void read_driver_row(struct sqlcheck *report, struct span row)
{
    struct span name = cell(report, row, "Client Name");
    int64_t ms;
    if (small_number(cell(report, row, "Keep-Alive Interval (ms)"), &ms))
        set(report, SETTING_KEEP_ALIVE_MS, ms, name);
    if (small_number(cell(report, row, "Keep-Alive Retry Interval (ms)"), &ms))
        set(report, SETTING_KEEP_ALIVE_EVERY_MS, ms, name);
}

static void read_service_row(struct sqlcheck *report, struct span row)
{
    struct span name = cell(report, row, "Name");
    bool server = words_equal(name, "MSSQLSERVER") || words_equal(name, "MSSQL") || words_begin(name, "MSSQL$");
    if (server && words_equal(cell(report, row, "Started"), "True"))
        set(report, SETTING_SQL_RUNS, 0, name);
}

static const struct {
    const char *columns[2]; /* that no other table has together */
    void (*read_row)(struct sqlcheck *report, struct span row);
} tables[] = {
    {{"Address Family", "Address"}, read_address_row},
    {{"Service Name", "Filter Media Types"}, read_network_filter_row},
    {{"Client/Server", "Effective Value"}, read_tls_row},
    {{"Registry List", "Policy List"}, read_suite_row},
    {{"Client Name", "Keep-Alive Interval (ms)"}, read_driver_row},
    {{"Service Account", "Started"}, read_service_row},
};

static bool begin_table(struct sqlcheck *report, struct span line)
{
    struct span dashes = words_trim(line);
    if (!words_begin(dashes, "--") || !text_table_begin(&report->table, span_of(&report->line_before), line))
        return false;
    report->in_table = true;
    report->read_row = NULL;
    for (size_t i = 0; i < sizeof tables / sizeof *tables && !report->read_row; i++)
        if (text_table_column(&report->table, tables[i].columns[0]) >= 0 &&
            text_table_column(&report->table, tables[i].columns[1]) >= 0)
            report->read_row = tables[i].read_row;
    return true;
}

static bool begin_section(struct sqlcheck *report, struct span line)
{
    struct span rest;
    if (words_equal(line, "Network Adapters:")) {
        name_section(report, SECTION_ADAPTERS, no_text);
    } else if (words_after(line, "Details for SQL Server Instance: ", &rest)) {
        name_section(report, SECTION_INSTANCE, words_next(&rest));
    } else if (words_begin(line, "----") || words_equal(line, "Network Settings:")) {
        name_section(report, SECTION_MACHINE, no_text);
    } else {
        return false;
    }
    return true;
}

static bool read_sentence(struct sqlcheck *report, struct span line)
{
    struct span from;
    bool enabled = words_begin(line, "Diffie-Hellman cipher suites are enabled");
    if (enabled || words_begin(line, "Diffie-Hellman cipher suites are not enabled"))
        set(report, SETTING_DHE, enabled, no_text);
    else if (words_begin(line, "Warning:") && words_find(line, "vnetflt.sys", &from))
        set(report, SETTING_DELAYING_DRIVER, 0, span_part(from, 0, 11));
    else if (words_begin(line, title))
        read_title(report, line);
    else
        return false;
    return true;
}

static void read_label(struct sqlcheck *report, struct span line)
{
    struct span value = line;
    struct span label = words_until(&value, ':');
    if (label.size == line.size)
        return;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (words_equal(label, labels[i].label)) {
            labels[i].read(report, words_trim(value));
            return;
        }
}

static void read_line(struct sqlcheck *report, struct span line)
{
    if (report->in_table && words_trim(line).size > 0) {
        if (report->read_row)
            report->read_row(report, line);
        return;
    }
    report->in_table = false;
    if (!begin_section(report, line) && !begin_table(report, line) && !read_sentence(report, line))
        read_label(report, line);
    text_clear(&report->line_before);
    text_add_bytes(&report->line_before, (const char *)line.data, line.size);
}

static void read(struct evidence_input *input)
{
    struct sqlcheck report = {.input = input};
    struct span line;
    evidence_input_source(input)->system = SYSTEM_WINDOWS;
    while (text_lines_next(input->lines, &line))
        read_line(&report, line);
    text_close(&report.name);
    text_close(&report.line_before);
    text_table_close(&report.table);
}

const struct evidence_reader sqlcheck = {
    .kind = SOURCE_SQLCHECK,
    .recognises = recognises,
    .read = read,
};
