/* The dispatcher of protocols. */
#include "protocols.h"

#include <assert.h>

#include "protocol.h"

/*
 * Theory of operation: which protocol a stream belongs to is a function of its two ports, whichever of them is held to be
 * the server's. An exchange of roles does not change it, so each stream notes the answer once.
 */

#define PROTOCOL(name) extern const struct protocol name;
#include "protocols.def"
#undef PROTOCOL

const struct protocol *const protocol_registry[] = {
#define PROTOCOL(name) &name,
#include "protocols.def"
#undef PROTOCOL
};
const unsigned protocol_registry_count = sizeof protocol_registry / sizeof *protocol_registry;
static_assert(sizeof protocol_registry / sizeof *protocol_registry <= PROTOCOLS_MAX, "a state for each protocol");

enum { NO_PROTOCOL = PROTOCOLS_MAX };

/* Clients take ports from 32768 on (Linux; IANA: 49152), so that none of those need be looked for in the lists. */
enum { SERVICE_PORT_MOST = 32767 };

static void check_ports(const uint16_t *ports)
{
    for (; ports && *ports != 0; ports++)
        assert(*ports <= SERVICE_PORT_MOST);
}

void protocols_open(struct protocols *protocols, struct casebook *casebook, uint32_t point,
                    const struct tds_options *options)
{
    *protocols = (struct protocols){.server_port = options->server_port};
    for (unsigned i = 0; i < protocol_registry_count; i++) {
        check_ports(protocol_registry[i]->tcp_ports);
        protocols->consumers[i] = protocol_registry[i]->stream;
        protocols->consumers[i].context = protocol_registry[i]->open(casebook, point);
    }
    protocols->consumers[NO_PROTOCOL] = tds_consumer(options);
}

static void *state_of(const struct protocols *protocols, unsigned number)
{
    return protocols->consumers[number].context;
}

void protocols_close(struct protocols *protocols)
{
    for (unsigned i = 0; i < protocol_registry_count; i++)
        protocol_registry[i]->close(state_of(protocols, i));
}

static bool has_port(const uint16_t *ports, uint16_t port)
{
    for (; ports && *ports != 0; ports++)
        if (*ports == port)
            return true;
    return false;
}

static unsigned protocol_of_port(uint16_t port)
{
    for (unsigned i = 0; port <= SERVICE_PORT_MOST && i < protocol_registry_count; i++)
        if (has_port(protocol_registry[i]->tcp_ports, port))
            return i;
    return NO_PROTOCOL;
}

static unsigned protocol_of_ports(uint16_t a, uint16_t b, uint16_t server_port)
{
    if (server_port != 0 && (a == server_port || b == server_port))
        return NO_PROTOCOL;
    unsigned of_a = protocol_of_port(a), of_b = protocol_of_port(b);
    return of_a < of_b ? of_a : of_b;
}

bool protocols_know_port(uint16_t port)
{
    return protocol_of_port(port) != NO_PROTOCOL;
}

/* A stream notes the number plus one; 0 is "nobody looked yet". */
static unsigned protocol_of_stream(const struct protocols *protocols, struct stream *stream)
{
    if (stream->protocol == 0) {
        const struct endpoint *ends = stream->conversation->ends;
        unsigned number = protocol_of_ports(ends[SIDE_CLIENT].port, ends[SIDE_SERVER].port, protocols->server_port);
        stream->protocol = (uint8_t)(number + 1);
    }
    return stream->protocol - 1u;
}

/* Whose stream it is. */
static const struct stream_consumer *consumer_of(const struct protocols *protocols, struct stream *stream)
{
    return &protocols->consumers[protocol_of_stream(protocols, stream)];
}

/* A well-known port says who the client is, where the capture does not have the beginning. */
static enum side learn_client(struct protocols *protocols, struct stream *stream, enum side side)
{
    unsigned number = protocol_of_stream(protocols, stream);
    if (number == NO_PROTOCOL || stream->conversation->role_evidence >= ROLE_PORT)
        return side;
    const uint16_t *ports = protocol_registry[number]->tcp_ports;
    const struct endpoint *ends = stream->conversation->ends;
    bool server_is_known = has_port(ports, ends[SIDE_SERVER].port);
    if (has_port(ports, ends[SIDE_CLIENT].port) == server_is_known)
        return side;
    const struct stream_consumer consumer = protocols_consumer(protocols);
    return stream_learn_client(&consumer, stream, server_is_known ? SIDE_CLIENT : SIDE_SERVER, side, ROLE_PORT);
}

static void on_data(void *context, struct stream *stream, enum side side, struct span bytes, const struct moment *at)
{
    side = learn_client(context, stream, side);
    const struct stream_consumer *consumer = consumer_of(context, stream);
    consumer->data(consumer->context, stream, side, bytes, at);
}

static void on_gap(void *context, struct stream *stream, enum side side, uint64_t size, const struct moment *at)
{
    side = learn_client(context, stream, side);
    const struct stream_consumer *consumer = consumer_of(context, stream);
    consumer->gap(consumer->context, stream, side, size, at);
}

static void on_end(void *context, struct stream *stream, enum side side, const struct moment *at)
{
    const struct stream_consumer *consumer = consumer_of(context, stream);
    consumer->end(consumer->context, stream, side, at);
}

static void on_sides_exchanged(void *context, struct stream *stream)
{
    const struct stream_consumer *consumer = consumer_of(context, stream);
    consumer->sides_exchanged(consumer->context, stream);
}

static void on_release(void *context, struct stream *stream)
{
    const struct stream_consumer *consumer = consumer_of(context, stream);
    consumer->release(consumer->context, stream);
}

/* Other protocols' states are few. */
static bool on_fold(void *context, struct stream *stream, struct image *image)
{
    const struct stream_consumer *consumer = consumer_of(context, stream);
    return consumer->fold && consumer->fold(consumer->context, stream, image);
}

static void on_unfold(void *context, struct stream *stream, const struct image *image, uint32_t at)
{
    const struct stream_consumer *consumer = consumer_of(context, stream);
    consumer->unfold(consumer->context, stream, image, at);
}

struct stream_consumer protocols_consumer(struct protocols *protocols)
{
    return (struct stream_consumer){.data = on_data,
                                    .gap = on_gap,
                                    .end = on_end,
                                    .sides_exchanged = on_sides_exchanged,
                                    .release = on_release,
                                    .fold = on_fold,
                                    .unfold = on_unfold,
                                    .context = protocols};
}

static unsigned protocol_of_datagram(const struct endpoint *source, const struct endpoint *destination)
{
    for (unsigned i = 0; i < protocol_registry_count; i++) {
        const uint16_t *ports = protocol_registry[i]->udp_ports;
        if (has_port(ports, source->port) || has_port(ports, destination->port))
            return i;
    }
    return NO_PROTOCOL;
}

void protocols_datagram(struct protocols *protocols, const struct datagram *datagram)
{
    unsigned number = protocol_of_datagram(&datagram->source, &datagram->destination);
    if (number != NO_PROTOCOL)
        protocol_registry[number]->datagram(state_of(protocols, number), datagram);
}

void protocols_refused(struct protocols *protocols, const struct datagram_refusal *refusal)
{
    unsigned number = protocol_of_datagram(&refusal->source, &refusal->destination);
    if (number != NO_PROTOCOL)
        protocol_registry[number]->refused(state_of(protocols, number), refusal);
}
