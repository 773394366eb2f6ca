/* How the clocks of two capture points differ. Written by the pair floor. */
#ifndef TDSCOPE_CLOCK_FACTS_H
#define TDSCOPE_CLOCK_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"

enum { CLOCK_KNOTS_MOST = 32 };

/* Time zones differ from UTC by whole quarters of an hour, up to 14 hours (IANA time zone database). */
#define ZONE_QUARTER_NS (900 * NS_PER_SECOND)
enum { ZONE_QUARTERS_MOST = 14 * 4 };

/* A point of the curve that the difference follows. */
struct clock_knot {
    int64_t at_ns;    /* on the client's clock */
    int64_t shift_ns; /* the server's clock minus the client's */
};

struct clock_facts {
    bool known;
    int64_t
        server_minus_client_ns; /* at reference_ns; add to a time of the client's capture to tell it on the server's clock */
    int64_t
        uncertainty_ns;   /* wherever both captures have packets, the difference that is told is off by that at most */
    int64_t reference_ns; /* on the client's clock */
    int64_t from_ns, to_ns; /* the time that the client's capture covers, on its clock; to_ns 0: not known */
    bool
        unsteady; /* no clocks that go on by themselves differ so: one of them was set meanwhile, or its stamps are poor */
    double
        drift; /* the server's clock gains so many seconds a second, always; 0: no drift was measurable, or it changed */
    /* Where one rate does not fit, because a clock is slewed or the temperature changes. In order of time, with straight lines in
     * between; before the first and after the last the difference stays. */
    uint32_t knot_count;
    struct clock_knot knots[CLOCK_KNOTS_MOST];
};

/* A capture point's clock was set by so much before the packet `first`, whose time is what the clock showed. */
struct clock_setting {
    uint32_t point;
    int64_t by_ns;
    struct moment first;
};

/* For clocks with knots. */
int64_t clock_curve_ns(const struct clock_facts *clock, int64_t client_ns);

/* The least and the most that the server's clock is ahead, while the client's capture runs. */
void clock_extent(const struct clock_facts *clock, int64_t *least_ns, int64_t *most_ns);

/* The server's clock minus the client's, at a moment of the client's clock. */
static inline int64_t clock_shift_ns(const struct clock_facts *clock, int64_t client_ns)
{
    if (clock->knot_count > 0)
        return clock_curve_ns(clock, client_ns);
    return clock->server_minus_client_ns + (int64_t)(clock->drift * (double)(client_ns - clock->reference_ns));
}

static inline int64_t clock_to_server(const struct clock_facts *clock, int64_t client_ns)
{
    return client_ns + clock_shift_ns(clock, client_ns);
}

/* Rates are a thousandth at most: that the shift is read at a time which is off by seconds costs milliseconds, and the second time
 * microseconds. */
static inline int64_t clock_to_client(const struct clock_facts *clock, int64_t server_ns)
{
    int64_t client_ns = server_ns - clock->server_minus_client_ns;
    if (clock->drift == 0 && clock->knot_count == 0)
        return client_ns;
    client_ns = server_ns - clock_shift_ns(clock, client_ns);
    return server_ns - clock_shift_ns(clock, client_ns);
}

#endif
