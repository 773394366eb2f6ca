/*
 * Fuzz target: both directions of one TCP stream into the TDS decoder, in any chunking.
 *
 * The input is a list of calls: one byte that says which (bit 0: by the server; bits 1 and 2: data, data, gap, end),
 * two bytes of length (little-endian), and for data that many bytes.
 */
#include <stdint.h>
#include <string.h>

#include "casebook.h"
#include "cursor.h"
#include "memory.h"
#include "stream_fold.h"
#include "tds.h"

enum call { CALL_DATA, CALL_DATA_TOO, CALL_GAP, CALL_END };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct exchange {
    struct stream_consumer consumer;
    struct stream stream;
    struct moment at;
    bool ended[SIDES];
};

static void make_call(struct exchange *exchange, enum call call, unsigned origin, struct span bytes, uint16_t length)
{
    const struct stream_consumer *consumer = &exchange->consumer;
    const struct conversation *conversation = exchange->stream.conversation;
    bool exchanged = conversation->ends[SIDE_CLIENT].port == 1433;
    enum side side = (origin == 0) != exchanged ? SIDE_CLIENT : SIDE_SERVER;
    if (exchange->ended[origin])
        return;
    if (call == CALL_END) {
        exchange->ended[origin] = true;
        consumer->end(consumer->context, &exchange->stream, side, &exchange->at);
    } else if (call == CALL_GAP) {
        consumer->gap(consumer->context, &exchange->stream, side, (uint64_t)length + 1, &exchange->at);
    } else if (bytes.size > 0) {
        /* A block of its own, so that reading past it is noticed. */
        uint8_t *block = memory_take(bytes.size);
        memcpy(block, bytes.data, bytes.size);
        consumer->data(consumer->context, &exchange->stream, side, (struct span){block, bytes.size}, &exchange->at);
        memory_give(block);
    }
    if (length % 2)
        fold_and_unfold(consumer, &exchange->stream);
}

static void finish(struct exchange *exchange)
{
    for (unsigned origin = 0; origin < SIDES; origin++)
        make_call(exchange, CALL_END, origin, (struct span){0}, 0);
    if (exchange->stream.protocol_state)
        exchange->consumer.release(exchange->consumer.context, &exchange->stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct casebook casebook;
    casebook_open(&casebook);
    struct conversation *conversation = casebook_add_conversation(&casebook);
    conversation->ends[SIDE_CLIENT].port = 50000;
    conversation->ends[SIDE_SERVER].port = 1433;
    struct tds_options options = {0};
    struct exchange exchange = {
        .consumer = tds_consumer(&options),
        .stream = {.conversation = conversation, .casebook = &casebook},
    };
    struct cursor calls = cursor_over((struct span){data, size});
    while (calls.left > 0 && !calls.failed) {
        uint8_t which = cursor_u8(&calls);
        uint16_t length = cursor_u16le(&calls);
        enum call call = (enum call)(which >> 1 & 3);
        struct span bytes = {0};
        if (call == CALL_DATA || call == CALL_DATA_TOO)
            bytes = cursor_take(&calls, length < calls.left ? length : calls.left);
        exchange.at.frame++;
        exchange.at.time_ns += 1000000;
        make_call(&exchange, call, which & 1, bytes, length);
    }
    finish(&exchange);
    casebook_close(&casebook);
    return 0;
}
