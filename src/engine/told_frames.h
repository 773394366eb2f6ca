/* The frames of a chain of captures, in order, their times told as if no clock had been set. */
#ifndef TDSCOPE_TOLD_FRAMES_H
#define TDSCOPE_TOLD_FRAMES_H

#include "capture_chain.h"
#include "casebook.h"
#include "set_clocks.h"

struct told_frames {
    struct capture_chain *chain; /* not read yet */
    struct point_clock *clock;
    struct point_facts *point; /* takes the times of the packets; NULL: they are known */
    struct frame shifted;
};

/* Valid until the next call; NULL: that was all. Its bytes stay as long as the chain's keeper says. */
const struct frame *told_frames_next(struct told_frames *frames);

#endif
