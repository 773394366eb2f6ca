/* How the clocks of two capture points differ. Written by the pair floor. */
#ifndef TDSCOPE_CLOCK_FACTS_H
#define TDSCOPE_CLOCK_FACTS_H

#include <stdbool.h>
#include <stdint.h>

struct clock_facts {
    bool known;
    int64_t server_minus_client_ns; /* add to a time of the client's capture to tell it on the server's clock */
    int64_t uncertainty_ns;         /* half the shortest round trip: its two ways may differ by that much */
};

#endif
