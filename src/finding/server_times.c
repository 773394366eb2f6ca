/* Adds the histograms of each server's connections up. */
#include "server_times.h"

#include <stdlib.h>

#include "memory.h"

static struct server_times *times_of(struct server_times_list *times, const struct endpoint *server)
{
    uint32_t hash = hash_bytes(&server->address, sizeof server->address) ^ server->port * 2654435761u;
    struct hash_probe probe = hash_index_probe(&times->index, hash);
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;)
        if (endpoint_equal(&times->list[n].server, server))
            return &times->list[n];
    if ((times->count & (times->count + 1)) == 0) /* full: one below a power of two */
        times->list = memory_grow(times->list, (size_t)times->count * 2 + 1, sizeof *times->list);
    hash_index_add(&times->index, hash, times->count);
    struct server_times *added = &times->list[times->count++];
    *added = (struct server_times){.server = *server};
    return added;
}

static void add_worst(struct server_times *times, const struct conversation *c)
{
    struct worst_answer answer = {c->id, c->tds->slowest_request, c->tds->slowest_response_ns,
                                  c->tds->slowest_request_is};
    uint32_t at = times->worst_count;
    if (at == SERVER_TIMES_WORST && answer.wait_ns <= times->worst[at - 1].wait_ns)
        return;
    if (at < SERVER_TIMES_WORST)
        times->worst_count++;
    else
        at--;
    for (; at > 0 && times->worst[at - 1].wait_ns < answer.wait_ns; at--)
        times->worst[at] = times->worst[at - 1];
    times->worst[at] = answer;
}

static void add_connection(struct server_times *times, const struct conversation *c)
{
    const struct response_times *own = &c->tds->first_bytes;
    times->connections++;
    times->first_bytes.count += own->count;
    times->first_bytes.sum_ns += own->sum_ns;
    for (unsigned i = 0; i < RESPONSE_TIME_BINS; i++)
        times->first_bytes.bins[i] += own->bins[i];
    if (moment_seen(&c->tds->slowest_request))
        add_worst(times, c);
}

static int compare_times(const void *left, const void *right)
{
    const struct server_times *a = left, *b = right;
    if (a->first_bytes.count != b->first_bytes.count)
        return a->first_bytes.count > b->first_bytes.count ? -1 : 1;
    return memcmp(&a->server, &b->server, sizeof a->server.address);
}

void server_times_open(struct server_times_list *times)
{
    *times = (struct server_times_list){0};
    hash_index_open(&times->index);
}

void server_times_add(struct server_times_list *times, const struct conversation *c)
{
    if (!c->secondary && c->tds && c->tds->first_bytes.count > 0)
        add_connection(times_of(times, &c->ends[SIDE_SERVER]), c);
}

void server_times_settle(struct server_times_list *times)
{
    hash_index_close(&times->index);
    if (times->count > 1)
        qsort(times->list, times->count, sizeof *times->list, compare_times);
}

void server_times_close(struct server_times_list *times)
{
    memory_give(times->list);
    *times = (struct server_times_list){0};
}
