/* Lookups, tickets and domain controllers as JSON, one at a time. */
#include "json_around.h"

#include "around_names.h"
#include "json_conversation.h"

static void add_moment(json_t *object, const char *key, const struct moment *moment)
{
    if (!moment_seen(moment))
        return;
    json_t *entry = json_new_object();
    object_add_count(entry, "capture", moment->capture);
    object_add_count(entry, "frame", moment->frame);
    object_add_time(entry, "time", moment->time_ns);
    object_add(object, key, entry);
}

static void add_refusal(json_t *object, const struct icmp_facts *icmp)
{
    if (icmp->count == 0)
        return;
    char address[ADDRESS_TEXT_SIZE];
    json_t *entry = json_new_object();
    object_add_count(entry, "count", icmp->count);
    object_add_count(entry, "icmp_version", icmp->version);
    object_add_count(entry, "type", icmp->type);
    object_add_count(entry, "code", icmp->code);
    object_add_text(entry, "reporter", address_text(&icmp->reporter, address));
    add_moment(entry, "first", &icmp->first);
    object_add(object, "refused", entry);
}

static json_t *exchange_object(const struct exchange_facts *e)
{
    json_t *object = json_new_object();
    object_add_count(object, "id", e->id);
    object_add_text(object, "over", e->over_tcp ? "tcp" : "udp");
    object_add(object, "client", json_endpoint(&e->client));
    object_add(object, "server", json_endpoint(&e->server));
    object_add_count(object, "tries", e->tries);
    object_add_count(object, "answers", e->answers);
    add_moment(object, "asked", &e->asked);
    if (e->tries > 1)
        add_moment(object, "last_asked", &e->last_asked);
    add_moment(object, "answered", &e->answered);
    object_add_seconds(object, "wait_s", exchange_wait_ns(e));
    add_refusal(object, &e->refusal);
    return object;
}

static void add_addresses(json_t *object, const struct name_lookup *lookup)
{
    if (lookup->address_count == 0)
        return;
    char address[ADDRESS_TEXT_SIZE];
    json_t *list = json_new_array();
    for (unsigned i = 0; i < lookup->address_count; i++)
        array_add_text(list, address_text(&lookup->addresses[i], address));
    object_add(object, "addresses", list);
    if (lookup->addresses_beyond > 0)
        object_add_count(object, "addresses_beyond", lookup->addresses_beyond);
    object_add_count(object, "ttl_s", lookup->ttl_s);
}

static json_t *name_lookup_object(const struct casebook *casebook, uint32_t number)
{
    const struct name_lookup *lookup = casebook_name_lookup(casebook, number);
    char name[AROUND_NAME_SIZE];
    json_t *object = exchange_object(&lookup->exchange);
    object_add_text(object, "service", name_service_name(lookup->service));
    object_add_count(object, "transaction", lookup->transaction);
    object_add_text(object, "name", lookup->name);
    if (lookup->name)
        object_add_text(object, "type", dns_type_name(lookup->type, name));
    if (lookup->opcode != 0)
        object_add_text(object, "opcode", dns_opcode_name(lookup->opcode, name));
    if (lookup->exchange.answers == 0)
        return object;
    object_add_text(object, "rcode", dns_rcode_name(lookup->rcode, name));
    if (lookup->truncated)
        object_add_flag(object, "truncated", true);
    add_addresses(object, lookup);
    return object;
}

static json_t *instances_array(const struct instance_lookup *lookup)
{
    json_t *list = json_new_array();
    for (const struct instance_facts *i = lookup->instances; i; i = i->next) {
        char address[ADDRESS_TEXT_SIZE];
        json_t *entry = json_new_object();
        object_add_text(entry, "address", address_text(&i->server, address));
        object_add_text(entry, "server_name", i->server_name);
        object_add_text(entry, "name", i->name);
        object_add_text(entry, "version", i->version);
        if (i->tcp_port != 0)
            object_add_count(entry, "tcp_port", i->tcp_port);
        object_add_text(entry, "pipe", i->pipe);
        object_add_flag(entry, "clustered", i->clustered);
        array_add(list, entry);
    }
    return list;
}

static json_t *instance_lookup_object(const struct casebook *casebook, uint32_t number)
{
    const struct instance_lookup *lookup = casebook_instance_lookup(casebook, number);
    json_t *object = exchange_object(&lookup->exchange);
    object_add_text(object, "question", instance_question_name(lookup->question));
    object_add_text(object, "instance", lookup->instance);
    if (lookup->exchange.answers == 0)
        return object;
    if (lookup->dac_port != 0)
        object_add_count(object, "dac_port", lookup->dac_port);
    else
        object_add(object, "instances", instances_array(lookup));
    if (lookup->instances_beyond > 0)
        object_add_count(object, "instances_beyond", lookup->instances_beyond);
    if (lookup->answer_cut)
        object_add_flag(object, "answer_cut", true);
    return object;
}

static json_t *ticket_object(const struct casebook *casebook, uint32_t number)
{
    const struct ticket_request *ticket = casebook_ticket(casebook, number);
    char name[AROUND_NAME_SIZE];
    json_t *object = exchange_object(&ticket->exchange);
    object_add_text(object, "kind", ticket_kind_name(ticket->kind));
    object_add_text(object, "spn", ticket->service);
    object_add_text(object, "realm", ticket->realm);
    object_add_text(object, "client_name", ticket->client_name);
    if (ticket->failed) {
        json_t *error = json_new_object();
        object_add(error, "code", json_integer(ticket->error_code));
        object_add_text(error, "name", kerberos_error_name(ticket->error_code, name));
        object_add_text(error, "text", ticket->error_text);
        object_add(object, "error", error);
    }
    if (ticket->retried_over_tcp)
        object_add_flag(object, "retried_over_tcp", true);
    return object;
}

static json_t *controller_object(const struct casebook *casebook, uint32_t number)
{
    const struct domain_controller *controller = &casebook->domain_controllers.list[number];
    char address[ADDRESS_TEXT_SIZE];
    json_t *object = json_new_object();
    object_add_text(object, "sql_server", address_text(&controller->machine, address));
    object_add_text(object, "controller", address_text(&controller->controller, address));
    json_t *services = json_new_array();
    for (unsigned i = 0; i < CONTROLLER_SERVICES; i++) {
        const struct controller_service_facts *facts = &controller->services[i];
        if (facts->conversations == 0 && facts->requests == 0)
            continue;
        json_t *entry = json_new_object();
        object_add_text(entry, "service", controller_service_name((enum controller_service)i));
        object_add_count(entry, "port", controller_ports[i]);
        object_add_count(entry, "conversations", facts->conversations);
        object_add_count(entry, "requests", facts->requests);
        object_add_count(entry, "failed", facts->failed);
        if (facts->waits > 0) {
            object_add_seconds(entry, "slowest_s", facts->slowest_ns);
            add_moment(entry, "slowest", &facts->slowest);
        }
        array_add(services, entry);
    }
    object_add(object, "services", services);
    return object;
}

static void write_list(const char *key, const struct casebook *casebook, uint32_t count,
                       json_t *(*object)(const struct casebook *, uint32_t), struct sink *sink)
{
    if (count == 0)
        return;
    sink_format(sink, "\"%s\":[\n", key);
    for (uint32_t number = 0; number < count && !sink->failed; number++) {
        sink_put(sink, number ? ",\n" : "");
        json_write(object(casebook, number), false, sink);
    }
    sink_put(sink, "\n],\n");
}

void json_around(const struct casebook *casebook, struct sink *sink)
{
    write_list("name_lookups", casebook, casebook->name_lookups.in_use, name_lookup_object, sink);
    write_list("instance_lookups", casebook, casebook->instance_lookups.in_use, instance_lookup_object, sink);
    write_list("tickets", casebook, casebook->tickets.in_use, ticket_object, sink);
    write_list("domain_controllers", casebook, casebook->domain_controllers.count, controller_object, sink);
}

void json_add_joins(json_t *object, const struct casebook *casebook, const struct conversation *conversation)
{
    const struct name_lookup *name = casebook_name_lookup_for(casebook, conversation);
    if (name) {
        object_add_text(object, "server_name_asked", name->name);
        object_add_count(object, "name_lookup", name->exchange.id);
    }
    const struct instance_lookup *instance = casebook_instance_lookup_for(casebook, conversation);
    if (instance) {
        object_add_text(object, "instance_asked", instance->instance);
        object_add_count(object, "instance_lookup", instance->exchange.id);
    }
    if (conversation->service && conversation->service->pipe)
        object_add_text(object, "named_pipe", conversation->service->pipe);
}
