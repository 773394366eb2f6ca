/* Flows that linger or are silent, packed. */
#include "sleeping_flows.h"

#include <assert.h>
#include <string.h>

#include "memory.h"
#include "tcp_copies.h"
#include "word_packing.h"

/* What flows have in common is zero. */
static const struct packing_model no_model;

static_assert(sizeof(struct flow) % 8 == 0, "only whole words are packed");

void sleeping_flows_open(struct sleeping_flows *sleeping)
{
    sleeping->open_count = 0;
    slab_open(&sleeping->slab, sizeof(struct sleeping_flow));
    for (unsigned i = 0; i < FLOWS_AWAKE_AFTER_END; i++)
        sleeping->ended[i] = SLAB_NONE;
    sleeping->ended_at = 0;
}

void sleeping_flows_close(struct sleeping_flows *sleeping)
{
    for (uint32_t i = 0; i < sleeping->slab.high; i++)
        memory_give(((struct sleeping_flow *)slab_at(&sleeping->slab, i))->packed);
    slab_close(&sleeping->slab);
}

uint32_t sleeping_flows_ended(struct sleeping_flows *sleeping, uint32_t flow_number)
{
    uint32_t *place = &sleeping->ended[sleeping->ended_at], before = *place;
    *place = flow_number;
    sleeping->ended_at = (sleeping->ended_at + 1) % FLOWS_AWAKE_AFTER_END;
    return before;
}

uint32_t sleeping_flows_put(struct sleeping_flows *sleeping, const struct flow *flow, int64_t now_ns)
{
    uint8_t bytes[PACKED_IMAGE_MOST(sizeof(struct flow))];
    struct flow image = *flow;
    struct word_packing packing;
    image.conversation = image.stream.conversation = NULL;
    image.stream.casebook = NULL;
    tcp_forget_recent(&image, now_ns);
    word_packing_begin(&packing, bytes, &no_model);
    words_pack(&packing, &image, sizeof image);
    size_t size = (size_t)(packing.at - bytes);
    sleeping->packed_bytes += size;
    sleeping->open_count += !flow->protocol_done;
    uint32_t number = slab_take(&sleeping->slab);
    struct sleeping_flow *place = slab_at(&sleeping->slab, number);
    *place = (struct sleeping_flow){.hash = flow->hash,
                                    .conversation = flow->conversation->id - 1,
                                    .last_ns = flow->conversation->last.time_ns,
                                    .packed_bytes = (uint32_t)size,
                                    .closed = flow->conversation->closed,
                                    .open = !flow->protocol_done,
                                    .packed = memcpy(memory_take(size), bytes, size)};
    return number;
}

void sleeping_flows_take(struct sleeping_flows *sleeping, uint32_t number, struct flow *flow)
{
    const struct sleeping_flow *place = slab_at(&sleeping->slab, number);
    struct word_packing packing;
    word_packing_begin(&packing, place->packed, &no_model);
    *flow = (struct flow){0};
    words_unpack(&packing, flow, sizeof *flow);
    sleeping_flows_drop(sleeping, number);
}

void sleeping_flows_drop(struct sleeping_flows *sleeping, uint32_t number)
{
    struct sleeping_flow *place = slab_at(&sleeping->slab, number);
    sleeping->packed_bytes -= place->packed_bytes;
    sleeping->open_count -= place->open;
    memory_give(place->packed);
    place->packed = NULL;
    slab_give(&sleeping->slab, number);
}

uint64_t sleeping_flows_bytes(const struct sleeping_flows *sleeping)
{
    return slab_bytes(&sleeping->slab) + sleeping->packed_bytes;
}
