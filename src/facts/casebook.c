/* The casebook: storage of facts. */
#include "casebook.h"

#include "memory.h"

void casebook_open(struct casebook *casebook)
{
    *casebook = (struct casebook){0};
    slab_open(&casebook->conversations, sizeof(struct conversation));
    slab_open(&casebook->tds, sizeof(struct tds_facts));
    slab_open(&casebook->tls, sizeof(struct tls_facts));
    certificate_store_open(&casebook->certificates);
    slab_open(&casebook->services, sizeof(struct service_facts));
    slab_open(&casebook->comparisons, sizeof(struct comparison));
    slab_open(&casebook->name_lookups, sizeof(struct name_lookup));
    slab_open(&casebook->instance_lookups, sizeof(struct instance_lookup));
    slab_open(&casebook->tickets, sizeof(struct ticket_request));
}

void casebook_close(struct casebook *casebook)
{
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        notes_close(&casebook->captures[i].notes);
        memory_give(casebook->captures[i].file);
    }
    memory_give(casebook->captures);
    memory_give(casebook->points);
    notes_close(&casebook->unread);
    slab_close(&casebook->conversations);
    slab_close(&casebook->tds);
    slab_close(&casebook->tls);
    certificate_store_close(&casebook->certificates);
    slab_close(&casebook->services);
    slab_close(&casebook->comparisons);
    slab_close(&casebook->name_lookups);
    slab_close(&casebook->instance_lookups);
    slab_close(&casebook->tickets);
    joins_close(&casebook->joins);
    domain_controllers_close(&casebook->domain_controllers);
    controller_waits_close(&casebook->controller_waits);
    arena_close(&casebook->texts);
}

struct conversation *casebook_add_conversation(struct casebook *casebook)
{
    uint32_t number = slab_take(&casebook->conversations);
    struct conversation *conversation = slab_at(&casebook->conversations, number);
    conversation->id = number + 1;
    return conversation;
}

struct tds_facts *casebook_add_tds(struct casebook *casebook)
{
    uint32_t number = slab_take(&casebook->tds);
    struct tds_facts *tds = slab_at(&casebook->tds, number);
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
    uint32_t number = slab_take(&casebook->tls);
    struct tls_facts *tls = slab_at(&casebook->tls, number);
    tls->number = number;
    return tls;
}

void casebook_drop_tds(struct casebook *casebook, struct tds_facts *tds)
{
    if (!tds)
        return;
    casebook_drop_tls(casebook, tds->tls);
    slab_give(&casebook->tds, tds->number);
}

void casebook_drop_tls(struct casebook *casebook, struct tls_facts *tls)
{
    if (tls)
        slab_give(&casebook->tls, tls->number);
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
            notes_add(&casebook->captures[at->capture].notes, kind,
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
    domain_controllers_open(&casebook->domain_controllers, casebook);
    controller_waits_open(&casebook->controller_waits, casebook);
}

uint32_t casebook_only_point(const struct casebook *casebook, enum capture_role role)
{
    uint32_t found = NO_POINT;
    for (uint32_t i = 0; i < casebook->point_count; i++) {
        if (casebook->points[i].role != role || !casebook->points[i].has_packets)
            continue;
        if (found != NO_POINT)
            return NO_POINT;
        found = i;
    }
    return found;
}
