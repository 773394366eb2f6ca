/* What the tests of the flow floor share: a table, a consumer that writes down what it is told, and packets between two ends. */
#ifndef TDSCOPE_FLOW_BENCH_H
#define TDSCOPE_FLOW_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flow_table.h"
#include "text.h"

enum { CLIENT_PORT = 50123, SERVER_PORT = 1433 };
static const uint32_t CLIENT_ISN = 0xfffffff0; /* wraps after 16 bytes */
static const uint32_t SERVER_ISN = 5000;

/* A table, and the bytes that its consumer was told of: "abc" data, "[7]" gap of seven, "." end. */
struct bench {
    struct casebook casebook;
    struct flow_table table;
    struct text heard[SIDES];
    unsigned releases;
    uint32_t frame;
    int64_t now_ns;
    uint16_t ip_id[SIDES];
    uint16_t port;     /* of the client */
    uint16_t restless; /* its conversation may not be folded; 0: all may */
    unsigned folds, unfolds;
};

static inline void hear_data(void *context, struct stream *stream, enum side side, struct span bytes,
                             const struct moment *at)
{
    (void)at;
    struct bench *b = context;
    stream->protocol_state = b;
    text_add_bytes(&b->heard[side], (const char *)bytes.data, bytes.size);
}

static inline void hear_gap(void *context, struct stream *stream, enum side side, uint64_t size,
                            const struct moment *at)
{
    (void)stream, (void)at;
    struct bench *b = context;
    text_format(&b->heard[side], "[%llu]", (unsigned long long)size);
}

static inline void hear_end(void *context, struct stream *stream, enum side side, const struct moment *at)
{
    (void)stream, (void)at;
    struct bench *b = context;
    text_add(&b->heard[side], ".");
}

static inline void hear_nothing(void *context, struct stream *stream)
{
    (void)context, (void)stream;
}

static inline void hear_release(void *context, struct stream *stream)
{
    struct bench *b = context;
    stream->protocol_state = NULL;
    b->releases++;
}

/* A state of one or two words, the client's port. */
static inline bool hear_fold(void *context, struct stream *stream, struct image *image)
{
    struct bench *b = context;
    uint64_t port = stream->conversation->ends[SIDE_CLIENT].port;
    if (port == b->restless)
        return false;
    assert_ptr_equal(stream->protocol_state, b);
    b->folds++;
    for (unsigned i = 0; i <= port % 2; i++)
        image_put(image, &port, sizeof port);
    return true;
}

static inline void hear_unfold(void *context, struct stream *stream, const struct image *image, uint32_t at)
{
    struct bench *b = context;
    uint64_t port;
    assert_null(stream->protocol_state);
    for (unsigned i = 0; i <= stream->conversation->ends[SIDE_CLIENT].port % 2; i++) {
        at = image_get(image, at, &port, sizeof port);
        assert_int_equal(port, stream->conversation->ends[SIDE_CLIENT].port);
    }
    assert_int_equal(at, image->end);
    stream->protocol_state = b;
    b->unfolds++;
}

static inline int set_up(void **state)
{
    static struct bench b;
    b = (struct bench){.port = CLIENT_PORT, .ip_id = {100, 9000}};
    casebook_open(&b.casebook);
    static struct capture_facts captures[1];
    captures[0] = (struct capture_facts){0};
    b.casebook.captures = captures;
    struct stream_consumer consumer = {hear_data,    hear_gap,  hear_end,    hear_nothing,
                                       hear_release, hear_fold, hear_unfold, &b};
    flow_table_open(&b.table, &b.casebook, &consumer);
    text_add(&b.heard[SIDE_CLIENT], "");
    text_add(&b.heard[SIDE_SERVER], "");
    *state = &b;
    return 0;
}

static inline int tear_down(void **state)
{
    struct bench *b = *state;
    b->casebook.captures = NULL;
    casebook_close(&b->casebook);
    text_close(&b->heard[SIDE_CLIENT]);
    text_close(&b->heard[SIDE_SERVER]);
    return 0;
}

static inline struct packet packet_from(struct bench *b, enum side side, uint8_t flags, uint32_t seq, uint32_t ack,
                                        const char *payload)
{
    struct endpoint client = {{4, {10, 0, 0, 1}}, b->port}, server = {{4, {10, 0, 0, 2}}, SERVER_PORT};
    b->now_ns += NS_PER_MS;
    struct packet p = {
        .moment = {.time_ns = b->now_ns, .frame = ++b->frame},
        .kind = PACKET_TCP,
        .source = side == SIDE_CLIENT ? client : server,
        .destination = side == SIDE_CLIENT ? server : client,
        .wire_length = 54 + (uint32_t)strlen(payload),
        .ip_id = b->ip_id[side]++,
        .ttl = side == SIDE_CLIENT ? 128 : 63,
        .payload = {(const uint8_t *)payload, strlen(payload)},
        .payload_length = (uint32_t)strlen(payload),
        .tcp = {.flags = flags, .window = 1000},
    };
    p.tcp.seq = (side == SIDE_CLIENT ? CLIENT_ISN : SERVER_ISN) + seq;
    p.tcp.ack = flags & TCP_ACK ? (side == SIDE_CLIENT ? SERVER_ISN : CLIENT_ISN) + ack : 0;
    return p;
}

static inline struct packet send(struct bench *b, enum side side, uint8_t flags, uint32_t seq, uint32_t ack,
                                 const char *payload)
{
    struct packet p = packet_from(b, side, flags, seq, ack, payload);
    flow_table_packet(&b->table, &p);
    return p;
}

static inline void wait_ms(struct bench *b, int64_t ms)
{
    b->now_ns += ms * NS_PER_MS;
}

static inline void handshake(struct bench *b)
{
    send(b, SIDE_CLIENT, TCP_SYN, 0, 0, "");
    send(b, SIDE_SERVER, TCP_SYN | TCP_ACK, 0, 1, "");
    send(b, SIDE_CLIENT, TCP_ACK, 1, 1, "");
}

static inline const struct conversation *only(struct bench *b)
{
    flow_table_close(&b->table);
    assert_int_equal(casebook_conversations(&b->casebook), 1);
    return casebook_conversation(&b->casebook, 0);
}

#define FLOW_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
