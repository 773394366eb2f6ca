/* Keeps what sources beside the captures tell. */
#include "evidence_facts.h"

#include <string.h>

#include "memory.h"

void evidence_open(struct evidence *evidence)
{
    *evidence = (struct evidence){0};
    slab_open(&evidence->addresses, sizeof(struct machine_address));
    slab_open(&evidence->log, sizeof(struct log_record));
    slab_open(&evidence->settings, sizeof(struct setting_record));
    slab_open(&evidence->drops, sizeof(struct drop_record));
    slab_open(&evidence->sockets, sizeof(struct socket_record));
    slab_open(&evidence->errors, sizeof(struct error_record));
    slab_open(&evidence->processes, sizeof(struct process_record));
}

void evidence_close(struct evidence *evidence)
{
    while (evidence->source_count > 0)
        evidence_take_back_source(evidence);
    memory_give(evidence->sources);
    slab_close(&evidence->addresses);
    slab_close(&evidence->log);
    slab_close(&evidence->settings);
    slab_close(&evidence->drops);
    slab_close(&evidence->sockets);
    slab_close(&evidence->errors);
    slab_close(&evidence->processes);
    arena_close(&evidence->texts);
    *evidence = (struct evidence){0};
}

struct source_facts *evidence_add_source(struct evidence *evidence)
{
    if (evidence->source_count == evidence->source_capacity) {
        evidence->source_capacity = evidence->source_capacity ? evidence->source_capacity * 2 : 8;
        evidence->sources = memory_grow(evidence->sources, evidence->source_capacity, sizeof *evidence->sources);
    }
    struct source_facts *source = &evidence->sources[evidence->source_count++];
    *source = (struct source_facts){.first_ns = INT64_MAX, .last_ns = INT64_MIN};
    return source;
}

void evidence_take_back_source(struct evidence *evidence)
{
    struct source_facts *source = &evidence->sources[--evidence->source_count];
    notes_close(&source->notes);
    memory_give(source->file);
}

static void count_record(struct source_facts *source, const struct moment *at)
{
    source->records++;
    if (at->time_ns == 0)
        return;
    if (at->time_ns < source->first_ns)
        source->first_ns = at->time_ns;
    if (at->time_ns > source->last_ns)
        source->last_ns = at->time_ns;
}

static void *add(struct evidence *evidence, struct slab *slab, const struct moment *at)
{
    struct source_facts *source = &evidence->sources[moment_source(at)];
    if (slab->in_use >= EVIDENCE_RECORDS_MAX) {
        notes_add(&source->notes, "too many records",
                  "more than %d records of one kind: those from line %u on are left out", EVIDENCE_RECORDS_MAX,
                  at->frame);
        return NULL;
    }
    count_record(source, at);
    return slab_at(slab, slab_take(slab));
}

struct log_record *evidence_add_log(struct evidence *evidence, const struct moment *at)
{
    struct log_record *record = add(evidence, &evidence->log, at);
    if (record)
        *record = (struct log_record){.at = *at, .occurrences = 1, .times = {-1, -1, -1, -1, -1, -1, -1}};
    return record;
}

struct setting_record *evidence_add_setting(struct evidence *evidence, const struct moment *at,
                                            enum machine_setting setting, int64_t value, const char *text)
{
    struct setting_record *record = add(evidence, &evidence->settings, at);
    if (record)
        *record = (struct setting_record){*at, setting, value,
                                          text ? arena_copy_text(&evidence->texts, text, strlen(text)) : NULL};
    return record;
}

struct drop_record *evidence_add_drop(struct evidence *evidence, const struct moment *at)
{
    struct drop_record *record = add(evidence, &evidence->drops, at);
    if (record)
        record->at = *at;
    return record;
}

struct socket_record *evidence_add_socket(struct evidence *evidence, const struct moment *at)
{
    struct socket_record *record = add(evidence, &evidence->sockets, at);
    if (record)
        record->at = *at;
    return record;
}

struct error_record *evidence_add_error(struct evidence *evidence, const struct moment *at)
{
    struct error_record *record = add(evidence, &evidence->errors, at);
    if (record)
        *record = (struct error_record){.at = *at, .spent_ms = {-1, -1, -1, -1, -1}};
    return record;
}

struct process_record *evidence_add_process(struct evidence *evidence, const struct moment *at)
{
    struct process_record *record = add(evidence, &evidence->processes, at);
    if (record)
        record->at = *at;
    return record;
}

void evidence_tell_zone(struct evidence *evidence, uint32_t source, enum source_zone zone, int64_t utc_offset_ns)
{
    struct source_facts *facts = &evidence->sources[source];
    facts->zone = facts->first_ns <= facts->last_ns ? zone : ZONE_NONE;
    facts->utc_offset_ns = utc_offset_ns;
    if (utc_offset_ns == 0 || facts->zone == ZONE_NONE)
        return;
    facts->first_ns -= utc_offset_ns;
    facts->last_ns -= utc_offset_ns;
    const struct slab *const slabs[] = {&evidence->log, &evidence->settings, &evidence->drops, &evidence->errors};
    for (size_t i = 0; i < sizeof slabs / sizeof *slabs; i++)
        for (uint32_t number = slabs[i]->high; number > 0; number--) {
            struct moment *at = slab_at(slabs[i], number - 1); /* stands first in each record */
            if (moment_source(at) < source)
                break; /* sources are read one after the other */
            if (moment_source(at) == source && at->time_ns != 0)
                at->time_ns -= utc_offset_ns;
        }
}

void evidence_add_address(struct evidence *evidence, uint32_t source, const struct address *address)
{
    uint32_t own = 0;
    for (uint32_t number = evidence->addresses.high; number > 0 && own < MACHINE_ADDRESSES_MAX; number--, own++) {
        const struct machine_address *known = slab_at(&evidence->addresses, number - 1);
        if (known->source != source)
            break;
        if (address_equal(&known->address, address))
            return;
    }
    if (own == MACHINE_ADDRESSES_MAX)
        return;
    struct machine_address *added = slab_at(&evidence->addresses, slab_take(&evidence->addresses));
    *added = (struct machine_address){source, *address};
}
