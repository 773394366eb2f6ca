/* The table of live conversations: from packets to facts and to in-order streams. */
#ifndef TDSCOPE_FLOW_TABLE_H
#define TDSCOPE_FLOW_TABLE_H

#include "casebook.h"
#include "hash_index.h"
#include "packet.h"
#include "slab.h"
#include "stream.h"

struct sleeping_flows;

/* The round over flows that looks for those to be retired. */
struct flow_sweep {
    uint32_t at;      /* next one to look at for retirement */
    int64_t until_ns; /* until when they were looked at */
};

struct flow_table {
    struct casebook *casebook;
    struct stream_consumer consumer;
    uint16_t server_port; /* a hint, 0: none */
    uint32_t point;       /* capture point of the packets */
    bool traced;          /* other captures may have the same conversations: traces of the packets are kept */
    uint32_t ceiling;     /* most live conversations; as good as none until the caller sets one */
    uint32_t awake_most;  /* of them: silent ones beyond it sleep, as far as they can; likewise */
    struct slab flows;
    uint32_t latest; /* the flow of the packet before; SLAB_NONE: none yet */
    struct sleeping_flows *sleeping;
    uint32_t may_sleep;                      /* number of a flow; SLAB_NONE: none */
    struct hash_index index;                 /* of flows, and of sleeping ones: their numbers with FLOW_SLEEPS */
    struct flow_sweep sweep, sleeping_sweep; /* of flows, and of sleeping ones: for retirement */
    struct flow_sweep silent_sweep;          /* of flows: for those that may sleep */
    uint32_t packets_until_sweep;
    uint64_t evicted; /* conversations closed early because of the ceiling */
    /* Is told of each packet once it was followed; NULL: nobody asks. */
    void (*observe)(void *context, const struct conversation *conversation, const struct packet *packet);
    void *observe_context;
};

/* casebook must outlive the table; consumer is copied. */
void flow_table_open(struct flow_table *table, struct casebook *casebook, const struct stream_consumer *consumer);

/* Follows a packet of kind TCP or ICMP_ERROR; others are ignored. Packets of one capture point, in the order in which it
 * recorded them. */
void flow_table_packet(struct flow_table *table, const struct packet *packet);

/* Memory taken by what is followed. */
uint64_t flow_table_bytes(const struct flow_table *table);

/* The casebook's conversations have new numbers (see conversation_store_fold); those that were forgotten are not followed any more. */
void flow_table_renumber(struct flow_table *table, const uint32_t *moved);

/* Concludes all live conversations and frees the table. */
void flow_table_close(struct flow_table *table);

#endif
