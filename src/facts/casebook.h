/* All that one run learnt: captures, conversations, and who owns their memory. */
#ifndef TDSCOPE_CASEBOOK_H
#define TDSCOPE_CASEBOOK_H

#include "arena.h"
#include "capture_facts.h"
#include "clock_facts.h"
#include "conversation.h"
#include "slab.h"

/* A capture point: one place where packets were recorded, by one file or a chain of them. */
struct point_facts {
    enum capture_role role;
    int64_t first_ns, last_ns; /* of all its packets */
    bool has_packets;
};

struct casebook {
    struct capture_facts *captures;
    uint32_t capture_count;
    struct point_facts *points;
    uint32_t point_count;
    struct slab conversations; /* struct conversation; number = id - 1 */
    struct slab tds;           /* struct tds_facts */
    struct arena texts;
    uint32_t secondary_count; /* conversations that are another one's twin */
    struct clock_facts clock; /* of the two capture points, when the same connections were found in both */
    struct notes unread;      /* evidence that nothing could read, a sentence each */
};

void casebook_open(struct casebook *casebook);
void casebook_close(struct casebook *casebook);

struct conversation *casebook_add_conversation(struct casebook *casebook);
struct tds_facts *casebook_add_tds(struct casebook *casebook);

/* Number from 0 to casebook_conversations() - 1. */
static inline struct conversation *casebook_conversation(const struct casebook *casebook, uint32_t number)
{
    return slab_at(&casebook->conversations, number);
}

/* Views of connections; one that both sides captured has two, and counts once in casebook_connections(). */
static inline uint32_t casebook_conversations(const struct casebook *casebook)
{
    return casebook->conversations.in_use;
}

static inline uint32_t casebook_connections(const struct casebook *casebook)
{
    return casebook_conversations(casebook) - casebook->secondary_count;
}

#endif
