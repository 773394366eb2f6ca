/*
 * How two clocks differ, from packets that both captures have.
 *
 * Client and server each stamp a packet by their own clock. The fastest packets each way bound the difference: one to the
 * server cannot have arrived before it left, nor one to the client.
 */
#ifndef TDSCOPE_CLOCK_ESTIMATE_H
#define TDSCOPE_CLOCK_ESTIMATE_H

#include "clock_facts.h"
#include "way_times.h"

/* What contradicts itself by more than this is no noise of stamps: a clock was set. */
#define CLOCK_SET_LEAST_NS (20 * NS_PER_MS)

/* Whether packets arrive before they were sent, whatever the clocks: then the two points stand in the other order. */
bool clock_estimate_contradicts(const struct way_times *times);

/* Not known without a time each way. */
struct clock_facts clock_estimate_result(const struct way_times *times);

#endif
