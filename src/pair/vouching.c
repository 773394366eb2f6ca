/* Whose acknowledgements tell of packets that the receiver's capture lacks. */
#include "vouching.h"

#include "packet_matching.h"

/* What a machine has received only grows (RFC 9293, 3.10.7.4): what it acknowledges so long after more was acknowledged in its name is all
 * that it has. The time allows for clocks and for stamps out of order. */
#define LESS_AFTER_NS NS_PER_SECOND

void vouching_acknowledged(struct vouching *vouching, struct passage *passage, const struct compared_packet *p,
                           bool own)
{
    if (p->copy)
        return;
    if (!own) {
        if (!seq_mark_is_past(&vouching->by_name, p->ack))
            vouching->by_name_ns = p->time_ns;
        seq_mark_reach(&vouching->by_name, p->ack);
        return;
    }
    seq_mark_reach(&vouching->by_receiver, p->ack);
    if (seq_mark_is_past(&vouching->by_receiver, vouching->by_name.until))
        passage->acked_less = (struct moment){0};
    else if (!moment_seen(&passage->acked_less) && vouching->by_name.known &&
             distance(p->ack, vouching->by_name.until) < 0 && p->time_ns - vouching->by_name_ns >= LESS_AFTER_NS)
        passage->acked_less = p->moment;
}

static void forget(struct passage *passage)
{
    passage->vouched_at_end = 0;
    passage->vouched_first = (struct moment){0};
}

void vouching_missed(struct vouching *vouching, struct passage *passage, const struct compared_packet *sent)
{
    if (!has_bytes(sent) || seq_mark_is_past(&vouching->by_receiver, end_of(sent)))
        return;
    if (passage->vouched_at_end++ == 0)
        passage->vouched_first = sent->moment;
    seq_mark_reach(&vouching->vouched, end_of(sent));
}

void vouching_arrived(struct passage *passage, const struct compared_packet *sent)
{
    if (has_bytes(sent))
        forget(passage);
}

void vouching_close(const struct vouching *vouching, struct passage *passage)
{
    if (seq_mark_is_past(&vouching->by_receiver, vouching->vouched.until))
        forget(passage);
}
