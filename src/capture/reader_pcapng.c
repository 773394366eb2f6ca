/*
 * Reads pcapng files (draft-ietf-opsawg-pcapng), of either byte order, with any number of sections and interfaces.
 *
 * Theory of operation: the file is a row of blocks, each framed by its length at both ends. Blocks whose content
 * matters are peeked whole and handed to their handler as a cursor over what stands between the two lengths; all others
 * are skipped, whatever their size. A frame that is broken ends the reading, because nothing tells where the next block
 * begins; what is odd inside a block is noted.
 */
#include <string.h>

#include "cursor.h"
#include "hash_index.h"
#include "memory.h"
#include "reader.h"

#define PCAPNG_SECTION_HEADER 0x0A0D0D0AU
#define PCAPNG_BYTE_ORDER_MAGIC 0x1A2B3C4DU

enum {
    PCAPNG_HEAD_BYTES = 8,         /* type and length */
    PCAPNG_TRAILER_BYTES = 4,      /* the length again */
    PCAPNG_INTERFACES_MAX = 65536, /* of one section: what two-byte numbers can name */
    PCAPNG_DEFAULT_RESOLUTION = 6  /* if_tsresol: microseconds */
};

enum {
    OPTION_END = 0,
    SHB_HARDWARE = 2,
    SHB_OS = 3,
    IF_NAME = 2,
    IF_TSRESOL = 9,
    IF_TSOFFSET = 14,
    EPB_FLAGS = 2,
    EPB_DROPCOUNT = 4,
    ISB_IFDROP = 5,
    ISB_OSDROP = 7
};

struct pcapng_interface {
    uint16_t link_type;
    uint8_t binary_digits; /* times count 2^-n seconds; 0: they count powers of ten */
    uint64_t multiply;     /* from the unit of times to nanoseconds, for powers of ten */
    uint64_t divide;
    int64_t offset_s;
    uint32_t snaplen;
    uint64_t dropped_in_all;      /* from the latest statistics block */
    uint64_t dropped_between;     /* sum of what packets say was lost just before them */
    uint64_t dropped_as_reported; /* what facts hold for this interface */
};

struct pcapng_state {
    bool big_endian;
    struct pcapng_interface *interfaces; /* of this section */
    uint32_t interface_count;
    uint32_t interface_capacity;
    uint32_t first_interface; /* interfaces of the sections before */
    uint32_t numbered;        /* packets, and blocks that Wireshark numbers with them */
    uint64_t blocks;
    int64_t last_ns; /* of this section */
};

struct pcapng_block {
    uint32_t type;
    uint32_t total_length; /* as the file tells */
    uint64_t size;         /* with padding that the length should have counted */
    uint64_t offset;       /* in the file */
};

enum block_result { BLOCK_DONE, BLOCK_FRAME, BLOCK_END, BLOCK_BROKEN };

struct pcapng_reading {
    struct pcapng_state *pcapng;
    struct window *window;
    struct capture_facts *facts;
    struct frame *frame;
    struct error *error;
};

static inline uint16_t pcapng_u16(const struct pcapng_state *pcapng, struct cursor *c)
{
    return pcapng->big_endian ? cursor_u16be(c) : cursor_u16le(c);
}

static inline uint32_t pcapng_u32(const struct pcapng_state *pcapng, struct cursor *c)
{
    return pcapng->big_endian ? cursor_u32be(c) : cursor_u32le(c);
}

static inline uint64_t pcapng_u64(const struct pcapng_state *pcapng, struct cursor *c)
{
    return pcapng->big_endian ? cursor_u64be(c) : cursor_u64le(c);
}

static bool pcapng_recognises(struct span head)
{
    static const uint8_t type[4] = {0x0A, 0x0D, 0x0D, 0x0A};
    return head.size >= sizeof type && memcmp(head.data, type, sizeof type) == 0;
}

/* Options */

struct pcapng_option {
    uint16_t code;
    struct span value;
};

static bool option_next(const struct pcapng_state *pcapng, struct cursor *c, struct pcapng_option *option)
{
    if (c->failed || c->left == 0)
        return false;
    option->code = pcapng_u16(pcapng, c);
    size_t size = pcapng_u16(pcapng, c);
    if (c->failed || option->code == OPTION_END)
        return false;
    option->value = cursor_take(c, size);
    size_t padding = (4 - size % 4) % 4;
    cursor_skip(c, padding < c->left ? padding : c->left);
    return !c->failed;
}

static void options_done(struct pcapng_reading *reading, const struct pcapng_block *block, const struct cursor *c)
{
    if (c->failed)
        notes_add(&reading->facts->notes, "pcapng options damaged",
                  "an option of the block at offset %llu does not fit into it", (unsigned long long)block->offset);
}

/* Times */

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t power = 1;
    for (unsigned i = 0; i < exponent; i++)
        power *= 10;
    return power;
}

static void interface_set_resolution(struct pcapng_interface *interface, uint8_t resolution)
{
    unsigned digits = resolution & 0x7F;
    interface->binary_digits = resolution & 0x80 ? (uint8_t)digits : 0;
    interface->multiply = 1;
    interface->divide = 1;
    if (resolution & 0x80)
        interface->multiply = NS_PER_SECOND; /* 2^0: whole seconds */
    else if (digits <= 9)
        interface->multiply = power_of_ten(9 - digits);
    else
        interface->divide = digits <= 28 ? power_of_ten(digits - 9) : UINT64_MAX;
}

static int64_t seconds_and_ns(uint64_t seconds, uint64_t ns)
{
    if (seconds > (uint64_t)(INT64_MAX / NS_PER_SECOND) - 1)
        return INT64_MAX;
    return (int64_t)(seconds * NS_PER_SECOND + ns);
}

static int64_t binary_time_ns(uint64_t time, unsigned digits)
{
    uint64_t seconds = digits < 64 ? time >> digits : 0;
    uint64_t fraction = digits < 64 ? time & ((UINT64_C(1) << digits) - 1) : time;
    if (digits > 34) { /* so that the product below fits; finer than a nanosecond anyway */
        fraction = digits - 34 < 64 ? fraction >> (digits - 34) : 0;
        digits = 34;
    }
    return seconds_and_ns(seconds, fraction * NS_PER_SECOND >> digits);
}

static int64_t time_with_offset(int64_t time_ns, int64_t offset_s)
{
    if (offset_s > INT64_MAX / NS_PER_SECOND || offset_s < -(INT64_MAX / NS_PER_SECOND))
        return offset_s > 0 ? INT64_MAX : 0;
    int64_t offset_ns = offset_s * NS_PER_SECOND;
    if (offset_ns > 0 && time_ns > INT64_MAX - offset_ns)
        return INT64_MAX;
    return time_ns + offset_ns; /* time_ns is never negative */
}

static int64_t interface_time_ns(const struct pcapng_interface *interface, uint64_t time)
{
    int64_t time_ns;
    if (interface->binary_digits > 0)
        time_ns = binary_time_ns(time, interface->binary_digits);
    else if (interface->divide > 1)
        time_ns = (int64_t)(time / interface->divide);
    else if (time > (uint64_t)INT64_MAX / interface->multiply)
        time_ns = INT64_MAX;
    else
        time_ns = (int64_t)(time * interface->multiply);
    return interface->offset_s ? time_with_offset(time_ns, interface->offset_s) : time_ns;
}

/* What the capture lost: the statistics count all, the packets what was lost before them; either may be missing. */
static void interface_report_drops(struct pcapng_interface *interface, struct capture_facts *facts)
{
    uint64_t dropped =
        interface->dropped_in_all > interface->dropped_between ? interface->dropped_in_all : interface->dropped_between;
    facts->dropped_by_capture += dropped - interface->dropped_as_reported;
    facts->dropped_known = true;
    interface->dropped_as_reported = dropped;
}

/* Blocks: each handler gets what stands between the two lengths. */

static enum block_result block_broken(struct pcapng_reading *reading, const struct pcapng_block *block,
                                      const char *reason)
{
    error_set(reading->error, "the block at offset %llu %s", (unsigned long long)block->offset, reason);
    return BLOCK_BROKEN;
}

/* The first of its kind: those of later sections may be of files that were put behind it. */
static void keep_name(uint32_t *hash, const struct pcapng_option *option)
{
    if (*hash == 0 && option->value.size > 0)
        *hash = hash_bytes(option->value.data, (uint32_t)option->value.size) | 1;
}

static enum block_result read_section_header(struct pcapng_reading *reading, const struct pcapng_block *block,
                                             struct cursor body)
{
    struct pcapng_state *pcapng = reading->pcapng;
    cursor_skip(&body, 4); /* byte-order magic */
    uint16_t major = pcapng_u16(pcapng, &body);
    uint16_t minor = pcapng_u16(pcapng, &body);
    cursor_skip(&body, 8); /* section length: a hint, and often unknown */
    if (body.failed)
        return block_broken(reading, block, "is too short for a section header");
    if (major != 1) {
        error_set(reading->error, "the section at offset %llu has version %u.%u, which is not known (1.0 is)",
                  (unsigned long long)block->offset, major, minor);
        return BLOCK_BROKEN;
    }
    for (struct pcapng_option option; option_next(pcapng, &body, &option);)
        if (option.code == SHB_HARDWARE)
            keep_name(&reading->facts->maker.hardware, &option);
        else if (option.code == SHB_OS)
            keep_name(&reading->facts->maker.system, &option);
    pcapng->first_interface += pcapng->interface_count;
    pcapng->interface_count = 0;
    pcapng->last_ns = 0;
    return BLOCK_DONE;
}

static struct pcapng_interface *interface_add(struct pcapng_state *pcapng)
{
    if (pcapng->interface_count == pcapng->interface_capacity) {
        pcapng->interface_capacity = pcapng->interface_capacity ? pcapng->interface_capacity * 2 : 4;
        pcapng->interfaces = memory_grow(pcapng->interfaces, pcapng->interface_capacity, sizeof *pcapng->interfaces);
    }
    struct pcapng_interface *interface = &pcapng->interfaces[pcapng->interface_count++];
    *interface = (struct pcapng_interface){0};
    return interface;
}

static void interface_read_option(struct pcapng_reading *reading, struct pcapng_interface *interface,
                                  const struct pcapng_option *option)
{
    struct cursor value = cursor_over(option->value);
    if (option->code == IF_TSRESOL && option->value.size >= 1) {
        uint8_t resolution = cursor_u8(&value);
        interface_set_resolution(interface, resolution);
        if ((resolution & 0x7F) > (resolution & 0x80 ? 63 : 19))
            notes_add(
                &reading->facts->notes, "pcapng time resolution",
                "interface %u counts time in units of %d^-%d seconds, which no clock does: its times are not reliable",
                reading->pcapng->interface_count - 1, resolution & 0x80 ? 2 : 10, resolution & 0x7F);
    } else if (option->code == IF_TSOFFSET && option->value.size >= 8) {
        uint64_t offset = pcapng_u64(reading->pcapng, &value);
        memcpy(&interface->offset_s, &offset, sizeof offset);
    } else if (option->code == IF_NAME) {
        keep_name(&reading->facts->maker.interface, option);
    }
}

static enum block_result read_interface(struct pcapng_reading *reading, const struct pcapng_block *block,
                                        struct cursor body)
{
    struct pcapng_state *pcapng = reading->pcapng;
    uint16_t link_type = pcapng_u16(pcapng, &body);
    cursor_skip(&body, 2);
    uint32_t snaplen = pcapng_u32(pcapng, &body);
    if (body.failed)
        return block_broken(reading, block, "is too short for an interface description");
    if (pcapng->interface_count == PCAPNG_INTERFACES_MAX) {
        notes_add(&reading->facts->notes, "pcapng interfaces",
                  "interfaces beyond the first %d of a section are ignored", PCAPNG_INTERFACES_MAX);
        return BLOCK_DONE;
    }
    struct pcapng_interface *interface = interface_add(pcapng);
    interface->link_type = link_type;
    interface->snaplen = snaplen;
    interface_set_resolution(interface, PCAPNG_DEFAULT_RESOLUTION);
    for (struct pcapng_option option; option_next(pcapng, &body, &option);)
        interface_read_option(reading, interface, &option);
    options_done(reading, block, &body);
    return BLOCK_DONE;
}

static enum block_result read_statistics(struct pcapng_reading *reading, const struct pcapng_block *block,
                                         struct cursor body)
{
    struct pcapng_state *pcapng = reading->pcapng;
    uint32_t number = pcapng_u32(pcapng, &body);
    cursor_skip(&body, 8); /* time */
    if (body.failed || number >= pcapng->interface_count) {
        notes_add(&reading->facts->notes, "pcapng statistics damaged",
                  "the statistics at offset %llu are of an interface that does not exist",
                  (unsigned long long)block->offset);
        return BLOCK_DONE;
    }
    struct pcapng_interface *interface = &pcapng->interfaces[number];
    bool told = false;
    uint64_t dropped = 0;
    for (struct pcapng_option option; option_next(pcapng, &body, &option);) {
        struct cursor value = cursor_over(option.value);
        if ((option.code != ISB_IFDROP && option.code != ISB_OSDROP) || option.value.size < 8)
            continue;
        dropped += pcapng_u64(pcapng, &value);
        told = true;
    }
    options_done(reading, block, &body);
    if (told) {
        interface->dropped_in_all = dropped;
        interface_report_drops(interface, reading->facts);
    }
    return BLOCK_DONE;
}

struct pcapng_packet {
    uint32_t interface;
    uint32_t captured;
    uint32_t wire;
    uint64_t time;
    bool timeless;
};

/* Fills the frame from a packet whose bytes are next in body, and moves past them. */
static enum block_result packet_to_frame(struct pcapng_reading *reading, const struct pcapng_block *block,
                                         struct pcapng_packet packet, struct cursor *body)
{
    struct pcapng_state *pcapng = reading->pcapng;
    if (body->failed)
        return block_broken(reading, block, "is too short for a packet");
    if (packet.interface >= pcapng->interface_count) {
        error_set(reading->error, "packet %u at offset %llu is of interface %u, but its section describes only %u",
                  pcapng->numbered + 1, (unsigned long long)block->offset, packet.interface, pcapng->interface_count);
        return BLOCK_BROKEN;
    }
    if (packet.captured > READER_FRAME_MAX_BYTES || packet.captured > body->left) {
        error_set(reading->error, "packet %u at offset %llu says that %u bytes of it were captured; its block has %zu",
                  pcapng->numbered + 1, (unsigned long long)block->offset, packet.captured, body->left);
        return BLOCK_BROKEN;
    }
    const struct pcapng_interface *interface = &pcapng->interfaces[packet.interface];
    size_t before = (size_t)(block->size - PCAPNG_TRAILER_BYTES - body->left);
    struct span bytes = cursor_take(body, packet.captured);
    if (!packet.timeless)
        pcapng->last_ns = interface_time_ns(interface, packet.time);
    pcapng->numbered++;
    *reading->frame = (struct frame){
        .moment = {.time_ns = pcapng->last_ns, .frame = pcapng->numbered},
        .file_offset = block->offset + before,
        .bytes = bytes,
        .wire_length = packet.wire > packet.captured ? packet.wire : packet.captured,
        .link_type = interface->link_type,
        .interface = pcapng->first_interface + packet.interface,
        .timeless = packet.timeless,
    };
    return BLOCK_FRAME;
}

static void packet_count_drops(struct pcapng_reading *reading, uint32_t interface_number, uint64_t dropped)
{
    struct pcapng_interface *interface = &reading->pcapng->interfaces[interface_number];
    interface->dropped_between += dropped;
    interface_report_drops(interface, reading->facts);
}

static void packet_read_options(struct pcapng_reading *reading, const struct pcapng_block *block,
                                struct pcapng_packet packet, struct cursor *body)
{
    static const enum frame_direction directions[4] = {[1] = FRAME_INBOUND, [2] = FRAME_OUTBOUND};
    size_t padding = (4 - packet.captured % 4) % 4;
    cursor_skip(body, padding < body->left ? padding : body->left);
    for (struct pcapng_option option; option_next(reading->pcapng, body, &option);) {
        struct cursor value = cursor_over(option.value);
        if (option.code == EPB_FLAGS && option.value.size >= 4)
            reading->frame->direction = directions[pcapng_u32(reading->pcapng, &value) & 3];
        else if (option.code == EPB_DROPCOUNT && option.value.size >= 8)
            packet_count_drops(reading, packet.interface, pcapng_u64(reading->pcapng, &value));
    }
    options_done(reading, block, body);
}

static enum block_result read_enhanced_packet(struct pcapng_reading *reading, const struct pcapng_block *block,
                                              struct cursor body)
{
    struct pcapng_packet packet = {0};
    packet.interface = pcapng_u32(reading->pcapng, &body);
    packet.time = (uint64_t)pcapng_u32(reading->pcapng, &body) << 32;
    packet.time |= pcapng_u32(reading->pcapng, &body);
    packet.captured = pcapng_u32(reading->pcapng, &body);
    packet.wire = pcapng_u32(reading->pcapng, &body);
    enum block_result result = packet_to_frame(reading, block, packet, &body);
    if (result == BLOCK_FRAME && body.left > 0)
        packet_read_options(reading, block, packet, &body);
    return result;
}

/* The Packet Block that the enhanced one replaced. */
static enum block_result read_old_packet(struct pcapng_reading *reading, const struct pcapng_block *block,
                                         struct cursor body)
{
    struct pcapng_packet packet = {0};
    packet.interface = pcapng_u16(reading->pcapng, &body);
    uint16_t dropped = pcapng_u16(reading->pcapng, &body);
    packet.time = (uint64_t)pcapng_u32(reading->pcapng, &body) << 32;
    packet.time |= pcapng_u32(reading->pcapng, &body);
    packet.captured = pcapng_u32(reading->pcapng, &body);
    packet.wire = pcapng_u32(reading->pcapng, &body);
    enum block_result result = packet_to_frame(reading, block, packet, &body);
    if (result != BLOCK_FRAME)
        return result;
    if (dropped != 0xFFFF) /* not known */
        packet_count_drops(reading, packet.interface, dropped);
    packet_read_options(reading, block, packet, &body);
    return result;
}

static enum block_result read_simple_packet(struct pcapng_reading *reading, const struct pcapng_block *block,
                                            struct cursor body)
{
    const struct pcapng_state *pcapng = reading->pcapng;
    struct pcapng_packet packet = {.timeless = true};
    packet.wire = pcapng_u32(pcapng, &body);
    packet.captured = packet.wire < body.left ? packet.wire : (uint32_t)body.left;
    uint32_t snaplen = pcapng->interface_count > 0 ? pcapng->interfaces[0].snaplen : 0;
    if (snaplen > 0 && packet.captured > snaplen)
        packet.captured = snaplen;
    enum block_result result = packet_to_frame(reading, block, packet, &body);
    if (result == BLOCK_FRAME)
        notes_add(&reading->facts->notes, "packets without time",
                  "packet %u is stored without its time; it is shown at the time of the packet before",
                  pcapng->numbered);
    return result;
}

struct block_kind {
    uint32_t type;
    const char *skipped; /* what is said of it when it is skipped; NULL: nothing */
    enum block_result (*read)(struct pcapng_reading *reading, const struct pcapng_block *block, struct cursor body);
    bool numbered; /* by Wireshark, among the packets: so that a packet's number is the same here and there */
};

static const struct block_kind block_kinds[] = {
    {.type = 6, .read = read_enhanced_packet},
    {.type = 1, .read = read_interface},
    {.type = 2, .read = read_old_packet},
    {.type = 3, .read = read_simple_packet},
    {.type = 4}, /* name resolution */
    {.type = 5, .read = read_statistics},
    {.type = 9, .skipped = "systemd journal entries", .numbered = true},
    {.type = 0x0000000A}, /* decryption secrets */
    {.type = 0x00000BAD, .skipped = "custom blocks", .numbered = true},
    {.type = 0x40000BAD, .skipped = "custom blocks", .numbered = true},
    {.type = PCAPNG_SECTION_HEADER, .read = read_section_header},
};

static const struct block_kind *block_kind_of(uint32_t type)
{
    static const struct block_kind unknown = {.skipped = "blocks of unknown types"};
    for (size_t i = 0; i < sizeof block_kinds / sizeof block_kinds[0]; i++) {
        if (block_kinds[i].type == type)
            return &block_kinds[i];
    }
    return &unknown;
}

static enum block_result block_cut(struct pcapng_reading *reading, const struct pcapng_block *block, uint64_t there)
{
    struct reader_cut cut = {"block", reading->pcapng->blocks, block->offset, there, block->size};
    reader_broken_by_end(reading->window, cut, reading->error);
    return BLOCK_BROKEN;
}

static enum block_result block_trailer_check(struct pcapng_reading *reading, const struct pcapng_block *block,
                                             struct span trailer)
{
    struct cursor c = cursor_over(trailer);
    uint32_t length = pcapng_u32(reading->pcapng, &c);
    if (length == block->total_length)
        return BLOCK_DONE;
    error_set(reading->error, "the block at offset %llu has length %u at its begin and %u at its end",
              (unsigned long long)block->offset, block->total_length, length);
    return BLOCK_BROKEN;
}

static enum block_result block_skip(struct pcapng_reading *reading, const struct pcapng_block *block,
                                    const struct block_kind *kind)
{
    uint64_t before_trailer = block->size - PCAPNG_TRAILER_BYTES;
    uint64_t there = window_skip(reading->window, before_trailer);
    struct span trailer = window_peek(reading->window, PCAPNG_TRAILER_BYTES);
    if (there < before_trailer || trailer.size < PCAPNG_TRAILER_BYTES)
        return block_cut(reading, block, there + trailer.size);
    enum block_result result = block_trailer_check(reading, block, trailer);
    window_skip(reading->window, PCAPNG_TRAILER_BYTES);
    if (result != BLOCK_DONE)
        return result;
    reading->pcapng->numbered += kind->numbered;
    if (kind->skipped)
        notes_add(&reading->facts->notes, kind->skipped, "%s are skipped; the first is at offset %llu", kind->skipped,
                  (unsigned long long)block->offset);
    return BLOCK_DONE;
}

static enum block_result block_read(struct pcapng_reading *reading, const struct pcapng_block *block,
                                    const struct block_kind *kind)
{
    if (block->size > WINDOW_MAX_BYTES)
        return block_broken(reading, block, "is larger than any such block can be");
    struct span bytes = window_peek(reading->window, (size_t)block->size);
    if (bytes.size < block->size)
        return block_cut(reading, block, bytes.size);
    size_t end = bytes.size - PCAPNG_TRAILER_BYTES;
    if (block_trailer_check(reading, block, span_from(bytes, end)) != BLOCK_DONE)
        return BLOCK_BROKEN;
    struct span body = span_part(bytes, PCAPNG_HEAD_BYTES, end - PCAPNG_HEAD_BYTES);
    enum block_result result = kind->read(reading, block, cursor_over(body));
    window_skip(reading->window, bytes.size); /* what was peeked stays where it is: the frame points there */
    return result;
}

/* A section header's byte order is told inside it, behind its length. */
static bool section_byte_order(struct pcapng_reading *reading)
{
    struct cursor c = cursor_over(span_from(window_peek(reading->window, PCAPNG_HEAD_BYTES + 4), PCAPNG_HEAD_BYTES));
    uint32_t magic = cursor_u32be(&c);
    reading->pcapng->big_endian = magic == PCAPNG_BYTE_ORDER_MAGIC;
    return magic == PCAPNG_BYTE_ORDER_MAGIC || magic == 0x4D3C2B1A || c.failed;
}

static enum block_result block_next(struct pcapng_reading *reading)
{
    struct pcapng_state *pcapng = reading->pcapng;
    struct pcapng_block block = {.offset = reading->window->offset, .size = PCAPNG_HEAD_BYTES + PCAPNG_TRAILER_BYTES};
    struct span head = window_peek(reading->window, PCAPNG_HEAD_BYTES);
    if (head.size == 0 && !reading->window->error.text[0])
        return BLOCK_END;
    pcapng->blocks++;
    if (head.size < PCAPNG_HEAD_BYTES)
        return block_cut(reading, &block, head.size);
    if (pcapng_recognises(head)) {
        if (!section_byte_order(reading))
            return block_broken(reading, &block, "is a section header without a byte order");
        head = window_peek(reading->window, PCAPNG_HEAD_BYTES);
    }
    struct cursor c = cursor_over(head);
    block.type = pcapng_u32(pcapng, &c);
    block.total_length = pcapng_u32(pcapng, &c);
    if (block.total_length < PCAPNG_HEAD_BYTES + PCAPNG_TRAILER_BYTES) {
        error_set(reading->error, "the block at offset %llu says that it has %u bytes, fewer than any block",
                  (unsigned long long)block.offset, block.total_length);
        return BLOCK_BROKEN;
    }
    block.size = ((uint64_t)block.total_length + 3) / 4 * 4;
    const struct block_kind *kind = block_kind_of(block.type);
    if (kind->read)
        return block_read(reading, &block, kind);
    return block_skip(reading, &block, kind);
}

static bool pcapng_open(void *state, struct window *window, struct capture_facts *facts, struct error *error)
{
    struct pcapng_reading reading = {state, window, facts, NULL, error};
    return block_next(&reading) == BLOCK_DONE;
}

static enum reader_result pcapng_next(void *state, struct window *window, struct capture_facts *facts,
                                      struct frame *frame, struct error *error)
{
    struct pcapng_reading reading = {state, window, facts, frame, error};
    enum block_result result;
    do
        result = block_next(&reading);
    while (result == BLOCK_DONE);
    if (result == BLOCK_FRAME)
        return READER_FRAME;
    return result == BLOCK_END ? READER_END : READER_BROKEN;
}

static void pcapng_close(void *state)
{
    struct pcapng_state *pcapng = state;
    memory_give(pcapng->interfaces);
}

const struct capture_reader reader_pcapng = {
    .name = "pcapng",
    .state_size = sizeof(struct pcapng_state),
    .recognises = pcapng_recognises,
    .open = pcapng_open,
    .next = pcapng_next,
    .close = pcapng_close,
};
