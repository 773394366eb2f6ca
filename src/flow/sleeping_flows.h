/*
 * What following takes of conversations that nothing comes of for now, packed: those that are over and linger, and silent ones where many
 * are open. A packet wakes one, and nobody can tell that it slept.
 */
#ifndef TDSCOPE_SLEEPING_FLOWS_H
#define TDSCOPE_SLEEPING_FLOWS_H

#include "flow.h"
#include "image_packing.h"
#include "slab.h"

/* Flows whose streams have ended fall asleep when so many others ended after them. */
enum { FLOWS_AWAKE_AFTER_END = 128 };

struct sleeping_flow {
    uint32_t hash;         /* stands first, as in struct flow */
    uint32_t conversation; /* its number in the casebook */
    int64_t last_ns;       /* its latest packet */
    uint8_t *packed;       /* NULL: this place in the slab is free */
    bool closed;           /* the conversation is */
    bool open;             /* its streams have not ended: it is to be concluded yet */
};

struct sleeping_flows {
    struct slab slab; /* struct sleeping_flow */
    uint32_t ended
        [FLOWS_AWAKE_AFTER_END]; /* a ring of numbers of flows that may sleep soon; above what a slab holds: none */
    uint32_t ended_at;
    uint32_t open_count; /* of those that sleep */
    uint64_t packed_bytes;
    struct image_packer packer;
};

void sleeping_flows_open(struct sleeping_flows *sleeping);
void sleeping_flows_close(struct sleeping_flows *sleeping);

/* The streams of that flow ended. Returns the number of a flow that may sleep now, if it is still there; SLAB_NONE: of none. */
uint32_t sleeping_flows_ended(struct sleeping_flows *sleeping, uint32_t flow_number);

/* Packs a flow, and frees its protocol state; now_ns: of the packet under way. Its conversation may rest. Returns its number here, SLAB_NONE:
 * its protocol cannot sleep now, and nothing was changed. */
uint32_t sleeping_flows_put(struct sleeping_flows *sleeping, struct flow *flow, const struct stream_consumer *consumer,
                            int64_t now_ns);

/* Fills flow, whose conversation and casebook are set, and frees the place. */
void sleeping_flows_take(struct sleeping_flows *sleeping, uint32_t number, struct flow *flow,
                         const struct stream_consumer *consumer);

uint64_t sleeping_flows_bytes(const struct sleeping_flows *sleeping); /* memory taken */

/* Frees the place of one that is not to wake any more. */
void sleeping_flows_drop(struct sleeping_flows *sleeping, uint32_t number);

#endif
