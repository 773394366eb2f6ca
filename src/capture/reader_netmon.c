/*
 * Reads captures of Microsoft's Network Monitor (1.x, and 2.x up to 2.3, which NMCap and Message Analyzer write, too).
 *
 * Theory of operation. A table at the file's end has the offset of each record, in the order in which they are numbered. Most follow each
 * other in the file, so they are taken from the window, as those of a pcap are; one that stands before the window is read where it stands. Where
 * the table cannot be read, because the file is cut or was not finished, records are taken one behind the other. Frames have the numbers that
 * Wireshark gives them.
 */
#include <string.h>

#include "cursor.h"
#include "decrypted_wlan.h"
#include "frame_room.h"
#include "link_types.h"
#include "memory.h"
#include "netmon_header.h"
#include "netmon_media.h"
#include "reader.h"

#define MONITOR_MODE 0x80000000U /* the card listens to all, and decrypts nothing */

enum { OFFSET_BYTES = 4, TABLE_PIECE = 4096 }; /* entries that are read at once */

struct netmon_state {
    struct netmon_header header;
    struct frame_room room;
    struct window *window; /* the reader's own */
    uint8_t *table;        /* owned; the entries [table_first, table_first + table_count) */
    uint32_t table_first, table_count;
    uint32_t records;  /* of the table; 0: it cannot be read */
    uint32_t record;   /* the next */
    uint32_t numbered; /* frames so far */
    uint32_t unreadable;
    uint64_t first_unreadable; /* its offset */
    uint64_t end, used;        /* of the record that reaches farthest; bytes of all */
    uint64_t events;
    bool local_time;
};

struct netmon_piece {
    uint64_t offset;
    struct netmon_record_head head;
    struct netmon_trailer trailer;
    struct span bytes;
};

static bool netmon_recognises(struct span head)
{
    return netmon_header_recognises(head);
}

/* Whether the entry is at hand. */
static bool table_load(struct netmon_state *netmon, uint32_t entry)
{
    if (entry >= netmon->table_first && entry - netmon->table_first < netmon->table_count)
        return true;
    uint32_t left = netmon->header.table_bytes / OFFSET_BYTES - entry;
    size_t wanted = (left < TABLE_PIECE ? left : TABLE_PIECE) * OFFSET_BYTES, got;
    struct error error;
    if (!window_read_at(netmon->window, netmon->header.table_offset + (uint64_t)entry * OFFSET_BYTES, netmon->table,
                        wanted, &got, &error) ||
        got < OFFSET_BYTES)
        return false;
    netmon->table_first = entry;
    netmon->table_count = (uint32_t)(got / OFFSET_BYTES);
    return true;
}

static uint32_t table_offset(const struct netmon_state *netmon, uint32_t entry)
{
    size_t at = (size_t)(entry - netmon->table_first) * OFFSET_BYTES;
    struct cursor c = {netmon->table + at, OFFSET_BYTES, false};
    return cursor_u32le(&c);
}

static bool netmon_open(void *state, struct window *window, struct capture_facts *facts, struct error *error)
{
    struct netmon_state *netmon = state;
    (void)facts;
    netmon->window = window;
    if (!netmon_header_read(&netmon->header, window_peek(window, NETMON_HEAD_BYTES), error))
        return false;
    netmon->table = memory_take((size_t)TABLE_PIECE * OFFSET_BYTES);
    uint32_t records = netmon->header.table_bytes / OFFSET_BYTES;
    if (records > 0 && netmon->header.table_offset >= NETMON_HEAD_BYTES && table_load(netmon, records - 1) &&
        table_load(netmon, 0))
        netmon->records = records;
    window_skip(window, NETMON_HEAD_BYTES);
    return true;
}

static size_t record_bytes(const struct netmon_header *header, const struct netmon_record_head *head)
{
    return header->record_bytes + head->captured + header->trailer_bytes;
}

/* Of a record that the window stands at. */
static bool take_from_window(struct netmon_state *netmon, struct netmon_piece *piece)
{
    const struct netmon_header *header = &netmon->header;
    struct span bytes = window_peek(netmon->window, header->record_bytes);
    if (bytes.size < header->record_bytes)
        return false;
    piece->head = netmon_record_head_at(header, bytes);
    if (piece->head.captured > READER_FRAME_MAX_BYTES)
        return false;
    size_t whole = record_bytes(header, &piece->head);
    bytes = window_peek(netmon->window, whole);
    if (bytes.size < whole)
        return false;
    piece->bytes = span_part(bytes, header->record_bytes, piece->head.captured);
    piece->trailer = netmon_trailer_at(header, span_from(bytes, header->record_bytes + piece->head.captured));
    window_skip(netmon->window, whole);
    return true;
}

static bool read_exactly(const struct netmon_state *netmon, uint64_t offset, uint8_t *buffer, size_t size)
{
    size_t got;
    struct error error;
    return size == 0 || (window_read_at(netmon->window, offset, buffer, size, &got, &error) && got == size);
}

/* Of a record that stands before the window. */
static bool take_at(struct netmon_state *netmon, struct netmon_piece *piece)
{
    const struct netmon_header *header = &netmon->header;
    uint8_t head[NETMON_RECORD_MOST], trailer[NETMON_TRAILER_MOST];
    if (!read_exactly(netmon, piece->offset, head, header->record_bytes))
        return false;
    piece->head = netmon_record_head_at(header, (struct span){head, header->record_bytes});
    size_t size = piece->head.captured;
    uint64_t packet = piece->offset + header->record_bytes;
    if (size > READER_FRAME_MAX_BYTES || !read_exactly(netmon, packet + size, trailer, header->trailer_bytes))
        return false;
    uint8_t *bytes = frame_room_take(&netmon->room, netmon->window, size);
    piece->bytes = (struct span){bytes, size};
    piece->trailer = netmon_trailer_at(header, (struct span){trailer, header->trailer_bytes});
    return read_exactly(netmon, packet, bytes, size);
}

static bool take_from_table(struct netmon_state *netmon, struct netmon_piece *piece)
{
    struct window *window = netmon->window;
    piece->offset = table_load(netmon, netmon->record) ? table_offset(netmon, netmon->record) : 0;
    netmon->record++;
    if (piece->offset < NETMON_HEAD_BYTES)
        return false;
    if (piece->offset < window->offset)
        return take_at(netmon, piece);
    uint64_t ahead = piece->offset - window->offset;
    uint8_t byte;
    if (ahead > WINDOW_BYTES && !read_exactly(netmon, piece->offset, &byte, 1)) /* damage must not move the window */
        return false;
    return window_skip(window, ahead) == ahead && take_from_window(netmon, piece);
}

/* Records of a file do not overlap: so one in which they do is damaged, and may be made to be read for ever. */
static bool count_bytes(struct netmon_state *netmon, const struct netmon_piece *piece)
{
    size_t size = record_bytes(&netmon->header, &piece->head);
    netmon->used += size;
    if (piece->offset + size > netmon->end)
        netmon->end = piece->offset + size;
    return netmon->used <= netmon->end;
}

/* Network Monitor's header: version, length, mode of operation (NetMon 3's wifi.npl). */
static void strip_wlan(struct netmon_state *netmon, struct netmon_piece *piece)
{
    enum { VERSION_BYTES = 1 };
    struct cursor c = cursor_over(piece->bytes);
    cursor_skip(&c, VERSION_BYTES);
    size_t size = cursor_u16le(&c);
    bool on_air = cursor_u32le(&c) & MONITOR_MODE;
    struct span packet = span_from(piece->bytes, c.failed ? piece->bytes.size : size);
    piece->head.wire -= piece->head.wire < size ? piece->head.wire : (uint32_t)size;
    piece->bytes = packet;
    if (on_air || packet.size == 0)
        return;
    uint8_t *bytes = frame_room_take(&netmon->room, netmon->window, packet.size);
    memmove(bytes, packet.data, packet.size);
    decrypted_wlan_clear(bytes, packet.size);
    piece->bytes = (struct span){bytes, packet.size};
}

static void note_unread(struct netmon_state *netmon, const struct netmon_piece *piece, enum netmon_record record,
                        struct notes *notes)
{
    netmon->events += record == NETMON_EVENT;
    if (record == NETMON_UNKNOWN)
        notes_add(notes, CAPTURE_LINK_TYPE_NOTE,
                  "packet %u is of the media type %u of Network Monitor, which is not read", netmon->numbered,
                  piece->trailer.media);
}

/* Whether a packet came of it. */
static bool fill_frame(struct netmon_state *netmon, struct netmon_piece *piece, struct notes *notes,
                       struct frame *frame)
{
    struct netmon_media media = netmon_media_of(piece->trailer.media);
    netmon->numbered += media.record != NETMON_TABLE;
    if (media.record == NETMON_WLAN)
        strip_wlan(netmon, piece);
    else if (media.record != NETMON_PACKET) {
        note_unread(netmon, piece, media.record, notes);
        return false;
    }
    uint32_t captured = (uint32_t)piece->bytes.size;
    bool local = piece->trailer.time_ns == 0;
    netmon->local_time = netmon->local_time || local;
    int64_t time_ns = local ? netmon->header.start_ns + piece->head.since_ns : piece->trailer.time_ns;
    *frame =
        (struct frame){.moment = {.time_ns = time_ns, .frame = netmon->numbered},
                       .file_offset = piece->offset + netmon->header.record_bytes + piece->head.captured - captured,
                       .bytes = piece->bytes,
                       .wire_length = piece->head.wire > captured ? piece->head.wire : captured,
                       .link_type = media.link_type};
    return true;
}

static void conclude(const struct netmon_state *netmon, struct notes *notes)
{
    if (netmon->local_time)
        notes_add(
            notes, "local time",
            "the times are those of the machine's time zone, which the file does not name; they are read as if it "
            "were UTC");
    if (netmon->events > 0)
        notes_add(
            notes, "events",
            "%llu records are events of Windows, not packets, and are not read; if packets are among them, give the "
            "event trace (.etl) that they are from",
            (unsigned long long)netmon->events);
}

static enum reader_result at_end(const struct netmon_state *netmon, struct capture_facts *facts, struct error *error)
{
    conclude(netmon, &facts->notes);
    if (netmon->unreadable == 0)
        return READER_END;
    error_set(error, "%u of %u records cannot be read, the first at offset %llu: the file is cut short or damaged",
              netmon->unreadable, netmon->records, (unsigned long long)netmon->first_unreadable);
    return READER_BROKEN;
}

static enum reader_result next_by_table(struct netmon_state *netmon, struct capture_facts *facts, struct frame *frame,
                                        struct error *error)
{
    while (netmon->record < netmon->records) {
        struct netmon_piece piece;
        bool taken = take_from_table(netmon, &piece);
        if (!taken) {
            netmon->numbered++;
            if (netmon->unreadable++ == 0)
                netmon->first_unreadable = piece.offset;
            continue;
        }
        if (!count_bytes(netmon, &piece)) {
            conclude(netmon, &facts->notes);
            error_set(error, "the table of records is damaged: it has bytes at offset %llu more than once",
                      (unsigned long long)piece.offset);
            return READER_BROKEN;
        }
        if (fill_frame(netmon, &piece, &facts->notes, frame))
            return READER_FRAME;
    }
    return at_end(netmon, facts, error);
}

/* The table ends the records, where it is known at least where it was to stand. */
static bool may_stand_here(const struct netmon_state *netmon, uint64_t offset)
{
    return netmon->header.table_offset < NETMON_HEAD_BYTES || offset < netmon->header.table_offset;
}

static bool is_empty(const struct netmon_state *netmon)
{
    return netmon->header.table_bytes == 0 && netmon->numbered == 0 && window_peek(netmon->window, 1).size == 0 &&
           !netmon->window->error.text[0];
}

static enum reader_result next_in_a_row(struct netmon_state *netmon, struct capture_facts *facts, struct frame *frame,
                                        struct error *error)
{
    struct window *window = netmon->window;
    struct netmon_piece piece = {.offset = window->offset};
    if (is_empty(netmon))
        return READER_END;
    while (may_stand_here(netmon, window->offset) && take_from_window(netmon, &piece)) {
        if (fill_frame(netmon, &piece, &facts->notes, frame))
            return READER_FRAME;
        piece.offset = window->offset;
    }
    conclude(netmon, &facts->notes);
    if (window->error.text[0])
        error_set(error, "%s", window->error.text);
    else
        error_set(error,
                  "the file was cut short or not finished: its table of records is missing, and nothing is read from "
                  "offset %llu on",
                  (unsigned long long)window->offset);
    return READER_BROKEN;
}

static enum reader_result netmon_next(void *state, struct window *window, struct capture_facts *facts,
                                      struct frame *frame, struct error *error)
{
    struct netmon_state *netmon = state;
    (void)window;
    return netmon->records > 0 ? next_by_table(netmon, facts, frame, error)
                               : next_in_a_row(netmon, facts, frame, error);
}

static void netmon_close(void *state)
{
    struct netmon_state *netmon = state;
    if (netmon->window)
        frame_room_close(&netmon->room, netmon->window);
    memory_give(netmon->table);
}

const struct capture_reader reader_netmon = {
    .name = "netmon",
    .state_size = sizeof(struct netmon_state),
    .jumps = true,
    .recognises = netmon_recognises,
    .open = netmon_open,
    .next = netmon_next,
    .close = netmon_close,
};
