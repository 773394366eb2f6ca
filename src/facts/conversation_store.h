/*
 * Where the conversations of a run are kept: open, as structs to read and write, or packed.
 *
 * Theory of operation: an open conversation with its TDS and TLS facts takes about 2.8 KB; packed (see image_packing.h) it takes 100 to 200
 * bytes. So one that rests - nobody writes to it for now - is packed once it is none of the OPEN_RESTING that came to rest, or were asked
 * for, last. Whoever asks for it gets it opened again. A passage over all conversations therefore goes through a window of open
 * ones, and captures of few conversations never pack any.
 *
 * A pointer to a resting conversation, or to its TDS or TLS facts, stays valid until half of OPEN_RESTING others were asked for; who needs it
 * longer keeps the conversation's number, or holds it open. Of a resting one only how it is linked with others may be changed: twin,
 * next_view, secondary, doubtful, matched_by, match_bits, match_traces, comparison, onward.
 */
#ifndef TDSCOPE_CONVERSATION_STORE_H
#define TDSCOPE_CONVERSATION_STORE_H

#include "conversation.h"
#include "image_packing.h"
#include "slab.h"

enum { OPEN_RESTING = 8192, STORES_MOST = 8 };

struct conversation_store {
    struct slab places;        /* struct conversation_place, by number = id - 1 */
    struct slab conversations; /* struct open_conversation */
    struct slab tds;           /* struct tds_facts */
    struct slab tls;           /* struct tls_facts */
    uint32_t *resting;         /* a ring of numbers; NULL: none rests yet */
    uint32_t resting_most;
    uint32_t resting_at; /* the next to be written over: the one that was asked for longest ago */
    uint64_t
        count; /* as conversation_store_count() told it last, for each packet: so it stands far from what others may write to */
    struct image_packer
        packers[STORES_MOST]; /* the first: of what is packed here; then those of other stores that came in */
    uint64_t packed_bytes;
    uint64_t *begun_at; /* of each conversation, that count when it was added; NULL: the order is not kept */
    uint64_t folded;    /* conversations that were forgotten because memory ran short; all of them were plain */
};

/* resting_most: conversations at rest that stay open. */
void conversation_store_open(struct conversation_store *store, uint32_t resting_most);
void conversation_store_close(struct conversation_store *store);

/* A new one, held open. */
struct conversation *conversation_store_add(struct conversation_store *store);

/* It is opened if it is packed; the pointer stays valid as said above. */
struct conversation *conversation_store_at(struct conversation_store *store, uint32_t number);

/* Until conversation_store_rest(): it stays open, at this address, and any of its facts may be changed. */
struct conversation *conversation_store_hold(struct conversation_store *store, uint32_t number);
void conversation_store_rest(struct conversation_store *store, uint32_t number);
void conversation_store_rest_all(struct conversation_store *store);

/* Several stores that are filled at once: for each conversation to be added from here on, the order among those of all stores is kept. */
void conversation_store_keep_order(struct conversation_store *store);

/* What is added from here on begins at this count, which grows, and is the same for all stores. */
static inline void conversation_store_count(struct conversation_store *store, uint64_t count)
{
    store->count = count;
}

/* Conversations of the others, less than STORES_MOST, come into this store, all numbered anew in the order in which they began. All of them
 * rest, and as many as rest open in this one stay so. */
void conversation_store_merge(struct conversation_store *store, struct conversation_store *const *others,
                              uint32_t count);

/* Conversations of another one come after those of this store, which nothing was merged into or put after before; all of them rest. As many
 * stay open as did in both. */
void conversation_store_append(struct conversation_store *store, struct conversation_store *other);

/* Puts at the image's end what of a conversation stays the same while it rests: for what is packed with it there. */
void conversation_put_resting(const struct conversation *facts, struct image *image);

/* Sequence numbers, as packed: counted from the first one of their side, its base. */
uint32_t sequence_relative(uint32_t seq, uint32_t base);
uint32_t sequence_absolute(uint32_t relative, uint32_t base);

/* Memory taken, and so much for each conversation as judging it takes later. */
uint64_t conversation_store_bytes(const struct conversation_store *store);

/* Who knows of something beside a conversation that makes it worth keeping. */
struct conversation_keeper {
    bool (*keeps)(const void *context, const struct conversation *conversation);
    const void *context;
};

/* Forgets the oldest plain conversations that are packed and that the keeper (NULL: nobody) does not keep, until that many bytes are free, and
 * numbers the others anew, in the same order.
 * Returns the new number of each old one, SLAB_NONE: it was forgotten; the caller frees it. NULL: none could be forgotten. */
uint32_t *conversation_store_fold(struct conversation_store *store, uint64_t bytes,
                                  const struct conversation_keeper *keeper);

#endif
