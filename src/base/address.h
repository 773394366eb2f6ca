/* IP addresses and endpoints, and how they are written (RFC 4291, RFC 5952). */
#ifndef TDSCOPE_ADDRESS_H
#define TDSCOPE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct address {
    uint8_t version;   /* 4, 6, or 0: none */
    uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

struct endpoint {
    struct address address;
    uint16_t port; /* host order */
};

enum { ADDRESS_TEXT_SIZE = 46, ENDPOINT_TEXT_SIZE = 56 };

/* bytes: 4 of version 4, 16 of version 6. */
static inline void address_set(struct address *address, uint8_t version, const uint8_t *bytes)
{
    *address = (struct address){.version = version};
    if (version == 4)
        memcpy(address->bytes, bytes, 4);
    else
        memcpy(address->bytes, bytes, 16);
}

static inline bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_equal(&a->address, &b->address);
}

static inline uint64_t address_hash_step(uint64_t h, uint64_t part)
{
    h = (h ^ part) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

/* Reads just the bytes that an address of version 4 was written by: processors wait for a narrow write that a wide read follows. */
static inline uint32_t endpoint_hash(const struct endpoint *e)
{
    uint32_t four;
    memcpy(&four, e->address.bytes, sizeof four);
    uint64_t h = address_hash_step((uint64_t)e->port << 32, four);
    for (int i = 4; e->address.version != 4 && i < 16; i += 4) {
        memcpy(&four, e->address.bytes + i, sizeof four);
        h = address_hash_step(h, four);
    }
    return (uint32_t)(h >> 16);
}

/* The same of version 4; four: its bytes as they lie. */
static inline uint32_t endpoint_hash_of_four(uint16_t port, uint32_t four)
{
    return (uint32_t)(address_hash_step((uint64_t)port << 32, four) >> 16);
}

/* Of the hashes of both ends: the same for both directions. */
static inline uint32_t ends_hash(uint32_t a, uint32_t b)
{
    uint32_t h = a + b;
    h ^= h >> 15;
    h *= 0x846ca68bu;
    return h ^ h >> 13;
}

static inline uint32_t endpoints_hash(const struct endpoint *a, const struct endpoint *b)
{
    return ends_hash(endpoint_hash(a), endpoint_hash(b));
}

/* "10.0.0.1", "2001:db8::1"; version 0 gives "". Returns text. */
const char *address_text(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);

/* "10.0.0.1:1433", "[2001:db8::1]:1433". Returns text. */
const char *endpoint_text(const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_SIZE]);

#endif
