/* Lookups that lie just before a SYN, taken together. */
#include "name_waits.h"

#include <string.h>

/* A program connects as soon as it has the address. */
#define AT_ONCE_NS (200 * NS_PER_MS)

/* A resolver waits this long for the answer to its last try: 5 s in Linux (resolv.conf(5)), up to 4 s in Windows. Neighbours
 * answer at once or never (RFC 4795, 7; RFC 6762, 6). */
#define GIVES_UP_NS (6 * NS_PER_SECOND)
#define GIVES_UP_NEARBY_NS NS_PER_SECOND

/* More questions of one client than this within its patience are not looked through. */
enum { QUESTIONS_LOOKED_THROUGH = 256 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The length of a name up to its first dot. A server name may go on with an instance ("\") or a port (","). */
static size_t label_length(const char *name)
{
    return strcspn(name, ".\\,:");
}

/* Resolvers try a short name with each of their suffixes (RFC 1123, 6.1.4.3): the first label stays. */
static bool same_label(const char *a, const char *b)
{
    size_t length = label_length(a);
    if (length == 0 || label_length(b) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

static bool is_address(const char *name)
{
    return name[strspn(name, "0123456789.,")] == '\0' || strchr(name, '[') || strncmp(name, "tcp:", 4) == 0;
}

/* What the client believes to connect to, as far as its login says so in clear. */
static const char *name_of(const struct casebook *casebook, const struct conversation *c)
{
    const char *said = c->tds && c->tds->server_name ? c->tds->server_name
                       : c->tds && c->tds->tls       ? c->tds->tls->server_name
                                                     : NULL;
    if (said && !is_address(said))
        return said;
    const struct name_lookup *lookup = casebook_name_lookup_for(casebook, c);
    return lookup ? lookup->name : NULL;
}

static int64_t ends_ns(const struct name_lookup *lookup)
{
    const struct exchange_facts *exchange = &lookup->exchange;
    if (moment_seen(&exchange->answered))
        return exchange->answered.time_ns;
    return exchange->last_asked.time_ns + (lookup->service == NAME_SERVICE_DNS ? GIVES_UP_NS : GIVES_UP_NEARBY_NS);
}

static void add(struct name_wait *wait, const struct name_lookup *lookup)
{
    if (!wait->last)
        wait->last = lookup;
    wait->first = lookup;
    wait->tries += lookup->exchange.tries;
    if (!moment_seen(&lookup->exchange.answered))
        wait->unanswered++;
    else if (lookup->rcode != 0)
        wait->refused++;
}

/* When the client had its address and turned to the server, by its SYN or by asking SQL Server Browser for the port. */
static int64_t connects_ns(const struct casebook *casebook, const struct conversation *c)
{
    const struct instance_lookup *instance = casebook_instance_lookup_for(casebook, c);
    return instance && moment_seen(&instance->exchange.asked) ? instance->exchange.asked.time_ns
                                                              : c->sides[SIDE_CLIENT].syn.time_ns;
}

struct name_wait casebook_name_wait_for(const struct casebook *casebook, const struct conversation *c)
{
    struct name_wait wait = {0};
    const char *name = name_of(casebook, c);
    if (!name || !moment_seen(&c->sides[SIDE_CLIENT].syn))
        return wait;
    const struct joins *joins = &casebook->joins;
    const struct address *client = &c->ends[SIDE_CLIENT].address;
    int64_t to_ns = connects_ns(casebook, c), from_ns = to_ns;
    uint32_t at = joins_asked_until(joins, client, to_ns), looked = 0;
    for (; at > 0 && looked < QUESTIONS_LOOKED_THROUGH; at--, looked++) {
        const struct join *join = &joins->questions.list[at - 1];
        const struct name_lookup *lookup = casebook_name_lookup(casebook, join->number);
        const struct exchange_facts *exchange = &lookup->exchange;
        if (!address_equal(&join->client, client) || to_ns - join->at_ns > EXCHANGE_PATIENCE_NS)
            break;
        if (!lookup->name || exchange->point != c->point || !same_label(name, lookup->name))
            continue;
        if (moment_seen(&exchange->answered) && exchange->answered.time_ns > to_ns)
            continue; /* it did not wait for this one */
        if (ends_ns(lookup) < from_ns - AT_ONCE_NS)
            continue;
        add(&wait, lookup);
        from_ns = exchange->asked.time_ns;
    }
    wait.wait_ns = to_ns - from_ns;
    return wait;
}

bool name_waits_concern(const void *casebook, const struct conversation *c)
{
    return casebook_name_wait_for(casebook, c).wait_ns >= PLAIN_WAIT_NS;
}
