/*
 * Theory of operation. The flow floor tells connections apart, and copies that a capture recorded twice, the same way as in the first
 * reading. It follows the chosen connections only, into a casebook of its own that nobody reads.
 */
#include "reread_point.h"

#include <string.h>

#include "ceilings.h"
#include "memory.h"

static struct followed_view *followed(struct reread_point *point, const struct conversation *c, const struct packet *p)
{
    if (c->id > point->view_capacity) {
        uint32_t before = point->view_capacity;
        point->view_capacity = c->id * 2;
        point->views = memory_grow(point->views, point->view_capacity, sizeof *point->views);
        memset(point->views + before, 0, (point->view_capacity - before) * sizeof *point->views);
    }
    struct followed_view *view = &point->views[c->id - 1];
    if (view->number == 0) {
        uint32_t begun = compared_connections_begun(point->connections, &p->moment);
        view->number = begun == HASH_NONE ? 0 : begun + 1;
    }
    return view;
}

/* Zeros that only fill the frame are no payload any more. */
static void see(void *context, const struct conversation *c, const struct packet *p)
{
    struct reread_point *point = context;
    struct followed_view *view = followed(point, c, p);
    if (view->number == 0)
        return;
    uint32_t duplicates = c->sides[SIDE_CLIENT].capture_duplicates + c->sides[SIDE_SERVER].capture_duplicates;
    point->sifted->view = view->number - 1;
    point->sifted->copy = duplicates > view->duplicates;
    point->sifted->packet.payload = p->payload;
    point->sifted->packet.payload_length = p->payload_length;
    view->duplicates = duplicates;
}

/* Of the packets of connections that are not compared only the addresses are looked at. */
static bool sift(void *context, struct fed_packet *fed)
{
    struct reread_point *point = context;
    if (fed->packet.kind != PACKET_TCP || !compared_connections_have(point->connections, point->point, &fed->packet))
        return false;
    fed->view = HASH_NONE;
    point->sifted = fed;
    flow_table_packet(&point->flows, &fed->packet);
    return fed->view != HASH_NONE;
}

/* The flow floor follows; no protocol listens. */
static void ignore_data(void *context, struct stream *stream, enum side side, struct span bytes,
                        const struct moment *at)
{
    (void)context, (void)stream, (void)side, (void)bytes, (void)at;
}
static void ignore_gap(void *context, struct stream *stream, enum side side, uint64_t size, const struct moment *at)
{
    (void)context, (void)stream, (void)side, (void)size, (void)at;
}
static void ignore_end(void *context, struct stream *stream, enum side side, const struct moment *at)
{
    (void)context, (void)stream, (void)side, (void)at;
}
static void ignore_exchange(void *context, struct stream *stream)
{
    (void)context, (void)stream;
}
static const struct stream_consumer nobody = {
    .data = ignore_data, .gap = ignore_gap, .end = ignore_end, .sides_exchanged = ignore_exchange};

void reread_point_open(struct reread_point *point, struct compared_connections *connections,
                       const struct set_clocks *set_clocks, uint32_t number, bool ahead)
{
    const struct casebook *first = connections->casebook;
    *point = (struct reread_point){.connections = connections, .point = number};
    capture_chain_open(&point->chain);
    point_clock_open(&point->clock, set_clocks, number);
    packet_decoder_open(&point->decoder);
    point->decoder.leaves_checksums = true;
    casebook_open(&point->casebook);
    point->casebook.captures = memory_take_array(first->capture_count, sizeof *point->casebook.captures);
    point->casebook.capture_count = first->capture_count;
    flow_table_open(&point->flows, &point->casebook, &nobody);
    point->flows.ceiling = LIMIT_LIVE_CONVERSATIONS;
    point->flows.observe = see;
    point->flows.observe_context = point;
    struct error error;
    for (uint32_t i = 0; i < first->capture_count; i++)
        if (first->captures[i].point == number && !first->captures[i].failed)
            capture_chain_add(&point->chain, capture_facts_path(&first->captures[i]), i, &point->casebook.captures[i],
                              &error);
    struct packet_feed_input input = {.chain = &point->chain,
                                      .facts = point->casebook.captures,
                                      .decoder = &point->decoder,
                                      .clock = &point->clock,
                                      .one_shard = true,
                                      .sieve = sift,
                                      .sieve_context = point};
    point->feed = packet_feed_open(&input, ahead);
}

void reread_point_close(struct reread_point *point)
{
    packet_feed_close(point->feed);
    flow_table_close(&point->flows);
    packet_decoder_close(&point->decoder);
    capture_chain_close(&point->chain);
    casebook_close(&point->casebook);
    memory_give(point->views);
}

void reread_point_advance(struct reread_point *point)
{
    point->next = packet_feed_next(point->feed);
    if (point->next)
        point->next_ns =
            casebook_common_ns(point->connections->casebook, point->point, point->next->packet.moment.time_ns);
}

void reread_point_read(struct reread_point *point)
{
    compared_connections_packet(point->connections, point->next->view, &point->next->packet, point->next->copy);
    reread_point_advance(point);
}
