/* Indexes what connections without a partner have, and who else has it: first their keys go into a filter, then whoever has one of them. */
#include "trace_index.h"

#include <stdlib.h>

#include "memory.h"
#include "sorted.h"

enum { FILTER_BITS = 1 << 24 };

struct trace_builder {
    struct trace_index *index;
    uint32_t capacity;
    uint64_t *filter;
    const struct conversation *c;
    uint32_t number;
};

typedef void take_trace(struct trace_builder *builder, uint32_t key, uint32_t ip_id);

uint32_t trace_key(enum trace_list list, enum side side, uint32_t hash)
{
    return (hash ^ ((uint32_t)list << 1 | (uint32_t)side) * 0x9e3779b9u) * 0x85ebca6bu;
}

static void each_trace(struct trace_builder *builder, take_trace *take)
{
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct side_traces *traces = &builder->c->sides[side].traces;
        for (unsigned i = 0; i < TRACE_HEADS && traces->heads[i] != 0; i++)
            take(builder, trace_key(TRACED_HEADS, side, traces->heads[i]), 0);
        for (unsigned i = 0; i < TRACE_STAMPS && traces->stamps[i] != 0; i++)
            take(builder, trace_key(TRACED_STAMPS, side, traces->stamps[i]), traces->ip_ids[i]);
    }
}

static void put_in_filter(struct trace_builder *builder, uint32_t key, uint32_t ip_id)
{
    (void)ip_id;
    uint32_t bit = key % FILTER_BITS;
    builder->filter[bit / 64] |= 1ULL << bit % 64;
}

static void put_in_list(struct trace_builder *builder, uint32_t key, uint32_t ip_id)
{
    struct trace_index *index = builder->index;
    uint32_t bit = key % FILTER_BITS;
    if (!(builder->filter[bit / 64] & 1ULL << bit % 64))
        return;
    if (index->count == builder->capacity) {
        builder->capacity = builder->capacity ? builder->capacity * 2 : 256;
        index->list = memory_grow(index->list, builder->capacity, sizeof *index->list);
    }
    index->list[index->count++] = (struct traced){key, builder->c->point, builder->number, ip_id};
}

static int compare_traced(const void *left, const void *right)
{
    const struct traced *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (a->point != b->point)
        return a->point < b->point ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

void trace_index_open(struct trace_index *index, const struct casebook *casebook, const struct view_groups *groups)
{
    *index = (struct trace_index){.populations = memory_take_array(casebook->point_count, sizeof(uint32_t))};
    struct trace_builder builder = {.index = index, .filter = memory_take_array(FILTER_BITS / 64, sizeof(uint64_t))};
    for (uint32_t i = 0; i < groups->count; i++) {
        if (!view_is_single(groups, i))
            continue;
        builder.c = view_numbered(casebook, i);
        each_trace(&builder, put_in_filter);
    }
    for (uint32_t i = 0; i < groups->count; i++) {
        builder.c = view_numbered(casebook, i);
        builder.number = i;
        index->populations[builder.c->point]++;
        each_trace(&builder, put_in_list);
    }
    memory_give(builder.filter);
    if (index->count > 0)
        qsort(index->list, index->count, sizeof *index->list, compare_traced);
}

void trace_index_close(struct trace_index *index)
{
    memory_give(index->list);
    memory_give(index->populations);
}

uint32_t trace_index_count(const struct trace_index *index, uint32_t key, uint32_t point, uint32_t ip_id)
{
    const struct traced wanted = {.key = key, .point = point};
    uint32_t from = sorted_place(&wanted, index->list, index->count, sizeof *index->list, compare_traced), found = 0;
    for (; from < index->count && index->list[from].key == key && index->list[from].point == point; from++)
        found += index->list[from].ip_id == ip_id;
    return found;
}
