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

static inline bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_equal(&a->address, &b->address);
}

static inline uint32_t endpoint_hash(const struct endpoint *e)
{
    uint64_t h = e->port;
    for (int i = 0; i < 16; i += 8) {
        uint64_t part;
        memcpy(&part, e->address.bytes + i, sizeof part);
        h = (h ^ part) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return (uint32_t)(h >> 16);
}

/* The same for both directions. */
static inline uint32_t endpoints_hash(const struct endpoint *a, const struct endpoint *b)
{
    uint32_t h = endpoint_hash(a) + endpoint_hash(b);
    h ^= h >> 15;
    h *= 0x846ca68bu;
    return h ^ h >> 13;
}

/* "10.0.0.1", "2001:db8::1"; version 0 gives "". Returns text. */
const char *address_text(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);

/* "10.0.0.1:1433", "[2001:db8::1]:1433". Returns text. */
const char *endpoint_text(const struct endpoint *endpoint, char text[static ENDPOINT_TEXT_SIZE]);

#endif
