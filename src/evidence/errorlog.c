/*
 * SQL Server's ERRORLOG (Microsoft: "View the SQL Server error log"): a line is local time, who writes, and text; what does not begin so
 * goes on with the line before.
 *
 * Errors of some severity come as two entries of the same moment: "Error: 18456, Severity: 14, State: 8." and the text. The first is
 * read by its three numbers, in whatever language; messages without such a line are known by their English text. The text of
 * a login that failed is not kept: only its numbers and its client.
 */
#include "errorlog_messages.h"
#include "evidence_reader.h"

enum { HEAD_LINES = 64, SOURCE_NAME_MAX = 32 };

/* An entry's begin. */
struct entry {
    int64_t local_ns;
    struct span writer, text;
};

struct errorlog {
    struct evidence_input *input;
    struct moment error_at; /* of the newest "Error:" line, whose text comes next; frame 0: none */
    uint64_t number, state;
    int64_t utc_offset_ns;
    bool offset_known;
    struct log_record *latest; /* whose text may go on in the next line; NULL: none */
};

/* "Server", "Logon", "Backup", "spid51", "spid9s". */
static bool is_writer(struct span s)
{
    uint64_t number;
    if (words_equal(s, "Server") || words_equal(s, "Logon") || words_equal(s, "Backup"))
        return true;
    if (!words_begin(s, "spid"))
        return false;
    s = span_from(s, 4);
    return words_take_number(&s, &number) && (s.size == 0 || words_equal(s, "s"));
}

static bool read_entry(struct span line, struct entry *entry)
{
    struct span rest = line;
    if (!words_take_time(&rest, &entry->local_ns) || rest.size == 0)
        return false;
    entry->writer = words_next(&rest);
    entry->text = words_trim(rest);
    return is_writer(entry->writer);
}

static bool recognises(struct span head)
{
    for (int i = 0; i < HEAD_LINES && head.size > 0; i++) {
        struct entry entry;
        if (read_entry(words_until(&head, '\n'), &entry))
            return true;
    }
    return false;
}

/* "Error: 18456, Severity: 14, State: 8.", or the same in another language. */
static bool read_error_line(struct span text, uint64_t *number, uint64_t *state)
{
    uint64_t numbers[3];
    for (int i = 0; i < 3; i++) {
        struct span part = words_until(&text, i < 2 ? ',' : '.');
        struct span label = words_until(&part, ':');
        part = words_trim(part);
        if (label.size == 0 || label.size > SOURCE_NAME_MAX || !words_number(part, &numbers[i]))
            return false;
    }
    *number = numbers[0];
    *state = numbers[2];
    return words_trim(text).size == 0;
}

struct known_error {
    uint32_t number;
    enum log_event event;
};

static const struct known_error known_errors[] = {
    {701, LOG_MEMORY_PRESSURE},   {802, LOG_MEMORY_PRESSURE},   {833, LOG_IO_STALL},
    {4014, LOG_INPUT_FAILED},     {4060, LOG_LOGIN_FAILED},     {8645, LOG_MEMORY_PRESSURE},
    {17189, LOG_SCHEDULER_STALL}, {17197, LOG_LOGIN_FAILED},    {17300, LOG_MEMORY_PRESSURE},
    {17803, LOG_MEMORY_PRESSURE}, {17806, LOG_LOGIN_FAILED},    {17828, LOG_LOGIN_BROKEN},
    {17829, LOG_LOGIN_BROKEN},    {17830, LOG_LOGIN_BROKEN},    {17832, LOG_LOGIN_BROKEN},
    {17835, LOG_LOGIN_FAILED},    {17836, LOG_LOGIN_BROKEN},    {17883, LOG_SCHEDULER_STALL},
    {17884, LOG_SCHEDULER_STALL}, {17887, LOG_SCHEDULER_STALL}, {17888, LOG_SCHEDULER_STALL},
    {17890, LOG_MEMORY_PRESSURE}, {18452, LOG_LOGIN_FAILED},    {18456, LOG_LOGIN_FAILED},
    {18486, LOG_LOGIN_FAILED},    {19406, LOG_LEASE_LOST},      {19407, LOG_LEASE_LOST},
    {19419, LOG_LEASE_LOST},      {19421, LOG_LEASE_LOST},      {17147, LOG_SERVER_STOPPED},
    {17148, LOG_SERVER_STOPPED},
};

/* Messages that come without an "Error:" line, by a part of their English text. */
struct known_text {
    const char *part;
    uint32_t number; /* of the message in sys.messages; 0: it has none */
    enum log_event event;
};

static const struct known_text known_texts[] = {
    {"occurrence(s) of I/O requests", 833, LOG_IO_STALL},
    {"appears to be non-yielding on Scheduler", 17883, LOG_SCHEDULER_STALL},
    {"have not been picked up by a worker thread", 17884, LOG_SCHEDULER_STALL},
    {"appears to be non-yielding on Node", 17887, LOG_SCHEDULER_STALL},
    {"All schedulers on Node", 17888, LOG_SCHEDULER_STALL},
    {"process memory has been paged out", 17890, LOG_MEMORY_PRESSURE},
    {"SQL Server is terminating", 17148, LOG_SERVER_STOPPED},
    {"The lease between availability group", 19407, LOG_LEASE_LOST},
    {"The state of the local availability replica", 19406, LOG_LEASE_LOST},
};

static struct log_record *add(struct errorlog *log, const struct moment *at, enum log_event event, uint64_t number,
                              uint64_t state)
{
    struct log_record *record = evidence_add_log(log->input->evidence, at);
    if (!record)
        return NULL;
    record->event = event;
    record->number = (uint32_t)number;
    record->state = (uint32_t)state;
    return record;
}

static int32_t milliseconds_after(struct span text, const char *label)
{
    struct span rest;
    uint64_t value;
    if (!words_after(text, label, &rest) || !words_take_number(&rest, &value) || value > INT32_MAX)
        return -1;
    return (int32_t)value;
}

static void read_login_times(struct span text, struct login_times *times)
{
    *times = (struct login_times){
        .total = milliseconds_after(text, "total "),
        .enqueued = milliseconds_after(text, "enqueued "),
        .writes = milliseconds_after(text, "network writes "),
        .reads = milliseconds_after(text, "network reads "),
        .tls = milliseconds_after(text, "establishing SSL "),
        .sspi = milliseconds_after(text, "negotiating SSPI "),
        .validation = milliseconds_after(text, "validating login "),
    };
}

/* "error code 0x2746", "input error: 64". */
static uint32_t system_error_of(struct span text)
{
    struct span rest;
    uint64_t code;
    if (words_after(text, "error code ", &rest)) {
        struct span word = words_next(&rest);
        while (word.size > 0 && strchr(".,;", word.data[word.size - 1]))
            word.size--;
        if (words_hex(word, &code) || words_number(word, &code))
            return (uint32_t)code;
    }
    return words_after(text, "input error: ", &rest) && words_take_number(&rest, &code) ? (uint32_t)code : 0;
}

static void read_client(struct span text, struct endpoint *client)
{
    struct span rest;
    if (words_after(text, "[CLIENT: ", &rest))
        words_address(words_until(&rest, ']'), &client->address);
}

/* SEC_E_INTERNAL_ERROR, SEC_E_NO_AUTHENTICATING_AUTHORITY: the domain controller could not be asked (winerror.h). */
static bool is_controller_status(uint32_t code)
{
    return code == 0x80090304 || code == 0x80090311;
}

void errorlog_read_message(struct log_record *record, struct span text)
{
    uint64_t occurrences;
    read_client(text, &record->client);
    record->system_error = system_error_of(text);
    if (record->number == 17806 && is_controller_status(record->system_error))
        record->event = LOG_CONTROLLER_FAILED;
    if (record->event == LOG_LOGIN_BROKEN)
        read_login_times(text, &record->times);
    struct span rest;
    if (record->event == LOG_IO_STALL && words_after(text, "encountered ", &rest) &&
        words_take_number(&rest, &occurrences) && occurrences > 0 && occurrences <= UINT32_MAX)
        record->occurrences = (uint32_t)occurrences;
}

static void read_text(struct errorlog *log, struct log_record *record, struct span text)
{
    errorlog_read_message(record, text);
    log->latest = record;
}

bool errorlog_knows_number(uint64_t number, enum log_event *event)
{
    for (size_t i = 0; i < sizeof known_errors / sizeof *known_errors; i++)
        if (known_errors[i].number == number) {
            *event = known_errors[i].event;
            return true;
        }
    return false;
}

static bool read_known_error(struct errorlog *log, struct span text)
{
    if (log->error_at.frame == 0)
        return false;
    struct moment at = log->error_at;
    log->error_at = (struct moment){0};
    enum log_event event;
    if (!errorlog_knows_number(log->number, &event))
        return true;
    struct log_record *record = add(log, &at, event, log->number, log->state);
    if (record)
        read_text(log, record, text);
    return true;
}

static bool read_known_text(struct errorlog *log, const struct moment *at, struct span text)
{
    struct span from;
    for (size_t i = 0; i < sizeof known_texts / sizeof *known_texts; i++) {
        if (!words_find(text, known_texts[i].part, &from))
            continue;
        struct log_record *record = add(log, at, known_texts[i].event, known_texts[i].number, 0);
        if (record)
            read_text(log, record, text);
        return true;
    }
    return false;
}

/* "UTC adjustment: -5:30": what was added to UTC. */
static bool read_utc_adjustment(struct errorlog *log, struct span text)
{
    struct span rest;
    uint64_t hours, minutes;
    if (!words_after(text, "UTC adjustment: ", &rest))
        return false;
    bool behind = words_begin(rest, "-");
    rest = span_from(rest, behind);
    if (!words_take_number(&rest, &hours) || !words_begin(rest, ":"))
        return false;
    rest = span_from(rest, 1);
    if (!words_take_number(&rest, &minutes) || hours > 14 || minutes > 59)
        return false;
    log->utc_offset_ns = (int64_t)(hours * 3600 + minutes * 60) * NS_PER_SECOND * (behind ? -1 : 1);
    log->offset_known = true;
    return true;
}

/* "Server is listening on [ 'any' <ipv4> 1433]." */
static void read_listener(struct errorlog *log, const struct moment *at, struct span text)
{
    struct span rest, address;
    uint64_t port;
    struct address listens;
    if (!words_after(text, "Server is listening on [ ", &rest))
        return;
    address = words_next(&rest);
    words_next(&rest);
    rest = words_trim(rest);
    if (!words_take_number(&rest, &port) || port == 0 || port > UINT16_MAX)
        return;
    bool is_address = words_address(address, &listens);
    bool local = is_address && (listens.version == 4 ? listens.bytes[0] == 127 : words_equal(address, "::1"));
    if (local)
        return; /* the administrator's own connection */
    evidence_add_setting(log->input->evidence, at, SETTING_SQL_PORT, (int64_t)port, NULL);
    if (is_address)
        evidence_add_address(log->input->evidence, log->input->source, &listens);
}

static void read_machine(struct errorlog *log, const struct moment *at, struct span text)
{
    struct span rest;
    uint64_t number;
    struct source_facts *source = evidence_input_source(log->input);
    if (words_after(text, "Server name is '", &rest))
        source->machine = evidence_input_text(log->input, words_until(&rest, '\''));
    else if (words_after(text, "Detected ", &rest) && words_take_number(&rest, &number) &&
             words_begin(rest, " MB of RAM"))
        evidence_add_setting(log->input->evidence, at, SETTING_MEMORY_MB, (int64_t)number, NULL);
    else if (words_after(text, "'max server memory (MB)'", &rest) && words_after(rest, " to ", &rest) &&
             words_take_number(&rest, &number))
        evidence_add_setting(log->input->evidence, at, SETTING_MEMORY_MAX_MB, (int64_t)number, NULL);
    else
        read_listener(log, at, text);
}

static void read_whole_entry(struct errorlog *log, const struct entry *entry)
{
    struct moment at = evidence_input_moment(log->input, entry->local_ns);
    log->latest = NULL;
    if (read_known_error(log, entry->text))
        return;
    if (read_error_line(entry->text, &log->number, &log->state)) {
        log->error_at = at;
        return;
    }
    if (words_begin(entry->text, "Microsoft SQL Server "))
        add(log, &at, LOG_SERVER_STARTED, 0, 0);
    else if (!read_utc_adjustment(log, entry->text) && !read_known_text(log, &at, entry->text))
        read_machine(log, &at, entry->text);
}

/* A message that was wrapped: its client may stand in a later line. */
static void read_on(struct errorlog *log, struct span line)
{
    if (log->latest && log->latest->client.address.version == 0)
        read_client(line, &log->latest->client);
}

static void read(struct evidence_input *input)
{
    struct errorlog log = {.input = input};
    struct span line;
    struct entry entry;
    struct source_facts *source = evidence_input_source(input);
    if (!source->role_given)
        source->role = CAPTURE_ROLE_SERVER;
    while (text_lines_next(input->lines, &line)) {
        if (read_entry(line, &entry))
            read_whole_entry(&log, &entry);
        else
            read_on(&log, line);
    }
    evidence_tell_zone(input->evidence, input->source, log.offset_known ? ZONE_TOLD : ZONE_OPEN, log.utc_offset_ns);
}

const struct evidence_reader errorlog = {
    .kind = SOURCE_ERRORLOG,
    .recognises = recognises,
    .read = read,
};
