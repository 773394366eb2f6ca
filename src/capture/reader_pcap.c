/*
 * Reads classic pcap files (draft-ietf-opsawg-pcap), with the variants that were written in the field: nanoseconds,
 * either byte order, and record headers that are longer than the standard's 16 bytes.
 *
 * Theory of operation: the magic number does not always tell how long a record header is. Patched libpcaps of 1999
 * wrote 24 bytes, with or without a magic number of their own, or 28; Nokia's firewalls write 20. So the first records
 * are walked with each layout that the magic number allows, the common one first, until they are sound. When they never
 * are, it is damage, and the common one stays.
 */
#include "cursor.h"
#include "reader.h"

enum { PCAP_FILE_HEADER_BYTES = 24, PCAP_RECORD_FIXED_BYTES = 16, PCAP_RECORDS_TO_TRY = 3 };
enum { PCAP_WIRE_MAX_BYTES = 128 << 20 }; /* longer than any packet on any wire */

/* Files before version 2.3 hold the two lengths in the other order, 2.3 in either. */
enum pcap_lengths { PCAP_CAPTURED_FIRST, PCAP_WIRE_FIRST, PCAP_SMALLER_IS_CAPTURED };

struct pcap_state {
    bool big_endian;
    bool nanoseconds;
    enum pcap_lengths lengths;
    uint32_t header_bytes; /* of a record */
    uint32_t snaplen;      /* 0: none */
    uint32_t link_type;
    uint32_t packets;
};

struct pcap_magic {
    uint8_t bytes[4]; /* as a big-endian machine writes them */
    bool nanoseconds;
    uint8_t layouts[4]; /* lengths of record headers, the likelier first; 0 ends */
};

static const struct pcap_magic pcap_magics[] = {
    {{0xa1, 0xb2, 0xc3, 0xd4}, false, {16, 24, 20, 0}},
    {{0xa1, 0xb2, 0x3c, 0x4d}, true, {16, 0}},
    {{0xa1, 0xb2, 0xcd, 0x34}, false, {24, 28, 0}},
};

struct pcap_record {
    uint32_t seconds;
    uint32_t fraction; /* microseconds or nanoseconds */
    uint32_t captured;
    uint32_t wire;
};

static const struct pcap_magic *pcap_magic_of(struct span head, bool *big_endian)
{
    if (head.size < 4)
        return NULL;
    const uint8_t *p = head.data;
    for (size_t i = 0; i < sizeof pcap_magics / sizeof pcap_magics[0]; i++) {
        const uint8_t *m = pcap_magics[i].bytes;
        *big_endian = p[0] == m[0];
        if (p[0] == m[0] && p[1] == m[1] && p[2] == m[2] && p[3] == m[3])
            return &pcap_magics[i];
        if (p[0] == m[3] && p[1] == m[2] && p[2] == m[1] && p[3] == m[0])
            return &pcap_magics[i];
    }
    return NULL;
}

static bool pcap_recognises(struct span head)
{
    bool big_endian;
    return pcap_magic_of(head, &big_endian) != NULL;
}

static inline uint32_t pcap_u32(const struct pcap_state *pcap, struct cursor *c)
{
    return pcap->big_endian ? cursor_u32be(c) : cursor_u32le(c);
}

/* header: at least the part that all layouts have. */
static inline struct pcap_record pcap_record_at(const struct pcap_state *pcap, const uint8_t *header)
{
    struct cursor c = {header, PCAP_RECORD_FIXED_BYTES, false};
    struct pcap_record record = {0};
    record.seconds = pcap_u32(pcap, &c);
    record.fraction = pcap_u32(pcap, &c);
    record.captured = pcap_u32(pcap, &c);
    record.wire = pcap_u32(pcap, &c);
    if (pcap->lengths == PCAP_WIRE_FIRST ||
        (pcap->lengths == PCAP_SMALLER_IS_CAPTURED && record.captured > record.wire)) {
        uint32_t captured = record.wire;
        record.wire = record.captured;
        record.captured = captured;
    }
    return record;
}

static bool pcap_record_is_sound(const struct pcap_state *pcap, const struct pcap_record *record)
{
    return record->captured <= READER_FRAME_MAX_BYTES && record->wire <= PCAP_WIRE_MAX_BYTES &&
           record->captured <= record->wire && (pcap->snaplen == 0 || record->captured <= pcap->snaplen) &&
           record->fraction < (pcap->nanoseconds ? 1000000000U : 1000000U);
}

/* Whether the first records are sound when their headers are that long. The window stands at the first record. */
static bool pcap_layout_fits(const struct pcap_state *pcap, struct window *window, size_t header_bytes)
{
    size_t at = 0;
    for (int i = 0; i < PCAP_RECORDS_TO_TRY; i++) {
        struct span bytes = window_peek(window, at + header_bytes);
        if (bytes.size == at)
            return true;
        if (bytes.size < at + header_bytes)
            return false;
        struct pcap_record record = pcap_record_at(pcap, bytes.data + at);
        if (!pcap_record_is_sound(pcap, &record))
            return false;
        at += header_bytes + record.captured;
    }
    return true;
}

static uint32_t pcap_choose_layout(const struct pcap_state *pcap, struct window *window, const uint8_t *layouts)
{
    for (const uint8_t *layout = layouts; *layout; layout++) {
        if (pcap_layout_fits(pcap, window, *layout))
            return *layout;
    }
    return layouts[0];
}

static enum pcap_lengths pcap_lengths_of(uint16_t major, uint16_t minor)
{
    if (major > 2 || minor > 3)
        return PCAP_CAPTURED_FIRST;
    return minor == 3 ? PCAP_SMALLER_IS_CAPTURED : PCAP_WIRE_FIRST;
}

static bool pcap_open(void *state, struct window *window, struct capture_facts *facts, struct error *error)
{
    struct pcap_state *pcap = state;
    struct span header = window_peek(window, PCAP_FILE_HEADER_BYTES);
    const struct pcap_magic *magic = pcap_magic_of(header, &pcap->big_endian);
    if (header.size < PCAP_FILE_HEADER_BYTES || !magic) {
        reader_broken_by_end(window, (struct reader_cut){"file header", 1, 0, header.size, PCAP_FILE_HEADER_BYTES},
                             error);
        return false;
    }
    pcap->nanoseconds = magic->nanoseconds;
    struct cursor c = cursor_over(span_from(header, 4));
    uint16_t major = pcap->big_endian ? cursor_u16be(&c) : cursor_u16le(&c);
    uint16_t minor = pcap->big_endian ? cursor_u16be(&c) : cursor_u16le(&c);
    cursor_skip(&c, 8); /* time zone and accuracy, which nobody fills */
    pcap->snaplen = pcap_u32(pcap, &c);
    /* Above the link type: whether and how long a frame check sequence ends each packet (bits 26 and 28 to 31). */
    pcap->link_type = pcap_u32(pcap, &c) & 0x03FFFFFF;
    if (major < 2)
        return error_set(error, "pcap version %u.%u is not known (2.4 is)", major, minor);
    if (major != 2 || minor > 4)
        notes_add(&facts->notes, "pcap version", "pcap version %u.%u is not known and read as 2.4", major, minor);
    pcap->lengths = pcap_lengths_of(major, minor);
    window_skip(window, PCAP_FILE_HEADER_BYTES);
    pcap->header_bytes = pcap_choose_layout(pcap, window, magic->layouts);
    return true;
}

static enum reader_result pcap_next(void *state, struct window *window, struct capture_facts *facts,
                                    struct frame *frame, struct error *error)
{
    struct pcap_state *pcap = state;
    uint32_t number = pcap->packets + 1;
    uint64_t offset = window->offset;
    size_t wanted = pcap->header_bytes;
    struct span bytes = window_peek(window, wanted);
    if (bytes.size == 0 && !window->error.text[0])
        return READER_END;
    if (bytes.size < wanted)
        return reader_broken_by_end(window, (struct reader_cut){"packet", number, offset, bytes.size, wanted}, error);

    struct pcap_record record = pcap_record_at(pcap, bytes.data);
    if (record.captured > READER_FRAME_MAX_BYTES) {
        error_set(error, "packet %u at offset %llu says that %u bytes of it were captured; more than %d cannot be",
                  number, (unsigned long long)offset, record.captured, READER_FRAME_MAX_BYTES);
        return READER_BROKEN;
    }
    wanted += record.captured;
    bytes = window_peek(window, wanted);
    if (bytes.size < wanted)
        return reader_broken_by_end(window, (struct reader_cut){"packet", number, offset, bytes.size, wanted}, error);
    if (record.wire < record.captured) {
        notes_add(&facts->notes, "wire length below captured length",
                  "packet %u says that %u bytes were captured of %u on the wire", number, record.captured, record.wire);
        record.wire = record.captured;
    }
    window_skip(window, wanted);
    window_fetch(window);
    pcap->packets = number;
    int64_t fraction_ns = record.fraction * (pcap->nanoseconds ? 1 : NS_PER_US);
    *frame = (struct frame){.moment = {.time_ns = record.seconds * NS_PER_SECOND + fraction_ns, .frame = number},
                            .file_offset = offset + pcap->header_bytes,
                            .bytes = span_from(bytes, pcap->header_bytes),
                            .wire_length = record.wire,
                            .link_type = pcap->link_type};
    return READER_FRAME;
}

const struct capture_reader reader_pcap = {
    .name = "pcap",
    .state_size = sizeof(struct pcap_state),
    .recognises = pcap_recognises,
    .open = pcap_open,
    .next = pcap_next,
};
