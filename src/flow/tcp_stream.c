/* In-order bytes with gaps. */
#include "tcp_stream.h"

#include <string.h>

#include "memory.h"

static void hand_on(struct flow *flow, unsigned origin, struct span bytes, uint32_t length, const struct moment *at,
                    const struct stream_consumer *consumer)
{
    struct tcp_direction *d = &flow->directions[origin];
    d->position += length;
    if (flow->protocol_done)
        return;
    if (bytes.size > 0)
        consumer->data(consumer->context, &flow->stream, flow_side(flow, origin), bytes, at);
    if (length > bytes.size)
        consumer->gap(consumer->context, &flow->stream, flow_side(flow, origin), length - bytes.size, at);
}

/* The part of a segment from the stream's position on: what came before was handed on already. */
static bool trim_to_position(const struct tcp_direction *d, uint32_t seq, uint32_t *length, struct span *bytes)
{
    int32_t old = seq_distance(d->position, seq);
    if (old <= 0)
        return *length > 0;
    if ((uint32_t)old >= *length)
        return false;
    *length -= (uint32_t)old;
    *bytes = span_from(*bytes, (size_t)old);
    return true;
}

static void end_direction(struct flow *flow, unsigned origin, const struct moment *at,
                          const struct stream_consumer *consumer)
{
    struct tcp_direction *d = &flow->directions[origin];
    if (d->ended)
        return;
    d->ended = true;
    if (!flow->protocol_done)
        consumer->end(consumer->context, &flow->stream, flow_side(flow, origin), at);
}

static void remember_gap(struct tcp_direction *d, uint32_t start, uint32_t end)
{
    d->gaps[d->gap_at] = (struct sequence_gap){start, end};
    d->gap_at = (uint8_t)((d->gap_at + 1) % RECENT_GAPS);
}

static void missing_until(struct flow *flow, unsigned origin, uint32_t seq, const struct moment *at,
                          const struct stream_consumer *consumer)
{
    struct tcp_direction *d = &flow->directions[origin];
    uint32_t size = seq - d->position;
    remember_gap(d, d->position, seq);
    /* Acknowledged by the receiver and never seen here: the capture missed it, the network did not. */
    if (d->acked_known && seq_distance(d->acked, seq) >= 0) {
        struct tcp_side *facts = flow_facts(flow, origin);
        facts->unseen_segments++;
        if (facts->unseen_segments == 1)
            facts->first_unseen_ns = d->held ? d->held->moment.time_ns : at->time_ns;
        flow_facts(flow, 1 - origin)->acknowledged_unseen = true;
    }
    hand_on(flow, origin, (struct span){0}, size, at, consumer);
}

static void hand_on_held(struct flow *flow, unsigned origin, const struct stream_consumer *consumer)
{
    struct tcp_direction *d = &flow->directions[origin];
    while (d->held && seq_distance(d->held->seq, d->position) <= 0) {
        struct held_segment *segment = d->held;
        d->held = segment->next;
        d->held_count--;
        d->held_bytes -= segment->captured;
        struct span bytes = {segment->data, segment->captured};
        uint32_t length = segment->length;
        if (trim_to_position(d, segment->seq, &length, &bytes))
            hand_on(flow, origin, bytes, length, &segment->moment, consumer);
        memory_give(segment);
    }
}

static void end_if_complete(struct flow *flow, unsigned origin, const struct moment *at,
                            const struct stream_consumer *consumer)
{
    struct tcp_direction *d = &flow->directions[origin];
    if (d->fin_known && seq_distance(d->position, d->fin_seq) >= 0)
        end_direction(flow, origin, at, consumer);
}

static void hold(struct tcp_direction *d, uint32_t seq, struct span bytes, uint32_t length, const struct moment *at)
{
    struct held_segment **place = &d->held;
    while (*place && seq_distance((*place)->seq, seq) < 0)
        place = &(*place)->next;
    if (*place && (*place)->seq == seq && (*place)->length >= length)
        return;
    struct held_segment *segment = memory_take(sizeof *segment + bytes.size);
    *segment = (struct held_segment){
        .next = *place, .moment = *at, .seq = seq, .length = length, .captured = (uint32_t)bytes.size};
    if (bytes.size)
        memcpy(segment->data, bytes.data, bytes.size);
    *place = segment;
    d->held_count++;
    d->held_bytes += segment->captured;
}

static bool holds_too_much(const struct tcp_direction *d)
{
    return d->held_count > STREAM_HELD_SEGMENTS || d->held_bytes > STREAM_HELD_BYTES;
}

void tcp_stream_segment(struct flow *flow, unsigned origin, const struct packet *packet,
                        const struct stream_consumer *consumer)
{
    struct tcp_direction *d = &flow->directions[origin];
    bool syn = packet->tcp.flags & TCP_SYN;
    uint32_t seq = packet->tcp.seq + syn, length = packet->payload_length;
    struct span bytes = span_part(packet->payload, 0, length);
    if (d->ended || (d->told_of_reset && (!d->positioned || seq_distance(seq, d->position) > 0)))
        return;
    if (!d->positioned) {
        /* A capture that begins mid-stream begins with what it sees; the other side's acknowledgement may tell that
         * bytes before it are still on their way, but nothing can be said about them. */
        d->position = d->start = seq;
        d->positioned = true;
    }
    /* What it acknowledges is where the other side's bytes begin, though that SYN was not captured. */
    struct tcp_direction *other = &flow->directions[1 - origin];
    if (syn && packet->tcp.flags & TCP_ACK && !other->positioned && !other->started) {
        other->position = other->start = packet->tcp.ack;
        other->positioned = true;
    }
    if (packet->tcp.flags & TCP_FIN && !d->fin_known) {
        d->fin_known = true;
        d->fin_seq = seq + length;
    }
    if (length > 0 && seq_distance(seq, d->position) > 0) {
        hold(d, seq, bytes, length, &packet->moment);
        if (d->acked_known)
            tcp_stream_acknowledged(flow, origin, d->acked, &packet->moment, consumer);
        while (d->held && holds_too_much(d)) {
            missing_until(flow, origin, d->held->seq, &packet->moment, consumer);
            hand_on_held(flow, origin, consumer);
        }
    } else if (length > 0 && trim_to_position(d, seq, &length, &bytes)) {
        hand_on(flow, origin, bytes, length, &packet->moment, consumer);
        hand_on_held(flow, origin, consumer);
    }
    end_if_complete(flow, origin, &packet->moment, consumer);
}

void tcp_stream_acknowledged(struct flow *flow, unsigned origin, uint32_t ack, const struct moment *at,
                             const struct stream_consumer *consumer)
{
    struct tcp_direction *d = &flow->directions[origin];
    if (!d->held && !d->fin_known)
        return;
    while (d->held && seq_distance(ack, d->held->seq) >= 0) {
        if (seq_distance(d->held->seq, d->position) > 0)
            missing_until(flow, origin, d->held->seq, at, consumer);
        hand_on_held(flow, origin, consumer);
    }
    if (d->fin_known && !d->held && seq_distance(ack, d->fin_seq) >= 0 && seq_distance(d->fin_seq, d->position) > 0)
        missing_until(flow, origin, d->fin_seq, at, consumer);
    end_if_complete(flow, origin, at, consumer);
}

/* The end of what the other side acknowledged, or of what a FIN says was sent, may not have been captured. One byte beyond the
 * last is an unseen FIN rather than data. */
static void missing_tail(struct flow *flow, unsigned origin, const struct moment *at,
                         const struct stream_consumer *consumer)
{
    struct tcp_direction *d = &flow->directions[origin];
    if (!d->positioned && d->started) { /* none of its data was captured, and packets without tell where it stood */
        d->position = d->start = d->next_seq;
        d->positioned = true;
    }
    if (!d->positioned || d->ended)
        return;
    uint32_t until = d->acked_known && seq_distance(d->acked, d->position) > 0 ? d->acked : d->position;
    if (d->fin_known)
        until = d->fin_seq;
    int32_t size = seq_distance(until, d->position);
    if (size > (d->fin_known ? 0 : 1))
        missing_until(flow, origin, until, at, consumer);
}

/* Nothing is waited for any more: hands on what is held, and says what is missing. */
static void give_up_waiting(struct flow *flow, unsigned origin, const struct moment *at,
                            const struct stream_consumer *consumer)
{
    struct tcp_direction *d = &flow->directions[origin];
    while (!d->ended && d->held) {
        if (seq_distance(d->held->seq, d->position) > 0)
            missing_until(flow, origin, d->held->seq, at, consumer);
        hand_on_held(flow, origin, consumer);
    }
    missing_tail(flow, origin, at, consumer);
}

void tcp_stream_reset(struct flow *flow, unsigned origin, const struct moment *at,
                      const struct stream_consumer *consumer)
{
    for (unsigned i = 0; i < ORIGINS; i++)
        give_up_waiting(flow, i, at, consumer);
    end_direction(flow, origin, at, consumer);
    flow->directions[1 - origin].told_of_reset = true;
}

void tcp_stream_end(struct flow *flow, const struct moment *at, const struct stream_consumer *consumer)
{
    for (unsigned origin = 0; origin < ORIGINS; origin++) {
        give_up_waiting(flow, origin, at, consumer);
        end_direction(flow, origin, at, consumer);
    }
}

void tcp_stream_release(struct flow *flow)
{
    for (unsigned origin = 0; origin < ORIGINS; origin++) {
        struct tcp_direction *d = &flow->directions[origin];
        while (d->held) {
            struct held_segment *next = d->held->next;
            memory_give(d->held);
            d->held = next;
        }
        d->held_count = d->held_bytes = 0;
    }
}
