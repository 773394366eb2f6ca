/* Options as data, and the reading of their values. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "complaint.h"

/* Reads the value into options. On a wrong one returns what would be right, to be put after "takes", else NULL. */
typedef const char *read_value(struct options *options, const char *value);

struct option_row {
    const char *name;
    char letter; /* 0: none */
    unsigned commands;
    const char *argument; /* as help shows it; NULL: the option takes none */
    read_value *read;
    const char *help;
};

static void add_evidence(struct options *options, const char *path, enum tdscope_role role)
{
    options->evidence[options->evidence_count++] = (struct evidence){path, role};
}

static const char *read_evidence(struct options *options, const char *value, enum tdscope_role role)
{
    if (!value[0])
        return "the name of a file, or - for standard input";
    add_evidence(options, value, role);
    return NULL;
}

static const char *read_client(struct options *options, const char *value)
{
    return read_evidence(options, value, TDSCOPE_CLIENT);
}

static const char *read_server(struct options *options, const char *value)
{
    return read_evidence(options, value, TDSCOPE_SERVER);
}

static const char *read_format(struct options *options, const char *value)
{
    options->format = value;
    for (size_t i = 0; tdscope_format(i); i++)
        if (strcmp(tdscope_format(i), value) == 0)
            return NULL;
    return "text, json, html, csv or sqlite";
}

static const char *read_output(struct options *options, const char *value)
{
    if (!value[0])
        return "the name of a file, or - for standard output";
    options->output = strcmp(value, "-") == 0 ? NULL : value;
    return NULL;
}

static const char *read_server_port(struct options *options, const char *value)
{
    unsigned long port = 0;
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && digits <= 5 && !value[digits])
        port = strtoul(value, NULL, 10);
    if (port < 1 || port > 65535)
        return "a TCP port from 1 to 65535";
    options->server_port = (uint16_t)port;
    return NULL;
}

/* "512M", "2G": binary multiples. */
static const char *read_memory(struct options *options, const char *value)
{
    static const char right[] = "a size from 64M on, such as 512M or 4G";
    size_t digits = strspn(value, "0123456789");
    if (digits == 0 || digits > 6 || !value[digits] || value[digits + 1])
        return right;
    uint64_t bytes = strtoul(value, NULL, 10);
    if (value[digits] == 'G')
        bytes <<= 30;
    else if (value[digits] == 'M')
        bytes <<= 20;
    else
        return right;
    if (bytes < 64u << 20)
        return right;
    options->memory_bytes = bytes;
    return NULL;
}

static const char *read_threads(struct options *options, const char *value)
{
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && digits <= 4 && !value[digits])
        options->threads = (unsigned)strtoul(value, NULL, 10);
    return options->threads > 0 ? NULL : "a number from 1 to 9999";
}

/* Decimal digits with at most one point among them: no sign, no exponent. */
static const char *read_seconds(double *seconds, const char *value)
{
    static const char right[] = "a time in seconds, more than 0 and at most 86400, such as 2 or 0.5";
    size_t whole = strspn(value, "0123456789"),
           rest = value[whole] == '.' ? strspn(value + whole + 1, "0123456789") + 1 : 0;
    if (whole == 0 || whole > 5 || rest == 1 || rest > 10 || value[whole + rest])
        return right;
    *seconds = strtod(value, NULL);
    return *seconds > 0 && *seconds <= 86400 ? NULL : right;
}

static const char *read_slow_login(struct options *options, const char *value)
{
    return read_seconds(&options->thresholds.slow_login_s, value);
}

static const char *read_late_login(struct options *options, const char *value)
{
    return read_seconds(&options->thresholds.late_login_s, value);
}

/* Who says what is slow needs nothing to compare with. */
static const char *read_slow_query(struct options *options, const char *value)
{
    const char *right = read_seconds(&options->thresholds.slow_query_s, value);
    options->thresholds.slow_query_alone_s = options->thresholds.slow_query_s;
    return right;
}

static const char *read_delay(struct options *options, const char *value)
{
    return read_seconds(&options->thresholds.delay_s, value);
}

static const char *read_short_frames(struct options *options, const char *value)
{
    size_t digits = strspn(value, "0123456789");
    unsigned long frames = digits > 0 && digits <= 6 && !value[digits] ? strtoul(value, NULL, 10) : 0;
    if (frames == 0)
        return "a number of packets from 1 to 999999";
    options->thresholds.short_frames = (uint32_t)frames;
    return NULL;
}

static int digit_pair(const char *digits)
{
    bool are_digits = digits[0] >= '0' && digits[0] <= '9' && digits[1] >= '0' && digits[1] <= '9';
    return are_digits ? (digits[0] - '0') * 10 + (digits[1] - '0') : -1;
}

/* "UTC", "Z", "+02:00", "+0200", "+02". Names of zones would need the rules of each, which change. */
static const char *read_timezone(struct options *options, const char *value)
{
    static const char right[] = "UTC, or a distance from it such as +02:00 or -05:30";
    if (strcmp(value, "UTC") == 0 || strcmp(value, "Z") == 0) {
        options->utc_offset_s = 0;
        return NULL;
    }
    if ((value[0] != '+' && value[0] != '-') || !value[1])
        return right;
    int hours = digit_pair(value + 1), minutes = 0;
    if (hours >= 0 && value[3]) {
        const char *rest = value + (value[3] == ':' ? 4 : 3);
        minutes = rest[0] ? digit_pair(rest) : -1;
        if (minutes >= 0 && rest[2])
            minutes = -1;
    }
    if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
        return right;
    options->utc_offset_s = (value[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return NULL;
}

static const char *read_when(enum when *when, const char *value)
{
    if (strcmp(value, "auto") == 0)
        *when = WHEN_AUTO;
    else if (strcmp(value, "always") == 0)
        *when = WHEN_ALWAYS;
    else if (strcmp(value, "never") == 0)
        *when = WHEN_NEVER;
    else
        return "auto, always or never";
    return NULL;
}

static const char *read_progress(struct options *options, const char *value)
{
    return read_when(&options->progress, value);
}

static const char *read_colour(struct options *options, const char *value)
{
    return read_when(&options->colour, value);
}

static const char *read_exit_code(struct options *options, const char *value)
{
    (void)value;
    options->exit_code = true;
    return NULL;
}

static const char *read_quiet(struct options *options, const char *value)
{
    (void)value;
    options->quiet = true;
    return NULL;
}

static const char *read_marks(struct options *options, const char *value)
{
    (void)value;
    options->marks = true;
    return NULL;
}

static const char *read_system(struct options *options, const char *value)
{
    static const char *const systems[] = {"windows", "linux", "macos"};
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        if (strcmp(systems[i], value) != 0)
            continue;
        options->system = systems[i];
        return NULL;
    }
    return "windows, linux or macos";
}

static const char *read_help(struct options *options, const char *value)
{
    (void)value;
    options->help = true;
    return NULL;
}

static const struct option_row rows[] = {
    {"client", 0, FOR_ANALYSIS, "FILE", read_client, "a capture taken at the client, or a log of it (repeatable)"},
    {"server", 0, FOR_ANALYSIS, "FILE", read_server, "a capture taken at the server, or a log of it (repeatable)"},
    {"server-port", 0, FOR_ANALYSIS, "PORT", read_server_port, "a hint: this TCP port is a SQL Server's"},
    {"memory", 0, FOR_ANALYSIS, "SIZE", read_memory,
     "take about so much memory (from 64M on): healthy conversations are forgotten when it is reached"},
    {"threads", 0, FOR_ANALYSIS, "N", read_threads,
     "work with so many threads at most (without it: as many as there are processors, up to 4); the report is the same "
     "with any number"},
    {"slow-login", 0, FOR_ANALYSIS, "SECONDS", read_slow_login,
     "a wait in the login counts from here on when the client gave up or its reason is seen (2)"},
    {"late-login", 0, FOR_ANALYSIS, "SECONDS", read_late_login,
     "a login step that the server answers so late is its fault, though the client waited (5)"},
    {"slow-query", 0, FOR_ANALYSIS, "SECONDS", read_slow_query,
     "an answer that begins so late is slow (2 amid quick answers, else 15)"},
    {"delay", 0, FOR_ANALYSIS, "SECONDS", read_delay, "a packet so much longer on its way than others was held up (1)"},
    {"short-frames", 0, FOR_ANALYSIS, "N", read_short_frames,
     "many connections of fewer packets tell of a missing pool (30)"},
    {"format", 0, FOR_ANALYSIS | FOR_EXPLAIN, "FORMAT", read_format,
     "text (default), json, html: a page to send, csv: a row for each conversation, or sqlite: a database (with -o)"},
    {"output", 'o', FOR_ANALYSIS, "FILE", read_output, "write the report there, whole or not at all"},
    {"timezone", 0, FOR_ANALYSIS, "ZONE", read_timezone, "of times in text: UTC (default) or +HH:MM"},
    {"progress", 0, FOR_ANALYSIS, "WHEN", read_progress, "auto (default), always or never"},
    {"color", 0, FOR_ANALYSIS | FOR_EXPLAIN, "WHEN", read_colour, "auto (default), always or never; see also NO_COLOR"},
    {"marks", 0, FOR_CONVERSATIONS, NULL, read_marks,
     "a column with the steps of the login as SQL Network Analyzer marks them"},
    {"exit-code", 0, FOR_ANALYSIS, NULL, read_exit_code,
     "exit with status 1 when a fault was found, though its culprit may be unknown"},
    {"quiet", 0, FOR_ANALYSIS, NULL, read_quiet, "no progress and no warnings"},
    {"for", 0, FOR_COLLECT, "SYSTEM", read_system, "windows, linux or macos"},
    {"help", 'h', FOR_ANALYSIS | FOR_EXPLAIN | FOR_COLLECT, NULL, read_help, "show this"},
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

static const struct option_row *find_row(unsigned takes, const char *name, size_t size)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if ((rows[i].commands & takes) && strlen(rows[i].name) == size && memcmp(rows[i].name, name, size) == 0)
            return &rows[i];
    return NULL;
}

static const struct option_row *find_letter(unsigned takes, char letter)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if ((rows[i].commands & takes) && rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

/* How far an argument is read: the option it names and, where one was written with it, the value. */
struct spelling {
    const struct option_row *row; /* NULL: no such option */
    const char *value;            /* "--name=value", "-ovalue"; NULL: none */
};

static struct spelling read_spelling(unsigned takes, const char *argument)
{
    if (argument[1] != '-') {
        const char *rest = argument + 2;
        return (struct spelling){find_letter(takes, argument[1]), rest[0] ? rest : NULL};
    }
    const char *name = argument + 2, *equals = strchr(name, '=');
    size_t size = equals ? (size_t)(equals - name) : strlen(name);
    return (struct spelling){find_row(takes, name, size), equals ? equals + 1 : NULL};
}

static bool refuse(const struct command *command, const char *argument, const char *complaint)
{
    complain("%s: %s; `tdscope %s --help` lists the options", argument, complaint, command->name);
    return false;
}

/* Reads the option at argv[*at]; leaves *at at the last argument that it took. */
static bool parse_option(struct options *options, const struct command *command, unsigned takes, int argc, char **argv,
                         int *at)
{
    const char *argument = argv[*at];
    struct spelling spelling = read_spelling(takes, argument);
    if (!spelling.row)
        return refuse(command, argument, "there is no such option");
    if (!spelling.row->argument && spelling.value)
        return refuse(command, argument, "this option takes no value");
    const char *value = spelling.value;
    if (spelling.row->argument && !value) {
        if (*at + 1 >= argc)
            return refuse(command, argument, "a value has to follow");
        value = argv[++*at];
    }
    const char *right = spelling.row->read(options, value);
    if (!right)
        return true;
    complain("--%s takes %s, not '%s'", spelling.row->name, right, value);
    return false;
}

bool options_parse(struct options *options, const struct command *command, unsigned takes, int argc, char **argv)
{
    *options = (struct options){.format = "text"};
    options->evidence = calloc((size_t)argc + 1, sizeof *options->evidence);
    if (!options->evidence) {
        complain("out of memory");
        return false;
    }
    bool only_evidence = false; /* after "--" */
    for (int at = 0; at < argc; at++) {
        const char *argument = argv[at];
        if (!argument[0])
            return refuse(command, "''", "a name is empty");
        if (!only_evidence && strcmp(argument, "--") == 0)
            only_evidence = true;
        else if (only_evidence || argument[0] != '-' || !argument[1])
            add_evidence(options, argument, TDSCOPE_ROLE_INFER);
        else if (!parse_option(options, command, takes, argc, argv, &at))
            return false;
    }
    return true;
}

void options_close(struct options *options)
{
    free(options->evidence);
}

void options_help(const struct command *command, unsigned takes, FILE *to)
{
    fprintf(to, "usage: tdscope %s %s\n\n%s\n%s\noptions:\n", command->name, command->arguments, command->help,
            command->details);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (!(rows[i].commands & takes))
            continue;
        char letter[] = "    ", name[32];
        if (rows[i].letter)
            snprintf(letter, sizeof letter, "-%c, ", rows[i].letter);
        snprintf(name, sizeof name, "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
                 rows[i].argument ? rows[i].argument : "");
        fprintf(to, "  %s%-20s %s\n", letter, name, rows[i].help);
    }
    fprintf(to, "\nexamples:\n%s", command->examples);
}
