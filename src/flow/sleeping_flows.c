/* Flows that linger or are silent, packed. */
#include "sleeping_flows.h"

#include <assert.h>
#include <string.h>

#include "conversation_store.h"
#include "memory.h"
#include "tcp_copies.h"

/*
 * Much of a flow, and of its protocol's state, is what its conversation's facts tell, too: times, and numbers. So they are packed as one image
 * that begins with these facts, as far as they stay the same while it sleeps; and all sequence numbers count from where the facts say
 * that they began.
 */
enum { FLOW_WORDS = sizeof(struct flow) / 8, STATE_WORDS_MOST = 128 };

static_assert(sizeof(struct flow) % 8 == 0, "only whole words are packed");
static_assert(STATE_WORDS_MOST <= UINT8_MAX, "its length no longer fits the note");

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
    image_packer_close(&sleeping->packer);
}

uint32_t sleeping_flows_ended(struct sleeping_flows *sleeping, uint32_t flow_number)
{
    uint32_t *place = &sleeping->ended[sleeping->ended_at], before = *place;
    *place = flow_number;
    sleeping->ended_at = (sleeping->ended_at + 1) % FLOWS_AWAKE_AFTER_END;
    return before;
}

typedef uint32_t seq_change(uint32_t seq, uint32_t base);

static void change_direction(struct tcp_direction *d, uint32_t base, seq_change *change)
{
    uint32_t *seqs[] = {&d->next_seq, &d->acked,     &d->answered,          &d->burst_seq,  &d->round_trip_seq,
                        &d->copy_seq, &d->ahead_seq, &d->larger_seq,        &d->larger_end, &d->position,
                        &d->start,    &d->fin_seq,   &d->followed_elsewhere};
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++)
        *seqs[i] = change(*seqs[i], base);
    for (unsigned i = 0; i < RECENT_GAPS; i++) {
        d->gaps[i].start = change(d->gaps[i].start, base);
        d->gaps[i].end = change(d->gaps[i].end, base);
    }
}

static void change_seqs(struct flow *flow, const struct conversation *c, seq_change *change)
{
    for (unsigned origin = 0; origin < ORIGINS; origin++)
        change_direction(&flow->directions[origin], c->sides[flow_side(flow, origin)].isn, change);
    if (flow->data_origin > 0)
        flow->turns.seq = change(flow->turns.seq, c->sides[flow_side(flow, flow->data_origin - 1u)].isn);
}

/* The flow as it is packed; state_is_packed: it stands behind it. */
static void set_flow(struct image *image, uint32_t at, const struct flow *flow, bool state_is_packed, int64_t now_ns)
{
    struct flow sleeping;
    memcpy(&sleeping, flow, sizeof sleeping);
    sleeping.hash = 0;
    sleeping.conversation = sleeping.stream.conversation = NULL;
    sleeping.facts[0] = sleeping.facts[1] = NULL;
    sleeping.stream.casebook = NULL;
    if (state_is_packed)
        sleeping.stream.protocol_state = NULL;
    tcp_forget_recent(&sleeping, now_ns);
    change_seqs(&sleeping, flow->conversation, sequence_relative);
    memcpy(image->words + at, &sleeping, sizeof sleeping);
}

static uint32_t note_place(struct sleeping_flows *sleeping, const struct flow *flow, const uint8_t *bytes, size_t size)
{
    uint32_t number = slab_take(&sleeping->slab);
    struct sleeping_flow *place = slab_at(&sleeping->slab, number);
    *place = (struct sleeping_flow){.hash = flow->hash,
                                    .conversation = flow->conversation->id - 1,
                                    .last_ns = flow->conversation->last.time_ns,
                                    .closed = flow->conversation->closed,
                                    .open = !flow->protocol_done,
                                    .packed = memcpy(memory_take(size), bytes, size)};
    sleeping->packed_bytes += size;
    sleeping->open_count += place->open;
    return number;
}

uint32_t sleeping_flows_put(struct sleeping_flows *sleeping, struct flow *flow, const struct stream_consumer *consumer,
                            int64_t now_ns)
{
    uint8_t bytes[PACKED_IMAGE_MOST(FLOW_WORDS + STATE_WORDS_MOST)];
    struct image image;
    image_begin(&image);
    conversation_put_resting(flow->conversation, &image);
    uint32_t at = image.end, behind = at + FLOW_WORDS;
    image.end = behind;
    if (flow->stream.protocol_state && !consumer->fold(consumer->context, &flow->stream, &image))
        return SLAB_NONE;
    uint32_t state_words = image.end - behind;
    assert(state_words < STATE_WORDS_MOST);
    set_flow(&image, at, flow, state_words > 0, now_ns);
    size_t size = image_pack(&sleeping->packer, &image, at - 1, (uint8_t)state_words, bytes);
    return note_place(sleeping, flow, bytes, size);
}

void sleeping_flows_take(struct sleeping_flows *sleeping, uint32_t number, struct flow *flow,
                         const struct stream_consumer *consumer)
{
    const struct sleeping_flow *place = slab_at(&sleeping->slab, number);
    struct conversation *c = flow->conversation;
    struct casebook *casebook = flow->stream.casebook;
    uint8_t state_words = packed_image_head(place->packed).note;
    struct image image;
    image_begin(&image);
    conversation_put_resting(c, &image);
    uint32_t at = image.end;
    image_unpack(&sleeping->packer, place->packed, &image, FLOW_WORDS + state_words);
    at = image_get(&image, at, flow, sizeof *flow);
    flow->hash = place->hash;
    flow->conversation = flow->stream.conversation = c;
    flow->stream.casebook = casebook;
    flow_set_client(flow, flow->client_origin);
    change_seqs(flow, c, sequence_absolute);
    if (state_words > 0)
        consumer->unfold(consumer->context, &flow->stream, &image, at);
    sleeping_flows_drop(sleeping, number);
}

void sleeping_flows_drop(struct sleeping_flows *sleeping, uint32_t number)
{
    struct sleeping_flow *place = slab_at(&sleeping->slab, number);
    sleeping->packed_bytes -= packed_image_head(place->packed).size;
    sleeping->open_count -= place->open;
    memory_give(place->packed);
    place->packed = NULL;
    slab_give(&sleeping->slab, number);
}

uint64_t sleeping_flows_bytes(const struct sleeping_flows *sleeping)
{
    return slab_bytes(&sleeping->slab) + sleeping->packed_bytes;
}
