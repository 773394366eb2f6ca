/*
 * Puts fragmented IP datagrams together again (RFC 791, RFC 8200 4.5), within bounds.
 *
 * At most FRAGMENT_DATAGRAMS_MAX datagrams with FRAGMENT_BYTES_MAX bytes are held; the oldest gives way. A fragment that
 * comes more than FRAGMENT_AGE_MAX_NS after the first one of its datagram begins a new one. Of bytes that are sent twice
 * the first ones stay.
 */
#ifndef TDSCOPE_FRAGMENTS_H
#define TDSCOPE_FRAGMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "moment.h"
#include "notes.h"
#include "span.h"

enum { FRAGMENT_DATAGRAMS_MAX = 256, FRAGMENT_BYTES_MAX = 4 << 20, FRAGMENT_PIECES_MAX = 128 };

#define FRAGMENT_AGE_MAX_NS (60 * NS_PER_SECOND) /* RFC 8200; IPv4 stacks wait 15 to 60 seconds */

struct fragment_table;

struct fragment_key {
    struct address source, destination;
    uint32_t id;
    uint8_t protocol; /* IPv4; 0 with IPv6, whose fragments may name different ones */
};

struct fragment {
    struct fragment_key key;
    struct moment moment;
    uint32_t offset; /* bytes */
    bool more;       /* not the last one */
    uint8_t protocol;
    uint32_t wire_length;
    struct span captured; /* at most wire_length */
};

struct datagram {
    uint8_t protocol; /* told by its first fragment */
    uint32_t wire_length;
    struct span
        captured; /* up to the first byte that was not captured; valid until fragments_add() completes another */
};

struct fragment_table *fragments_open(void);
void fragments_close(struct fragment_table *table); /* NULL is fine */

/* Takes one fragment. True when it was the last one missing: *whole is filled. */
bool fragments_add(struct fragment_table *table, const struct fragment *fragment, struct notes *notes,
                   struct datagram *whole);

#endif
