/*
 * Cuts one direction of a stream into messages that begin with their length, in any chunking.
 *
 * Theory of operation: the beginning of a message is held until the message is over, up to a limit; the rest is counted.
 * After a gap that hides where the next message begins, the next bytes are taken for a beginning, as they are at the
 * first byte of a stream; a message whose first bytes are implausible stops the framer until the next gap.
 */
#ifndef TDSCOPE_MESSAGE_FRAMER_H
#define TDSCOPE_MESSAGE_FRAMER_H

#include <stdbool.h>

#include "moment.h"
#include "span.h"

enum { FRAMER_PREFIX_MAX = 4 };

/* What all framers of one protocol may hold together. */
struct held_bytes {
    size_t now, most;
};

struct framing {
    uint8_t prefix_bytes;       /* of the length, big-endian; it does not count itself */
    uint32_t length_mask;       /* bits of the length that count */
    uint32_t shortest, longest; /* length of a message */
    uint32_t held_most;         /* bytes of its beginning that are wanted */
    uint32_t sample;            /* bytes that plausible() needs, at most shortest */
    bool (*plausible)(struct span first_bytes);

    /* The beginning of a message, as far as it was captured and wanted; at: the packet that completed it. */
    void (*message)(void *context, struct span beginning, uint32_t length, const struct moment *at);
};

struct message_framer {
    uint8_t prefix[FRAMER_PREFIX_MAX];
    uint8_t prefix_have;
    bool lost; /* nothing is taken until the next gap */
    bool in_message;
    bool judged;     /* the message is plausible */
    bool cut;        /* its bytes are not held any more: a gap, or the limit */
    uint32_t length; /* of the message */
    uint32_t left;   /* of it to come */
    uint8_t *held;
    uint32_t held_size, held_capacity;
    struct moment latest; /* its latest packet */
};

void message_framer_data(struct message_framer *framer, const struct framing *framing, struct held_bytes *budget,
                         struct span bytes, const struct moment *at, void *context);
void message_framer_gap(struct message_framer *framer, const struct framing *framing, struct held_bytes *budget,
                        uint64_t size, const struct moment *at, void *context);

/* No more comes: what is held of an unfinished message is told. */
void message_framer_end(struct message_framer *framer, const struct framing *framing, struct held_bytes *budget,
                        void *context);
void message_framer_close(struct message_framer *framer, struct held_bytes *budget);

#endif
