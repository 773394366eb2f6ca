/*
 * What applications log or show when a connection to SQL Server fails: a log of any form with its times at the begin of entries, or a message that
 * somebody copied. Its begin tells nothing, so it is searched: it is such a text when a driver's message is in it.
 *
 * An entry goes on until the next line that begins with a time; without times, until an empty line. Of its text only numbers, addresses and the
 * server's name are kept: an exception may have a connection string in it.
 */
#include "driver_messages.h"
#include "evidence_reader.h"

/* So far into a line its time may begin, behind a level or a bracket. */
enum { TIME_WITHIN_BYTES = 48 };

struct error_text {
    struct evidence_input *input;
    struct driver_message message;
    struct moment first;   /* the line that tells first; frame 0: none yet */
    int64_t time_ns;       /* of the entry; 0: none */
    bool times_seen;       /* entries have times */
    bool zone_told;        /* as the first of them: entries of the other kind have none */
    enum date_order order; /* of dates that do not tell */
};

/* "Z", "+02:00", "-0530", " +0200" behind a time. */
static bool take_offset(struct span rest, int64_t *offset_ns)
{
    *offset_ns = 0;
    if (words_begin(rest, "Z"))
        return rest.size == 1 || !((rest.data[1] | 0x20) >= 'a' && (rest.data[1] | 0x20) <= 'z');
    rest = words_trim(rest);
    bool behind = words_begin(rest, "-");
    if (!behind && !words_begin(rest, "+"))
        return false;
    uint64_t hours, minutes;
    struct span number = span_part(span_from(rest, 1), 0, 2), after = span_from(rest, 3);
    after = span_from(after, words_begin(after, ":"));
    if (!words_number(number, &hours) || !words_number(span_part(after, 0, 2), &minutes) ||
        number.size + after.size < 4 || hours > 14 || minutes > 59)
        return false;
    *offset_ns = (int64_t)(hours * 3600 + minutes * 60) * NS_PER_SECOND * (behind ? -1 : 1);
    return true;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The time at the begin of a line, whatever stands before it. *told: with its zone, and then it is UTC. */
static bool read_time(struct error_text *text, struct span line, int64_t *time_ns, bool *told)
{
    for (size_t at = 0; at < line.size && at < TIME_WITHIN_BYTES; at++) {
        struct span rest = span_from(line, at);
        enum date_order proved;
        int64_t offset_ns;
        if (!is_digit(rest.data[0]) || (at > 0 && (is_digit(line.data[at - 1]) || line.data[at - 1] == '.')))
            continue;
        bool month_first = words_find(span_part(rest, 0, 6), "/", &(struct span){0});
        enum date_order usual = text->order != DATE_TOLD ? text->order
                                : month_first            ? DATE_MONTH_FIRST
                                                         : DATE_DAY_FIRST;
        if (!words_take_local_time(&rest, usual, time_ns, &proved))
            continue;
        if (proved != DATE_TOLD)
            text->order = proved;
        *told = take_offset(rest, &offset_ns);
        *time_ns -= *told ? offset_ns : 0;
        return true;
    }
    return false;
}

static void end_message(struct error_text *text)
{
    if (text->message.tells && moment_seen(&text->first)) {
        struct error_record *record = evidence_add_error(text->input->evidence, &text->first);
        if (record) {
            *record = text->message.told;
            record->at = text->first;
        }
    }
    driver_message_begin(&text->message);
    text->first = (struct moment){0};
}

static void begin_entry(struct error_text *text, int64_t time_ns, bool told)
{
    end_message(text);
    if (!text->times_seen)
        text->zone_told = told;
    text->times_seen = true;
    text->time_ns = told == text->zone_told ? time_ns : 0;
}

/* What follows a message's last line is another one, if it tells of a failure itself. */
static bool begins_another(const struct error_text *text, struct span line)
{
    struct driver_message other;
    driver_message_begin(&other);
    return text->message.complete && driver_message_read(&other, line);
}

static void read_line(struct error_text *text, struct span line)
{
    int64_t time_ns;
    bool told;
    if (read_time(text, line, &time_ns, &told))
        begin_entry(text, time_ns, told);
    else if ((words_trim(line).size == 0 && !text->times_seen) || begins_another(text, line))
        end_message(text);
    if (driver_message_read(&text->message, line) && !moment_seen(&text->first))
        text->first = evidence_input_moment(text->input, text->time_ns);
}

static void read(struct evidence_input *input)
{
    struct error_text text = {.input = input};
    driver_message_begin(&text.message);
    for (struct span line; text_lines_next(input->lines, &line);)
        read_line(&text, line);
    end_message(&text);
    struct source_facts *source = evidence_input_source(input);
    if (!source->role_given)
        source->role = CAPTURE_ROLE_CLIENT; /* whoever has a driver is the client of that connection */
    evidence_tell_zone(input->evidence, input->source, text.zone_told ? ZONE_TOLD : ZONE_OPEN, 0);
}

const struct evidence_reader error_text = {
    .kind = SOURCE_ERROR_TEXT,
    .recognises = NULL,
    .read = read,
};
