/* ClientHello and ServerHello with the extensions that matter here (RFC 8446, RFC 5246, RFC 6066, RFC 7301, RFC 5077). */
#include "tls_hello.h"

#include <string.h>

#include "cursor.h"
#include "tls.h"
#include "tls_facts.h"

enum {
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_ALPN = 16,
    EXTENSION_SESSION_TICKET = 35,
    EXTENSION_PRE_SHARED_KEY = 41,
    EXTENSION_SUPPORTED_VERSIONS = 43
};

/* Values in a list of suites that are signals (RFC 5746, RFC 7507). */
enum { RENEGOTIATION_SCSV = 0x00ff, FALLBACK_SCSV = 0x5600 };

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
    hello->alpn = cursor_rest(&names);
    while (names.left > 0 && !names.failed) {
        struct span name = cursor_take(&names, cursor_u8(&names));
        if (name.size == sizeof tds8 - 1 && memcmp(name.data, tds8, name.size) == 0)
            hello->alpn_tds = true;
    }
}

/* RFC 6066, 3: a list of names, of which only host_name (0) was ever defined. */
static void read_server_name(struct cursor c, struct tls_hello *hello)
{
    struct cursor names = open_list(&c, cursor_u16be(&c), hello);
    uint8_t type = cursor_u8(&names);
    struct span name = cursor_take(&names, cursor_u16be(&names));
    if (type == 0 && !names.failed)
        hello->server_name = name;
}

static uint16_t highest_version(struct cursor c, struct tls_hello *hello)
{
    uint16_t highest = 0;
    uint8_t size = cursor_u8(&c);
    for (unsigned i = 0; i + 2 <= size; i += 2) {
        uint16_t version = cursor_u16be(&c);
        if (c.failed || is_grease(version))
            continue;
        hello->versions |= tls_version_bit(version);
        if (version > highest)
            highest = version;
    }
    return highest;
}

static void read_extension(uint16_t type, struct cursor body, bool client, struct tls_hello *hello)
{
    switch (type) {
    case EXTENSION_SERVER_NAME:
        if (client)
            read_server_name(body, hello);
        break;
    case EXTENSION_ALPN:
        read_alpn(body, hello);
        break;
    case EXTENSION_SESSION_TICKET:
        hello->ticket = body.left > 0;
        break;
    case EXTENSION_PRE_SHARED_KEY:
        hello->psk = true;
        break;
    case EXTENSION_SUPPORTED_VERSIONS:
        hello->version = client ? highest_version(body, hello) : cursor_u16be(&body);
        break;
    default:
        break;
    }
}

static void read_extensions(struct cursor *c, bool client, struct tls_hello *hello)
{
    struct cursor list = open_list(c, cursor_u16be(c), hello);
    while (list.left > 0 && !list.failed) {
        uint16_t type = cursor_u16be(&list), size = cursor_u16be(&list);
        if (list.failed) {
            hello->complete = false;
            break;
        }
        read_extension(type, open_list(&list, size, hello), client, hello);
    }
}

static void count_suites(struct cursor suites, struct tls_hello *hello)
{
    while (suites.left >= 2) {
        uint16_t suite = cursor_u16be(&suites);
        bool signal = suite == RENEGOTIATION_SCSV || suite == FALLBACK_SCSV || is_grease(suite);
        hello->suites = (uint16_t)(hello->suites + !signal);
    }
}

struct tls_hello tls_read_client_hello(struct span body, bool whole)
{
    struct tls_hello hello = {.complete = whole};
    struct cursor c = cursor_over(body);
    uint16_t legacy = cursor_u16be(&c);
    cursor_skip(&c, 32);
    hello.session_id = cursor_take(&c, cursor_u8(&c));
    count_suites(cursor_sub(&c, cursor_u16be(&c)), &hello);
    cursor_skip(&c, cursor_u8(&c));
    if (c.failed)
        hello.complete = false;
    else if (c.left > 0)
        read_extensions(&c, true, &hello);
    /* TLS 1.3 offers itself in an extension only, under the number of 1.2. */
    bool told = hello.complete || legacy < TLS_VERSION_1_2;
    if (hello.version == 0 && told) {
        hello.version = legacy;
        hello.versions = tls_version_bit(legacy);
    }
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
    hello.session_id = cursor_take(&c, cursor_u8(&c));
    hello.cipher_suite = cursor_u16be(&c);
    cursor_skip(&c, 1);
    if (c.failed)
        hello.complete = false;
    else if (c.left > 0)
        read_extensions(&c, false, &hello);
    if (hello.version == 0 && hello.cipher_suite >> 8 == 0x13)
        hello.version = TLS_VERSION_1_3;
    if (hello.version == 0 && hello.cipher_suite != 0)
        hello.version = legacy;
    return hello;
}
