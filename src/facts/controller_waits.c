/* Waits for domain controllers, gathered from the conversations with them and from requests for tickets. */
#include "controller_waits.h"

#include <stdlib.h>
#include <string.h>

#include "casebook.h"
#include "memory.h"
#include "sorted.h"

/* A controller answers in milliseconds. Shorter waits than this explain no login that anybody would call slow. */
#define NOTICED_NS (NS_PER_SECOND / 2)

/* Of one conversation: to connect, the slowest answer, and one that never came. */
enum { WAITS_OF_A_CONVERSATION = 3 };

static void add(struct controller_waits *waits, struct controller_wait wait)
{
    if (moment_seen(&wait.asked) && wait.until_ns - wait.asked.time_ns >= NOTICED_NS)
        waits->list[waits->count++] = wait;
}

/* Who asked last and got nothing; the ports that RPC hands out have no facts of a service. */
static struct moment open_question(const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    if (c->service)
        return c->service->open_since;
    bool open = moment_seen(&client->last_data) && server->last_data.time_ns < client->last_data.time_ns &&
                !client->last_data_answered;
    return open ? client->last_data : (struct moment){0};
}

static void add_conversation(struct controller_waits *waits, const struct conversation *c)
{
    const struct tcp_side *client = &c->sides[SIDE_CLIENT], *server = &c->sides[SIDE_SERVER];
    struct controller_wait wait = {.machine = c->ends[SIDE_CLIENT].address,
                                   .controller = c->ends[SIDE_SERVER].address,
                                   .port = c->ends[SIDE_SERVER].port};
    wait.asked = client->syn;
    wait.until_ns = moment_seen(&server->syn) ? server->syn.time_ns : INT64_MAX;
    add(waits, wait);
    if (c->service && c->service->turns > 0) {
        wait.asked = c->service->slowest_asked;
        wait.until_ns = wait.asked.time_ns + c->service->slowest_ns;
        add(waits, wait);
    } else if (!c->service && server->last_data.time_ns > client->last_data.time_ns) {
        wait.asked = client->last_data;
        wait.until_ns = server->last_data.time_ns;
        add(waits, wait);
    }
    wait.asked = open_question(c);
    wait.until_ns = INT64_MAX;
    add(waits, wait);
}

static void add_ticket(struct controller_waits *waits, const struct exchange_facts *exchange)
{
    struct controller_wait wait = {.machine = exchange->client.address,
                                   .controller = exchange->server.address,
                                   .port = exchange->server.port,
                                   .asked = exchange->asked,
                                   .until_ns = INT64_MAX};
    if (moment_seen(&exchange->answered))
        wait.until_ns = exchange->answered.time_ns;
    add(waits, wait);
}

static int compare(const void *left, const void *right)
{
    const struct controller_wait *a = left, *b = right;
    int order = memcmp(&a->machine, &b->machine, sizeof a->machine);
    return order != 0 ? order : (a->asked.time_ns > b->asked.time_ns) - (a->asked.time_ns < b->asked.time_ns);
}

void controller_waits_open(struct controller_waits *waits, const struct casebook *casebook)
{
    *waits = (struct controller_waits){0};
    if (casebook->domain_controllers.count == 0)
        return;
    size_t most = (size_t)casebook_conversations(casebook) * WAITS_OF_A_CONVERSATION + casebook->tickets.in_use;
    waits->list = memory_take_array(most + 1, sizeof *waits->list);
    for (uint32_t number = 0; number < casebook_conversations(casebook); number++) {
        const struct conversation *c = casebook_conversation(casebook, number);
        if (!c->tds && domain_controllers_have(&casebook->domain_controllers, &c->ends[SIDE_CLIENT].address,
                                               &c->ends[SIDE_SERVER].address))
            add_conversation(waits, c);
    }
    for (uint32_t number = 0; number < casebook->tickets.in_use; number++) {
        const struct exchange_facts *exchange = &casebook_ticket(casebook, number)->exchange;
        if (domain_controllers_have(&casebook->domain_controllers, &exchange->client.address,
                                    &exchange->server.address))
            add_ticket(waits, exchange);
    }
    if (waits->count > 0)
        qsort(waits->list, waits->count, sizeof *waits->list, compare);
}

void controller_waits_close(struct controller_waits *waits)
{
    memory_give(waits->list);
    *waits = (struct controller_waits){0};
}

const struct controller_wait *controller_waits_within(const struct controller_waits *waits,
                                                      const struct address *machine, int64_t from_ns, int64_t to_ns)
{
    int64_t longest_ns = (to_ns - from_ns) / 2;
    const struct controller_wait wanted = {.machine = *machine, .asked = {.time_ns = from_ns}};
    const struct controller_wait *longest = NULL;
    for (uint32_t i = sorted_place(&wanted, waits->list, waits->count, sizeof *waits->list, compare); i < waits->count;
         i++) {
        const struct controller_wait *wait = &waits->list[i];
        if (!address_equal(&wait->machine, machine) || wait->asked.time_ns > to_ns)
            break;
        int64_t common_ns = (wait->until_ns < to_ns ? wait->until_ns : to_ns) - wait->asked.time_ns;
        if (common_ns < longest_ns)
            continue;
        longest_ns = common_ns;
        longest = wait;
    }
    return longest;
}
