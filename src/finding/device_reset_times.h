/* Resets at a moment at which the machine whose address they bear cannot have sent them. */
#ifndef TDSCOPE_DEVICE_RESET_TIMES_H
#define TDSCOPE_DEVICE_RESET_TIMES_H

#include "detector.h"

/* That side goes on using the connection after the reset that closed it first. It is known who closed first. */
bool device_reset_times_disowned(const struct conversation *conversation, const struct surroundings *surroundings,
                                 struct judgement *judgement);

/* The reset comes sooner after what it acknowledges than from the server's machine it could. */
bool device_reset_times_hasty(const struct conversation *conversation, const struct surroundings *surroundings,
                              struct judgement *judgement);

/* The reset refuses the client's only SYN, which is accepted right after it. */
bool device_reset_times_accepted(const struct conversation *conversation, const struct surroundings *surroundings,
                                 struct judgement *judgement);

#endif
