/* TLS records and the messages of the handshake in them (RFC 8446, 5.1; RFC 5246, 6.2 and 7.4). */
#include "tls.h"

#include <string.h>

#include "memory.h"

/* RFC 5246, 6.2.3: 2^14 bytes of content and up to 2048 that encryption adds. */
enum { RECORD_MAX = 16384 + 2048 };

/* A handshake message longer than this is no message: OpenSSL's limit for a certificate chain is 100 KiB. */
enum { MESSAGE_MAX = 256 * 1024, ALERT_SIZE = 2 };

static const uint16_t kept_max[] = {
    [TLS_CLIENT_HELLO] = 4096,
    [TLS_SERVER_HELLO] = 1024,
    [TLS_CERTIFICATE] = 16384,
};

static uint16_t keep_of(uint8_t type)
{
    return type < sizeof kept_max / sizeof kept_max[0] ? kept_max[type] : 0;
}

bool tls_record_plausible(struct span bytes)
{
    const uint8_t *b = bytes.data;
    if (bytes.size > 0 && (b[0] < TLS_CHANGE_CIPHER_SPEC || b[0] > TLS_APPLICATION_DATA))
        return false;
    if (bytes.size > 1 && b[1] != 3)
        return false;
    if (bytes.size > 2 && b[2] > 4)
        return false;
    if (bytes.size < TLS_RECORD_HEADER)
        return bytes.size > 0;
    unsigned length = (unsigned)(b[3] << 8 | b[4]);
    if (b[0] == TLS_CHANGE_CIPHER_SPEC)
        return length == 1;
    return length > 0 && length <= RECORD_MAX;
}

static void drop_held(struct tls_reader *r)
{
    memory_give(r->held);
    r->held = NULL;
    r->held_size = r->held_want = 0;
}

static void tell_message(struct tls_reader *r, struct span body, bool whole, const struct tls_sink *sink)
{
    struct tls_event event = {.kind = TLS_EVENT_MESSAGE,
                              .type = r->message_head[0],
                              .length = (uint32_t)body.size,
                              .body = body,
                              .whole = whole,
                              .begin = r->message_begin};
    sink->event(sink->context, &event);
}

static void end_message(struct tls_reader *r, bool whole, const struct tls_sink *sink)
{
    if (r->held_want)
        tell_message(r, (struct span){r->held, r->held_size}, whole && r->held_size == r->held_want, sink);
    drop_held(r);
    r->message_have = 0;
}

static void begin_message(struct tls_reader *r, const struct tls_sink *sink)
{
    uint8_t type = r->message_head[0];
    uint32_t length =
        (uint32_t)r->message_head[1] << 16 | (uint32_t)r->message_head[2] << 8 | (uint32_t)r->message_head[3];
    if (length > MESSAGE_MAX) {
        r->message_lost = true;
        r->message_have = 0;
        return;
    }
    r->message_left = length;
    uint16_t keep = keep_of(type);
    r->held_want = (uint16_t)(length < keep ? length : keep);
    struct tls_event event = {
        .kind = TLS_EVENT_MESSAGE_BEGIN, .type = type, .length = length, .begin = r->message_begin};
    sink->event(sink->context, &event);
    if (length == 0)
        end_message(r, true, sink);
}

static void hold_message(struct tls_reader *r, struct span part)
{
    size_t room = (size_t)(r->held_want - r->held_size);
    part = span_part(part, 0, room);
    if (part.size == 0)
        return;
    if (!r->held)
        r->held = memory_take(r->held_want);
    memcpy(r->held + r->held_size, part.data, part.size);
    r->held_size = (uint16_t)(r->held_size + part.size);
}

static void handshake_bytes(struct tls_reader *r, struct span bytes, const struct moment *at,
                            const struct tls_sink *sink)
{
    while (bytes.size > 0 && !r->message_lost) {
        if (r->message_have < sizeof r->message_head) {
            if (r->message_have == 0)
                r->message_begin = *at;
            r->message_head[r->message_have++] = bytes.data[0];
            bytes = span_from(bytes, 1);
            if (r->message_have == sizeof r->message_head)
                begin_message(r, sink);
            continue;
        }
        struct span part = span_part(bytes, 0, r->message_left);
        bytes = span_from(bytes, part.size);
        hold_message(r, part);
        r->message_left -= (uint32_t)part.size;
        if (r->message_left == 0)
            end_message(r, true, sink);
    }
}

/* Application data always is; an alert of two bytes, level and description, is in clear, an encrypted one is longer. */
static bool is_ciphered(const struct tls_reader *r)
{
    unsigned length = (unsigned)(r->head[3] << 8 | r->head[4]);
    if (r->head[0] == TLS_CHANGE_CIPHER_SPEC)
        return false;
    return r->ciphered || r->head[0] == TLS_APPLICATION_DATA || (r->head[0] == TLS_ALERT && length != ALERT_SIZE);
}

static void alert_bytes(struct tls_reader *r, struct span bytes, const struct tls_sink *sink)
{
    if (is_ciphered(r))
        return;
    if (r->left == ALERT_SIZE)
        r->alert_level = bytes.data[0];
    bool last_byte_here = bytes.size == r->left;
    if (!last_byte_here)
        return;
    struct tls_event event = {.kind = TLS_EVENT_ALERT,
                              .type = bytes.data[bytes.size - 1],
                              .level = r->alert_level,
                              .length = ALERT_SIZE,
                              .begin = r->record_begin};
    sink->event(sink->context, &event);
}

static bool begin_record(struct tls_reader *r, const struct tls_sink *sink)
{
    if (!tls_record_plausible((struct span){r->head, r->head_have})) {
        r->failed = true;
        return false;
    }
    if (r->head_have < TLS_RECORD_HEADER)
        return true;
    r->left = (uint16_t)(r->head[3] << 8 | r->head[4]);
    r->message_lost = false;
    r->records++;
    struct tls_event event = {.kind = TLS_EVENT_RECORD,
                              .type = r->head[0],
                              .length = r->left,
                              .ciphered = is_ciphered(r),
                              .begin = r->record_begin};
    sink->event(sink->context, &event);
    return true;
}

static void end_record(struct tls_reader *r)
{
    if (r->head[0] == TLS_CHANGE_CIPHER_SPEC && !r->tls13)
        r->ciphered = true;
    r->head_have = 0;
}

size_t tls_reader_data(struct tls_reader *r, struct span bytes, const struct moment *at, const struct tls_sink *sink)
{
    size_t taken = 0;
    while (!r->failed && r->head_have < TLS_RECORD_HEADER && taken < bytes.size) {
        if (r->head_have == 0)
            r->record_begin = *at;
        r->head[r->head_have++] = bytes.data[taken++];
        if (!begin_record(r, sink))
            return 0;
    }
    if (r->failed)
        return 0;
    struct span body = span_part(bytes, taken, r->left);
    if (r->head_have < TLS_RECORD_HEADER || body.size == 0)
        return taken;
    if (r->head[0] == TLS_HANDSHAKE && !r->ciphered)
        handshake_bytes(r, body, at, sink);
    else if (r->head[0] == TLS_ALERT)
        alert_bytes(r, body, sink);
    r->left = (uint16_t)(r->left - body.size);
    if (r->left == 0)
        end_record(r);
    return taken + body.size;
}

static void handshake_gap(struct tls_reader *r, uint32_t n, const struct tls_sink *sink)
{
    if (r->message_have == sizeof r->message_head && n <= r->message_left) {
        if (r->held_want) {
            tell_message(r, (struct span){r->held, r->held_size}, false, sink);
            drop_held(r);
        }
        r->message_left -= n;
        if (r->message_left == 0)
            end_message(r, false, sink);
        return;
    }
    if (r->message_have == sizeof r->message_head)
        end_message(r, false, sink);
    r->message_have = 0;
    r->message_lost = true;
}

uint64_t tls_reader_gap(struct tls_reader *r, uint64_t n, const struct tls_sink *sink)
{
    if (r->failed || r->head_have < TLS_RECORD_HEADER) {
        tls_reader_lose(r);
        return 0;
    }
    uint16_t missing = (uint16_t)(n < r->left ? n : r->left);
    if (r->head[0] == TLS_HANDSHAKE && !r->ciphered)
        handshake_gap(r, missing, sink);
    r->left = (uint16_t)(r->left - missing);
    if (r->left == 0)
        end_record(r);
    return missing;
}

void tls_reader_is_tls13(struct tls_reader *r)
{
    r->tls13 = true;
    r->ciphered = false;
}

void tls_reader_lose(struct tls_reader *r)
{
    drop_held(r);
    r->head_have = r->message_have = 0;
    r->left = 0;
    r->message_left = 0;
}

void tls_reader_close(struct tls_reader *r)
{
    drop_held(r);
}
