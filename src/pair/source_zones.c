/*
 * Theory of operation. A log names the clients of logins that failed; in the captures those connections end at about that moment. Zones
 * differ by quarters of an hour, so each offset is tried, and the one is taken at which so many failures fit that chance would hardly
 * make them: what a client's connections leave of the captured time free is where a wrong offset would show.
 */
#include "source_zones.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "sorted.h"

enum { RECORDS_MOST = 4096, FITS_LEAST = 2 };

/* The server writes the entry as soon as it knows; a second for its clock's resolution and for a busy machine. */
#define WRITTEN_WITHIN_NS (2 * NS_PER_SECOND)
/* So improbable that none of the 113 offsets would fit by chance in a hundred such logs. */
#define CHANCE_MOST 0.0001

/* The end of a connection of one client. */
struct client_end {
    struct address client;
    int64_t time_ns;
};

struct ends {
    struct client_end *list; /* by address, then time */
    uint32_t count;
    int64_t first_ns, last_ns; /* of the captures */
};

static int compare_ends(const void *left, const void *right)
{
    const struct client_end *a = left, *b = right;
    int order = memcmp(&a->client, &b->client, sizeof a->client);
    return order ? order : (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static void ends_open(struct ends *ends, const struct casebook *casebook)
{
    *ends = (struct ends){.first_ns = INT64_MAX, .last_ns = INT64_MIN};
    ends->list = memory_take_array((size_t)casebook_conversations(casebook) + 1, sizeof *ends->list);
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        int64_t first_ns = casebook_moment_ns(casebook, &c->first), last_ns = casebook_moment_ns(casebook, &c->last);
        ends->first_ns = first_ns < ends->first_ns ? first_ns : ends->first_ns;
        ends->last_ns = last_ns > ends->last_ns ? last_ns : ends->last_ns;
        if (c->tds && !c->secondary)
            ends->list[ends->count++] = (struct client_end){c->ends[SIDE_CLIENT].address, last_ns};
    }
    qsort(ends->list, ends->count, sizeof *ends->list, compare_ends);
}

/* The first end of that client from time_ns on; ends->count: none, or another client's. */
static uint32_t first_from(const struct ends *ends, const struct address *client, int64_t time_ns)
{
    const struct client_end wanted = {*client, time_ns};
    uint32_t at = sorted_place(&wanted, ends->list, ends->count, sizeof *ends->list, compare_ends);
    bool same = at < ends->count && address_equal(&ends->list[at].client, client);
    return same ? at : ends->count;
}

static bool ends_near(const struct ends *ends, const struct address *client, int64_t time_ns)
{
    uint32_t at = first_from(ends, client, time_ns - WRITTEN_WITHIN_NS);
    return at < ends->count && ends->list[at].time_ns <= time_ns + WRITTEN_WITHIN_NS;
}

/* The share of the captured time that lies near the end of one of this client's connections: the chance of a record to fit. */
static double chance_of(const struct ends *ends, const struct address *client)
{
    int64_t near_ns = 0, until_ns = INT64_MIN;
    for (uint32_t i = first_from(ends, client, INT64_MIN / 2); i < ends->count; i++) {
        if (!address_equal(&ends->list[i].client, client))
            break;
        int64_t from_ns = ends->list[i].time_ns - WRITTEN_WITHIN_NS, to_ns = ends->list[i].time_ns + WRITTEN_WITHIN_NS;
        from_ns = from_ns < until_ns ? until_ns : from_ns;
        near_ns += to_ns - from_ns;
        until_ns = to_ns;
    }
    int64_t all_ns = ends->last_ns - ends->first_ns + 2 * WRITTEN_WITHIN_NS;
    double share = (double)near_ns / (double)all_ns;
    return share < 1 ? share : 1;
}

static bool tells(const struct log_record *record)
{
    return record->client.address.version != 0 &&
           (record->event == LOG_LOGIN_FAILED || record->event == LOG_LOGIN_BROKEN ||
            record->event == LOG_INPUT_FAILED);
}

struct fit {
    uint32_t inside, fitting; /* records within the captured time, and those of them near a connection's end */
    double chance;            /* that chance makes as many fit */
};

/* A failed login that the log tells of. */
struct failure {
    const struct log_record *record;
    double chance;
};

static int compare_clients(const void *left, const void *right)
{
    const struct failure *a = left, *b = right;
    return memcmp(&a->record->client.address, &b->record->client.address, sizeof(struct address));
}

/* Once for each client. */
static void find_chances(const struct ends *ends, struct failure *failures, uint32_t count)
{
    qsort(failures, count, sizeof *failures, compare_clients);
    for (uint32_t i = 0; i < count; i++)
        failures[i].chance = i > 0 && compare_clients(&failures[i], &failures[i - 1]) == 0
                                 ? failures[i - 1].chance
                                 : chance_of(ends, &failures[i].record->client.address);
}

static struct fit try_offset(const struct ends *ends, const struct failure *failures, uint32_t count, int64_t offset_ns)
{
    struct fit fit = {.chance = 1};
    for (uint32_t i = 0; i < count; i++) {
        int64_t time_ns = failures[i].record->at.time_ns - offset_ns;
        if (time_ns < ends->first_ns || time_ns > ends->last_ns)
            continue;
        fit.inside++;
        if (!ends_near(ends, &failures[i].record->client.address, time_ns))
            continue;
        fit.fitting++;
        fit.chance *= failures[i].chance;
    }
    return fit;
}

/* Most of the records inside fit, too many for chance. */
static bool convinces(const struct fit *fit)
{
    return fit->fitting >= FITS_LEAST && fit->fitting * 10 >= fit->inside * 9 && fit->chance < CHANCE_MOST;
}

static void find_zone(struct casebook *casebook, const struct ends *ends, uint32_t source)
{
    struct evidence *evidence = &casebook->evidence;
    struct failure *failures = memory_take_array(RECORDS_MOST, sizeof *failures);
    uint32_t count = 0;
    for (uint32_t i = 0; i < evidence->log.in_use && count < RECORDS_MOST; i++) {
        const struct log_record *record = evidence_log(evidence, i);
        if (moment_source(&record->at) == source && tells(record))
            failures[count++].record = record;
    }
    find_chances(ends, failures, count);
    unsigned found = 0;
    int64_t offset_ns = 0;
    for (int quarters = -ZONE_QUARTERS_MOST; quarters <= ZONE_QUARTERS_MOST; quarters++) {
        int64_t tried_ns = quarters * ZONE_QUARTER_NS;
        struct fit fit = try_offset(ends, failures, count, tried_ns);
        if (convinces(&fit)) {
            found++;
            offset_ns = tried_ns;
        }
    }
    memory_give(failures);
    if (found == 1)
        evidence_tell_zone(evidence, source, ZONE_JOINED, offset_ns);
}

void source_zones_find(struct casebook *casebook)
{
    struct evidence *evidence = &casebook->evidence;
    struct ends ends = {0};
    for (uint32_t i = 0; i < evidence->source_count; i++) {
        if (evidence->sources[i].zone != ZONE_OPEN)
            continue;
        if (!ends.list)
            ends_open(&ends, casebook);
        if (ends.count > 0)
            find_zone(casebook, &ends, i);
    }
    memory_give(ends.list);
}
