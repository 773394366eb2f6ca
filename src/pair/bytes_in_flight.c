/* Spans of sequence numbers, modulo 2^32 (RFC 9293, 3.4). */
#include "bytes_in_flight.h"

bool bytes_in_flight_known(const struct conversation *c)
{
    return c->sides[SIDE_CLIENT].seqs_known && c->sides[SIDE_SERVER].seqs_known;
}

static bool holds(const struct tcp_side *span, uint32_t seq)
{
    return seq - span->seq_first <= span->seq_end - span->seq_first;
}

bool bytes_in_flight_may_agree(const struct conversation *a, const struct conversation *b, enum side side)
{
    const struct tcp_side *here = &a->sides[side], *there = &b->sides[side];
    return !here->seqs_known || !there->seqs_known || holds(here, there->seq_first) || holds(there, here->seq_first);
}

bool bytes_in_flight_overlap(const struct conversation *a, const struct conversation *b)
{
    return bytes_in_flight_known(a) && bytes_in_flight_known(b) && bytes_in_flight_may_agree(a, b, SIDE_CLIENT) &&
           bytes_in_flight_may_agree(a, b, SIDE_SERVER);
}
