/* What the tests of the packet floor share: a frame that is put together header by header, and decoded. */
#ifndef TDSCOPE_PACKET_BENCH_H
#define TDSCOPE_PACKET_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet_decoder.h"

enum { LINK_ETHERNET = 1, LINK_RAW = 101 };

struct bench {
    struct packet_decoder decoder;
    struct capture_facts facts;
    struct packet packet;
    struct frame frame; /* of the next bench_decode(): link type, time and direction may be set */
    uint8_t *decoded; /* the bytes of the last one, in memory of just their size, so that reading past them is caught */
    uint8_t bytes[80000];
    size_t size;
};

#define ADD(bench, ...) bench_add(bench, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

#define U16(n) (uint8_t)((n) >> 8), (uint8_t)(n)
#define U32(n) (uint8_t)((n) >> 24), (uint8_t)((n) >> 16), (uint8_t)((n) >> 8), (uint8_t)(n)

/*                      destination             source                  EtherType */
#define ETHERNET(type) 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, U16(type)

/*              ihl   tos  total length     id           flags  ttl   protocol  checksum  source        destination */
#define IPV4(payload, protocol)                                                                                        \
    0x45, 0, U16(20 + (payload)), 0x12, 0x34, 0x40, 0, 64, (protocol), 0, 0, 10, 0, 0, 1, 10, 0, 0, 2
#define IPV4_PART(payload, protocol, id, flags_and_units)                                                              \
    0x45, 0, U16(20 + (payload)), U16(id), U16(flags_and_units), 64, (protocol), 0, 0, 10, 0, 0, 1, 10, 0, 0, 2

/* 2001:db8::1 to 2001:db8::2      version    length       next     hop limit */
#define IPV6(payload, next)                                                                                            \
    0x60, 0, 0, 0, U16(payload), (next), 64, /* source */ 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,     \
        /* destination */ 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2

/* ports 50000 to 1433      seq              ack              offset        flags    window    checksum  urgent */
#define TCP(words, flags)                                                                                              \
    U16(50000), U16(1433), U32(0x01020304), U32(0x05060708), (uint8_t)((words) << 4), (flags), U16(8192), 0, 0, 0, 0

/* ports 50000 to port                length               checksum */
#define UDP(payload, port) U16(50000), U16(port), U16(8 + (payload)), 0, 0

static inline void bench_add(struct bench *b, const uint8_t *bytes, size_t size)
{
    assert_true(size <= sizeof b->bytes - b->size);
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}

static inline void bench_add_filler(struct bench *b, uint8_t filler, size_t size)
{
    assert_true(size <= sizeof b->bytes - b->size);
    memset(b->bytes + b->size, filler, size);
    b->size += size;
}

/* Decodes what was added, of which the capture holds only the first `captured` bytes; then the bench is empty again. */
static inline const struct packet *bench_decode_cut(struct bench *b, size_t captured)
{
    assert_true(captured <= b->size);
    free(b->decoded);
    b->decoded = malloc(captured ? captured : 1);
    memcpy(b->decoded, b->bytes, captured);
    b->frame.bytes = (struct span){b->decoded, captured};
    b->frame.wire_length = (uint32_t)b->size;
    b->frame.moment.frame++;
    b->size = 0;
    packet_decode(&b->decoder, &b->frame, &b->facts, &b->packet);
    return &b->packet;
}

static inline const struct packet *bench_decode(struct bench *b)
{
    return bench_decode_cut(b, b->size);
}

static inline uint64_t bench_noted(const struct bench *b, const char *kind)
{
    for (uint32_t i = 0; i < b->facts.notes.count; i++)
        if (strcmp(b->facts.notes.list[i].kind, kind) == 0)
            return b->facts.notes.list[i].count;
    return 0;
}

static inline void assert_address(const struct address *address, const char *expected)
{
    char text[ADDRESS_TEXT_SIZE];
    assert_string_equal(address_text(address, text), expected);
}

/* The packet is the TCP packet that TCP() describes, wherever it was found. */
static inline void assert_is_tcp(const struct packet *packet)
{
    assert_int_equal(packet->kind, PACKET_TCP);
    assert_int_equal(packet->source.port, 50000);
    assert_int_equal(packet->destination.port, 1433);
    assert_int_equal(packet->tcp.seq, 0x01020304);
}

static inline int bench_open(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    packet_decoder_open(&b->decoder);
    b->frame.link_type = LINK_ETHERNET;
    *state = b;
    return 0;
}

static inline int bench_close(void **state)
{
    struct bench *b = *state;
    packet_decoder_close(&b->decoder);
    notes_close(&b->facts.notes);
    free(b->decoded);
    free(b);
    return 0;
}

#define BENCH_TEST(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)

#endif
