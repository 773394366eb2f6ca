/* Reading IPv4 (RFC 791) and IPv6 headers with extensions (RFC 8200, RFC 2675 jumbograms, RFC 4302 AH). */
#include "ip.h"

enum { IPV4_FIXED_BYTES = 20, IPV6_FIXED_BYTES = 40, EXTENSIONS_MAX = 16 };

enum { IPV4_DONT_FRAGMENT = 0x4000, IPV4_MORE_FRAGMENTS = 0x2000, IPV4_OFFSET_MASK = 0x1fff };

enum { IPV6_OFFSET_MASK = 0xfff8, IPV6_MORE_FRAGMENTS = 1 };

enum {
    EXTENSION_HOP_BY_HOP = 0,
    EXTENSION_ROUTING = 43,
    EXTENSION_FRAGMENT = 44,
    EXTENSION_AUTHENTICATION = 51,
    EXTENSION_DESTINATION = 60,
    EXTENSION_MOBILITY = 135,
    EXTENSION_HOST_IDENTITY = 139,
    EXTENSION_SHIM6 = 140
};

/* The fixed part of a header, as a cursor whose size the compiler knows: it then drops the check of every read. */
static inline bool take_fixed(struct cursor *c, size_t size, struct cursor *fixed)
{
    struct span bytes = cursor_take(c, size);
    *fixed = cursor_over((struct span){bytes.data, size});
    return bytes.size == size;
}

static enum ip_reading read_v4(struct cursor *c, struct ip_header *header)
{
    struct cursor fixed;
    if (!take_fixed(c, IPV4_FIXED_BYTES, &fixed))
        return IP_CUT;
    size_t header_bytes = (size_t)(cursor_u8(&fixed) & 0x0f) * 4;
    cursor_skip(&fixed, 1);
    uint16_t total_length = cursor_u16be(&fixed);
    header->id = cursor_u16be(&fixed);
    uint16_t flags_and_offset = cursor_u16be(&fixed);
    header->ttl = cursor_u8(&fixed);
    header->protocol = cursor_u8(&fixed);
    cursor_skip(&fixed, 2);
    header->source = cursor_take(&fixed, 4).data;
    header->destination = cursor_take(&fixed, 4).data;
    header->length_unknown = total_length == 0;
    if (header_bytes < IPV4_FIXED_BYTES || (total_length != 0 && total_length < header_bytes))
        return IP_MALFORMED;
    header->length = total_length == 0 ? 0 : (uint32_t)(total_length - header_bytes);
    header->dont_fragment = flags_and_offset & IPV4_DONT_FRAGMENT;
    header->more_fragments = flags_and_offset & IPV4_MORE_FRAGMENTS;
    header->fragment_offset = (uint32_t)(flags_and_offset & IPV4_OFFSET_MASK) * 8;
    header->fragment = header->more_fragments || header->fragment_offset != 0;
    header->fragment_id = header->id;
    return cursor_skip(c, header_bytes - IPV4_FIXED_BYTES) ? IP_READ : IP_CUT;
}

/* The jumbo payload option, which hop-by-hop options begin with when the fixed header's length is zero. 0: absent. */
static uint32_t jumbo_length(const struct cursor *behind_fixed_header, uint8_t next)
{
    enum { OPTION_JUMBO = 0xc2, OPTION_JUMBO_BYTES = 4 };
    struct cursor c = *behind_fixed_header;
    cursor_skip(&c, 2);
    bool jumbo = cursor_u8(&c) == OPTION_JUMBO && cursor_u8(&c) == OPTION_JUMBO_BYTES;
    uint32_t length = cursor_u32be(&c);
    return next == EXTENSION_HOP_BY_HOP && jumbo ? length : 0;
}

static enum ip_reading read_v6(struct cursor *c, struct ip_header *header)
{
    struct cursor fixed;
    if (!take_fixed(c, IPV6_FIXED_BYTES, &fixed))
        return IP_CUT;
    cursor_skip(&fixed, 4);
    header->length = cursor_u16be(&fixed);
    header->protocol = cursor_u8(&fixed);
    header->ttl = cursor_u8(&fixed);
    header->source = cursor_take(&fixed, 16).data;
    header->destination = cursor_take(&fixed, 16).data;
    if (header->length == 0 && header->protocol != IP_PROTOCOL_NONE) {
        header->length = jumbo_length(c, header->protocol);
        header->length_unknown = header->length == 0;
    }
    return IP_READ;
}

enum ip_reading ip_read_header(struct cursor *c, struct ip_header *header)
{
    if (c->failed || c->left == 0)
        return IP_CUT;
    *header = (struct ip_header){.version = c->at[0] >> 4};
    switch (header->version) {
    case 4:
        return read_v4(c, header);
    case 6:
        return read_v6(c, header);
    default:
        return IP_MALFORMED;
    }
}

static void read_fragment_header(struct cursor *c, struct ip_header *header)
{
    header->protocol = cursor_u8(c);
    cursor_skip(c, 1);
    uint16_t offset_and_flags = cursor_u16be(c);
    header->fragment_id = cursor_u32be(c);
    header->more_fragments = offset_and_flags & IPV6_MORE_FRAGMENTS;
    header->fragment_offset = offset_and_flags & IPV6_OFFSET_MASK;
    header->fragment = header->more_fragments || header->fragment_offset != 0;
}

static void read_sized_extension(struct cursor *c, struct ip_header *header)
{
    uint8_t kind = header->protocol;
    header->protocol = cursor_u8(c);
    size_t units = cursor_u8(c);
    size_t bytes = kind == EXTENSION_AUTHENTICATION ? (units + 2) * 4 : (units + 1) * 8;
    struct cursor body = cursor_sub(c, bytes - 2);
    if (kind != EXTENSION_ROUTING)
        return;
    cursor_skip(&body, 1);
    uint8_t segments_left = cursor_u8(&body);
    header->via_routers |= segments_left != 0;
}

/* False: the header that follows is not an extension header. */
static bool read_extension(struct cursor *c, struct ip_header *header)
{
    bool v6 = header->version == 6;
    switch (header->protocol) {
    case EXTENSION_AUTHENTICATION:
        read_sized_extension(c, header);
        return true;
    case EXTENSION_FRAGMENT:
        if (v6)
            read_fragment_header(c, header);
        return v6;
    case EXTENSION_HOP_BY_HOP:
    case EXTENSION_ROUTING:
    case EXTENSION_DESTINATION:
    case EXTENSION_MOBILITY:
    case EXTENSION_HOST_IDENTITY:
    case EXTENSION_SHIM6:
        if (v6)
            read_sized_extension(c, header);
        return v6;
    default:
        return false;
    }
}

void ip_read_extensions(struct cursor *c, struct ip_header *header)
{
    int count = 0;
    while (!header->fragment && read_extension(c, header))
        if (c->failed || ++count == EXTENSIONS_MAX) {
            header->protocol = IP_PROTOCOL_NONE;
            return;
        }
}
