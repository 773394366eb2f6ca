/* When and where something was seen: enough to be proof, and to find the packet again. */
#ifndef TDSCOPE_MOMENT_H
#define TDSCOPE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

enum { TIME_TEXT_SIZE = 64 };

#define NS_PER_SECOND 1000000000LL
#define NS_PER_MS 1000000LL
#define NS_PER_US 1000LL

/*
 * Packet times that the line works with: from 1970 to 2116. The readers clamp what lies outside (only damaged files do), so
 * that differences of times, and a time plus any waiting time, always fit.
 */
#define TIME_EARLIEST_NS 0
#define TIME_LATEST_NS (INT64_MAX / 2)

struct moment {
    int64_t time_ns; /* since 1970-01-01 UTC, as that capture's clock tells it; in a source 0: not told */
    uint32_t
        frame; /* number of the packet in its capture file, from 1; 0: never happened, or not seen; in a source, the line */
    uint32_t capture; /* index of the capture file; with MOMENT_IN_SOURCE that of a log or another source */
};

#define MOMENT_IN_SOURCE 0x80000000u

static inline bool moment_seen(const struct moment *m)
{
    return m->frame != 0;
}

static inline bool moment_is_in_source(const struct moment *m)
{
    return m->capture & MOMENT_IN_SOURCE;
}

static inline uint32_t moment_source(const struct moment *m)
{
    return m->capture & ~MOMENT_IN_SOURCE;
}

/* "2026-11-22T10:53:02.123456789Z" (RFC 3339, nanoseconds, UTC). Any 64-bit value has a text. Returns text. */
const char *time_text(int64_t time_ns, char text[static TIME_TEXT_SIZE]);

/* Days from 1970-01-01 to that day of the Gregorian calendar, years from 1 on. */
int64_t days_of_date(int64_t year, unsigned month, unsigned day);

#endif
