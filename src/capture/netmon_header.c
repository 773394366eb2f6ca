/*
 * The head of a Network Monitor file (CAPTUREFILE_HEADER_VALUES of netmon.h), and of its records, as the help of Network Monitor 3 has them.
 *
 * The time of the start is a SYSTEMTIME of the machine's local time, and no version says which time zone that was. Version 2.3 has a time in UTC
 * behind each packet, too.
 */
#include "netmon_header.h"

#include <string.h>

#include "cursor.h"
#include "filetime.h"
#include "moment.h"

static const char signature_1[4] = {'R', 'T', 'S', 'S'}, signature_2[4] = {'G', 'M', 'B', 'U'};

bool netmon_header_recognises(struct span head)
{
    return head.size >= sizeof signature_1 && (memcmp(head.data, signature_1, sizeof signature_1) == 0 ||
                                               memcmp(head.data, signature_2, sizeof signature_2) == 0);
}

/* Of a SYSTEMTIME; 0: it is none. */
static int64_t read_system_time(struct cursor *c)
{
    unsigned year = cursor_u16le(c), month = cursor_u16le(c);
    cursor_skip(c, 2); /* day of the week */
    unsigned day = cursor_u16le(c), hour = cursor_u16le(c), minute = cursor_u16le(c), second = cursor_u16le(c);
    unsigned ms = cursor_u16le(c);
    if (year < 1970 || year > 2100 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
        second > 60 || ms > 999)
        return 0;
    int64_t seconds = ((days_of_date(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    return seconds * NS_PER_SECOND + ms * NS_PER_MS;
}

static size_t trailer_bytes(const struct netmon_header *header)
{
    static const uint8_t by_minor[] = {0, 2, 6, NETMON_TRAILER_MOST};
    if (header->major < 2)
        return 0;
    return header->minor < sizeof by_minor ? by_minor[header->minor] : NETMON_TRAILER_MOST;
}

bool netmon_header_read(struct netmon_header *header, struct span head, struct error *error)
{
    struct cursor c = cursor_over(head);
    cursor_skip(&c, sizeof signature_1);
    *header = (struct netmon_header){.minor = cursor_u8(&c)};
    header->major = cursor_u8(&c);
    header->media = cursor_u16le(&c);
    header->start_ns = read_system_time(&c);
    header->table_offset = cursor_u32le(&c);
    header->table_bytes = cursor_u32le(&c);
    if (c.failed || head.size < NETMON_HEAD_BYTES)
        return error_set(error, "the file ends in its head: %zu of %d bytes are there", head.size, NETMON_HEAD_BYTES);
    if (header->major != 1 && header->major != 2)
        return error_set(error, "version %u.%u is not known (1.x and 2.x are)", header->major, header->minor);
    header->record_bytes = header->major == 1 ? 8 : NETMON_RECORD_MOST;
    header->trailer_bytes = trailer_bytes(header);
    return true;
}

/* Microseconds, unsigned, but those before the start wrap around once they are made units of 100 ns, as Microsoft reads them. */
static int64_t since_ns(uint64_t microseconds)
{
    int64_t units = (int64_t)(microseconds * 10);
    if (units > TIME_LATEST_NS / 100 || units < -TIME_LATEST_NS / 100)
        return 0;
    return units * 100;
}

struct netmon_record_head netmon_record_head_at(const struct netmon_header *header, struct span bytes)
{
    struct cursor c = cursor_over(bytes);
    struct netmon_record_head record;
    if (header->major == 1) {
        record.since_ns = cursor_u32le(&c) * NS_PER_MS;
        record.wire = cursor_u16le(&c);
        record.captured = cursor_u16le(&c);
    } else {
        record.since_ns = since_ns(cursor_u64le(&c));
        record.wire = cursor_u32le(&c);
        record.captured = cursor_u32le(&c);
    }
    return record;
}

struct netmon_trailer netmon_trailer_at(const struct netmon_header *header, struct span bytes)
{
    struct netmon_trailer trailer = {.media = header->media};
    struct cursor c = cursor_over(bytes);
    if (bytes.size >= sizeof trailer.media)
        trailer.media = cursor_u16le(&c);
    cursor_skip(&c, 4); /* the process */
    trailer.time_ns = filetime_ns(cursor_u64le(&c));
    return trailer;
}
