/*
 * Theory of operation. The initial numbers tell, where both captures have them. Of a connection under way, what is at two places in both
 * tells: random bytes that a message begins with, or a packet with the same timestamp. One place may be another one that looks alike; two
 * that agree are not. A device that ends the connection and opens its own hands on the bytes, too, in packets of its own: so at least
 * one packet has to be the same.
 */
#include "seq_shift.h"

#include "bytes_in_flight.h"

/* Places that say what the shift is. */
struct shift_votes {
    uint32_t shift, place;
    bool any, agreed, contradicted;
};

static void vote(struct shift_votes *votes, uint32_t here, uint32_t there)
{
    if (!votes->any) {
        *votes = (struct shift_votes){.shift = there - here, .place = here, .any = true};
        return;
    }
    votes->contradicted = votes->contradicted || there - here != votes->shift;
    votes->agreed = votes->agreed || here != votes->place;
}

static void vote_by_heads(struct shift_votes *votes, const struct side_traces *here, const struct side_traces *there)
{
    for (unsigned i = 0; i < TRACE_HEADS; i++)
        for (unsigned j = 0; j < TRACE_HEADS && here->heads[i] != 0 && !(here->heads[i] & TRACE_PLAIN); j++)
            if (here->heads[i] == there->heads[j])
                vote(votes, here->head_seqs[i], there->head_seqs[j]);
}

static bool is_same_packet(const struct side_traces *here, unsigned i, const struct side_traces *there, unsigned j)
{
    return here->stamps[i] != 0 && here->stamps[i] == there->stamps[j] && here->ip_ids[i] == there->ip_ids[j];
}

/* IP IDs come again. */
static void vote_by_stamps(struct shift_votes *votes, const struct side_traces *here, const struct side_traces *there)
{
    for (unsigned i = 0; i < TRACE_STAMPS; i++)
        for (unsigned j = 0; j < TRACE_STAMPS; j++)
            if (is_same_packet(here, i, there, j) && !(here->stamps[i] & TRACE_UNTIMED))
                vote(votes, here->stamp_seqs[i], there->stamp_seqs[j]);
}

bool seq_shift_shares_packet(const struct conversation *a, const struct conversation *b, enum side side)
{
    for (unsigned i = 0; i < TRACE_STAMPS; i++)
        for (unsigned j = 0; j < TRACE_STAMPS; j++)
            if (is_same_packet(&a->sides[side].traces, i, &b->sides[side].traces, j))
                return true;
    return false;
}

bool seq_shift_known(const struct conversation *a, const struct conversation *b, enum side side, uint32_t *shift)
{
    const struct tcp_side *here = &a->sides[side], *there = &b->sides[side];
    struct shift_votes votes = {0};
    *shift = 0;
    if (here->isn_known && there->isn_known) {
        *shift = there->isn - here->isn;
        return true;
    }
    vote_by_heads(&votes, &here->traces, &there->traces);
    vote_by_stamps(&votes, &here->traces, &there->traces);
    if (votes.agreed && !votes.contradicted &&
        (seq_shift_shares_packet(a, b, SIDE_CLIENT) || seq_shift_shares_packet(a, b, SIDE_SERVER))) {
        *shift = votes.shift;
        return true;
    }
    return bytes_in_flight_may_agree(a, b, side);
}
