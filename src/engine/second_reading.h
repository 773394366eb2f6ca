/*
 * Reads captures that have connections in common a second time, side by side in order of time, to compare packet by packet the
 * connections that are worth it.
 */
#ifndef TDSCOPE_SECOND_READING_H
#define TDSCOPE_SECOND_READING_H

#include "casebook.h"
#include "comparator.h"
#include "set_clocks.h"

struct second_reading_options {
    const struct set_clocks *set_clocks; /* as in the first reading */
    void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes);
    void *progress_context;
    bool ahead; /* the captures are read by threads of their own */
    /* Is told the fate of each packet of this connection: from end to end (stretch 0), and where more than two captures have it between
     * each two neighbours, the nearest to the client first (stretch 1 and so on). NULL: nobody asks. */
    fate_observer *observe;
    void (*forget)(void *context); /* all that observe was told: it is told again */
    void *observe_context;
    uint32_t observed; /* its id */
};

/* After pairing_run(): sets `comparison` and `onward` of the connections that were compared, and betters the clocks. What came
 * through a pipe is not compared, which a note of that capture says. */
void second_reading_run(struct casebook *casebook, const struct second_reading_options *options);

#endif
