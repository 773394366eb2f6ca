/* TLS records and hello messages (RFC 8446, RFC 5246, RFC 7301). */
#include "tls.h"

#include <string.h>

#include "cursor.h"
#include "memory.h"

/* RFC 5246, 6.2.3: 2^14 bytes of content and up to 2048 that encryption adds. */
enum { RECORD_MAX = 16384 + 2048 };

/* A handshake message longer than this is no message: OpenSSL's limit for a certificate chain is 100 KiB. */
enum { MESSAGE_MAX = 256 * 1024 };

static const uint16_t kept_max[] = {
    [TLS_CLIENT_HELLO] = 4096,
    [TLS_SERVER_HELLO] = 1024,
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

static void alert_bytes(struct tls_reader *r, struct span bytes, const struct tls_sink *sink)
{
    /* A body of two bytes, level and description, is in clear; an encrypted one is longer. */
    bool last_byte_here = bytes.size == r->left;
    unsigned length = (unsigned)(r->head[3] << 8 | r->head[4]);
    if (r->ciphered || length != 2 || !last_byte_here)
        return;
    struct tls_event event = {
        .kind = TLS_EVENT_ALERT, .type = bytes.data[bytes.size - 1], .length = 2, .begin = r->record_begin};
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
    struct tls_event event = {
        .kind = TLS_EVENT_RECORD, .type = r->head[0], .length = r->left, .begin = r->record_begin};
    sink->event(sink->context, &event);
    return true;
}

static void end_record(struct tls_reader *r)
{
    if (r->head[0] == TLS_CHANGE_CIPHER_SPEC)
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

enum { EXTENSION_ALPN = 16, EXTENSION_SUPPORTED_VERSIONS = 43 };

static bool is_grease(uint16_t value) /* RFC 8701 */
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* Opens what a length measures; what is cut off behind it makes the hello incomplete, not wrong. */
static struct cursor open_list(struct cursor *c, size_t size, struct tls_hello *hello)
{
    if (size > c->left || c->failed) {
        hello->complete = false;
        size = c->failed ? 0 : c->left;
    }
    return cursor_sub(c, size);
}

static void read_alpn(struct cursor c, struct tls_hello *hello)
{
    static const char tds8[] = "tds/8.0";
    hello->alpn_seen = true;
    struct cursor names = open_list(&c, cursor_u16be(&c), hello);
    while (names.left > 0 && !names.failed) {
        struct span name = cursor_take(&names, cursor_u8(&names));
        if (name.size == sizeof tds8 - 1 && memcmp(name.data, tds8, name.size) == 0)
            hello->alpn_tds = true;
    }
}

static uint16_t highest_version(struct cursor c)
{
    uint16_t highest = 0;
    struct cursor versions = {c.at, c.left, c.failed};
    uint8_t size = cursor_u8(&versions);
    for (unsigned i = 0; i + 2 <= size && !versions.failed; i += 2) {
        uint16_t version = cursor_u16be(&versions);
        if (!is_grease(version) && version > highest)
            highest = version;
    }
    return highest;
}

/* Gives what supported_versions says; 0: it is not there. */
static uint16_t read_extensions(struct cursor *c, bool client, struct tls_hello *hello)
{
    uint16_t version = 0;
    struct cursor list = open_list(c, cursor_u16be(c), hello);
    while (list.left > 0 && !list.failed) {
        uint16_t type = cursor_u16be(&list), size = cursor_u16be(&list);
        if (list.failed) {
            hello->complete = false;
            break;
        }
        struct cursor body = open_list(&list, size, hello);
        if (type == EXTENSION_ALPN)
            read_alpn(body, hello);
        else if (type == EXTENSION_SUPPORTED_VERSIONS)
            version = client ? highest_version(body) : cursor_u16be(&body);
    }
    return version;
}

struct tls_hello tls_read_client_hello(struct span body, bool whole)
{
    struct tls_hello hello = {.complete = whole};
    struct cursor c = cursor_over(body);
    uint16_t legacy = cursor_u16be(&c);
    cursor_skip(&c, 32);
    cursor_skip(&c, cursor_u8(&c));
    cursor_skip(&c, cursor_u16be(&c));
    cursor_skip(&c, cursor_u8(&c));
    if (c.failed)
        hello.complete = false;
    else if (c.left > 0)
        hello.version = read_extensions(&c, true, &hello);
    /* TLS 1.3 offers itself in an extension only, under the number of 1.2. */
    bool told = hello.complete || legacy < TLS_VERSION_1_2;
    if (hello.version == 0 && told)
        hello.version = legacy;
    return hello;
}

struct tls_hello tls_read_server_hello(struct span body, bool whole)
{
    /* RFC 8446, 4.1.3: this "random" makes the message a HelloRetryRequest. */
    static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                      0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                      0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    struct tls_hello hello = {.complete = whole};
    struct cursor c = cursor_over(body);
    uint16_t legacy = cursor_u16be(&c);
    struct span random = cursor_take(&c, sizeof retry);
    hello.retry = random.size == sizeof retry && memcmp(random.data, retry, sizeof retry) == 0;
    cursor_skip(&c, cursor_u8(&c));
    hello.cipher_suite = cursor_u16be(&c);
    cursor_skip(&c, 1);
    if (c.failed)
        hello.complete = false;
    else if (c.left > 0)
        hello.version = read_extensions(&c, false, &hello);
    if (hello.version == 0 && hello.cipher_suite >> 8 == 0x13)
        hello.version = TLS_VERSION_1_3;
    if (hello.version == 0 && hello.cipher_suite != 0)
        hello.version = legacy;
    return hello;
}
