/* The buffers of an event trace. */
#include "etl_buffers.h"

#include <stdlib.h>

#include "cursor.h"
#include "memory.h"

/* Buffers have 64 KiB usually, 16 MiB at most where they are compressed; so many are more than 100 GiB. */
enum { BUFFERS_MOST = 1 << 21, BUFFER_BYTES_MOST = 64 << 20 };
/* Of as many bytes as an event has, 64 KiB at most, its head is its own, with its time: that much no compressor saves. */
enum { EXPANDS_MOST = 1 << 10 };

enum { FLAG_LAST = 1, FLAG_EVENTS_LOST = 2, FLAG_BUFFER_LOST = 4, FLAG_INDEX = 0x20, FLAG_COMPRESSED = 0x40 };
enum { NUMBER_AT = 0x18, PROCESSOR_AT = 0x28, FILLED_AT = 0x30, FLAGS_AT = 0x34 };
enum { MODE_CIRCULAR = 2 }; /* EVENT_TRACE_FILE_MODE_CIRCULAR */
enum { TYPE_HEADER = 4, TYPE_LAST = 7, INDEX_BITS = 0x7FF, NUMBER_BITS = 0xFF };

struct buffer_head {
    struct etl_buffer buffer;
    uint16_t flags, type;
};

static struct buffer_head read_head(struct span bytes, uint64_t offset)
{
    struct buffer_head head = {.buffer.offset = offset};
    struct cursor c = cursor_over(bytes);
    head.buffer.stored = cursor_u32le(&c);
    c = cursor_over(span_from(bytes, NUMBER_AT));
    head.buffer.number = (int64_t)cursor_u64le(&c);
    c = cursor_over(span_from(bytes, PROCESSOR_AT));
    head.buffer.stream = cursor_u16le(&c);
    c = cursor_over(span_from(bytes, FILLED_AT));
    head.buffer.filled = cursor_u32le(&c);
    head.flags = cursor_u16le(&c);
    head.type = cursor_u16le(&c);
    head.buffer.compressed = head.flags & FLAG_COMPRESSED;
    head.buffer.stream &= head.flags & FLAG_INDEX ? INDEX_BITS : NUMBER_BITS;
    return head;
}

static bool is_sound(const struct buffer_head *head)
{
    const struct etl_buffer *buffer = &head->buffer;
    return buffer->stored >= ETL_BUFFER_HEADER_BYTES && buffer->stored <= BUFFER_BYTES_MOST &&
           buffer->filled >= ETL_BUFFER_HEADER_BYTES && buffer->filled <= BUFFER_BYTES_MOST &&
           buffer->filled / (buffer->compressed ? EXPANDS_MOST : 1) <= buffer->stored && head->type <= TYPE_LAST;
}

/* A ring's last buffer stands anywhere. */
static void add(struct etl_buffers *buffers, const struct buffer_head *head, bool in_ring)
{
    if (buffers->count == buffers->capacity) {
        buffers->capacity = buffers->capacity ? buffers->capacity * 2 : 64;
        buffers->list = memory_grow(buffers->list, buffers->capacity, sizeof *buffers->list);
    }
    buffers->list[buffers->count++] = head->buffer;
    buffers->lost += (head->flags & (FLAG_EVENTS_LOST | FLAG_BUFFER_LOST)) != 0;
    buffers->ends = (head->flags & FLAG_LAST) || (in_ring && buffers->ends);
    buffers->any_compressed = buffers->any_compressed || head->buffer.compressed;
}

/* Where reading goes on behind a damaged buffer: buffers that are not compressed stand at multiples of their size. 0: nowhere. */
static uint64_t next_place(const struct etl_header *header, const struct etl_buffers *buffers, uint64_t offset)
{
    if (buffers->any_compressed || header->buffer_bytes < ETL_BUFFER_HEADER_BYTES ||
        header->buffer_bytes > BUFFER_BYTES_MOST)
        return 0;
    return (offset / header->buffer_bytes + 1) * header->buffer_bytes;
}

static int compare_buffers(const void *left, const void *right)
{
    const struct etl_buffer *a = left, *b = right;
    if (a->stream != b->stream)
        return a->stream < b->stream ? -1 : 1;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static void note_damage(struct notes *notes, uint64_t offset)
{
    notes_add(notes, "buffer damaged", "the buffer at offset %llu is damaged: what it held is not read",
              (unsigned long long)offset);
}

bool etl_buffers_find(struct etl_buffers *buffers, struct window *window, const struct etl_header *header,
                      struct notes *notes, struct error *error)
{
    uint8_t bytes[ETL_BUFFER_HEADER_BYTES];
    uint64_t offset = 0;
    while (buffers->count < BUFFERS_MOST) {
        size_t got;
        if (!window_read_at(window, offset, bytes, sizeof bytes, &got, error))
            return false;
        if (got < sizeof bytes)
            break;
        struct buffer_head head = read_head((struct span){bytes, sizeof bytes}, offset);
        if (head.buffer.stored == 0 && head.buffer.filled == 0)
            break; /* room that was taken in advance */
        if (is_sound(&head)) {
            if (head.type != TYPE_HEADER)
                add(buffers, &head, header->mode & MODE_CIRCULAR);
            offset += head.buffer.stored;
            continue;
        }
        note_damage(notes, offset);
        offset = next_place(header, buffers, offset);
        if (offset == 0)
            break;
    }
    if (buffers->count == BUFFERS_MOST)
        notes_add(notes, "too many buffers", "the trace has more than %d buffers: the rest is not read", BUFFERS_MOST);
    if (buffers->count > 1)
        qsort(buffers->list, buffers->count, sizeof *buffers->list, compare_buffers);
    return true;
}

void etl_buffers_close(struct etl_buffers *buffers)
{
    memory_give(buffers->list);
    *buffers = (struct etl_buffers){0};
}
