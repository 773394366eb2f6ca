/* Places machines on sides, by one pass over the conversations. */
#include "machine_side.h"

#include <string.h>

#include "hash_index.h"
#include "memory.h"

size_t machine_side_short_name(const char *machine, char name[static MACHINE_NAME_SIZE])
{
    size_t size = 0;
    for (; machine && machine[size] && machine[size] != '.' && machine[size] != '\\'; size++) {
        if (size + 1 == MACHINE_NAME_SIZE)
            return 0;
        char c = machine[size];
        name[size] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    name[size] = '\0';
    return strcmp(name, "localhost") == 0 ? 0 : size;
}

/* What captured connections say of a source's machine. */
struct sighting {
    uint32_t seen[SIDES]; /* connections in which it is on that side */
    struct address address[SIDES];
};

struct placing {
    struct casebook *casebook;
    struct hash_index by_address; /* numbers of evidence.addresses */
    struct hash_index by_name;    /* numbers of sources that are placed */
    struct sighting *sightings;   /* by source */
};

/* Every machine has these. */
static bool is_loopback(const struct address *address)
{
    static const uint8_t one[16] = {[15] = 1};
    return address->version == 4 ? address->bytes[0] == 127 : memcmp(address->bytes, one, sizeof one) == 0;
}

static const struct machine_address *address_at(const struct placing *placing, uint32_t number)
{
    return slab_at(&placing->casebook->evidence.addresses, number);
}

static bool is_sql(const struct casebook *casebook, const struct conversation *c)
{
    uint16_t port = c->ends[SIDE_SERVER].port;
    return c->tds || port == SQL_SERVER_PORT || (port != 0 && port == casebook->server_port) ||
           casebook_instance_lookup_for(casebook, c);
}

static void see_end(struct placing *placing, const struct conversation *c, enum side side)
{
    const struct address *address = &c->ends[side].address;
    struct hash_probe probe = hash_index_probe(&placing->by_address, hash_bytes(address, sizeof *address));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct machine_address *own = address_at(placing, n);
        if (!address_equal(&own->address, address))
            continue;
        struct sighting *sighting = &placing->sightings[own->source];
        if (sighting->seen[side]++ == 0)
            sighting->address[side] = *address;
    }
}

static void see_conversations(struct placing *placing)
{
    const struct evidence *evidence = &placing->casebook->evidence;
    if (evidence->addresses.in_use == 0)
        return;
    for (uint32_t i = 0; i < evidence->addresses.in_use; i++) {
        const struct address *address = &address_at(placing, i)->address;
        if (!is_loopback(address))
            hash_index_add(&placing->by_address, hash_bytes(address, sizeof *address), i);
    }
    for (uint32_t i = 0; i < casebook_conversations(placing->casebook); i++) {
        const struct conversation *c = casebook_conversation(placing->casebook, i);
        if (!is_sql(placing->casebook, c))
            continue;
        for (enum side side = SIDE_CLIENT; side < SIDES; side++)
            see_end(placing, c, side);
    }
}

static void place_by_address(struct source_facts *source, const struct sighting *sighting)
{
    const uint32_t *seen = sighting->seen;
    if (source->role == CAPTURE_ROLE_UNKNOWN && seen[SIDE_CLIENT] + seen[SIDE_SERVER] > 0)
        source->role = seen[SIDE_CLIENT] > seen[SIDE_SERVER] ? CAPTURE_ROLE_CLIENT : CAPTURE_ROLE_SERVER;
    if (source->role != CAPTURE_ROLE_UNKNOWN && seen[capture_role_side(source->role)] > 0)
        source->address = sighting->address[capture_role_side(source->role)];
}

static uint32_t source_named(const struct placing *placing, const char *name, size_t size)
{
    struct hash_probe probe = hash_index_probe(&placing->by_name, hash_bytes(name, (uint32_t)size));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        char other[MACHINE_NAME_SIZE];
        machine_side_short_name(placing->casebook->evidence.sources[n].machine, other);
        if (strcmp(other, name) == 0)
            return n;
    }
    return HASH_NONE;
}

static void place_by_name(struct placing *placing)
{
    struct evidence *evidence = &placing->casebook->evidence;
    char name[MACHINE_NAME_SIZE];
    for (uint32_t i = 0; i < evidence->source_count; i++) {
        size_t size = machine_side_short_name(evidence->sources[i].machine, name);
        if (size > 0 && evidence->sources[i].role != CAPTURE_ROLE_UNKNOWN &&
            source_named(placing, name, size) == HASH_NONE)
            hash_index_add(&placing->by_name, hash_bytes(name, (uint32_t)size), i);
    }
    for (uint32_t i = 0; i < evidence->source_count; i++) {
        struct source_facts *source = &evidence->sources[i];
        size_t size = machine_side_short_name(source->machine, name);
        uint32_t other = size > 0 ? source_named(placing, name, size) : HASH_NONE;
        if (other != HASH_NONE && source->role == CAPTURE_ROLE_UNKNOWN) {
            source->role = evidence->sources[other].role;
            source->address = evidence->sources[other].address;
        }
    }
}

static void place_by_settings(struct placing *placing)
{
    struct evidence *evidence = &placing->casebook->evidence;
    for (uint32_t i = 0; i < evidence->settings.in_use; i++) {
        const struct setting_record *record = evidence_setting(evidence, i);
        struct source_facts *source = &evidence->sources[moment_source(&record->at)];
        if (record->setting == SETTING_SQL_RUNS && source->role == CAPTURE_ROLE_UNKNOWN)
            source->role = CAPTURE_ROLE_SERVER;
    }
    for (uint32_t i = 0; i < evidence->settings.in_use; i++) {
        struct source_facts *source = &evidence->sources[moment_source(&evidence_setting(evidence, i)->at)];
        if (source->role != CAPTURE_ROLE_UNKNOWN || source->unplaced)
            continue;
        source->unplaced = true;
        notes_add(&source->notes, "unplaced",
                  "whose machine this is, is not known: give the file with --client or --server");
    }
}

void machine_side_place(struct casebook *casebook)
{
    struct placing placing = {.casebook = casebook};
    struct evidence *evidence = &casebook->evidence;
    if (evidence->source_count == 0)
        return;
    hash_index_open(&placing.by_address);
    hash_index_open(&placing.by_name);
    placing.sightings = memory_take_array(evidence->source_count, sizeof *placing.sightings);
    see_conversations(&placing);
    for (uint32_t i = 0; i < evidence->source_count; i++)
        place_by_address(&evidence->sources[i], &placing.sightings[i]);
    place_by_name(&placing);
    place_by_settings(&placing);
    hash_index_close(&placing.by_address);
    hash_index_close(&placing.by_name);
    memory_give(placing.sightings);
}
