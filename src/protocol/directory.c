/*
 * Services of a domain controller over TCP: LDAP (RFC 4511), RPC, SMB, the global catalog. How long an answer takes is seen
 * without reading it; of SMB2 in clear (MS-SMB2 2.2.13) the opening of SQL Server's named pipe is read, too.
 */
#include <string.h>

#include "cursor.h"
#include "memory.h"
#include "message_framer.h"
#include "protocol.h"
#include "text.h"

enum { PORT_SMB = 445 };

/* A CREATE request with its name fits in this. */
enum { MESSAGE_HELD = 1024, MESSAGE_LONGEST = 0xffffff, STREAMS_HELD = 16 * 1024 * 1024 };

enum { SMB2_HEADER = 64, SMB2_CREATE = 5, SMB2_CREATE_SIZE = 57, COMPOUND_STEPS = 8, PIPE_NAME_BYTES = 512 };

struct directory {
    struct casebook *casebook;
    struct held_bytes held;
    struct stream *stream; /* of the call under way */
};

static bool is_smb(struct span first_bytes)
{
    const uint8_t *b = first_bytes.data;
    return first_bytes.size >= 4 && b[0] >= 0xfc && b[1] == 'S' && b[2] == 'M' && b[3] == 'B';
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static void take_name(struct directory *d, struct span utf16)
{
    struct service_facts *facts = d->stream->conversation->service;
    struct text name = {0};
    text_add_utf16le(&name, span_part(utf16, 0, PIPE_NAME_BYTES));
    if (!facts->pipe && ends_with(text_string(&name), "sql\\query"))
        facts->pipe = arena_copy_text(&d->casebook->texts, name.data, name.size);
    text_close(&name);
}

/* Requests may be chained in one message (MS-SMB2 3.2.4.1.4). */
static void take_smb(void *context, struct span bytes, uint32_t length, const struct moment *at)
{
    (void)length, (void)at;
    for (unsigned step = 0; step < COMPOUND_STEPS; step++) {
        struct cursor c = cursor_over(bytes);
        if (cursor_u32le(&c) != 0x424d53fe) /* 0xfe 'S' 'M' 'B' */
            return;
        cursor_skip(&c, 8);
        uint16_t command = cursor_u16le(&c);
        cursor_skip(&c, 6);
        uint32_t next = cursor_u32le(&c);
        cursor_skip(&c, SMB2_HEADER - 24);
        if (command == SMB2_CREATE && cursor_u16le(&c) == SMB2_CREATE_SIZE) {
            cursor_skip(&c, 42);
            uint16_t offset = cursor_u16le(&c);
            uint16_t size = cursor_u16le(&c);
            if (!c.failed)
                take_name(context, span_part(bytes, offset, size));
        }
        if (next < SMB2_HEADER || next >= bytes.size)
            return;
        bytes = span_from(bytes, next);
    }
}

static const struct framing smb_framing = {
    .prefix_bytes = 4,
    .length_mask = 0xffffff,
    .shortest = 4,
    .longest = MESSAGE_LONGEST,
    .held_most = MESSAGE_HELD,
    .sample = 4,
    .plausible = is_smb,
    .message = take_smb,
};

static void take_turn(struct directory *d, struct stream *stream, enum side side, const struct moment *at)
{
    struct service_facts *facts = stream->conversation->service;
    if (!facts)
        facts = stream->conversation->service = casebook_add_service(d->casebook);
    if (side == SIDE_CLIENT) {
        facts->open_since = *at;
        return;
    }
    if (!moment_seen(&facts->open_since))
        return;
    int64_t wait_ns = at->time_ns - facts->open_since.time_ns;
    if (facts->turns++ == 0 || wait_ns > facts->slowest_ns) {
        facts->slowest_ns = wait_ns > 0 ? wait_ns : 0;
        facts->slowest_asked = facts->open_since;
    }
    facts->open_since = (struct moment){0};
}

/* Only what a client of SMB sends is read. */
static struct message_framer *framer_of(struct directory *d, struct stream *stream, enum side side)
{
    if (side != SIDE_CLIENT || stream->conversation->ends[SIDE_SERVER].port != PORT_SMB)
        return NULL;
    if (!stream->protocol_state)
        stream->protocol_state = memory_take(sizeof(struct message_framer));
    d->stream = stream;
    return stream->protocol_state;
}

static void directory_data(void *context, struct stream *stream, enum side side, struct span bytes,
                           const struct moment *at)
{
    struct directory *d = context;
    take_turn(d, stream, side, at);
    struct message_framer *framer = framer_of(d, stream, side);
    if (framer)
        message_framer_data(framer, &smb_framing, &d->held, bytes, at, d);
}

static void directory_gap(void *context, struct stream *stream, enum side side, uint64_t size, const struct moment *at)
{
    struct directory *d = context;
    take_turn(d, stream, side, at);
    struct message_framer *framer = framer_of(d, stream, side);
    if (framer)
        message_framer_gap(framer, &smb_framing, &d->held, size, at, d);
}

static void directory_end(void *context, struct stream *stream, enum side side, const struct moment *at)
{
    (void)at;
    struct directory *d = context;
    struct message_framer *framer = stream->protocol_state ? framer_of(d, stream, side) : NULL;
    if (framer)
        message_framer_end(framer, &smb_framing, &d->held, d);
}

static void directory_sides_exchanged(void *context, struct stream *stream)
{
    struct directory *d = context;
    message_framer_close(stream->protocol_state, &d->held);
    *(struct message_framer *)stream->protocol_state = (struct message_framer){0};
}

static void directory_release(void *context, struct stream *stream)
{
    struct directory *d = context;
    message_framer_close(stream->protocol_state, &d->held);
    memory_give(stream->protocol_state);
    stream->protocol_state = NULL;
}

static void *directory_open(struct casebook *casebook, uint32_t point)
{
    (void)point;
    struct directory *d = memory_take(sizeof *d);
    d->casebook = casebook;
    d->held.most = STREAMS_HELD;
    return d;
}

static void directory_close(void *state)
{
    memory_give(state);
}

static const uint16_t ports[] = {135, 389, PORT_SMB, 636, 3268, 3269, 0};

const struct protocol directory = {
    .name = "directory",
    .tcp_ports = ports,
    .open = directory_open,
    .close = directory_close,
    .stream = {.data = directory_data,
               .gap = directory_gap,
               .end = directory_end,
               .sides_exchanged = directory_sides_exchanged,
               .release = directory_release},
};
