/* How coarse the clock is that a capture's packets are stamped with. */
#include "stamp_tick.h"

/* Fewer say nothing. */
enum { STAMPS_LEAST = 16 };

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

void stamp_tick_see_coarse(struct stamp_tick *tick, int64_t time_ns)
{
    if (tick->stamps++ == 0) {
        tick->first_ns = tick->last_ns = time_ns;
        return;
    }
    tick->shared += time_ns == tick->last_ns;
    tick->last_ns = time_ns;
    int64_t apart_ns = time_ns > tick->first_ns ? time_ns - tick->first_ns : tick->first_ns - time_ns;
    tick->divisor_ns = common_divisor(apart_ns, tick->divisor_ns);
}

int64_t stamp_tick_ns(const struct stamp_tick *tick)
{
    bool coarse = tick->divisor_ns >= STAMP_TICK_LEAST_NS;
    return coarse && tick->stamps >= STAMPS_LEAST && tick->shared * 2 >= tick->stamps ? tick->divisor_ns : 0;
}
