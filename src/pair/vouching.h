/*
 * Who says that a packet arrived which the receiver's capture does not have. Devices that hold data back acknowledge it in the receiver's
 * name: only the receiver's own capture, with its own acknowledgement, tells that its machine got it.
 */
#ifndef TDSCOPE_VOUCHING_H
#define TDSCOPE_VOUCHING_H

#include "comparison_facts.h"
#include "seq_mark.h"

struct compared_packet;

/* Of one side's packets. */
struct vouching {
    struct seq_mark by_receiver; /* acknowledged, in the receiver's own capture */
    struct seq_mark by_name;     /* likewise, in the sender's capture, by whoever bears the receiver's address */
    int64_t by_name_ns;          /* since when */
    struct seq_mark vouched;     /* of those that vouched_at_end counts */
};

/* A packet with the other side's address acknowledges; own: in that side's own capture, else in the sender's. */
void vouching_acknowledged(struct vouching *vouching, struct passage *passage, const struct compared_packet *p,
                           bool own);

/* A packet that was acknowledged, and that the receiver's capture lacks; and one that it has. */
void vouching_missed(struct vouching *vouching, struct passage *passage, const struct compared_packet *sent);
void vouching_arrived(struct passage *passage, const struct compared_packet *sent);

/* All acknowledgements are in. */
void vouching_close(const struct vouching *vouching, struct passage *passage);

#endif
