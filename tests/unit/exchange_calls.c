/* Calls of the protocols for tests. */
#include "exchange_calls.h"

#include <string.h>

#include "memory.h"

void calls_open(struct exchange_calls *calls)
{
    *calls = (struct exchange_calls){.at = {.time_ns = NS_PER_SECOND, .frame = 1}};
    casebook_open(&calls->casebook);
    protocols_open(&calls->protocols, &calls->casebook, 0, &calls->options);
}

void calls_close(struct exchange_calls *calls)
{
    calls_disconnect(calls);
    protocols_close(&calls->protocols);
    casebook_close(&calls->casebook);
}

struct endpoint calls_end(uint8_t host, uint16_t port)
{
    return (struct endpoint){{4, {10, 0, 0, host}}, port};
}

static void next_packet(struct exchange_calls *calls)
{
    calls->at.frame++;
    calls->at.time_ns += CALL_MS;
}

void calls_datagram(struct exchange_calls *calls, struct endpoint from, struct endpoint to, const void *bytes,
                    size_t size, size_t wire)
{
    /* A block of its own, so that reading past it is noticed. */
    uint8_t *block = memory_take(size + 1);
    memcpy(block + 1, bytes, size);
    struct datagram datagram = {from, to, {block + 1, size}, (uint32_t)(wire ? wire : size), calls->at};
    protocols_datagram(&calls->protocols, &datagram);
    memory_give(block);
    next_packet(calls);
}

void calls_refuse(struct exchange_calls *calls, struct endpoint from, struct endpoint to)
{
    struct datagram_refusal refusal = {
        from, to, {.count = 1, .first = calls->at, .version = 4, .type = 3, .code = 3, .reporter = to.address}};
    protocols_refused(&calls->protocols, &refusal);
    next_packet(calls);
}

void calls_connect(struct exchange_calls *calls, uint16_t port)
{
    calls_disconnect(calls);
    struct conversation *c = casebook_add_conversation(&calls->casebook);
    c->ends[SIDE_CLIENT] = calls_end(1, 50000);
    c->ends[SIDE_SERVER] = calls_end(2, port);
    c->role_evidence = ROLE_SYN;
    c->starts_with_syn = true;
    calls->stream = (struct stream){.conversation = c, .casebook = &calls->casebook};
}

void calls_stream(struct exchange_calls *calls, enum side side, const void *bytes, size_t size)
{
    uint8_t *block = memory_take(size + 1);
    memcpy(block + 1, bytes, size);
    struct stream_consumer consumer = protocols_consumer(&calls->protocols);
    consumer.data(consumer.context, &calls->stream, side, (struct span){block + 1, size}, &calls->at);
    memory_give(block);
    next_packet(calls);
}

void calls_gap(struct exchange_calls *calls, enum side side, uint64_t size)
{
    struct stream_consumer consumer = protocols_consumer(&calls->protocols);
    consumer.gap(consumer.context, &calls->stream, side, size, &calls->at);
    next_packet(calls);
}

void calls_disconnect(struct exchange_calls *calls)
{
    if (!calls->stream.conversation)
        return;
    struct stream_consumer consumer = protocols_consumer(&calls->protocols);
    for (unsigned side = 0; side < SIDES; side++)
        consumer.end(consumer.context, &calls->stream, (enum side)side, &calls->at);
    if (calls->stream.protocol_state)
        consumer.release(consumer.context, &calls->stream);
    calls->stream = (struct stream){0};
}
