/* Joins of evidence: sorted once, searched by halving. */
#include "evidence_joins.h"

#include <stdlib.h>
#include <string.h>

#include "casebook.h"
#include "error_fits.h"
#include "memory.h"
#include "sorted.h"

#define NEAR_DROP_NS NS_PER_SECOND
/* A server notes a connection's end when it learns of it: at the latest after its keep-alives. */
#define RING_AFTER_NS (60 * NS_PER_SECOND)
#define NEAR_TLS_NS (2 * NS_PER_SECOND)

enum { ZONES = 2 * ZONE_QUARTERS_MOST + 1, END_BYTES = 19, KEY_BYTES = 2 * END_BYTES };

/* By how much a record votes for a zone, and what is enough. */
enum { VOTES_OF_SAME_CONNECTION = 2, VOTES_OF_SAME_CLIENT = 1, VOTES_ENOUGH = 2, VOTES_AGREE_PERCENT = 80 };

struct filed {
    uint8_t key[KEY_BYTES];
    int64_t time_ns; /* on the common clock */
    uint32_t record;
};

struct file {
    struct filed *list;
    uint32_t count;
};

struct period {
    int64_t from_ns, to_ns;
};
enum { PERIODS_MAX = 6 };

struct joining {
    struct casebook *casebook;
    struct evidence_joins *joins;
    struct file drops, ring_ids, ring_clients, tls, error_ids, error_ends, errors;
    uint32_t (*votes)[ZONES]; /* by source */
    bool *drop_joined, *log_joined, *error_joined;
    uint32_t *fitting; /* by error: the id of the one connection that it fits */
    int32_t *crowds;   /* by place in errors: crowds that begin there, less those that end before */
};

static void write_end(uint8_t out[static END_BYTES], const struct endpoint *end)
{
    out[0] = end->address.version;
    memcpy(out + 1, end->address.bytes, sizeof end->address.bytes);
    out[17] = (uint8_t)(end->port >> 8);
    out[18] = (uint8_t)end->port;
}

/* The same in either direction. */
static void write_ends(uint8_t key[static KEY_BYTES], const struct endpoint *a, const struct endpoint *b)
{
    uint8_t ends[2][END_BYTES];
    write_end(ends[0], a);
    write_end(ends[1], b);
    int first = memcmp(ends[0], ends[1], END_BYTES) > 0;
    memcpy(key, ends[first], END_BYTES);
    memcpy(key + END_BYTES, ends[!first], END_BYTES);
}

static int compare_filed(const void *left, const void *right)
{
    const struct filed *a = left, *b = right;
    int order = memcmp(a->key, b->key, KEY_BYTES);
    if (order == 0)
        order = (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
    return order != 0 ? order : (a->record > b->record) - (a->record < b->record);
}

static void sort_file(struct file *file)
{
    if (file->count > 1)
        qsort(file->list, file->count, sizeof *file->list, compare_filed);
}

/* The first of that key, not before that time. */
static uint32_t place_of(const struct file *file, const uint8_t key[static KEY_BYTES], int64_t from_ns)
{
    struct filed wanted = {.time_ns = from_ns};
    memcpy(wanted.key, key, KEY_BYTES);
    return sorted_place(&wanted, file->list, file->count, sizeof *file->list, compare_filed);
}

static bool has_key(const struct file *file, uint32_t place, const uint8_t key[static KEY_BYTES])
{
    return place < file->count && memcmp(file->list[place].key, key, KEY_BYTES) == 0;
}

static void file_drops(struct joining *joining)
{
    const struct evidence *evidence = &joining->casebook->evidence;
    struct file *file = &joining->drops;
    file->count = 0;
    for (uint32_t i = 0; i < evidence->drops.in_use; i++) {
        const struct drop_record *drop = evidence_drop(evidence, i);
        if (drop->at.time_ns == 0)
            continue;
        struct filed *filed = &file->list[file->count++];
        *filed = (struct filed){.time_ns = casebook_moment_ns(joining->casebook, &drop->at), .record = i};
        write_ends(filed->key, &drop->source, &drop->destination);
    }
    sort_file(file);
}

static bool is_of_server(const struct source_facts *source)
{
    return source->role == CAPTURE_ROLE_SERVER;
}

static void file_log(struct joining *joining)
{
    const struct evidence *evidence = &joining->casebook->evidence;
    joining->ring_ids.count = joining->ring_clients.count = joining->tls.count = 0;
    for (uint32_t i = 0; i < evidence->log.in_use; i++) {
        const struct log_record *record = evidence_log(evidence, i);
        const struct source_facts *source = evidence_source_of(evidence, &record->at);
        if (record->at.time_ns == 0)
            continue;
        struct filed filed = {.time_ns = casebook_moment_ns(joining->casebook, &record->at), .record = i};
        if (record->event == LOG_TLS_FAILED && source->zone != ZONE_OPEN && is_of_server(source))
            joining->tls.list[joining->tls.count++] = filed;
        if (source->kind != SOURCE_RING_BUFFER)
            continue;
        if (record->has_connection_id) {
            memcpy(filed.key, record->connection_id, sizeof record->connection_id);
            joining->ring_ids.list[joining->ring_ids.count++] = filed;
        } else if (record->client.address.version != 0 && record->client.port != 0) {
            write_end(filed.key, &record->client);
            joining->ring_clients.list[joining->ring_clients.count++] = filed;
        }
    }
    sort_file(&joining->ring_ids);
    sort_file(&joining->ring_clients);
    sort_file(&joining->tls);
}

/* Those that name their connection; the others by time. */
static void file_errors(struct joining *joining)
{
    const struct evidence *evidence = &joining->casebook->evidence;
    joining->error_ids.count = joining->error_ends.count = joining->errors.count = 0;
    for (uint32_t i = 0; i < evidence->errors.in_use; i++) {
        const struct error_record *error = evidence_error(evidence, i);
        struct filed filed = {.time_ns = casebook_moment_ns(joining->casebook, &error->at), .record = i};
        if (error->has_connection_id) {
            memcpy(filed.key, error->connection_id, sizeof error->connection_id);
            joining->error_ids.list[joining->error_ids.count++] = filed;
        }
        if (error->at.time_ns == 0)
            continue;
        if (error->client.port != 0) {
            write_ends(filed.key, &error->client, &error->server);
            joining->error_ends.list[joining->error_ends.count++] = filed;
        } else if (evidence_source_of(evidence, &error->at)->zone != ZONE_OPEN) {
            joining->errors.list[joining->errors.count++] = (struct filed){.time_ns = filed.time_ns, .record = i};
        }
    }
    sort_file(&joining->error_ids);
    sort_file(&joining->error_ends);
    sort_file(&joining->errors);
}

static int64_t common_ns(const struct joining *joining, const struct moment *moment)
{
    return casebook_moment_ns(joining->casebook, moment);
}

static uint32_t add_period(const struct joining *joining, struct period *periods, uint32_t count,
                           const struct moment *from, const struct moment *to)
{
    if (!moment_seen(from))
        return count;
    int64_t from_ns = common_ns(joining, from), to_ns = moment_seen(to) ? common_ns(joining, to) : from_ns;
    periods[count] = (struct period){from_ns, to_ns < from_ns ? from_ns : to_ns};
    return count + 1;
}

/* When packets of it were sent and sent again in vain, to its end. */
static uint32_t unanswered_periods(const struct joining *joining, const struct conversation *c,
                                   struct period periods[static PERIODS_MAX])
{
    uint32_t count = 0;
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (c->ending == ENDING_NO_ANSWER)
        count = add_period(joining, periods, count, &client->syn, &client->syn_last);
    else if (moment_seen(&server->syn) && !conversation_established(c))
        count = add_period(joining, periods, count, &server->syn, &server->syn_last);
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *self = &c->sides[side];
        const struct retry_run *data = &self->data_run, *probes = &self->keep_alive_run;
        bool sent_before = moment_seen(&self->last_data) && self->last_data.time_ns < data->first.time_ns;
        if (data->count > 0)
            count = add_period(joining, periods, count, sent_before ? &self->last_data : &data->first, &data->last);
        if (probes->count > 0 && !self->probes_answered)
            count = add_period(joining, periods, count, &probes->first, &probes->last);
    }
    return count;
}

static bool zone_is_open(const struct joining *joining, const struct moment *at)
{
    return joining->votes && evidence_source_of(&joining->casebook->evidence, at)->zone == ZONE_OPEN;
}

static int64_t floor_quarters(int64_t ns)
{
    return ns >= 0 ? ns / ZONE_QUARTER_NS : -((ZONE_QUARTER_NS - 1 - ns) / ZONE_QUARTER_NS);
}

/* For the one zone in which the record falls into the period; none, when there are several. */
static void vote(struct joining *joining, const struct moment *at, int64_t record_ns, struct period period,
                 uint32_t votes)
{
    int64_t most = floor_quarters(record_ns - period.from_ns);
    int64_t least = -floor_quarters(-(record_ns - period.to_ns));
    if (least == most && most >= -ZONE_QUARTERS_MOST && most <= ZONE_QUARTERS_MOST)
        joining->votes[moment_source(at)][most + ZONE_QUARTERS_MOST] += votes;
}

static void vote_by_drops(struct joining *joining, const struct conversation *c)
{
    struct period periods[PERIODS_MAX];
    uint8_t key[KEY_BYTES];
    uint32_t count = unanswered_periods(joining, c, periods);
    write_ends(key, &c->ends[SIDE_CLIENT], &c->ends[SIDE_SERVER]);
    uint32_t place = count > 0 ? place_of(&joining->drops, key, INT64_MIN) : 0;
    for (uint32_t n = 0; count > 0 && n < JOINED_MAX && has_key(&joining->drops, place, key); n++, place++) {
        const struct filed *filed = &joining->drops.list[place];
        const struct moment *at = &evidence_drop(&joining->casebook->evidence, filed->record)->at;
        for (uint32_t i = 0; zone_is_open(joining, at) && i < count; i++) {
            /* Its packets stand at the period's ends, at least. */
            const int64_t ends[] = {periods[i].from_ns, periods[i].to_ns};
            for (int end = 0; end < (ends[0] < ends[1] ? 2 : 1); end++)
                vote(joining, at, filed->time_ns, (struct period){ends[end] - NEAR_DROP_NS, ends[end] + NEAR_DROP_NS},
                     VOTES_OF_SAME_CONNECTION);
        }
    }
}

static const struct file *ring_file(const struct joining *joining, const struct conversation *c,
                                    uint8_t key[static KEY_BYTES])
{
    memset(key, 0, KEY_BYTES);
    if (c->tds && c->tds->has_connection_id) {
        memcpy(key, c->tds->connection_id, sizeof c->tds->connection_id);
        if (has_key(&joining->ring_ids, place_of(&joining->ring_ids, key, INT64_MIN), key))
            return &joining->ring_ids;
        memset(key, 0, KEY_BYTES);
    }
    write_end(key, &c->ends[SIDE_CLIENT]);
    return &joining->ring_clients;
}

static struct period life_of(const struct joining *joining, const struct conversation *c)
{
    return (struct period){common_ns(joining, &c->first) - NEAR_DROP_NS, common_ns(joining, &c->last) + RING_AFTER_NS};
}

static void vote_by_ring(struct joining *joining, const struct conversation *c)
{
    uint8_t key[KEY_BYTES];
    const struct file *file = ring_file(joining, c, key);
    uint32_t votes = file == &joining->ring_ids ? VOTES_OF_SAME_CONNECTION : VOTES_OF_SAME_CLIENT;
    uint32_t place = place_of(file, key, INT64_MIN);
    for (uint32_t n = 0; n < JOINED_MAX && has_key(file, place, key); n++, place++) {
        const struct moment *at = &evidence_log(&joining->casebook->evidence, file->list[place].record)->at;
        if (zone_is_open(joining, at))
            vote(joining, at, file->list[place].time_ns, life_of(joining, c), votes);
    }
}

static void vote_by_file(struct joining *joining, const struct file *file, const uint8_t key[static KEY_BYTES],
                         struct period life)
{
    uint32_t place = place_of(file, key, INT64_MIN);
    for (uint32_t n = 0; n < JOINED_MAX && has_key(file, place, key); n++, place++) {
        const struct moment *at = &evidence_error(&joining->casebook->evidence, file->list[place].record)->at;
        if (at->time_ns != 0 && zone_is_open(joining, at))
            vote(joining, at, file->list[place].time_ns, life, VOTES_OF_SAME_CONNECTION);
    }
}

static bool write_id(const struct conversation *c, uint8_t key[static KEY_BYTES])
{
    memset(key, 0, KEY_BYTES);
    if (!c->tds || !c->tds->has_connection_id)
        return false;
    memcpy(key, c->tds->connection_id, sizeof c->tds->connection_id);
    return true;
}

static void vote_by_errors(struct joining *joining, const struct conversation *c)
{
    uint8_t key[KEY_BYTES];
    if (joining->error_ids.count > 0 && write_id(c, key))
        vote_by_file(joining, &joining->error_ids, key, life_of(joining, c));
    write_ends(key, &c->ends[SIDE_CLIENT], &c->ends[SIDE_SERVER]);
    if (joining->error_ends.count > 0)
        vote_by_file(joining, &joining->error_ends, key, life_of(joining, c));
}

static void elect_zone(struct joining *joining, uint32_t source)
{
    uint32_t best = 0;
    uint64_t all = 0;
    for (uint32_t zone = 0; zone < ZONES; zone++) {
        all += joining->votes[source][zone];
        if (joining->votes[source][zone] > joining->votes[source][best])
            best = zone;
    }
    uint64_t most = joining->votes[source][best];
    if (most < VOTES_ENOUGH || most * 100 < all * VOTES_AGREE_PERCENT)
        return;
    evidence_tell_zone(&joining->casebook->evidence, source, ZONE_JOINED,
                       ((int64_t)best - ZONE_QUARTERS_MOST) * ZONE_QUARTER_NS);
}

/* Returns whether any source's times were moved or confirmed. */
static bool settle_zones(struct joining *joining)
{
    struct evidence *evidence = &joining->casebook->evidence;
    uint32_t open = 0;
    for (uint32_t i = 0; i < evidence->source_count; i++)
        open += evidence->sources[i].zone == ZONE_OPEN;
    if (open == 0)
        return false;
    joining->votes = memory_take_array(evidence->source_count, sizeof *joining->votes);
    for (uint32_t i = 0; i < casebook_conversations(joining->casebook); i++) {
        vote_by_drops(joining, casebook_conversation(joining->casebook, i));
        vote_by_ring(joining, casebook_conversation(joining->casebook, i));
        vote_by_errors(joining, casebook_conversation(joining->casebook, i));
    }
    for (uint32_t i = 0; i < evidence->source_count; i++)
        if (evidence->sources[i].zone == ZONE_OPEN)
            elect_zone(joining, i);
    memory_give(joining->votes);
    joining->votes = NULL;
    return true;
}

static void add_join(struct joining *joining, enum evidence_join_kind kind, const struct conversation *c,
                     uint32_t record)
{
    struct evidence_joins *joins = joining->joins;
    if (joins->counts[kind] == joins->capacities[kind]) {
        joins->capacities[kind] = joins->capacities[kind] ? joins->capacities[kind] * 2 : 64;
        joins->lists[kind] = memory_grow(joins->lists[kind], joins->capacities[kind], sizeof *joins->lists[kind]);
    }
    uint32_t number = (c->secondary ? c->twin : c->id) - 1;
    joins->lists[kind][joins->counts[kind]++] = (struct evidence_join){number, record};
    struct evidence *evidence = &joining->casebook->evidence;
    bool of_error = kind == JOINED_ERROR || kind == JOINED_ERROR_NEAR;
    bool *joined = kind == JOINED_DROP ? &joining->drop_joined[record]
                   : of_error          ? &joining->error_joined[record]
                                       : &joining->log_joined[record];
    const struct moment *at = kind == JOINED_DROP ? &evidence_drop(evidence, record)->at
                              : of_error          ? &evidence_error(evidence, record)->at
                                                  : &evidence_log(evidence, record)->at;
    if (!*joined)
        evidence->sources[moment_source(at)].joined++;
    *joined = true;
}

/* All records of that key in the period. */
static void join_period(struct joining *joining, enum evidence_join_kind kind, const struct file *file,
                        const uint8_t key[static KEY_BYTES], struct period period, const struct conversation *c)
{
    uint32_t place = place_of(file, key, period.from_ns);
    for (uint32_t n = 0; n < JOINED_MAX && has_key(file, place, key) && file->list[place].time_ns <= period.to_ns;
         n++, place++)
        add_join(joining, kind, c, file->list[place].record);
}

static void join_drops(struct joining *joining, const struct conversation *c)
{
    struct period periods[PERIODS_MAX];
    uint8_t key[KEY_BYTES];
    if (joining->drops.count == 0)
        return;
    uint32_t count = unanswered_periods(joining, c, periods);
    write_ends(key, &c->ends[SIDE_CLIENT], &c->ends[SIDE_SERVER]);
    for (uint32_t i = 0; i < count; i++)
        join_period(joining, JOINED_DROP, &joining->drops, key,
                    (struct period){periods[i].from_ns - NEAR_DROP_NS, periods[i].to_ns + NEAR_DROP_NS}, c);
}

static void join_ring(struct joining *joining, const struct conversation *c)
{
    uint8_t key[KEY_BYTES];
    const struct file *file = ring_file(joining, c, key);
    if (file->count > 0)
        join_period(joining, JOINED_RING, file, key, life_of(joining, c), c);
}

static void join_tls(struct joining *joining, const struct conversation *c)
{
    static const uint8_t any[KEY_BYTES];
    if (joining->tls.count == 0 || !c->tds || !moment_seen(&c->tds->steps[LOGIN_STEP_CLIENT_HELLO]) ||
        moment_seen(&c->tds->steps[LOGIN_STEP_SERVER_HELLO]))
        return;
    struct moment close = conversation_first_close(c);
    int64_t from_ns = common_ns(joining, &c->tds->steps[LOGIN_STEP_CLIENT_HELLO]);
    int64_t to_ns = moment_seen(&close) ? common_ns(joining, &close) : from_ns;
    join_period(joining, JOINED_TLS, &joining->tls, any, (struct period){from_ns - NEAR_TLS_NS, to_ns + NEAR_TLS_NS},
                c);
}

/* An ID is one connection's for ever, whatever time a log shows. */
static void join_errors(struct joining *joining, const struct conversation *c)
{
    uint8_t key[KEY_BYTES];
    if (joining->error_ids.count > 0 && write_id(c, key))
        join_period(joining, JOINED_ERROR, &joining->error_ids, key, (struct period){INT64_MIN, INT64_MAX}, c);
    write_ends(key, &c->ends[SIDE_CLIENT], &c->ends[SIDE_SERVER]);
    if (joining->error_ends.count > 0)
        join_period(joining, JOINED_ERROR, &joining->error_ends, key, life_of(joining, c), c);
}

/* Instead of a conversation. */
#define FITS_NONE 0u
#define FITS_SEVERAL UINT32_MAX

/* Those that fit, and are not joined: each with the one connection that it fits, if there is just one. Of a crowd within the seconds of a
 * connection none is told from the others by its time; to look at each of it for each connection would take the square of their number. */
static void find_fitting(struct joining *joining, const struct conversation *c)
{
    static const uint8_t any[KEY_BYTES];
    const struct file *file = &joining->errors;
    int64_t from_ns, to_ns;
    if (c->secondary || !error_fits_when(joining->casebook, c, &from_ns, &to_ns))
        return;
    uint32_t place = place_of(file, any, from_ns), end = place_of(file, any, to_ns + 1);
    if (end > place + JOINED_MAX) {
        joining->crowds[place]++;
        joining->crowds[end]--;
        return;
    }
    for (; place < end; place++) {
        uint32_t number = file->list[place].record;
        if (joining->error_joined[number] ||
            !error_fits(joining->casebook, c, evidence_error(&joining->casebook->evidence, number)))
            continue;
        joining->fitting[number] = joining->fitting[number] == FITS_NONE ? c->id : FITS_SEVERAL;
    }
}

static void leave_crowds(struct joining *joining)
{
    int32_t crowds = 0;
    for (uint32_t place = 0; place < joining->errors.count; place++) {
        crowds += joining->crowds[place];
        if (crowds > 0)
            joining->fitting[joining->errors.list[place].record] = FITS_SEVERAL;
    }
}

static void join_fitting(struct joining *joining)
{
    const struct casebook *casebook = joining->casebook;
    uint32_t all = casebook->evidence.errors.in_use;
    if (joining->errors.count == 0)
        return;
    joining->fitting = memory_take_array(all, sizeof *joining->fitting);
    joining->crowds = memory_take_array((size_t)joining->errors.count + 1, sizeof *joining->crowds);
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++)
        find_fitting(joining, casebook_conversation(casebook, i));
    leave_crowds(joining);
    for (uint32_t i = 0; i < all; i++)
        if (joining->fitting[i] != FITS_NONE && joining->fitting[i] != FITS_SEVERAL)
            add_join(joining, JOINED_ERROR_NEAR, casebook_conversation(casebook, joining->fitting[i] - 1), i);
    memory_give(joining->fitting);
    memory_give(joining->crowds);
}

static int compare_joins(const void *left, const void *right)
{
    const struct evidence_join *a = left, *b = right;
    if (a->conversation != b->conversation)
        return a->conversation < b->conversation ? -1 : 1;
    return (a->record > b->record) - (a->record < b->record);
}

/* Two views of a connection, or two of its periods, bring the same record. */
static void sort_joins(struct evidence_joins *joins, enum evidence_join_kind kind)
{
    struct evidence_join *list = joins->lists[kind];
    uint32_t kept = 0;
    if (joins->counts[kind] > 1)
        qsort(list, joins->counts[kind], sizeof *list, compare_joins);
    for (uint32_t i = 0; i < joins->counts[kind]; i++)
        if (i == 0 || compare_joins(&list[i], &list[i - 1]) != 0)
            list[kept++] = list[i];
    joins->counts[kind] = kept;
}

static void file_all(struct joining *joining)
{
    file_drops(joining);
    file_log(joining);
    file_errors(joining);
}

static void join_all(struct joining *joining)
{
    const struct casebook *casebook = joining->casebook;
    file_all(joining);
    if (settle_zones(joining))
        file_all(joining);
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        join_drops(joining, casebook_conversation(casebook, i));
        join_ring(joining, casebook_conversation(casebook, i));
        join_tls(joining, casebook_conversation(casebook, i));
        join_errors(joining, casebook_conversation(casebook, i));
    }
    join_fitting(joining);
    for (enum evidence_join_kind kind = 0; kind < EVIDENCE_JOIN_KINDS; kind++)
        sort_joins(joining->joins, kind);
}

void evidence_joins_open(struct evidence_joins *joins, struct casebook *casebook)
{
    struct joining joining = {.casebook = casebook, .joins = joins};
    const struct evidence *evidence = &casebook->evidence;
    const struct {
        struct file *file;
        uint32_t records;
    } files[] = {
        {&joining.drops, evidence->drops.in_use},      {&joining.ring_ids, evidence->log.in_use},
        {&joining.ring_clients, evidence->log.in_use}, {&joining.tls, evidence->log.in_use},
        {&joining.error_ids, evidence->errors.in_use}, {&joining.error_ends, evidence->errors.in_use},
        {&joining.errors, evidence->errors.in_use},
    };
    *joins = (struct evidence_joins){0};
    if (evidence->drops.in_use == 0 && evidence->log.in_use == 0 && evidence->errors.in_use == 0)
        return;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        files[i].file->list = memory_take_array((size_t)files[i].records + 1, sizeof *files[i].file->list);
    joining.drop_joined = memory_take_array((size_t)evidence->drops.in_use + 1, sizeof(bool));
    joining.log_joined = memory_take_array((size_t)evidence->log.in_use + 1, sizeof(bool));
    joining.error_joined = memory_take_array((size_t)evidence->errors.in_use + 1, sizeof(bool));
    join_all(&joining);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        memory_give(files[i].file->list);
    memory_give(joining.drop_joined);
    memory_give(joining.log_joined);
    memory_give(joining.error_joined);
}

void evidence_joins_close(struct evidence_joins *joins)
{
    for (enum evidence_join_kind kind = 0; kind < EVIDENCE_JOIN_KINDS; kind++)
        memory_give(joins->lists[kind]);
    *joins = (struct evidence_joins){0};
}

const struct evidence_join *casebook_joined(const struct casebook *casebook, const struct conversation *conversation,
                                            enum evidence_join_kind kind, uint32_t *count)
{
    const struct evidence_joins *joins = &casebook->evidence_joins;
    uint32_t number = (conversation->secondary ? conversation->twin : conversation->id) - 1;
    const struct evidence_join wanted = {.conversation = number}, *list = joins->lists[kind];
    uint32_t first = sorted_place(&wanted, list, joins->counts[kind], sizeof *list, compare_joins);
    *count = 0;
    while (first + *count < joins->counts[kind] && list[first + *count].conversation == number)
        ++*count;
    return list ? &list[first] : NULL;
}
