/* By how much two captures of one connection number its bytes differently, because a device between them draws other numbers. */
#ifndef TDSCOPE_SEQ_SHIFT_H
#define TDSCOPE_SEQ_SHIFT_H

#include "conversation.h"

/* Of what that side sends: the numbers of the second minus those of the first. False: not known, and shift is 0. */
bool seq_shift_known(const struct conversation *a, const struct conversation *b, enum side side, uint32_t *shift);

/* The two have a packet of that side in common, and not only its bytes. */
bool seq_shift_shares_packet(const struct conversation *a, const struct conversation *b, enum side side);

#endif
