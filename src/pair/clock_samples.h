/* Packets that both views of a connection are known to have: when each left, and when it arrived. */
#ifndef TDSCOPE_CLOCK_SAMPLES_H
#define TDSCOPE_CLOCK_SAMPLES_H

#include "conversation.h"

/* A packet of that side, or an answer to one: it left then by the one capture, and had arrived then by the other. */
typedef void clock_sample_taker(void *context, enum side sender, const struct moment *sent,
                                const struct moment *received);

/* Hands in each of them; near and far are the views nearer to the client and to the server. */
void clock_samples_of(const struct conversation *near, const struct conversation *far, clock_sample_taker *take,
                      void *context);

/* With other initial sequence numbers at each end these may be two connections, joined by a device that takes its time. */
bool clock_samples_are_direct(const struct conversation *near, const struct conversation *far);

#endif
