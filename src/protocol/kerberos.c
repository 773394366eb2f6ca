/* Ticket requests: Kerberos over UDP and TCP (RFC 4120, 3.1, 3.3 and 7.2). */
#include <string.h>

#include "exchange_index.h"
#include "framed_stream.h"
#include "kerberos_message.h"
#include "memory.h"
#include "protocol.h"
#include "text.h"

/* What is asked for stands behind the ticket that pays for it, whose size Windows limits (MaxTokenSize: 48,000 bytes by
 * default). The beginning of a message is held so far, of all streams together no more than STREAMS_HELD. */
enum { PORT_KERBEROS = 88, MESSAGE_HELD = 64 * 1024, MESSAGE_LONGEST = 1024 * 1024, STREAMS_HELD = 32 * 1024 * 1024 };

enum { NAME_TEXT_MAX = 1024 };

/*
 * Theory of operation: messages carry no number that an answer repeats in clear. Between the same ends an answer belongs
 * to the open request of its kind for the same service, or, when it names none, to the latest open one.
 */
struct ticket_requests {
    struct casebook *casebook;
    uint32_t point;
    struct exchange_index by_ends;
    struct hash_index too_big; /* requests to be repeated over TCP, by client and service; opened with the first */
    struct held_bytes held;
    struct text service, scratch; /* of the message under way */
};

struct kerberos_call {
    struct kerberos_message message;
    bool over_tcp;
    struct endpoint client, server;
    struct moment at;
};

static void put_name(struct text *text, const struct kerberos_name *name)
{
    text_clear(text);
    text->ceiling = NAME_TEXT_MAX;
    for (unsigned i = 0; i < name->count; i++) {
        if (i > 0)
            text_add(text, "/");
        text_add_untrusted(text, name->parts[i]);
    }
}

static const char *keep(struct ticket_requests *t, const struct text *text)
{
    return text->size > 0 ? arena_copy_text(&t->casebook->texts, text_string(text), text->size) : NULL;
}

static const char *keep_bytes(struct ticket_requests *t, struct span bytes)
{
    text_clear(&t->scratch);
    t->scratch.ceiling = NAME_TEXT_MAX;
    text_add_untrusted(&t->scratch, bytes);
    return keep(t, &t->scratch);
}

/* What the request did not say, or was not captured of it. */
static void fill_names(struct ticket_requests *t, struct ticket_request *ticket, const struct kerberos_message *m)
{
    if (!ticket->service)
        ticket->service = keep(t, &t->service);
    if (!ticket->realm)
        ticket->realm = keep_bytes(t, m->realm);
    if (ticket->client_name)
        return;
    put_name(&t->scratch, &m->client);
    ticket->client_name = keep(t, &t->scratch);
}

static struct ticket_request *add(struct ticket_requests *t, const struct kerberos_call *call, enum ticket_kind kind)
{
    struct ticket_request *ticket = casebook_add_ticket(t->casebook, t->point, &call->at);
    if (!ticket)
        return NULL;
    ticket->kind = kind;
    ticket->exchange.over_tcp = call->over_tcp;
    ticket->exchange.client = call->client;
    ticket->exchange.server = call->server;
    exchange_index_add(&t->by_ends, ticket->exchange.id - 1);
    return ticket;
}

static bool same_service(const struct ticket_requests *t, const struct ticket_request *ticket)
{
    return ticket->service && t->service.size > 0 && strcmp(ticket->service, text_string(&t->service)) == 0;
}

/* The latest that is open (or, any: not) and fits the kind; one for the same service before others. NULL: none. */
static struct ticket_request *find(struct ticket_requests *t, const struct kerberos_call *call, enum ticket_kind kind,
                                   bool any)
{
    uint32_t number = exchange_index_latest(&t->by_ends, &call->client, &call->server, call->over_tcp);
    struct ticket_request *latest = NULL;
    for (unsigned step = 0; step < EXCHANGE_STEPS_BACK && number != SLAB_NONE; step++) {
        struct ticket_request *ticket = casebook_ticket(t->casebook, number);
        number = ticket->exchange.previous;
        bool fits = kind == TICKET_KIND_UNKNOWN || ticket->kind == kind;
        if (!fits || (!any && !exchange_open(&ticket->exchange)))
            continue;
        if (same_service(t, ticket))
            return ticket;
        if (!latest)
            latest = ticket;
    }
    return latest;
}

static uint32_t hash_too_big(const struct address *client, const char *service)
{
    return hash_bytes(client, sizeof *client) * 31u + hash_bytes(service, (uint32_t)strlen(service));
}

/* 7.2.1: an answer that does not fit a datagram is KRB_ERR_RESPONSE_TOO_BIG, and the client asks again over TCP. */
static void remember_too_big(struct ticket_requests *t, const struct ticket_request *ticket)
{
    if (ticket->error_code != KERBEROS_RESPONSE_TOO_BIG || ticket->exchange.over_tcp || !ticket->service)
        return;
    if (!t->too_big.slots)
        hash_index_open(&t->too_big);
    uint32_t hash = hash_too_big(&ticket->exchange.client.address, ticket->service);
    struct hash_probe probe = hash_index_probe(&t->too_big, hash);
    uint32_t old = hash_probe_next(&probe);
    if (old != HASH_NONE)
        hash_index_remove(&t->too_big, hash, old);
    hash_index_add(&t->too_big, hash, ticket->exchange.id - 1);
}

static void join_too_big(struct ticket_requests *t, const struct ticket_request *ticket)
{
    if (!t->too_big.slots || !ticket->exchange.over_tcp || !ticket->service)
        return;
    uint32_t hash = hash_too_big(&ticket->exchange.client.address, ticket->service);
    struct hash_probe probe = hash_index_probe(&t->too_big, hash);
    uint32_t number = hash_probe_next(&probe);
    if (number == HASH_NONE)
        return;
    struct ticket_request *before = casebook_ticket(t->casebook, number);
    if (before->kind != ticket->kind || strcmp(before->service, ticket->service) != 0 ||
        !address_equal(&before->exchange.client.address, &ticket->exchange.client.address))
        return;
    before->retried_over_tcp = true;
    hash_index_remove(&t->too_big, hash, number);
}

static void take_request(struct ticket_requests *t, const struct kerberos_call *call, enum ticket_kind kind)
{
    struct ticket_request *ticket = find(t, call, kind, false);
    bool another = ticket && ticket->service && t->service.size > 0 && !same_service(t, ticket);
    if (another || (ticket && !exchange_awaits(&ticket->exchange, &call->at)))
        ticket = NULL;
    bool again = ticket != NULL;
    if (!ticket)
        ticket = add(t, call, kind);
    if (!ticket)
        return;
    fill_names(t, ticket, &call->message);
    exchange_asked(&ticket->exchange, &call->at);
    if (!again)
        join_too_big(t, ticket);
}

static void take_answer(struct ticket_requests *t, const struct kerberos_call *call, enum ticket_kind kind)
{
    struct ticket_request *ticket = find(t, call, kind, false);
    if (!ticket)
        ticket = find(t, call, kind, true);
    if (!ticket)
        ticket = add(t, call, kind);
    if (!ticket)
        return;
    exchange_answered(&ticket->exchange, &call->at);
    if (ticket->exchange.answers > 1)
        return;
    fill_names(t, ticket, &call->message);
    if (call->message.type != KERBEROS_ERROR)
        return;
    ticket->failed = true;
    ticket->error_code = call->message.error_code;
    ticket->error_text = keep_bytes(t, call->message.error_text);
    remember_too_big(t, ticket);
}

static bool is_request(const struct kerberos_message *m)
{
    return m->type == KERBEROS_AS_REQ || m->type == KERBEROS_TGS_REQ;
}

static void take_message(struct ticket_requests *t, const struct kerberos_call *call)
{
    static const uint8_t kinds[] = {[KERBEROS_AS_REQ] = TICKET_GRANTING,
                                    [KERBEROS_AS_REP] = TICKET_GRANTING,
                                    [KERBEROS_TGS_REQ] = TICKET_SERVICE,
                                    [KERBEROS_TGS_REP] = TICKET_SERVICE,
                                    [KERBEROS_ERROR] = TICKET_KIND_UNKNOWN};
    enum ticket_kind kind = (enum ticket_kind)kinds[call->message.type];
    put_name(&t->service, &call->message.service);
    if (is_request(&call->message))
        take_request(t, call, kind);
    else
        take_answer(t, call, kind);
}

static void *kerberos_open(struct casebook *casebook, uint32_t point)
{
    struct ticket_requests *t = memory_take(sizeof *t);
    t->casebook = casebook;
    t->point = point;
    t->by_ends.exchanges = &casebook->tickets;
    t->held.most = STREAMS_HELD;
    return t;
}

static void kerberos_close(void *state)
{
    struct ticket_requests *t = state;
    exchange_index_close(&t->by_ends);
    if (t->too_big.slots)
        hash_index_close(&t->too_big);
    text_close(&t->service);
    text_close(&t->scratch);
    memory_give(t);
}

static void kerberos_datagram(void *state, const struct datagram *g)
{
    struct kerberos_call call = {.at = g->at};
    if (!kerberos_read(g->payload, &call.message))
        return;
    bool request = is_request(&call.message);
    call.client = request ? g->source : g->destination;
    call.server = request ? g->destination : g->source;
    take_message(state, &call);
}

static void kerberos_refused(void *state, const struct datagram_refusal *refusal)
{
    struct ticket_requests *t = state;
    exchange_index_refuse(&t->by_ends, refusal);
}

static void take_framed(void *context, struct span beginning, uint32_t length, const struct moment *at)
{
    struct framed_stream *f = context;
    struct kerberos_call call = {.over_tcp = true, .at = *at};
    (void)length;
    if (!kerberos_read(beginning, &call.message))
        return;
    const struct endpoint *ends = f->stream->conversation->ends;
    enum side client = is_request(&call.message) ? f->side : side_other(f->side);
    call.client = ends[client];
    call.server = ends[side_other(client)];
    take_message(f->context, &call);
}

/* 7.2.2: the top bit of the length is reserved, and zero. */
static const struct framing framing = {
    .prefix_bytes = 4,
    .length_mask = 0xffffffff,
    .shortest = 2,
    .longest = MESSAGE_LONGEST,
    .held_most = MESSAGE_HELD,
    .sample = 1,
    .plausible = kerberos_plausible,
    .message = take_framed,
};

static void kerberos_data(void *context, struct stream *stream, enum side side, struct span bytes,
                          const struct moment *at)
{
    struct ticket_requests *t = context;
    framed_stream_data(framed_stream_of(stream, &framing, &t->held, t), side, bytes, at);
}

static void kerberos_gap(void *context, struct stream *stream, enum side side, uint64_t size, const struct moment *at)
{
    struct ticket_requests *t = context;
    framed_stream_gap(framed_stream_of(stream, &framing, &t->held, t), side, size, at);
}

static const uint16_t ports[] = {PORT_KERBEROS, 0};

const struct protocol kerberos = {
    .name = "kerberos",
    .udp_ports = ports,
    .tcp_ports = ports,
    .open = kerberos_open,
    .close = kerberos_close,
    .datagram = kerberos_datagram,
    .refused = kerberos_refused,
    .stream = {.data = kerberos_data,
               .gap = kerberos_gap,
               .end = framed_stream_end,
               .sides_exchanged = framed_stream_sides_exchanged,
               .release = framed_stream_release},
};
