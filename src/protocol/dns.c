/* Name lookups: DNS over UDP and TCP (RFC 1035, 4.2), LLMNR (RFC 4795) and mDNS (RFC 6762) over UDP. */
#include <string.h>

#include "dns_message.h"
#include "exchange_index.h"
#include "framed_stream.h"
#include "memory.h"
#include "protocol.h"

enum { PORT_DNS = 53, PORT_MDNS = 5353, PORT_LLMNR = 5355 };

/* Questions and first answers of a message over TCP; streams together. */
enum { MESSAGE_HELD = 4096, STREAMS_HELD = 16 * 1024 * 1024 };

/*
 * Theory of operation: an answer is joined to its question by its ends and its transaction number, LLMNR's by the client's
 * end alone (it asks a group), mDNS's by the name (it has no numbers). `asked` knows the latest lookup of each such key.
 */
struct dns_lookups {
    struct casebook *casebook;
    uint32_t point;
    struct exchange_index by_ends;
    struct hash_index asked; /* opened with the first lookup */
    struct held_bytes held;
    struct text name; /* of the message under way */
};

/* A message, and who sends it to whom. */
struct dns_call {
    struct dns_message message;
    enum name_service service;
    bool over_tcp;
    struct endpoint client, server;
    struct moment at;
};

static uint8_t lower(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Names have no case (2.3.3), and clients vary it against forged answers. */
static bool names_equal(const char *a, const char *b)
{
    for (; *a && lower(*a) == lower(*b); a++)
        b++;
    return *a == *b;
}

static uint32_t hash_name(const char *name)
{
    uint32_t hash = 0;
    for (; *name; name++)
        hash = (hash ^ lower(*name)) * 16777619u;
    return hash;
}

static uint32_t hash_of(const struct dns_lookups *d, const struct dns_call *call)
{
    uint32_t key[2 + sizeof(struct endpoint) / 2] = {call->service};
    key[1] = call->service == NAME_SERVICE_MDNS ? hash_name(text_string(&d->name)) : call->message.transaction;
    if (call->service == NAME_SERVICE_MDNS)
        return hash_bytes(key, sizeof key);
    key[0] |= (uint32_t)call->client.port << 16;
    key[2] = hash_bytes(&call->client.address, sizeof call->client.address);
    if (call->service == NAME_SERVICE_DNS)
        key[3] = hash_bytes(&call->server.address, sizeof call->server.address) + call->server.port;
    return hash_bytes(key, sizeof key);
}

static bool has_key(const struct dns_lookups *d, const struct name_lookup *lookup, const struct dns_call *call)
{
    const struct exchange_facts *e = &lookup->exchange;
    if (lookup->service != call->service || e->over_tcp != call->over_tcp)
        return false;
    if (call->service == NAME_SERVICE_MDNS)
        return lookup->name && names_equal(lookup->name, text_string(&d->name)) && lookup->type == call->message.type;
    if (lookup->transaction != call->message.transaction || !endpoint_equal(&e->client, &call->client))
        return false;
    return call->service == NAME_SERVICE_LLMNR || endpoint_equal(&e->server, &call->server);
}

static uint32_t find(const struct dns_lookups *d, uint32_t hash, const struct dns_call *call)
{
    if (!d->asked.slots)
        return HASH_NONE;
    struct hash_probe probe = hash_index_probe(&d->asked, hash);
    for (uint32_t number; (number = hash_probe_next(&probe)) != HASH_NONE;)
        if (has_key(d, casebook_name_lookup(d->casebook, number), call))
            return number;
    return HASH_NONE;
}

/* What was not captured does not speak against it; what is no query (1.2 of RFC 6895) may be answered in other words. */
static bool asks_the_same(const struct dns_lookups *d, const struct name_lookup *lookup, const struct dns_call *call)
{
    if (!lookup->name || !call->message.name_known || call->message.opcode != 0)
        return true;
    return lookup->type == call->message.type && names_equal(lookup->name, text_string(&d->name));
}

/* Takes the place of old, which no message can reach any more. NULL: there are too many. */
static struct name_lookup *add(struct dns_lookups *d, uint32_t hash, uint32_t old, const struct dns_call *call)
{
    struct name_lookup *lookup = casebook_add_name_lookup(d->casebook, d->point, &call->at);
    if (!lookup)
        return NULL;
    lookup->service = call->service;
    lookup->transaction = call->message.transaction;
    lookup->opcode = call->message.opcode;
    lookup->exchange.over_tcp = call->over_tcp;
    lookup->exchange.client = call->client;
    lookup->exchange.server = call->server;
    if (call->message.name_known) {
        lookup->name = arena_copy_text(&d->casebook->texts, text_string(&d->name), d->name.size);
        lookup->type = call->message.type;
    }
    if (!d->asked.slots)
        hash_index_open(&d->asked);
    if (old != HASH_NONE)
        hash_index_remove(&d->asked, hash, old);
    hash_index_add(&d->asked, hash, lookup->exchange.id - 1);
    if (call->service == NAME_SERVICE_DNS)
        exchange_index_add(&d->by_ends, lookup->exchange.id - 1);
    return lookup;
}

static void take_question(struct dns_lookups *d, const struct dns_call *call)
{
    uint32_t hash = hash_of(d, call), number = find(d, hash, call);
    struct name_lookup *lookup = number == HASH_NONE ? NULL : casebook_name_lookup(d->casebook, number);
    if (!lookup || !exchange_awaits(&lookup->exchange, &call->at) || !asks_the_same(d, lookup, call))
        lookup = add(d, hash, number, call);
    if (lookup)
        exchange_asked(&lookup->exchange, &call->at);
}

static void fill_answer(struct name_lookup *lookup, const struct dns_call *call)
{
    const struct dns_message *m = &call->message;
    lookup->rcode = m->rcode;
    lookup->truncated = m->truncated;
    lookup->address_count = m->address_count;
    lookup->addresses_beyond = m->addresses_beyond;
    memcpy(lookup->addresses, m->addresses, sizeof lookup->addresses);
    lookup->ttl_s = m->ttl_s;
    lookup->exchange.server = call->server;
}

static void take_answer(struct dns_lookups *d, const struct dns_call *call)
{
    uint32_t hash = hash_of(d, call), number = find(d, hash, call);
    struct name_lookup *lookup = number == HASH_NONE ? NULL : casebook_name_lookup(d->casebook, number);
    if (!lookup && call->service == NAME_SERVICE_MDNS)
        return; /* an announcement */
    if (!lookup || !asks_the_same(d, lookup, call))
        lookup = add(d, hash, number, call);
    if (!lookup)
        return;
    exchange_answered(&lookup->exchange, &call->at);
    if (lookup->exchange.answers == 1)
        fill_answer(lookup, call);
}

static void take_message(struct dns_lookups *d, struct dns_call *call)
{
    if (call->message.answer)
        take_answer(d, call);
    else
        take_question(d, call);
}

static void *dns_open(struct casebook *casebook, uint32_t point)
{
    struct dns_lookups *d = memory_take(sizeof *d);
    d->casebook = casebook;
    d->point = point;
    d->by_ends.exchanges = &casebook->name_lookups;
    d->held.most = STREAMS_HELD;
    return d;
}

static void dns_close(void *state)
{
    struct dns_lookups *d = state;
    exchange_index_close(&d->by_ends);
    if (d->asked.slots)
        hash_index_close(&d->asked);
    text_close(&d->name);
    memory_give(d);
}

static enum name_service service_of(const struct datagram *g)
{
    if (g->source.port == PORT_MDNS || g->destination.port == PORT_MDNS)
        return NAME_SERVICE_MDNS;
    if (g->source.port == PORT_LLMNR || g->destination.port == PORT_LLMNR)
        return NAME_SERVICE_LLMNR;
    return NAME_SERVICE_DNS;
}

static void dns_datagram(void *state, const struct datagram *g)
{
    struct dns_lookups *d = state;
    struct dns_call call = {.service = service_of(g), .at = g->at};
    if (!dns_read(g->payload, &d->name, &call.message))
        return;
    call.client = call.message.answer ? g->destination : g->source;
    call.server = call.message.answer ? g->source : g->destination;
    take_message(d, &call);
}

static void dns_refused(void *state, const struct datagram_refusal *refusal)
{
    struct dns_lookups *d = state;
    exchange_index_refuse(&d->by_ends, refusal);
}

static void take_framed(void *context, struct span beginning, uint32_t length, const struct moment *at)
{
    struct framed_stream *f = context;
    struct dns_lookups *d = f->context;
    struct dns_call call = {.service = NAME_SERVICE_DNS, .over_tcp = true, .at = *at};
    (void)length;
    if (!dns_read(beginning, &d->name, &call.message))
        return;
    const struct endpoint *ends = f->stream->conversation->ends;
    enum side client = call.message.answer ? side_other(f->side) : f->side;
    call.client = ends[client];
    call.server = ends[side_other(client)];
    take_message(d, &call);
}

static const struct framing framing = {
    .prefix_bytes = 2,
    .length_mask = 0xffff,
    .shortest = DNS_HEADER,
    .longest = 0xffff,
    .held_most = MESSAGE_HELD,
    .sample = DNS_HEADER,
    .plausible = dns_plausible,
    .message = take_framed,
};

static void dns_data(void *context, struct stream *stream, enum side side, struct span bytes, const struct moment *at)
{
    struct dns_lookups *d = context;
    framed_stream_data(framed_stream_of(stream, &framing, &d->held, d), side, bytes, at);
}

static void dns_gap(void *context, struct stream *stream, enum side side, uint64_t size, const struct moment *at)
{
    struct dns_lookups *d = context;
    framed_stream_gap(framed_stream_of(stream, &framing, &d->held, d), side, size, at);
}

static const uint16_t udp_ports[] = {PORT_DNS, PORT_MDNS, PORT_LLMNR, 0};
static const uint16_t tcp_ports[] = {PORT_DNS, 0};

const struct protocol dns = {
    .name = "dns",
    .udp_ports = udp_ports,
    .tcp_ports = tcp_ports,
    .open = dns_open,
    .close = dns_close,
    .datagram = dns_datagram,
    .refused = dns_refused,
    .stream = {.data = dns_data,
               .gap = dns_gap,
               .end = framed_stream_end,
               .sides_exchanged = framed_stream_sides_exchanged,
               .release = framed_stream_release},
};
