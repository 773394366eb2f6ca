/* Layout of reports for people. */
#include "text_layout.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static const char *const colour_codes[] = {
    [COLOUR_PLAIN] = "\033[0m", [COLOUR_STRONG] = "\033[1m", [COLOUR_FAINT] = "\033[2m",
    [COLOUR_GOOD] = "\033[32m", [COLOUR_BAD] = "\033[31m",   [COLOUR_UNSURE] = "\033[33m",
};
static_assert(sizeof colour_codes / sizeof *colour_codes == COLOURS, "a code for each colour");

void layout_colour(struct sink *sink, enum text_colour colour)
{
    if (sink->colour)
        sink_put(sink, colour_codes[colour]);
}

void layout_heading(struct sink *sink, const char *title)
{
    sink_put(sink, "\n");
    layout_colour(sink, COLOUR_STRONG);
    sink_put(sink, title);
    layout_colour(sink, COLOUR_PLAIN);
    sink_put(sink, "\n");
}

/* Characters, not bytes: continuation bytes of UTF-8 take no column. */
static unsigned columns_of(const char *bytes, size_t size)
{
    unsigned columns = 0;
    for (size_t i = 0; i < size; i++)
        columns += ((uint8_t)bytes[i] & 0xc0) != 0x80;
    return columns;
}

/* Bytes up to the next blank; a `command` between backticks stays whole, so that it can be copied. */
static size_t word_size(const char *word)
{
    size_t size = 0;
    bool in_command = false;
    for (; word[size] && (in_command || !strchr(" \n", word[size])); size++)
        in_command ^= word[size] == '`';
    return in_command ? strcspn(word, " \n") : size;
}

void layout_paragraph(struct sink *sink, unsigned at, unsigned indent, const char *text)
{
    if (at < indent)
        sink_format(sink, "%*s", (int)(indent - at), "");
    unsigned column = indent;
    const char *word = text + strspn(text, " \n");
    while (*word) {
        size_t size = word_size(word);
        unsigned wide = columns_of(word, size);
        if (column > indent && column + 1 + wide > REPORT_COLUMNS) {
            sink_format(sink, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            sink_put(sink, " ");
            column++;
        }
        sink_put_bytes(sink, word, size);
        column += wide;
        word += size;
        word += strspn(word, " \n");
    }
    sink_put(sink, "\n");
}

void layout_put_untrusted(struct sink *sink, const char *bytes)
{
    struct text safe = {0};
    text_add_untrusted(&safe, (struct span){(const uint8_t *)bytes, strlen(bytes)});
    sink_put(sink, text_string(&safe));
    text_close(&safe);
}

/* time_text in the sink's zone; a sum that would not fit stays in UTC. */
static const char *local_text(const struct sink *sink, int64_t time_ns, char text[static TIME_TEXT_SIZE])
{
    int64_t offset_ns = sink->utc_offset_s * NS_PER_SECOND;
    bool fits = offset_ns >= 0 ? time_ns <= INT64_MAX - offset_ns : time_ns >= INT64_MIN - offset_ns;
    return time_text(fits ? time_ns + offset_ns : time_ns, text);
}

const char *layout_day(const struct sink *sink, int64_t time_ns, char text[static CLOCK_TEXT_SIZE])
{
    char full[TIME_TEXT_SIZE];
    const char *time = strchr(local_text(sink, time_ns, full), 'T');
    snprintf(text, CLOCK_TEXT_SIZE, "%.*s", (int)(time ? time - full : 0), full);
    return text;
}

const char *layout_clock(const struct sink *sink, int64_t time_ns, char text[static CLOCK_TEXT_SIZE])
{
    char full[TIME_TEXT_SIZE];
    const char *time = strchr(local_text(sink, time_ns, full), 'T');
    snprintf(text, CLOCK_TEXT_SIZE, "%.12s", time ? time + 1 : "");
    return text;
}

const char *layout_zone(const struct sink *sink, char text[static CLOCK_TEXT_SIZE])
{
    int minutes = sink->utc_offset_s / 60;
    unsigned distance = (unsigned)(minutes < 0 ? -minutes : minutes);
    if (distance == 0)
        snprintf(text, CLOCK_TEXT_SIZE, "UTC");
    else
        snprintf(text, CLOCK_TEXT_SIZE, "UTC%c%02u:%02u", minutes < 0 ? '-' : '+', distance / 60, distance % 60);
    return text;
}

const char *layout_instant(const struct sink *sink, int64_t time_ns, char text[static CLOCK_TEXT_SIZE])
{
    char day[CLOCK_TEXT_SIZE], clock[CLOCK_TEXT_SIZE], zone[CLOCK_TEXT_SIZE];
    layout_zone(sink, zone);
    snprintf(text, CLOCK_TEXT_SIZE, "%.11sT%.12s%.6s", layout_day(sink, time_ns, day),
             layout_clock(sink, time_ns, clock), zone[3] ? zone + 3 : "Z");
    return text;
}

const char *layout_duration(int64_t duration_ns, char text[static QUANTITY_TEXT_SIZE])
{
    double seconds = (double)duration_ns / (double)NS_PER_SECOND;
    int64_t whole = duration_ns / NS_PER_SECOND;
    if (duration_ns < NS_PER_MS)
        snprintf(text, QUANTITY_TEXT_SIZE, "%" PRId64 " us", (int64_t)(duration_ns / NS_PER_US));
    else if (duration_ns < NS_PER_SECOND)
        snprintf(text, QUANTITY_TEXT_SIZE, "%.1f ms", seconds * 1000);
    else if (whole < 120)
        snprintf(text, QUANTITY_TEXT_SIZE, "%.1f s", seconds);
    else if (whole < 7200)
        snprintf(text, QUANTITY_TEXT_SIZE, "%" PRId64 " min %" PRId64 " s", whole / 60, whole % 60);
    else if (whole < 48 * 3600)
        snprintf(text, QUANTITY_TEXT_SIZE, "%" PRId64 " h %" PRId64 " min", whole / 3600, whole / 60 % 60);
    else
        snprintf(text, QUANTITY_TEXT_SIZE, "%" PRId64 " days %" PRId64 " h", whole / 86400, whole / 3600 % 24);
    return text;
}

const char *layout_bytes(uint64_t bytes, char text[static QUANTITY_TEXT_SIZE])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(text, QUANTITY_TEXT_SIZE, "%u bytes", (unsigned)bytes);
        return text;
    }
    double amount = (double)bytes / 1000;
    unsigned unit = 0;
    for (; amount >= 999.95 && unit + 1 < sizeof units / sizeof *units; unit++)
        amount /= 1000;
    snprintf(text, QUANTITY_TEXT_SIZE, "%.1f %s", amount, units[unit]);
    return text;
}
