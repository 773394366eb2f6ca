/*
 * Fuzz target: datagrams, ICMP refusals and streams of the protocols that are known by their port.
 *
 * The input is a list of calls: one byte that says which (bit 0: by the server; bits 1 and 2: datagram, stream bytes, gap,
 * refusal; bits 3 to 6: the port), two bytes of length (little-endian), and that many bytes.
 */
#include <stdint.h>
#include <string.h>

#include "casebook.h"
#include "cursor.h"
#include "memory.h"
#include "protocols.h"

enum call { CALL_DATAGRAM, CALL_STREAM, CALL_GAP, CALL_REFUSAL };

static const uint16_t ports[16] = {53, 88, 1434, 5353, 5355, 445, 389, 135, 53, 88, 1434, 5353, 5355, 445, 53, 88};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct calls {
    struct casebook casebook;
    struct protocols protocols;
    struct stream streams[sizeof ports / sizeof *ports];
    struct moment at;
};

static struct stream *stream_of(struct calls *calls, unsigned number)
{
    struct stream *stream = &calls->streams[number];
    if (stream->conversation)
        return stream;
    struct conversation *c = casebook_add_conversation(&calls->casebook);
    c->ends[SIDE_CLIENT] = (struct endpoint){{4, {10, 0, 0, 1}}, 50000};
    c->ends[SIDE_SERVER] = (struct endpoint){{4, {10, 0, 0, 2}}, ports[number]};
    c->role_evidence = ROLE_SYN;
    *stream = (struct stream){.conversation = c, .casebook = &calls->casebook};
    return stream;
}

static void make_call(struct calls *calls, uint8_t which, struct span bytes, uint16_t length)
{
    unsigned number = which >> 3 & 15;
    bool by_server = which & 1;
    struct endpoint client = {{4, {10, 0, 0, 1}}, 50000}, server = {{4, {10, 0, 0, 2}}, ports[number]};
    struct stream_consumer consumer = protocols_consumer(&calls->protocols);
    enum side side = by_server ? SIDE_SERVER : SIDE_CLIENT;
    switch ((enum call)(which >> 1 & 3)) {
    case CALL_DATAGRAM:
        protocols_datagram(&calls->protocols, &(struct datagram){.source = by_server ? server : client,
                                                                 .destination = by_server ? client : server,
                                                                 .payload = bytes,
                                                                 .length = length,
                                                                 .at = calls->at});
        break;
    case CALL_STREAM:
        if (bytes.size > 0)
            consumer.data(consumer.context, stream_of(calls, number), side, bytes, &calls->at);
        break;
    case CALL_GAP:
        consumer.gap(consumer.context, stream_of(calls, number), side, (uint64_t)length + 1, &calls->at);
        break;
    case CALL_REFUSAL:
        protocols_refused(&calls->protocols,
                          &(struct datagram_refusal){client, server, {.count = 1, .first = calls->at, .version = 4}});
        break;
    }
}

static void finish(struct calls *calls)
{
    struct stream_consumer consumer = protocols_consumer(&calls->protocols);
    for (unsigned i = 0; i < sizeof ports / sizeof *ports; i++) {
        struct stream *stream = &calls->streams[i];
        if (!stream->conversation)
            continue;
        for (unsigned side = 0; side < SIDES; side++)
            consumer.end(consumer.context, stream, (enum side)side, &calls->at);
        if (stream->protocol_state)
            consumer.release(consumer.context, stream);
    }
    protocols_close(&calls->protocols);
    casebook_join(&calls->casebook);
    casebook_close(&calls->casebook);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tds_options options = {0};
    struct calls calls = {.at = {.time_ns = NS_PER_SECOND}};
    casebook_open(&calls.casebook);
    protocols_open(&calls.protocols, &calls.casebook, 0, &options);
    struct cursor list = cursor_over((struct span){data, size});
    while (list.left > 0 && !list.failed) {
        uint8_t which = cursor_u8(&list);
        uint16_t length = cursor_u16le(&list);
        struct span bytes = cursor_take(&list, length < list.left ? length : list.left);
        calls.at.frame++;
        calls.at.time_ns += NS_PER_MS;
        /* A block of its own, so that reading past it is noticed. */
        uint8_t *block = memory_take(bytes.size + 1);
        if (bytes.size > 0)
            memcpy(block + 1, bytes.data, bytes.size);
        make_call(&calls, which, (struct span){block + 1, bytes.size}, length);
        memory_give(block);
    }
    finish(&calls);
    return 0;
}
