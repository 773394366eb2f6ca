/* Finds the latest exchange between two ends, and through it those before. */
#ifndef TDSCOPE_EXCHANGE_INDEX_H
#define TDSCOPE_EXCHANGE_INDEX_H

#include "datagram.h"
#include "exchange_facts.h"
#include "hash_index.h"
#include "slab.h"

/* Steps back from the latest one: what a client has open at once between the same ends is a pair at most (A and AAAA). */
enum { EXCHANGE_STEPS_BACK = 8 };

struct exchange_index {
    const struct slab *exchanges; /* of elements that begin with struct exchange_facts */
    struct hash_index latest;     /* opened with the first exchange */
};

static inline struct exchange_facts *exchange_at(const struct exchange_index *index, uint32_t number)
{
    return slab_at(index->exchanges, number);
}

void exchange_index_close(struct exchange_index *index);

/* SLAB_NONE: none. */
uint32_t exchange_index_latest(const struct exchange_index *index, const struct endpoint *client,
                               const struct endpoint *server, bool over_tcp);

/* number, whose ends are filled in, is the latest between them from now on. */
void exchange_index_add(struct exchange_index *index, uint32_t number);

/* The oldest of the open exchanges, near the latest one, that were not refused yet, was. */
void exchange_index_refuse(struct exchange_index *index, const struct datagram_refusal *refusal);

/* It was asked at this moment, perhaps again. */
void exchange_asked(struct exchange_facts *exchange, const struct moment *at);
void exchange_answered(struct exchange_facts *exchange, const struct moment *at);

#endif
