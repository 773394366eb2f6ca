/* Domain controllers: the conversations that machines with a SQL Server open to the ports of one. */
#include "domain_controllers.h"

#include <stdlib.h>
#include <string.h>

#include "casebook.h"
#include "memory.h"

const uint16_t controller_ports[CONTROLLER_SERVICES] = {
    [CONTROLLER_KERBEROS] = 88, [CONTROLLER_RPC] = 135,      [CONTROLLER_LDAP] = 389,      [CONTROLLER_SMB] = 445,
    [CONTROLLER_LDAPS] = 636,   [CONTROLLER_CATALOG] = 3268, [CONTROLLER_CATALOGS] = 3269,
};

static int compare_addresses(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct address));
}

static int compare_controllers(const void *left, const void *right)
{
    const struct domain_controller *a = left, *b = right;
    int order = compare_addresses(&a->machine, &b->machine);
    return order != 0 ? order : compare_addresses(&a->controller, &b->controller);
}

struct machines {
    struct address *list;
    size_t count;
};

/* One pass over all conversations: machines with a SQL Server, and who goes to a port of a domain controller. */
struct seen {
    struct machines machines;
    uint32_t *to_controllers; /* numbers of conversations */
    uint32_t count, capacity;
};

static unsigned service_of(uint16_t port)
{
    unsigned service = 0;
    while (service < CONTROLLER_SERVICES && controller_ports[service] != port)
        service++;
    return service;
}

static void see(struct seen *seen, const struct conversation *c, uint32_t number)
{
    struct machines *machines = &seen->machines;
    const struct address *server = &c->ends[SIDE_SERVER].address;
    if (c->tds && (machines->count == 0 || !address_equal(&machines->list[machines->count - 1], server)))
        machines->list[machines->count++] = *server;
    if (service_of(c->ends[SIDE_SERVER].port) == CONTROLLER_SERVICES)
        return;
    if (seen->count == seen->capacity) {
        seen->capacity = seen->capacity ? seen->capacity * 2 : 64;
        seen->to_controllers = memory_grow(seen->to_controllers, seen->capacity, sizeof *seen->to_controllers);
    }
    seen->to_controllers[seen->count++] = number;
}

static struct seen see_all(const struct casebook *casebook)
{
    uint32_t all = casebook_conversations(casebook);
    struct seen seen = {.machines = {memory_take_array((size_t)all + 1, sizeof(struct address)), 0}};
    for (uint32_t number = 0; number < all; number++)
        see(&seen, casebook_conversation(casebook, number), number);
    if (seen.machines.count > 0)
        qsort(seen.machines.list, seen.machines.count, sizeof *seen.machines.list, compare_addresses);
    return seen;
}

static bool has_machine(const struct machines *machines, const struct address *address)
{
    return machines->count > 0 &&
           bsearch(address, machines->list, machines->count, sizeof *machines->list, compare_addresses) != NULL;
}

static void add_wait(struct controller_service_facts *facts, const struct moment *asked, const struct moment *answered)
{
    if (!moment_seen(asked) || !moment_seen(answered) || answered->time_ns < asked->time_ns)
        return;
    int64_t wait_ns = answered->time_ns - asked->time_ns;
    if (facts->waits++ > 0 && wait_ns <= facts->slowest_ns)
        return;
    facts->slowest_ns = wait_ns;
    facts->slowest = *asked;
}

static void add_conversation(struct controller_service_facts *facts, const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    facts->conversations++;
    if (c->ending == ENDING_REFUSED || c->ending == ENDING_NO_ANSWER)
        facts->failed++;
    add_wait(facts, &client->syn, &server->syn);
    const struct service_facts *service = c->service;
    if (!service || service->turns == 0)
        return;
    struct moment answered = service->slowest_asked;
    answered.time_ns += service->slowest_ns;
    add_wait(facts, &service->slowest_asked, &answered);
}

static void add_ticket(struct controller_service_facts *facts, const struct ticket_request *ticket)
{
    facts->requests++;
    if (exchange_open(&ticket->exchange))
        facts->failed++;
    add_wait(facts, &ticket->exchange.asked, &ticket->exchange.answered);
}

static void merge(struct controller_service_facts *into, const struct controller_service_facts *from)
{
    into->conversations += from->conversations;
    into->requests += from->requests;
    into->failed += from->failed;
    if (from->waits > 0 && (into->waits == 0 || from->slowest_ns > into->slowest_ns)) {
        into->slowest_ns = from->slowest_ns;
        into->slowest = from->slowest;
    }
    into->waits += from->waits;
}

/* A record for each conversation and ticket, not merged yet. */
static void collect(struct domain_controllers *found, const struct casebook *casebook, const struct seen *seen)
{
    const struct machines *machines = &seen->machines;
    found->list = memory_take_array((size_t)seen->count + casebook->tickets.in_use + 1, sizeof *found->list);
    for (uint32_t i = 0; i < seen->count; i++) {
        const struct conversation *c = casebook_conversation(casebook, seen->to_controllers[i]);
        if (!has_machine(machines, &c->ends[SIDE_CLIENT].address))
            continue;
        struct domain_controller *controller = &found->list[found->count++];
        controller->machine = c->ends[SIDE_CLIENT].address;
        controller->controller = c->ends[SIDE_SERVER].address;
        add_conversation(&controller->services[service_of(c->ends[SIDE_SERVER].port)], c);
    }
    for (uint32_t number = 0; number < casebook->tickets.in_use; number++) {
        const struct ticket_request *ticket = casebook_ticket(casebook, number);
        if (!has_machine(machines, &ticket->exchange.client.address))
            continue;
        struct domain_controller *controller = &found->list[found->count++];
        controller->machine = ticket->exchange.client.address;
        controller->controller = ticket->exchange.server.address;
        add_ticket(&controller->services[CONTROLLER_KERBEROS], ticket);
    }
}

/* A file server speaks SMB and RPC, too. */
static bool is_controller(const struct domain_controller *controller)
{
    static const enum controller_service telling[] = {CONTROLLER_KERBEROS, CONTROLLER_LDAP, CONTROLLER_LDAPS,
                                                      CONTROLLER_CATALOG, CONTROLLER_CATALOGS};
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
        if (controller->services[telling[i]].conversations > 0 || controller->services[telling[i]].requests > 0)
            return true;
    return false;
}

void domain_controllers_open(struct domain_controllers *controllers, const struct casebook *casebook)
{
    *controllers = (struct domain_controllers){0};
    struct seen seen = see_all(casebook);
    if (seen.machines.count > 0)
        collect(controllers, casebook, &seen);
    memory_give(seen.machines.list);
    memory_give(seen.to_controllers);
    struct domain_controller *list = controllers->list;
    if (controllers->count > 0)
        qsort(list, controllers->count, sizeof *list, compare_controllers);
    uint32_t kept = 0;
    for (uint32_t begin = 0, end; begin < controllers->count; begin = end) {
        struct domain_controller merged = list[begin];
        for (end = begin + 1; end < controllers->count && compare_controllers(&merged, &list[end]) == 0; end++)
            for (unsigned service = 0; service < CONTROLLER_SERVICES; service++)
                merge(&merged.services[service], &list[end].services[service]);
        if (is_controller(&merged))
            list[kept++] = merged;
    }
    controllers->count = kept;
}

bool domain_controllers_have(const struct domain_controllers *controllers, const struct address *machine,
                             const struct address *controller)
{
    const struct domain_controller wanted = {.machine = *machine, .controller = *controller};
    return controllers->count > 0 && bsearch(&wanted, controllers->list, controllers->count, sizeof *controllers->list,
                                             compare_controllers) != NULL;
}

void domain_controllers_close(struct domain_controllers *controllers)
{
    memory_give(controllers->list);
    *controllers = (struct domain_controllers){0};
}
