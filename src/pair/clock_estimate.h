/*
 * How two clocks differ, from packets that both captures have.
 *
 * Client and server each stamp a packet by their own clock. The fastest packets each way bound the difference: one to the
 * server cannot have arrived before it left, nor one to the client.
 */
#ifndef TDSCOPE_CLOCK_ESTIMATE_H
#define TDSCOPE_CLOCK_ESTIMATE_H

#include "clock_facts.h"
#include "tcp_side.h"

enum { CLOCK_SLICES = 128 };

/* What contradicts itself by more than this is no noise of stamps: a clock was set. */
#define CLOCK_SET_LEAST_NS (20 * NS_PER_MS)

/* The fastest packets of a stretch of time: differences of the two clocks' times. */
struct clock_slice {
    int64_t to_server_ns, to_client_ns; /* received minus sent */
    bool to_server, to_client;
};

struct clock_estimate {
    int64_t from_ns, slice_ns; /* on the client's clock */
    struct clock_slice slices[CLOCK_SLICES];
};

/* From the first to the last moment, on the client's clock, of which samples will come. */
void clock_estimate_open(struct clock_estimate *estimate, int64_t from_ns, int64_t to_ns);

/* A packet of that side: when it left by the sender's clock, when it arrived by the receiver's. */
void clock_estimate_add(struct clock_estimate *estimate, enum side sender, int64_t sent_ns, int64_t received_ns);

/* Whether packets arrive before they were sent, whatever the clocks: then the two points stand in the other order. */
bool clock_estimate_contradicts(const struct clock_estimate *estimate);

/* Not known without a sample each way. */
struct clock_facts clock_estimate_result(const struct clock_estimate *estimate);

#endif
