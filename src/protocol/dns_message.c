/* Reading DNS messages (RFC 1035, 4.1; RFC 3596 for AAAA; RFC 6762, 18.12 and 10.2 for the top bit of classes). */
#include "dns_message.h"

#include <string.h>

#include "cursor.h"

enum { FLAG_ANSWER = 0x8000, FLAG_TRUNCATED = 0x0200, FLAG_Z = 0x0040 };

/* A name is at most 255 bytes with its lengths (2.3.4), so 127 labels; a jump never goes forward, so jumps end, too. */
enum { LABEL_POINTER = 0xc0, LABEL_MOST = 63, NAME_MOST = 255, RECORDS_READ = 128 };

enum { CLASS_IN = 1, CLASS_BITS = 0x7fff, OPCODE_LAST = 6, QUESTIONS_PLAUSIBLE = 64 };

bool dns_plausible(struct span first_bytes)
{
    struct cursor c = cursor_over(first_bytes);
    cursor_skip(&c, 2);
    uint16_t flags = cursor_u16be(&c);
    uint16_t questions = cursor_u16be(&c);
    return !c.failed && (flags >> 11 & 0xf) <= OPCODE_LAST && !(flags & FLAG_Z) && questions <= QUESTIONS_PLAUSIBLE;
}

/* Follows the labels that begin at offset (4.1.4). False: broken, or not captured. name may be NULL. */
static bool read_labels(struct span message, size_t offset, struct text *name)
{
    size_t total = 0, jump_limit = offset;
    bool first = true;
    for (;;) {
        struct cursor c = cursor_over(span_from(message, offset));
        uint8_t length = cursor_u8(&c);
        if (c.failed)
            return false;
        if (length >= LABEL_POINTER) {
            size_t target = (size_t)(length & ~LABEL_POINTER & 0xff) << 8 | cursor_u8(&c);
            if (c.failed || target >= jump_limit)
                return false;
            offset = jump_limit = target;
            continue;
        }
        if (length == 0)
            break;
        struct span label = cursor_take(&c, length);
        total += (size_t)length + 1;
        if (c.failed || length > LABEL_MOST || total >= NAME_MOST)
            return false;
        if (name && !first)
            text_add(name, ".");
        if (name)
            text_add_untrusted(name, label);
        first = false;
        offset += (size_t)length + 1;
    }
    if (name && first)
        text_add(name, ".");
    return true;
}

/* Past the name, which may end in a pointer. */
static bool skip_name(struct cursor *c)
{
    for (size_t total = 0; total < NAME_MOST;) {
        uint8_t length = cursor_u8(c);
        if (c->failed || (length > LABEL_MOST && length < LABEL_POINTER))
            return false;
        if (length >= LABEL_POINTER)
            return cursor_skip(c, 1);
        if (length == 0)
            return true;
        total += (size_t)length + 1;
        if (!cursor_skip(c, length))
            return false;
    }
    return false;
}

static void take_name(struct span bytes, size_t offset, uint16_t type, struct text *name, struct dns_message *m)
{
    text_clear(name);
    m->name_known = read_labels(bytes, offset, name);
    m->type = type;
}

static void take_address(struct dns_message *m, uint16_t type, uint32_t ttl_s, struct span data)
{
    struct address address = {.version = type == DNS_TYPE_A ? 4 : 6};
    if (data.size != (type == DNS_TYPE_A ? 4u : 16u))
        return;
    if (m->address_count == LOOKUP_ADDRESSES_MAX) {
        m->addresses_beyond++;
        return;
    }
    memcpy(address.bytes, data.data, data.size);
    if (m->address_count == 0 || ttl_s < m->ttl_s)
        m->ttl_s = ttl_s;
    m->addresses[m->address_count++] = address;
}

/* 4.1.3 */
static bool read_record(struct span bytes, struct cursor *c, struct text *name, struct dns_message *m)
{
    size_t offset = (size_t)(c->at - bytes.data);
    if (!skip_name(c))
        return false;
    uint16_t type = cursor_u16be(c);
    uint16_t class = cursor_u16be(c) & CLASS_BITS;
    uint32_t ttl_s = cursor_u32be(c);
    struct span data = cursor_take(c, cursor_u16be(c));
    if (c->failed)
        return false;
    if (!m->name_known && m->answer)
        take_name(bytes, offset, type, name, m);
    if (class == CLASS_IN && (type == DNS_TYPE_A || type == DNS_TYPE_AAAA))
        take_address(m, type, ttl_s, data);
    return true;
}

bool dns_read(struct span bytes, struct text *name, struct dns_message *m)
{
    struct cursor c = cursor_over(bytes);
    *m = (struct dns_message){.transaction = cursor_u16be(&c)};
    uint16_t flags = cursor_u16be(&c);
    uint16_t questions = cursor_u16be(&c);
    uint16_t answers = cursor_u16be(&c);
    text_clear(name);
    if (!cursor_skip(&c, 4))
        return false;
    m->answer = flags & FLAG_ANSWER;
    m->truncated = flags & FLAG_TRUNCATED;
    m->opcode = flags >> 11 & 0xf;
    m->rcode = flags & 0xf;
    for (unsigned i = 0; i < questions && i < RECORDS_READ; i++) {
        size_t offset = DNS_HEADER;
        if (!skip_name(&c))
            return true;
        uint16_t type = cursor_u16be(&c);
        if (!cursor_skip(&c, 2))
            return true;
        if (i == 0)
            take_name(bytes, offset, type, name, m);
    }
    for (unsigned i = 0; i < answers && i < RECORDS_READ && questions <= RECORDS_READ; i++)
        if (!read_record(bytes, &c, name, m))
            break;
    return true;
}
