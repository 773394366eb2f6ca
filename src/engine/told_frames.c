/* Frames with their times put right. */
#include "told_frames.h"

static void see_time(struct point_facts *point, int64_t time_ns)
{
    if (!point)
        return;
    capture_silences_see(&point->silences, time_ns);
    stamp_tick_see(&point->tick, time_ns);
    if (!point->has_packets)
        point->first_ns = point->last_ns = time_ns;
    else if (time_ns > point->last_ns)
        point->last_ns = time_ns;
    else if (time_ns < point->first_ns)
        point->first_ns = time_ns;
    point->has_packets = true;
}

/* Frames are seldom to be copied for that. */
static const struct frame *tell_time(struct told_frames *frames, const struct frame *read)
{
    struct point_clock *clock = frames->clock;
    point_clock_follow(clock, &read->moment);
    if (clock->shift_ns == 0)
        return read;
    frames->shifted = *read;
    frames->shifted.moment.time_ns += clock->shift_ns;
    return &frames->shifted;
}

const struct frame *told_frames_next(struct told_frames *frames)
{
    const struct frame *read = capture_chain_next(frames->chain);
    if (!read)
        return NULL;
    const struct frame *told = tell_time(frames, read);
    see_time(frames->point, told->moment.time_ns);
    return told;
}
