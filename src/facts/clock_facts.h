/* How the clocks of two capture points differ. Written by the pair floor. */
#ifndef TDSCOPE_CLOCK_FACTS_H
#define TDSCOPE_CLOCK_FACTS_H

#include <stdbool.h>
#include <stdint.h>

struct clock_facts {
    bool known;
    int64_t
        server_minus_client_ns; /* at reference_ns; add to a time of the client's capture to tell it on the server's clock */
    int64_t uncertainty_ns; /* half the shortest round trip: its two ways may differ by that much */
    int64_t reference_ns;   /* on the client's clock */
    bool
        unsteady; /* no constant and no drifting difference fits: one of the clocks was set meanwhile, or its stamps are poor */
    double drift; /* the server's clock gains so many seconds a second; 0: no drift was measurable */
};

/* The server's clock minus the client's, at a moment of the client's clock. */
static inline int64_t clock_shift_ns(const struct clock_facts *clock, int64_t client_ns)
{
    return clock->server_minus_client_ns + (int64_t)(clock->drift * (double)(client_ns - clock->reference_ns));
}

static inline int64_t clock_to_server(const struct clock_facts *clock, int64_t client_ns)
{
    return client_ns + clock_shift_ns(clock, client_ns);
}

/* The drift is parts in a million: that the shift is read at a time which is off by what has drifted costs microseconds. */
static inline int64_t clock_to_client(const struct clock_facts *clock, int64_t server_ns)
{
    return server_ns - clock_shift_ns(clock, server_ns - clock->server_minus_client_ns);
}

#endif
