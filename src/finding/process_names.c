/* Looks processes up by their ID, in the lists that speak of the chosen sockets. */
#include "process_names.h"

#include <string.h>

#include "memory.h"

static uint32_t hash_of(uint32_t process)
{
    return hash_bytes(&process, sizeof process);
}

static const struct process_record *record_at(const struct process_names *names, uint32_t number)
{
    return slab_at(&names->evidence->processes, number);
}

void process_names_open(struct process_names *names, const struct evidence *evidence)
{
    *names = (struct process_names){.evidence = evidence};
    hash_index_open(&names->index);
    for (uint32_t i = 0; i < evidence->processes.in_use; i++)
        hash_index_add(&names->index, hash_of(record_at(names, i)->process), i);
    names->speaks = memory_take_array((size_t)evidence->source_count + 1, sizeof *names->speaks);
}

void process_names_close(struct process_names *names)
{
    hash_index_close(&names->index);
    memory_give(names->speaks);
}

static size_t folder_size(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? (size_t)(slash - file) : 0;
}

static bool of_one_machine(const struct source_facts *a, const struct source_facts *b)
{
    bool known = a->role != CAPTURE_ROLE_UNKNOWN && b->role != CAPTURE_ROLE_UNKNOWN;
    size_t size = folder_size(a->file);
    return known ? a->role == b->role : size == folder_size(b->file) && memcmp(a->file, b->file, size) == 0;
}

static bool lists(const struct process_names *names, uint32_t source, uint32_t process)
{
    struct hash_probe probe = hash_index_probe(&names->index, hash_of(process));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;)
        if (record_at(names, n)->process == process && moment_source(&record_at(names, n)->at) == source)
            return true;
    return false;
}

static bool lists_all(const struct process_names *names, uint32_t source, const uint32_t *processes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!lists(names, source, processes[i]))
            return false;
    return count > 0;
}

void process_names_choose(struct process_names *names, uint32_t sockets, const uint32_t *processes, uint32_t count)
{
    const struct source_facts *sources = names->evidence->sources;
    for (uint32_t i = 0; i < names->evidence->source_count; i++)
        names->speaks[i] = sources[i].kind == SOURCE_TASKLIST && of_one_machine(&sources[i], &sources[sockets]) &&
                           lists_all(names, i, processes, count);
}

const char *process_names_of(const struct process_names *names, uint32_t process)
{
    const char *name = NULL;
    struct hash_probe probe = hash_index_probe(&names->index, hash_of(process));
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        const struct process_record *record = record_at(names, n);
        if (record->process != process || !names->speaks[moment_source(&record->at)])
            continue;
        if (name && strcmp(name, record->image) != 0)
            return NULL;
        name = record->image;
    }
    return name;
}
