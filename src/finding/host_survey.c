/* Gathers sources into machines, and what is set on each. */
#include "host_survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "finding_list.h"
#include "machine_side.h"
#include "memory.h"

static uint32_t add_host(struct hosts *hosts, enum side side, const char *name, uint32_t source)
{
    hosts->list[hosts->count] = (struct host){.side = side, .name = name, .source = source};
    return hosts->count++;
}

static uint32_t host_named(const struct hosts *hosts, const struct hash_index *index, enum side side, const char *name,
                           uint32_t hash)
{
    struct hash_probe probe = hash_index_probe(index, hash);
    for (uint32_t n; (n = hash_probe_next(&probe)) != HASH_NONE;) {
        char other[MACHINE_NAME_SIZE];
        machine_side_short_name(hosts->list[n].name, other);
        if (hosts->list[n].side == side && strcmp(other, name) == 0)
            return n;
    }
    return HASH_NONE;
}

/* Machines of sources that tell a name; returns how many of each side there are. */
static void gather_named(struct hosts *hosts, const struct evidence *evidence, uint32_t named[SIDES],
                         uint32_t only[SIDES])
{
    struct hash_index index;
    hash_index_open(&index);
    for (uint32_t i = 0; i < evidence->source_count; i++) {
        const struct source_facts *source = &evidence->sources[i];
        char name[MACHINE_NAME_SIZE];
        size_t size = machine_side_short_name(source->machine, name);
        hosts->of_source[i] = UINT32_MAX;
        if (size == 0 || (source->role != CAPTURE_ROLE_CLIENT && source->role != CAPTURE_ROLE_SERVER))
            continue;
        enum side side = capture_role_side(source->role);
        uint32_t hash = hash_bytes(name, (uint32_t)size) ^ (uint32_t)side;
        uint32_t number = host_named(hosts, &index, side, name, hash);
        if (number == HASH_NONE) {
            number = add_host(hosts, side, source->machine, i);
            hash_index_add(&index, hash, number);
            named[side]++;
            only[side] = number;
        }
        hosts->of_source[i] = number;
    }
    hash_index_close(&index);
}

static void gather_nameless(struct hosts *hosts, const struct evidence *evidence, const uint32_t named[SIDES],
                            const uint32_t only[SIDES])
{
    uint32_t nameless[SIDES] = {UINT32_MAX, UINT32_MAX};
    for (uint32_t i = 0; i < evidence->source_count; i++) {
        const struct source_facts *source = &evidence->sources[i];
        if (hosts->of_source[i] != UINT32_MAX ||
            (source->role != CAPTURE_ROLE_CLIENT && source->role != CAPTURE_ROLE_SERVER))
            continue;
        enum side side = capture_role_side(source->role);
        if (nameless[side] == UINT32_MAX)
            nameless[side] = named[side] == 1 ? only[side] : add_host(hosts, side, NULL, i);
        hosts->of_source[i] = nameless[side];
    }
}

static int compare_settings(const void *left, const void *right)
{
    const struct host_setting *a = left, *b = right;
    if (a->host != b->host)
        return a->host < b->host ? -1 : 1;
    if (a->record->setting != b->record->setting)
        return a->record->setting < b->record->setting ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static void describe(struct hosts *hosts, const struct evidence *evidence)
{
    for (uint32_t i = 0; i < evidence->addresses.in_use; i++) {
        const struct machine_address *own = slab_at(&evidence->addresses, i);
        if (hosts->of_source[own->source] != UINT32_MAX)
            hosts->list[hosts->of_source[own->source]].elsewhere = true;
    }
    for (uint32_t i = 0; i < evidence->source_count; i++) {
        if (hosts->of_source[i] == UINT32_MAX)
            continue;
        struct host *host = &hosts->list[hosts->of_source[i]];
        const struct source_facts *source = &evidence->sources[i];
        host->address = host->address.version ? host->address : source->address;
        host->system = host->system ? host->system : source->system;
        host->elsewhere = host->elsewhere && host->address.version == 0 && !source->role_given;
    }
}

void hosts_open(struct hosts *hosts, const struct evidence *evidence)
{
    uint32_t named[SIDES] = {0}, only[SIDES] = {0};
    *hosts = (struct hosts){0};
    hosts->list = memory_take_array((size_t)evidence->source_count + SIDES, sizeof *hosts->list);
    hosts->of_source = memory_take_array((size_t)evidence->source_count + 1, sizeof *hosts->of_source);
    gather_named(hosts, evidence, named, only);
    gather_nameless(hosts, evidence, named, only);
    describe(hosts, evidence);
    hosts->settings = memory_take_array((size_t)evidence->settings.in_use + 1, sizeof *hosts->settings);
    for (uint32_t i = 0; i < evidence->settings.in_use; i++) {
        const struct setting_record *record = evidence_setting(evidence, i);
        uint32_t host = hosts->of_source[moment_source(&record->at)];
        if (host != UINT32_MAX)
            hosts->settings[hosts->setting_count++] = (struct host_setting){host, i, record};
    }
    qsort(hosts->settings, hosts->setting_count, sizeof *hosts->settings, compare_settings);
}

void hosts_close(struct hosts *hosts)
{
    memory_give(hosts->list);
    memory_give(hosts->of_source);
    memory_give(hosts->settings);
    *hosts = (struct hosts){0};
}

const struct setting_record *host_setting(const struct survey *survey, const struct host *host,
                                          enum machine_setting setting, uint32_t n)
{
    const struct hosts *hosts = survey->hosts;
    uint32_t number = (uint32_t)(host - hosts->list), low = 0, high = hosts->setting_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct host_setting *at = &hosts->settings[middle];
        bool before = at->host != number ? at->host < number : at->record->setting < setting;
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    if (n >= hosts->setting_count - low)
        return NULL;
    const struct host_setting *found = &hosts->settings[low + n];
    return found->host == number && found->record->setting == setting ? found->record : NULL;
}

bool host_has_setting(const struct survey *survey, const struct host *host, enum machine_setting setting,
                      bool (*counts)(const struct setting_record *record))
{
    const struct setting_record *record;
    for (uint32_t n = 0; (record = host_setting(survey, host, setting, n)); n++)
        if (counts(record))
            return true;
    return false;
}

void host_survey(struct survey *survey, void (*judge)(struct survey *survey, const struct host *host))
{
    enum side side = survey->detector->culprit == CULPRIT_CLIENT ? SIDE_CLIENT : SIDE_SERVER;
    for (uint32_t i = 0; i < survey->hosts->count; i++)
        if (survey->hosts->list[i].side == side)
            judge(survey, &survey->hosts->list[i]);
}

struct finding *host_survey_add(struct survey *survey, const struct host *host)
{
    struct finding *finding = survey_add(survey, SCOPE_HOST);
    finding->machine = host->name;
    finding->machine_address = host->address;
    finding->source = host->source;
    return finding;
}

/* Or may be: the machine's addresses are not told, or translated. */
static bool is_end_of(const struct survey *survey, const struct host *host, const struct conversation *conversation)
{
    const struct casebook *casebook = survey->surroundings->casebook;
    if (host->address.version == 0)
        return !host->elsewhere;
    uint32_t number = (uint32_t)(host - survey->hosts->list);
    for (const struct conversation *view = conversation; view;
         view = view->next_view ? casebook_conversation(casebook, view->next_view - 1) : NULL)
        for (uint32_t i = 0; i < casebook->evidence.addresses.in_use; i++) {
            const struct machine_address *own = slab_at(&casebook->evidence.addresses, i);
            if (survey->hosts->of_source[own->source] == number &&
                address_equal(&own->address, &view->ends[host->side].address))
                return true;
        }
    return false;
}

static bool has_cause(const struct survey *survey, uint32_t number, const char *const *causes)
{
    const char *cause = detectors[survey->judge->marks[number].detector]->cause;
    for (; *causes; causes++)
        if (strcmp(cause, *causes) == 0)
            return true;
    return false;
}

uint32_t
host_survey_explain(struct survey *survey, const struct host *host, struct finding *finding, const char *const *causes,
                    bool (*counts)(const struct survey *survey, const struct host *host, const struct conversation *c))
{
    const struct casebook *casebook = survey->surroundings->casebook;
    uint32_t suspected = 0;
    for (uint32_t number = 0; number < casebook_conversations(casebook); number++) {
        if (!has_cause(survey, number, causes))
            continue;
        const struct conversation *c = casebook_conversation(casebook, number);
        if (c->secondary || (counts && !counts(survey, host, c)) || !is_end_of(survey, host, c))
            continue;
        suspected++;
        if (!finding)
            continue;
        if (!finding->explains)
            finding->explains = detectors[survey->judge->marks[number].detector];
        survey_concern(finding, c);
    }
    if (finding)
        finding->explained = suspected;
    return suspected;
}

static void add_name(char *names, const char *name)
{
    size_t used = strlen(names), size = strlen(name), comma = used > 0 ? 2 : 0;
    if (strstr(names, name) || used + comma + size >= HOST_NAMES_SIZE)
        return;
    memcpy(names + used, ", ", comma);
    memcpy(names + used + comma, name, size + 1);
}

uint32_t host_survey_list(struct survey *survey, const struct host *host, struct finding *finding,
                          enum machine_setting setting, bool (*counts)(const struct setting_record *record),
                          const char *says, char names[static HOST_NAMES_SIZE])
{
    uint32_t count = 0;
    const struct setting_record *record;
    names[0] = '\0';
    for (uint32_t n = 0; (record = host_setting(survey, host, setting, n)); n++) {
        if (counts && !counts(record))
            continue;
        count++;
        judgement_prove(&finding->example, &record->at, "%s%s%s", says, record->text ? ": " : "",
                        record->text ? record->text : "");
        if (record->text)
            add_name(names, record->text);
    }
    return count;
}

const char *host_words(const struct host *host, char text[static HOST_TEXT_SIZE])
{
    const char *whose = host->side == SIDE_CLIENT ? "The client's machine" : "The server's machine";
    if (host->name)
        snprintf(text, HOST_TEXT_SIZE, "%s %.60s", whose, host->name);
    else
        snprintf(text, HOST_TEXT_SIZE, "%s", whose);
    return text;
}
