/* Questions to SQL Server Browser and its answers (MC-SQLR, 2.2). */
#include <string.h>

#include "cursor.h"
#include "exchange_index.h"
#include "memory.h"
#include "protocol.h"
#include "text.h"

enum { PORT_BROWSER = 1434 };

enum ssrp_type {
    CLNT_BCAST_EX = 0x02,
    CLNT_UCAST_EX = 0x03,
    CLNT_UCAST_INST = 0x04,
    SVR_RESP = 0x05,
    CLNT_UCAST_DAC = 0x0f
};

/* An instance's name has at most 32 bytes in a question (2.2.3); a longer one is told in part. */
enum { DAC_VERSION = 1, DAC_ANSWER_SIZE = 6, NAME_MOST = 255, PIPE_MOST = 1024 };

/*
 * Theory of operation: an answer belongs to the latest question between the same ends. One that comes from a machine that
 * was not asked answers the client's latest broadcast.
 */
struct browser_questions {
    struct casebook *casebook;
    uint32_t point;
    struct exchange_index by_ends;
    struct hash_index broadcasts; /* the latest of each client; opened with the first */
    struct text scratch;
};

static const char *keep(struct browser_questions *q, struct span bytes, size_t most)
{
    text_clear(&q->scratch);
    text_add_untrusted(&q->scratch, span_part(bytes, 0, most));
    if (q->scratch.size == 0)
        return NULL;
    return arena_copy_text(&q->casebook->texts, text_string(&q->scratch), q->scratch.size);
}

static struct span until_zero(struct span bytes)
{
    const uint8_t *zero = bytes.size > 0 ? memchr(bytes.data, 0, bytes.size) : NULL;
    return zero ? span_part(bytes, 0, (size_t)(zero - bytes.data)) : bytes;
}

static uint32_t hash_client(const struct endpoint *client)
{
    return hash_bytes(&client->address, sizeof client->address) * 31u + client->port;
}

static uint32_t find_broadcast(const struct browser_questions *q, const struct endpoint *client)
{
    if (!q->broadcasts.slots)
        return SLAB_NONE;
    struct hash_probe probe = hash_index_probe(&q->broadcasts, hash_client(client));
    for (uint32_t number; (number = hash_probe_next(&probe)) != HASH_NONE;)
        if (endpoint_equal(&casebook_instance_lookup(q->casebook, number)->exchange.client, client))
            return number;
    return SLAB_NONE;
}

static void remember_broadcast(struct browser_questions *q, const struct instance_lookup *lookup)
{
    const struct endpoint *client = &lookup->exchange.client;
    uint32_t old = find_broadcast(q, client);
    if (!q->broadcasts.slots)
        hash_index_open(&q->broadcasts);
    if (old != SLAB_NONE)
        hash_index_remove(&q->broadcasts, hash_client(client), old);
    hash_index_add(&q->broadcasts, hash_client(client), lookup->exchange.id - 1);
}

static struct instance_lookup *add(struct browser_questions *q, const struct endpoint *client,
                                   const struct endpoint *server, const struct moment *at)
{
    struct instance_lookup *lookup = casebook_add_instance_lookup(q->casebook, q->point, at);
    if (!lookup)
        return NULL;
    lookup->exchange.client = *client;
    lookup->exchange.server = *server;
    exchange_index_add(&q->by_ends, lookup->exchange.id - 1);
    return lookup;
}

static bool asks_the_same(struct browser_questions *q, const struct instance_lookup *lookup,
                          enum instance_question question, struct span instance, const struct moment *at)
{
    if (lookup->question != question || !exchange_awaits(&lookup->exchange, at))
        return false;
    text_clear(&q->scratch);
    text_add_untrusted(&q->scratch, span_part(instance, 0, NAME_MOST));
    return strcmp(lookup->instance ? lookup->instance : "", text_string(&q->scratch)) == 0;
}

static void take_question(struct browser_questions *q, const struct datagram *g, enum instance_question question,
                          struct span instance)
{
    uint32_t number = exchange_index_latest(&q->by_ends, &g->source, &g->destination, false);
    for (unsigned step = 0; step < EXCHANGE_STEPS_BACK && number != SLAB_NONE; step++) {
        struct instance_lookup *before = casebook_instance_lookup(q->casebook, number);
        if (asks_the_same(q, before, question, instance, &g->at)) {
            exchange_asked(&before->exchange, &g->at);
            return;
        }
        number = before->exchange.previous;
    }
    struct instance_lookup *lookup = add(q, &g->source, &g->destination, &g->at);
    if (!lookup)
        return;
    lookup->question = question;
    lookup->instance = keep(q, instance, NAME_MOST);
    exchange_asked(&lookup->exchange, &g->at);
    if (question == INSTANCE_QUESTION_BROADCAST)
        remember_broadcast(q, lookup);
}

/* The latest open question between these ends, or the latest; the client's broadcast; or one that is not in the capture. */
static struct instance_lookup *question_of(struct browser_questions *q, const struct datagram *g)
{
    uint32_t latest = exchange_index_latest(&q->by_ends, &g->destination, &g->source, false), number = latest;
    for (unsigned step = 0; step < EXCHANGE_STEPS_BACK && number != SLAB_NONE; step++) {
        struct instance_lookup *lookup = casebook_instance_lookup(q->casebook, number);
        if (exchange_open(&lookup->exchange))
            return lookup;
        number = lookup->exchange.previous;
    }
    uint32_t broadcast = find_broadcast(q, &g->destination);
    if (latest == SLAB_NONE && broadcast != SLAB_NONE)
        return casebook_instance_lookup(q->casebook, broadcast);
    if (latest != SLAB_NONE)
        return casebook_instance_lookup(q->casebook, latest);
    return add(q, &g->destination, &g->source, &g->at);
}

static struct instance_facts *add_instance(struct browser_questions *q, struct instance_lookup *lookup,
                                           const struct address *server)
{
    if (lookup->instance_count == LOOKUP_INSTANCES_MAX) {
        lookup->instances_beyond++;
        return NULL;
    }
    struct instance_facts **end = &lookup->instances;
    while (*end)
        end = &(*end)->next;
    *end = arena_take(&q->casebook->texts, sizeof **end);
    (*end)->server = *server;
    lookup->instance_count++;
    return *end;
}

static bool is_key(struct span key, const char *name)
{
    return key.size == strlen(name) && memcmp(key.data, name, key.size) == 0;
}

static uint16_t port_number(struct span digits)
{
    uint32_t port = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || port > UINT16_MAX)
            return 0;
        port = port * 10 + (uint32_t)(digits.data[i] - '0');
    }
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static void take_value(struct browser_questions *q, struct instance_facts *i, struct span key, struct span value)
{
    if (is_key(key, "ServerName"))
        i->server_name = keep(q, value, NAME_MOST);
    else if (is_key(key, "InstanceName"))
        i->name = keep(q, value, NAME_MOST);
    else if (is_key(key, "IsClustered"))
        i->clustered = is_key(value, "Yes");
    else if (is_key(key, "Version"))
        i->version = keep(q, value, NAME_MOST);
    else if (is_key(key, "np"))
        i->pipe = keep(q, value, PIPE_MOST);
    else if (is_key(key, "tcp"))
        i->tcp_port = port_number(value);
}

/* Up to the next semicolon, which is taken, too. False: there is none, so this is not all of it. */
static bool take_word(struct cursor *c, struct span *word)
{
    const uint8_t *semicolon = c->left > 0 ? memchr(c->at, ';', c->left) : NULL;
    *word = cursor_take(c, semicolon ? (size_t)(semicolon - c->at) : c->left);
    return semicolon && cursor_skip(c, 1);
}

/* RESP_DATA (2.2.5): key;value; over and over, and one semicolon more behind each instance. */
static void take_instances(struct browser_questions *q, struct instance_lookup *lookup, const struct address *server,
                           struct span data, bool cut)
{
    struct cursor c = cursor_over(data);
    struct instance_facts *instance = NULL;
    while (c.left > 0) {
        struct span key, value;
        bool whole = take_word(&c, &key);
        if (key.size == 0)
            continue;
        whole = whole && take_word(&c, &value);
        if (!whole) {
            lookup->answer_cut = lookup->answer_cut || cut;
            return;
        }
        if (is_key(key, "ServerName"))
            instance = add_instance(q, lookup, server);
        if (instance)
            take_value(q, instance, key, value);
    }
    lookup->answer_cut = lookup->answer_cut || cut;
}

static bool has_answered(const struct instance_lookup *lookup, const struct address *server)
{
    for (const struct instance_facts *i = lookup->instances; i; i = i->next)
        if (address_equal(&i->server, server))
            return true;
    return false;
}

static void take_answer(struct browser_questions *q, const struct datagram *g, struct cursor rest)
{
    uint16_t size = cursor_u16le(&rest);
    struct instance_lookup *lookup = question_of(q, g);
    if (!lookup)
        return;
    exchange_answered(&lookup->exchange, &g->at);
    bool first_of_server = lookup->question == INSTANCE_QUESTION_BROADCAST ? !has_answered(lookup, &g->source.address)
                                                                           : lookup->exchange.answers == 1;
    if (!first_of_server)
        return;
    struct span data = span_part(cursor_rest(&rest), 0, size);
    if (g->length == DAC_ANSWER_SIZE && rest.left > 0 && data.data[0] == DAC_VERSION) {
        cursor_skip(&rest, 1);
        lookup->dac_port = cursor_u16le(&rest);
        lookup->answer_cut = rest.failed;
        return;
    }
    take_instances(q, lookup, &g->source.address, data, data.size < size && g->payload.size < g->length);
}

static void *ssrp_open(struct casebook *casebook, uint32_t point)
{
    struct browser_questions *q = memory_take(sizeof *q);
    q->casebook = casebook;
    q->point = point;
    q->by_ends.exchanges = &casebook->instance_lookups;
    return q;
}

static void ssrp_close(void *state)
{
    struct browser_questions *q = state;
    exchange_index_close(&q->by_ends);
    if (q->broadcasts.slots)
        hash_index_close(&q->broadcasts);
    text_close(&q->scratch);
    memory_give(q);
}

static void ssrp_datagram(void *state, const struct datagram *g)
{
    struct cursor c = cursor_over(g->payload);
    uint8_t type = cursor_u8(&c);
    bool to_browser = g->destination.port == PORT_BROWSER, from_browser = g->source.port == PORT_BROWSER;
    if (from_browser && type == SVR_RESP) {
        take_answer(state, g, c);
        return;
    }
    if (!to_browser)
        return;
    if (type == CLNT_BCAST_EX)
        take_question(state, g, INSTANCE_QUESTION_BROADCAST, (struct span){0});
    else if (type == CLNT_UCAST_EX)
        take_question(state, g, INSTANCE_QUESTION_ALL, (struct span){0});
    else if (type == CLNT_UCAST_INST)
        take_question(state, g, INSTANCE_QUESTION_ONE, until_zero(cursor_rest(&c)));
    else if (type == CLNT_UCAST_DAC && cursor_u8(&c) == DAC_VERSION)
        take_question(state, g, INSTANCE_QUESTION_DAC, until_zero(cursor_rest(&c)));
}

static void ssrp_refused(void *state, const struct datagram_refusal *refusal)
{
    struct browser_questions *q = state;
    exchange_index_refuse(&q->by_ends, refusal);
}

static const uint16_t ports[] = {PORT_BROWSER, 0};

const struct protocol ssrp = {
    .name = "ssrp",
    .udp_ports = ports,
    .open = ssrp_open,
    .close = ssrp_close,
    .datagram = ssrp_datagram,
    .refused = ssrp_refused,
};
