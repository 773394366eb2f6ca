/* The head of an event trace. */
#include "etl_header.h"

#include "cursor.h"
#include "filetime.h"
#include "moment.h"

enum { BUFFER_TYPE_AT = 0x36, BUFFER_TYPE_HEADER = 4, EVENT_AT = 0x48, EVENT_BYTES = 0x20, TICKS_AT = 0x10 };
enum { CLOCK_PERFORMANCE = 1, CLOCK_SYSTEM = 2, CLOCK_CYCLES = 3 };

#define FREQUENCY_MOST 9000000000ULL /* so that a second's ticks, in nanoseconds, are no overflow */
#define SECONDS_MOST 4600000000LL    /* as far as times reach in either direction: 2115; two of them are no overflow */

/* The bytes of TIME_ZONE_INFORMATION. */
enum { TIME_ZONE_BYTES = 0xAC };

bool etl_header_recognises(struct span head)
{
    const uint8_t *p = head.data;
    if (head.size < ETL_PROBE_BYTES || p[BUFFER_TYPE_AT] != BUFFER_TYPE_HEADER || p[BUFFER_TYPE_AT + 1] != 0)
        return false;
    struct cursor size = cursor_over(head);
    const uint8_t *event = p + EVENT_AT;
    return cursor_u32le(&size) >= ETL_BUFFER_HEADER_BYTES && (event[2] == 1 || event[2] == 2) && event[3] == 0xC0 &&
           event[6] == 0 && event[7] == 0;
}

static uint64_t pointer(struct cursor *c, bool wide)
{
    return wide ? cursor_u64le(c) : cursor_u32le(c);
}

/* Ticks are those of one of three clocks; which one stands far behind. */
static void set_clock(struct etl_header *header, uint32_t type, uint64_t performance, uint32_t megahertz)
{
    header->frequency = FILETIME_PER_SECOND;
    if (type == CLOCK_CYCLES)
        header->frequency = (uint64_t)megahertz * 1000000;
    else if (type != CLOCK_SYSTEM && performance > 0)
        header->frequency = performance;
    if (header->frequency == 0 || header->frequency > FREQUENCY_MOST)
        header->frequency = FILETIME_PER_SECOND;
}

bool etl_header_read(struct etl_header *header, struct span head, struct error *error)
{
    *header = (struct etl_header){0};
    if (!etl_header_recognises(head))
        return error_set(error, "its first event is not the head of an event trace");
    bool wide = head.data[EVENT_AT + 2] == 2;
    struct cursor ticks = cursor_over(span_from(head, EVENT_AT + TICKS_AT));
    header->first_ticks = (int64_t)cursor_u64le(&ticks);
    struct cursor c = cursor_over(span_from(head, EVENT_AT + EVENT_BYTES));
    header->buffer_bytes = cursor_u32le(&c);
    cursor_skip(&c, 4); /* version */
    header->build = cursor_u32le(&c);
    header->processors = cursor_u32le(&c);
    header->closed = cursor_u64le(&c) != 0; /* when it ended */
    cursor_skip(&c, 8);                     /* resolution of the timer; the most that the file may grow to */
    header->mode = cursor_u32le(&c);
    header->buffers_written = cursor_u32le(&c);
    cursor_skip(&c, 8); /* buffers of heads; size of a pointer, which the event's type tells */
    header->events_lost = cursor_u32le(&c);
    uint32_t megahertz = cursor_u32le(&c);
    pointer(&c, wide); /* names; they follow as texts */
    pointer(&c, wide);
    cursor_skip(&c, TIME_ZONE_BYTES + 4 + 8); /* UTC is what counts; filling; when the machine started */
    uint64_t performance = cursor_u64le(&c), start = cursor_u64le(&c);
    uint32_t clock = cursor_u32le(&c);
    header->buffers_lost = cursor_u32le(&c);
    if (c.failed)
        return error_set(error, "the head of the event trace is cut short");
    set_clock(header, clock, performance, megahertz);
    header->start_ns = filetime_ns(start);
    if (clock == CLOCK_SYSTEM)
        header->start_ns = filetime_ns((uint64_t)header->first_ticks);
    return true;
}

/* In two steps, because nanoseconds of a whole day's ticks would overflow. */
int64_t etl_header_time_ns(const struct etl_header *header, int64_t ticks)
{
    int64_t frequency = (int64_t)header->frequency;
    bool overflows =
        header->first_ticks < 0 ? ticks > INT64_MAX + header->first_ticks : ticks < INT64_MIN + header->first_ticks;
    if (overflows)
        return 0;
    int64_t since = ticks - header->first_ticks, whole = since / frequency;
    if (whole > SECONDS_MOST || whole < -SECONDS_MOST)
        return 0;
    return header->start_ns + whole * NS_PER_SECOND + since % frequency * NS_PER_SECOND / frequency;
}
