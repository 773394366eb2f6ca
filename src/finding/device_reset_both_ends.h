/* Resets and FINs that arrive at one end and that the other end's own capture does not show leaving. */
#ifndef TDSCOPE_DEVICE_RESET_BOTH_ENDS_H
#define TDSCOPE_DEVICE_RESET_BOTH_ENDS_H

#include "detector.h"

/* A device made what ended the connection, or refused it, as comparing both ends tells; or it ended both connections that it joins. */
bool device_reset_both_ends(const struct pair_view *view, const struct surroundings *surroundings,
                            struct judgement *judgement);

#endif
