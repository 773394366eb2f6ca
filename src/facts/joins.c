/* Joins: sorted once, searched by halving. */
#include "joins.h"

#include <stdlib.h>
#include <string.h>

#include "casebook.h"
#include "memory.h"
#include "sorted.h"

/* A client connects at once after a look-up; a name that it keeps for longer has a time to live. */
#define SHORTLY_NS (60 * NS_PER_SECOND)
#define LONGEST_TTL_NS (24 * 3600 * NS_PER_SECOND)

static int compare_ends(const struct join *a, const struct join *b)
{
    int order = memcmp(&a->client, &b->client, sizeof a->client);
    if (order == 0)
        order = memcmp(&a->server, &b->server, sizeof a->server);
    return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

static int compare(const void *left, const void *right)
{
    const struct join *a = left, *b = right;
    int order = compare_ends(a, b);
    if (order == 0)
        order = (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static void sort(struct join_list *joins)
{
    if (joins->count > 0)
        qsort(joins->list, joins->count, sizeof *joins->list, compare);
}

static void file_names(struct join_list *joins, const struct casebook *casebook)
{
    uint32_t lookups = casebook->name_lookups.in_use;
    joins->list = memory_take_array((size_t)lookups * LOOKUP_ADDRESSES_MAX + 1, sizeof *joins->list);
    for (uint32_t number = 0; number < lookups; number++) {
        const struct name_lookup *lookup = casebook_name_lookup(casebook, number);
        for (unsigned i = 0; i < lookup->address_count; i++)
            joins->list[joins->count++] = (struct join){.client = lookup->exchange.client.address,
                                                        .server = lookup->addresses[i],
                                                        .at_ns = lookup->exchange.answered.time_ns,
                                                        .number = number};
    }
    sort(joins);
}

static void file_instances(struct join_list *joins, const struct casebook *casebook)
{
    uint32_t lookups = casebook->instance_lookups.in_use;
    size_t most = 1;
    for (uint32_t number = 0; number < lookups; number++)
        most += casebook_instance_lookup(casebook, number)->instance_count + 1;
    joins->list = memory_take_array(most, sizeof *joins->list);
    for (uint32_t number = 0; number < lookups; number++) {
        const struct instance_lookup *lookup = casebook_instance_lookup(casebook, number);
        struct join join = {.client = lookup->exchange.client.address,
                            .server = lookup->exchange.server.address,
                            .port = lookup->dac_port,
                            .at_ns = lookup->exchange.answered.time_ns,
                            .number = number};
        if (join.port != 0)
            joins->list[joins->count++] = join;
        for (const struct instance_facts *i = lookup->instances; i; i = i->next) {
            join.server = i->server;
            join.port = i->tcp_port;
            if (join.port != 0)
                joins->list[joins->count++] = join;
        }
    }
    sort(joins);
}

static void file_questions(struct join_list *joins, const struct casebook *casebook)
{
    joins->list = memory_take_array((size_t)casebook->name_lookups.in_use + 1, sizeof *joins->list);
    for (uint32_t number = 0; number < casebook->name_lookups.in_use; number++) {
        const struct exchange_facts *exchange = &casebook_name_lookup(casebook, number)->exchange;
        if (moment_seen(&exchange->asked))
            joins->list[joins->count++] =
                (struct join){.client = exchange->client.address, .at_ns = exchange->asked.time_ns, .number = number};
    }
    sort(joins);
}

void joins_open(struct joins *joins, const struct casebook *casebook)
{
    *joins = (struct joins){0};
    file_names(&joins->names, casebook);
    file_instances(&joins->instances, casebook);
    file_questions(&joins->questions, casebook);
}

void joins_close(struct joins *joins)
{
    memory_give(joins->names.list);
    memory_give(joins->instances.list);
    memory_give(joins->questions.list);
    *joins = (struct joins){0};
}

/* The first place whose join is not earlier than wanted, which is none of them. */
static uint32_t place_behind(const struct join_list *joins, const struct join *wanted)
{
    return sorted_place(wanted, joins->list, joins->count, sizeof *joins->list, compare);
}

uint32_t joins_asked_until(const struct joins *joins, const struct address *client, int64_t time_ns)
{
    const struct join wanted = {.client = *client, .at_ns = time_ns, .number = UINT32_MAX};
    return place_behind(&joins->questions, &wanted);
}

/* The latest that was answered before the conversation began; NULL: none. */
static const struct join *latest_before(const struct join_list *joins, const struct conversation *c, uint16_t port)
{
    const struct join wanted = {.client = c->ends[SIDE_CLIENT].address,
                                .server = c->ends[SIDE_SERVER].address,
                                .port = port,
                                .at_ns = c->first.time_ns,
                                .number = UINT32_MAX};
    uint32_t low = place_behind(joins, &wanted);
    if (low == 0 || compare_ends(&joins->list[low - 1], &wanted) != 0)
        return NULL;
    return &joins->list[low - 1];
}

const struct name_lookup *casebook_name_lookup_for(const struct casebook *casebook, const struct conversation *c)
{
    const struct join *join = latest_before(&casebook->joins.names, c, 0);
    if (!join)
        return NULL;
    const struct name_lookup *lookup = casebook_name_lookup(casebook, join->number);
    int64_t valid_ns = lookup->ttl_s * NS_PER_SECOND;
    valid_ns = valid_ns < SHORTLY_NS ? SHORTLY_NS : valid_ns > LONGEST_TTL_NS ? LONGEST_TTL_NS : valid_ns;
    return join->at_ns < c->first.time_ns - valid_ns ? NULL : lookup;
}

const struct instance_lookup *casebook_instance_lookup_for(const struct casebook *casebook,
                                                           const struct conversation *c)
{
    const struct join *join = latest_before(&casebook->joins.instances, c, c->ends[SIDE_SERVER].port);
    if (!join || join->at_ns < c->first.time_ns - SHORTLY_NS)
        return NULL;
    return casebook_instance_lookup(casebook, join->number);
}
