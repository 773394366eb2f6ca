/* Only what is known to be the same packet in both captures is a sample: it left once, and neither capture missed one like it. */
#include "clock_samples.h"

#include "seq_shift.h"

struct sample_taker {
    clock_sample_taker *take;
    void *context;
};

static void measure(const struct sample_taker *taker, enum side sender, const struct moment *sent,
                    const struct moment *received)
{
    if (moment_seen(sent) && moment_seen(received))
        taker->take(taker->context, sender, sent, received);
}

/* Nothing was sent twice, and the capture missed nothing. */
static bool is_clean(const struct conversation *c)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *s = &c->sides[side];
        if (s->retransmits > 0 || s->unseen_segments > 0 || s->acknowledged_unseen || s->out_of_order > 0)
            return false;
    }
    return true;
}

/* Where one capture missed the first data, its first is not the other's. */
static bool has_as_much(const struct conversation *near, const struct conversation *far)
{
    return near->sides[SIDE_CLIENT].payload_bytes == far->sides[SIDE_CLIENT].payload_bytes &&
           near->sides[SIDE_SERVER].payload_bytes == far->sides[SIDE_SERVER].payload_bytes;
}

/* A connection under way, of which both captures have as much: it begins or ends with the same bytes, whose numbers differ by the shift. */
static bool begins_alike(const struct tcp_side *here, const struct tcp_side *there, uint32_t shift)
{
    return here->seqs_known && there->seqs_known && here->seq_first + shift == there->seq_first;
}

static bool ends_alike(const struct tcp_side *here, const struct tcp_side *there, uint32_t shift)
{
    return here->seqs_known && there->seqs_known && here->seq_end + shift == there->seq_end;
}

/* The capture has all that it sent: each byte from the SYN to the last. */
static bool has_all(const struct tcp_side *side)
{
    return side->isn_known && side->seqs_known &&
           side->seq_end - (side->isn + 1) - (side->fins > 0) == (uint32_t)side->payload_bytes;
}

/*
 * Packets of the one are packets of the other. A device that ends the connection and opens its own hands on bytes, no packets: it answers
 * the SYN when it likes, with numbers, timestamps and IP IDs of its own.
 */
static bool passes_packets(const struct conversation *near, const struct conversation *far)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *here = &near->sides[side], *there = &far->sides[side];
        if (!here->isn_known || !there->isn_known || here->isn == there->isn || here->traces.stamps[0] == 0)
            return true;
        if (seq_shift_shares_packet(near, far, side))
            return true;
    }
    return false;
}

/*
 * An answer leaves after what it answers has arrived, so it bounds the clocks, too, if less closely; and one direction is enough for
 * that. The order is: SYN, SYN+ACK, the client's first data, the server's, for in TDS the client speaks first; each of them at the one
 * point and then at the other. Repetitions only widen the bounds, and so does what a capture lacks, but for the server's first data:
 * that answers the client's only if both are the first indeed.
 */
static void measure_answers(const struct sample_taker *taker, const struct conversation *near,
                            const struct conversation *far)
{
    const struct tcp_side *client = near->sides, *server = far->sides;
    measure(taker, SIDE_CLIENT, &client[SIDE_CLIENT].syn, &server[SIDE_SERVER].syn);
    measure(taker, SIDE_CLIENT, &client[SIDE_SERVER].syn, &server[SIDE_CLIENT].first_data);
    if (passes_packets(near, far)) {
        measure(taker, SIDE_SERVER, &server[SIDE_CLIENT].syn, &client[SIDE_SERVER].syn);
        measure(taker, SIDE_SERVER, &server[SIDE_SERVER].syn, &client[SIDE_CLIENT].first_data);
    }
    if (!near->starts_with_syn || !far->starts_with_syn ||
        (near->protocol == PROTOCOL_TCP && far->protocol == PROTOCOL_TCP))
        return;
    if (has_all(&client[SIDE_CLIENT]))
        measure(taker, SIDE_CLIENT, &client[SIDE_CLIENT].first_data, &server[SIDE_SERVER].first_data);
    if (has_all(&server[SIDE_CLIENT]))
        measure(taker, SIDE_SERVER, &server[SIDE_CLIENT].first_data, &client[SIDE_SERVER].first_data);
}

void clock_samples_of(const struct conversation *near, const struct conversation *far, clock_sample_taker *take,
                      void *context)
{
    const struct sample_taker *taker = &(struct sample_taker){take, context};
    measure_answers(taker, near, far);
    bool clean = is_clean(near) && is_clean(far), passes = passes_packets(near, far),
         whole = clean && near->starts_with_syn && far->starts_with_syn && has_as_much(near, far);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *here = &near->sides[side], *there = &far->sides[side];
        const struct tcp_side *sent = side == SIDE_CLIENT ? here : there,
                              *received = side == SIDE_CLIENT ? there : here;
        uint32_t shift;
        bool same = seq_shift_known(near, far, side, &shift) && clean;
        if (here->syns == 1 && there->syns == 1 && (side == SIDE_CLIENT || passes))
            measure(taker, side, &sent->syn, &received->syn);
        if (whole || (same && begins_alike(here, there, shift)))
            measure(taker, side, &sent->first_data, &received->first_data);
        if (same && ends_alike(here, there, shift))
            measure(taker, side, &sent->last_data, &received->last_data);
        if (passes && (whole || (same && ends_alike(here, there, shift))))
            measure(taker, side, &sent->fin, &received->fin);
        if (same && here->marked_seq + shift == there->marked_seq)
            measure(taker, side, &sent->marked, &received->marked);
    }
}

bool clock_samples_are_direct(const struct conversation *near, const struct conversation *far)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++)
        if (near->sides[side].isn != far->sides[side].isn)
            return false;
    return true;
}
