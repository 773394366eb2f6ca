/* The casebook: storage of facts. */
#include "casebook.h"

#include <assert.h>
#include <string.h>

#include "memory.h"

/* Memory follows their number: whoever makes them larger should know. What few conversations have belongs behind a pointer. */
static_assert(sizeof(struct conversation) <= 1872, "facts of a conversation have grown");
static_assert(sizeof(struct tds_facts) <= 1048, "facts of a TDS session have grown");

static void open_casebook(struct casebook *casebook, uint32_t resting)
{
    *casebook = (struct casebook){0};
    casebook->conversations = memory_take(sizeof *casebook->conversations);
    conversation_store_open(casebook->conversations, resting);
    for (unsigned i = 0; i < STORES_MOST; i++)
        certificate_store_open(&casebook->certificates[i]);
    slab_open(&casebook->services, sizeof(struct service_facts));
    slab_open(&casebook->comparisons, sizeof(struct comparison));
    slab_open(&casebook->name_lookups, sizeof(struct name_lookup));
    slab_open(&casebook->instance_lookups, sizeof(struct instance_lookup));
    slab_open(&casebook->tickets, sizeof(struct ticket_request));
    text_pool_open(&casebook->names);
    evidence_open(&casebook->evidence);
}

void casebook_open(struct casebook *casebook)
{
    open_casebook(casebook, OPEN_RESTING);
}

/* Whatever may stay open once the parts are put together is not packed before. */
void casebook_open_part(struct casebook *part, const struct casebook *whole, unsigned parts)
{
    open_casebook(part, OPEN_RESTING / parts);
    part->captures = memory_take_array(whole->capture_count, sizeof *part->captures);
    part->capture_count = whole->capture_count;
    conversation_store_keep_order(part->conversations);
}

void casebook_close(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        notes_close(&casebook->captures[i].notes);
        notes_close(&casebook->captures[i].followed);
        memory_give(casebook->captures[i].file);
    }
    memory_give(casebook->captures);
    for (uint32_t i = 0; i < casebook->point_count; i++)
        capture_silences_close(&casebook->points[i].silences);
    memory_give(casebook->points);
    point_pairs_close(&casebook->pairs);
    notes_close(&casebook->unread);
    conversation_store_close(casebook->conversations);
    memory_give(casebook->conversations);
    for (unsigned i = 0; i < STORES_MOST; i++)
        certificate_store_close(&casebook->certificates[i]);
    slab_close(&casebook->services);
    slab_close(&casebook->comparisons);
    slab_close(&casebook->name_lookups);
    slab_close(&casebook->instance_lookups);
    slab_close(&casebook->tickets);
    joins_close(&casebook->joins);
    domain_controllers_close(&casebook->domain_controllers);
    controller_waits_close(&casebook->controller_waits);
    evidence_joins_close(&casebook->evidence_joins);
    evidence_close(&casebook->evidence);
    arena_close(&casebook->texts);
    text_pool_close(&casebook->names);
    for (uint32_t i = 0; i < casebook->part_count; i++) {
        casebook_close(casebook->parts[i]);
        memory_give(casebook->parts[i]);
    }
    memory_give(casebook->parts);
}

void casebook_take_parts(struct casebook *casebook, struct casebook *const *parts, uint32_t count)
{
    struct conversation_store *stores[STORES_MOST];
    casebook->parts = memory_take_array(count, sizeof(struct casebook *));
    casebook->part_count = count;
    for (uint32_t i = 0; i < count; i++) {
        casebook->parts[i] = parts[i];
        stores[i] = parts[i]->conversations;
        for (uint32_t j = 0; j < casebook->capture_count; j++)
            capture_facts_add_followed(&casebook->captures[j], &parts[i]->captures[j]);
    }
    conversation_store_merge(casebook->conversations, stores, count);
}

void casebook_open_beside(struct casebook *beside, const struct casebook *whole)
{
    open_casebook(beside, OPEN_RESTING);
    beside->captures = whole->captures;
    beside->capture_count = whole->capture_count;
}

static void append_exchanges(struct slab *slab, const struct slab *others)
{
    uint32_t by = slab->in_use;
    for (uint32_t i = 0; i < others->in_use; i++) {
        struct exchange_facts *exchange = slab_at(slab, slab_take(slab));
        memcpy(exchange, slab_at(others, i), others->element_size);
        exchange->id += by;
        if (exchange->previous != SLAB_NONE)
            exchange->previous += by;
    }
}

void casebook_append(struct casebook *whole, struct casebook *beside)
{
    beside->captures = NULL;
    beside->capture_count = 0;
    conversation_store_append(whole->conversations, beside->conversations);
    append_exchanges(&whole->name_lookups, &beside->name_lookups);
    append_exchanges(&whole->instance_lookups, &beside->instance_lookups);
    append_exchanges(&whole->tickets, &beside->tickets);
    whole->parts = memory_grow(whole->parts, (size_t)whole->part_count + 1, sizeof(struct casebook *));
    whole->parts[whole->part_count++] = beside;
}

struct conversation *casebook_add_conversation(struct casebook *casebook)
{
    return conversation_store_add(casebook->conversations);
}

struct tds_facts *casebook_add_tds(struct casebook *casebook)
{
    uint32_t number = slab_take(&casebook->conversations->tds);
    struct tds_facts *tds = slab_at(&casebook->conversations->tds, number);
    tds->number = number;
    tds->prelogin_client_encryption = tds->prelogin_server_encryption = 0xff;
    return tds;
}

struct comparison *casebook_add_comparison(struct casebook *casebook)
{
    return slab_at(&casebook->comparisons, slab_take(&casebook->comparisons));
}

struct tls_facts *casebook_add_tls(struct casebook *casebook)
{
    uint32_t number = slab_take(&casebook->conversations->tls);
    struct tls_facts *tls = slab_at(&casebook->conversations->tls, number);
    tls->number = number;
    return tls;
}

void casebook_drop_tds(struct casebook *casebook, struct tds_facts *tds)
{
    if (!tds)
        return;
    casebook_drop_tls(casebook, tds->tls);
    slab_give(&casebook->conversations->tds, tds->number);
}

void casebook_drop_tls(struct casebook *casebook, struct tls_facts *tls)
{
    if (tls)
        slab_give(&casebook->conversations->tls, tls->number);
}

struct service_facts *casebook_add_service(struct casebook *casebook)
{
    return slab_at(&casebook->services, slab_take(&casebook->services));
}

/* All that is asked begins with struct exchange_facts. */
static void *add_exchange(struct casebook *casebook, struct slab *slab, uint32_t most, const char *kind, uint32_t point,
                          const struct moment *at)
{
    if (slab->in_use >= most) {
        if (at->capture < casebook->capture_count)
            notes_add(&casebook->captures[at->capture].followed, kind,
                      "more than %u %s: those from packet %u on are not listed", most, kind, at->frame);
        return NULL;
    }
    uint32_t number = slab_take(slab);
    struct exchange_facts *exchange = slab_at(slab, number);
    exchange->id = number + 1;
    exchange->point = point;
    exchange->previous = SLAB_NONE;
    return exchange;
}

struct name_lookup *casebook_add_name_lookup(struct casebook *casebook, uint32_t point, const struct moment *at)
{
    return add_exchange(casebook, &casebook->name_lookups, NAME_LOOKUPS_MAX, "name lookups", point, at);
}

struct instance_lookup *casebook_add_instance_lookup(struct casebook *casebook, uint32_t point, const struct moment *at)
{
    return add_exchange(casebook, &casebook->instance_lookups, INSTANCE_LOOKUPS_MAX, "instance lookups", point, at);
}

struct ticket_request *casebook_add_ticket(struct casebook *casebook, uint32_t point, const struct moment *at)
{
    return add_exchange(casebook, &casebook->tickets, TICKET_REQUESTS_MAX, "ticket requests", point, at);
}

void casebook_join(struct casebook *casebook)
{
    joins_open(&casebook->joins, casebook);
    evidence_joins_open(&casebook->evidence_joins, casebook);
    domain_controllers_open(&casebook->domain_controllers, casebook);
    controller_waits_open(&casebook->controller_waits, casebook);
}

/* Pieces of one capture follow each other by their first packets. */
bool casebook_in_order(const struct casebook *casebook, const struct moment *a, const struct moment *b)
{
    if (a->capture == b->capture)
        return a->frame < b->frame;
    return casebook->captures[a->capture].first_ns < casebook->captures[b->capture].first_ns;
}

int64_t casebook_common_ns(const struct casebook *casebook, uint32_t point, int64_t time_ns)
{
    const struct clock_facts *clock = point < casebook->point_count ? &casebook->points[point].clock : NULL;
    return clock && clock->known ? clock_to_client(clock, time_ns) : time_ns;
}

/* A clock that is set back shows some times twice: the second time, unless that would be after the capture's end. */
static bool is_after_setting(const struct casebook *casebook, const struct clock_setting *setting, int64_t shown_ns)
{
    bool twice = shown_ns < setting->first.time_ns - setting->by_ns;
    return shown_ns >= setting->first.time_ns &&
           (!twice || shown_ns - setting->by_ns <= casebook->points[setting->point].last_ns);
}

/* What the clock of that point would have shown, had it not been set. */
static int64_t never_set_ns(const struct casebook *casebook, uint32_t point, int64_t shown_ns)
{
    for (uint32_t i = casebook->clock_setting_count; i-- > 0;) {
        const struct clock_setting *setting = &casebook->clock_settings[i];
        if (setting->point == point && is_after_setting(casebook, setting, shown_ns))
            shown_ns -= setting->by_ns;
    }
    return shown_ns;
}

static int64_t source_moment_ns(const struct casebook *casebook, const struct moment *moment)
{
    enum capture_role role = casebook->evidence.sources[moment_source(moment)].role;
    for (uint32_t i = 0; role != CAPTURE_ROLE_UNKNOWN && i < casebook->point_count; i++)
        if (casebook->points[i].role == role)
            return casebook_common_ns(casebook, i, never_set_ns(casebook, i, moment->time_ns));
    return moment->time_ns;
}

int64_t casebook_moment_ns(const struct casebook *casebook, const struct moment *moment)
{
    if (moment_is_in_source(moment))
        return source_moment_ns(casebook, moment);
    bool known = moment->capture < casebook->capture_count;
    return known ? casebook_common_ns(casebook, casebook->captures[moment->capture].point, moment->time_ns)
                 : moment->time_ns;
}

const struct conversation *casebook_standing_view(const struct casebook *casebook, const struct conversation *c)
{
    return c->secondary ? casebook_conversation(casebook, c->twin - 1) : c;
}

const struct conversation *casebook_view_at(const struct casebook *casebook, const struct conversation *conversation,
                                            uint32_t point)
{
    const struct conversation *view = casebook_standing_view(casebook, conversation);
    while (view->point != point && view->next_view)
        view = casebook_conversation(casebook, view->next_view - 1);
    return view->point == point ? view : NULL;
}
