/* The index of exchanges by their ends. */
#include "exchange_index.h"

#include <string.h>

void exchange_index_close(struct exchange_index *index)
{
    if (index->latest.slots)
        hash_index_close(&index->latest);
}

static uint32_t hash_ends(const struct endpoint *client, const struct endpoint *server, bool over_tcp)
{
    uint8_t key[2 * sizeof(struct address) + 5];
    memcpy(key, &client->address, sizeof client->address);
    memcpy(key + sizeof client->address, &server->address, sizeof server->address);
    uint8_t *rest = key + 2 * sizeof(struct address);
    rest[0] = (uint8_t)(client->port >> 8);
    rest[1] = (uint8_t)client->port;
    rest[2] = (uint8_t)(server->port >> 8);
    rest[3] = (uint8_t)server->port;
    rest[4] = over_tcp;
    return hash_bytes(key, sizeof key);
}

static uint32_t find(const struct exchange_index *index, uint32_t hash, const struct endpoint *client,
                     const struct endpoint *server, bool over_tcp)
{
    if (!index->latest.slots)
        return SLAB_NONE;
    struct hash_probe probe = hash_index_probe(&index->latest, hash);
    for (uint32_t number; (number = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct exchange_facts *e = exchange_at(index, number);
        if (e->over_tcp == over_tcp && endpoint_equal(&e->client, client) && endpoint_equal(&e->server, server))
            return number;
    }
    return SLAB_NONE;
}

uint32_t exchange_index_latest(const struct exchange_index *index, const struct endpoint *client,
                               const struct endpoint *server, bool over_tcp)
{
    return find(index, hash_ends(client, server, over_tcp), client, server, over_tcp);
}

void exchange_index_add(struct exchange_index *index, uint32_t number)
{
    struct exchange_facts *e = exchange_at(index, number);
    uint32_t hash = hash_ends(&e->client, &e->server, e->over_tcp);
    if (!index->latest.slots)
        hash_index_open(&index->latest);
    e->previous = find(index, hash, &e->client, &e->server, e->over_tcp);
    if (e->previous != SLAB_NONE)
        hash_index_remove(&index->latest, hash, e->previous);
    hash_index_add(&index->latest, hash, number);
}

void exchange_index_refuse(struct exchange_index *index, const struct datagram_refusal *refusal)
{
    uint32_t number = exchange_index_latest(index, &refusal->source, &refusal->destination, false);
    struct exchange_facts *latest = NULL, *refused = NULL;
    for (unsigned step = 0; step < EXCHANGE_STEPS_BACK && number != SLAB_NONE; step++) {
        struct exchange_facts *e = exchange_at(index, number);
        if (!latest && exchange_open(e))
            latest = e;
        if (exchange_open(e) && e->refusal.count == 0)
            refused = e;
        number = e->previous;
    }
    if (!refused)
        refused = latest;
    if (refused && refused->refusal.count++ == 0)
        refused->refusal = refusal->icmp;
}

void exchange_asked(struct exchange_facts *exchange, const struct moment *at)
{
    if (exchange->tries++ == 0)
        exchange->asked = *at;
    exchange->last_asked = *at;
}

void exchange_answered(struct exchange_facts *exchange, const struct moment *at)
{
    if (exchange->answers++ == 0)
        exchange->answered = *at;
}
