/* All that one run learnt: captures, conversations, and who owns their memory. */
#ifndef TDSCOPE_CASEBOOK_H
#define TDSCOPE_CASEBOOK_H

#include "arena.h"
#include "capture_facts.h"
#include "capture_silences.h"
#include "certificate_store.h"
#include "clock_facts.h"
#include "controller_waits.h"
#include "conversation.h"
#include "conversation_store.h"
#include "domain_controllers.h"
#include "evidence_facts.h"
#include "evidence_joins.h"
#include "instance_lookup_facts.h"
#include "joins.h"
#include "lookup_facts.h"
#include "path_facts.h"
#include "slab.h"
#include "stamp_tick.h"
#include "text_pool.h"
#include "ticket_facts.h"

/* A capture point: one place where packets were recorded, by one file or a chain of them. */
struct point_facts {
    enum capture_role role;
    bool role_given;           /* by the user, not inferred */
    int64_t first_ns, last_ns; /* of all its packets */
    bool has_packets;
    struct clock_facts
        clock; /* the point's minus the common one's, which is that of a capture at a client; known: it is related */
    uint64_t compared,
        missed;           /* packets that both ends had, by comparing the captures; and those of them not in this one */
    uint64_t missed_syns; /* of those: SYN, and SYN+ACK */
    /* Besides, packets without data that left the other end and are not in this one: nobody asks again for those, so whether the way lost
     * them or this capture is not to be seen. */
    uint64_t perhaps_missed;
    struct capture_silences silences; /* of what was read a second time */
    struct stamp_tick tick;           /* of its packets' stamps */
};

struct casebook {
    struct capture_facts *captures;
    uint32_t capture_count;
    struct point_facts *points;
    uint32_t point_count;
    struct conversation_store *conversations;           /* number = id - 1 */
    struct certificate_store certificates[STORES_MOST]; /* by shard: which of too many are kept depends on no thread */
    struct slab services;                               /* struct service_facts */
    struct slab comparisons;                            /* struct comparison */

    /* What was seen around the conversations; number = id - 1. */
    struct slab name_lookups;                     /* struct name_lookup */
    struct slab instance_lookups;                 /* struct instance_lookup */
    struct slab tickets;                          /* struct ticket_request */
    struct joins joins;                           /* empty before casebook_join() */
    struct domain_controllers domain_controllers; /* the same */
    struct controller_waits controller_waits;     /* the same */

    struct evidence evidence;             /* logs, command outputs and reports */
    struct evidence_joins evidence_joins; /* empty before casebook_join() */
    struct arena texts;
    struct text_pool names;                     /* texts that many conversations have in common */
    uint32_t secondary_count;                   /* conversations that another view of the same connection stands for */
    struct point_pairs pairs;                   /* of capture points that have connections in common */
    struct clock_facts clock;                   /* of the pair with the most of them */
    const struct clock_setting *clock_settings; /* somebody else's; of each point in order of its packets */
    uint32_t clock_setting_count;
    uint16_t server_port;    /* the user's hint: this port is a SQL Server's; 0: none */
    struct casebook **parts; /* casebooks whose conversations were taken: they keep what those point to */
    uint32_t part_count;
    struct notes unread; /* evidence that nothing could read, a sentence each */
};

/* Empty; casebook_close() gives back all that it owns. */
void casebook_open(struct casebook *casebook);
void casebook_close(struct casebook *casebook);

/* For some of the conversations of the same captures, followed at the same time, as are those of the other parts, of which the whole is one. The
 * whole's store has to keep the order of its conversations, too. */
void casebook_open_part(struct casebook *part, const struct casebook *whole, unsigned parts);

/* Takes the conversations of parts, which rest, and the parts themselves: less than STORES_MOST. */
void casebook_take_parts(struct casebook *casebook, struct casebook *const *parts, uint32_t count);

/* For all of other capture points than the whole's, read at the same time: counts in the whole's captures. */
void casebook_open_beside(struct casebook *beside, const struct casebook *whole);

/* Puts what is in such a casebook after what the whole has, whose part it is from here on; its conversations rest. */
void casebook_append(struct casebook *whole, struct casebook *beside);

/* A new conversation, held open. */
struct conversation *casebook_add_conversation(struct casebook *casebook);

/* Facts for one, zeroed, but for what says that it was not seen; the casebook owns them. */
struct tds_facts *casebook_add_tds(struct casebook *casebook);
struct tls_facts *casebook_add_tls(struct casebook *casebook);
struct service_facts *casebook_add_service(struct casebook *casebook);
struct comparison *casebook_add_comparison(struct casebook *casebook);

/* Takes back what was added for a stream that is none; NULL is fine. */
void casebook_drop_tds(struct casebook *casebook, struct tds_facts *tds);
void casebook_drop_tls(struct casebook *casebook, struct tls_facts *tls);

/* Of a capture point, first seen at this moment. NULL: the ceiling of their kind is reached, which the capture file notes. */
struct name_lookup *casebook_add_name_lookup(struct casebook *casebook, uint32_t point, const struct moment *at);
struct instance_lookup *casebook_add_instance_lookup(struct casebook *casebook, uint32_t point,
                                                     const struct moment *at);
struct ticket_request *casebook_add_ticket(struct casebook *casebook, uint32_t point, const struct moment *at);

/* Whether the one packet of a capture point was recorded before the other, whatever its clock showed. */
bool casebook_in_order(const struct casebook *casebook, const struct moment *a, const struct moment *b);

/* A time of that capture point on the clock that is common to all points which have connections in common. */
int64_t casebook_common_ns(const struct casebook *casebook, uint32_t point, int64_t time_ns);
/* Likewise; of a source by the clock of the capture point on the same machine, as if that had never been set. */
int64_t casebook_moment_ns(const struct casebook *casebook, const struct moment *moment);

/* The view that stands for all of the connection. */
const struct conversation *casebook_standing_view(const struct casebook *casebook,
                                                  const struct conversation *conversation);

/* The view of the same connection at that capture point; NULL: none is known. */
const struct conversation *casebook_view_at(const struct casebook *casebook, const struct conversation *conversation,
                                            uint32_t point);

/* Once everything is read, and before anybody asks what follows. */
void casebook_join(struct casebook *casebook);

/* The name lookup of the same client whose answer named this server's address shortly before, or as long before as its time
 * to live; the latest of several. NULL: none. */
const struct name_lookup *casebook_name_lookup_for(const struct casebook *casebook, const struct conversation *c);

/* The same for SQL Server Browser's answer that named this server's port. */
const struct instance_lookup *casebook_instance_lookup_for(const struct casebook *casebook,
                                                           const struct conversation *c);

/* Number from 0 to casebook_conversations() - 1. The pointer stays valid until OPEN_RESTING others were asked for: see
 * conversation_store.h. */
static inline struct conversation *casebook_conversation(const struct casebook *casebook, uint32_t number)
{
    return conversation_store_at(casebook->conversations, number);
}

/* The same; the pointer stays valid until the conversation is let rest again. */
static inline struct conversation *casebook_hold_conversation(const struct casebook *casebook, uint32_t number)
{
    return conversation_store_hold(casebook->conversations, number);
}

/* Nobody writes to it any more, or for now. */
static inline void casebook_rest_conversation(const struct casebook *casebook, uint32_t number)
{
    conversation_store_rest(casebook->conversations, number);
}

static inline void casebook_rest_all(const struct casebook *casebook)
{
    conversation_store_rest_all(casebook->conversations);
}

static inline struct name_lookup *casebook_name_lookup(const struct casebook *casebook, uint32_t number)
{
    return slab_at(&casebook->name_lookups, number);
}

static inline struct instance_lookup *casebook_instance_lookup(const struct casebook *casebook, uint32_t number)
{
    return slab_at(&casebook->instance_lookups, number);
}

static inline struct ticket_request *casebook_ticket(const struct casebook *casebook, uint32_t number)
{
    return slab_at(&casebook->tickets, number);
}

/* Views of connections; one that both sides captured has two, and counts once in casebook_connections(). */
static inline uint32_t casebook_conversations(const struct casebook *casebook)
{
    return casebook->conversations->places.in_use;
}

static inline uint32_t casebook_connections(const struct casebook *casebook)
{
    return casebook_conversations(casebook) - casebook->secondary_count;
}

#endif
