/* Events of a trace, out of their buffers (evntrace.h, evntcons.h: EVENT_HEADER; headers of other kinds are passed over). */
#include "etl_events.h"

#include <string.h>

#include "cursor.h"
#include "memory.h"
#include "xpress.h"

/* Sizes have 16 bits. Besides an event as large as can be, as much again is made at once; in front is what decompressing reaches back. */
enum { EVENT_MOST = 1 << 16, MADE_AT_ONCE = 2 * EVENT_MOST };
enum { EVENT_HEADER_BYTES = 0x50, EVENT_LEAST = 8, EVENT_ALIGNMENT = 8, ITEM_BYTES = 8 };

/* The fourth and third byte of what an event begins with. */
enum { MARK_TRACE = 0xC0, MARK_MESSAGE = 0x90, MESSAGE_BITS = 0xD0 };
enum event_kind {
    KIND_SYSTEM_32 = 0x01,
    KIND_SYSTEM_64,
    KIND_COMPACT_32,
    KIND_COMPACT_64,
    KIND_FULL_32 = 0x0A,
    KIND_INSTANCE_32,
    KIND_ERROR = 0x0D,
    KIND_PERFINFO_32 = 0x10,
    KIND_PERFINFO_64,
    KIND_EVENT_32,
    KIND_EVENT_64,
    KIND_FULL_64,
    KIND_INSTANCE_64
};

/* As in the file: the first three parts of a GUID are little-endian. */
static const uint8_t providers[ETL_PROVIDERS][16] = {
    [ETL_NDIS] = {0x6E, 0x00, 0xD6, 0x2E, 0x29, 0x47, 0x09, 0x46, 0xB4, 0x23, 0x3E, 0xE7, 0xBC, 0xD6, 0x78, 0xEF},
    [ETL_PKTMON] = {0xD9, 0x80, 0x4F, 0x4D, 0xBD, 0xC8, 0x73, 0x4D, 0xBB, 0x5B, 0x19, 0xC9, 0x04, 0x02, 0xC5, 0xAC},
    [ETL_WFP] = {0x14, 0x1B, 0x2D, 0xC2, 0x42, 0xC2, 0xDE, 0x49, 0x9F, 0x17, 0x1D, 0x76, 0xB8, 0xB9, 0xC4, 0x58},
};

struct etl_stream {
    struct etl_events *all;
    const struct etl_buffer *at, *end; /* the buffer at hand; the first of another stream */
    bool begun;                        /* the buffer at hand */
    uint64_t offset;                   /* in the file, of what of it comes next */
    uint32_t stored_left, filled_left; /* of it, not read yet; not made yet */
    struct xpress *xpress;             /* NULL: no buffer was compressed so far */
    uint8_t *bytes;                    /* XPRESS_REACH, and room for MADE_AT_ONCE, or less if no buffer has so much */
    size_t capacity;
    size_t from, to; /* of them, what was made and not used */
    struct etl_event event;
};

/* The stored bytes of the buffer at hand. */
static size_t read_stored(void *context, uint8_t *buffer, size_t size)
{
    struct etl_stream *s = context;
    size_t got = 0;
    if (size > s->stored_left)
        size = s->stored_left;
    if (size == 0 || s->all->error.text[0] ||
        !window_read_at(s->all->window, s->offset, buffer, size, &got, &s->all->error))
        return 0;
    s->offset += got;
    s->stored_left -= (uint32_t)got;
    return got;
}

static void begin_buffer(struct etl_stream *s)
{
    const struct etl_buffer *buffer = s->at;
    s->begun = true;
    s->offset = buffer->offset + ETL_BUFFER_HEADER_BYTES;
    s->stored_left = buffer->stored - ETL_BUFFER_HEADER_BYTES;
    s->filled_left = buffer->filled - ETL_BUFFER_HEADER_BYTES;
    s->from = s->to = 0;
    s->all->consumed += buffer->stored;
    if (!buffer->compressed)
        return;
    if (!s->xpress)
        s->xpress = memory_take(sizeof *s->xpress);
    *s->xpress = (struct xpress){.source = {read_stored, s}};
}

/* Makes room behind what was made, and keeps what decompressing reaches back. */
static void make_room(struct etl_stream *s)
{
    if (s->from <= XPRESS_REACH)
        return;
    size_t begin = s->from - XPRESS_REACH;
    memmove(s->bytes, s->bytes + begin, s->to - begin);
    s->from -= begin;
    s->to -= begin;
}

static void make_more(struct etl_stream *s)
{
    make_room(s);
    size_t room = s->capacity - s->to, made = 0;
    if (room > s->filled_left)
        room = s->filled_left;
    if (s->at->compressed)
        made = xpress_decode(s->xpress, s->bytes + s->to, room);
    else
        for (size_t got = 1; made < room && got > 0; made += got)
            got = read_stored(s, s->bytes + s->to + made, room - made);
    s->to += made;
    s->filled_left -= (uint32_t)made;
    if (made < room)
        s->filled_left = 0; /* there is no more of it */
}

/* The next bytes of the buffer, size of them or all that are left. */
static struct span peek(struct etl_stream *s, size_t size)
{
    if (s->to - s->from < size && s->filled_left > 0)
        make_more(s);
    size_t there = s->to - s->from;
    return (struct span){s->bytes + s->from, there < size ? there : size};
}

/* What an event's first bytes tell of how it is to be read. */
struct event_form {
    size_t size;   /* 0: it is none */
    bool is_event; /* an EVENT_HEADER */
};

static struct event_form form_of(struct span begin)
{
    struct event_form form = {0};
    const uint8_t *p = begin.data;
    size_t first = (size_t)(p[0] | p[1] << 8), third = (size_t)(p[4] | p[5] << 8);
    if ((p[3] & MESSAGE_BITS) == MARK_MESSAGE)
        form.size = first;
    if (p[3] != MARK_TRACE)
        return form;
    switch ((enum event_kind)p[2]) {
    case KIND_SYSTEM_32:
    case KIND_SYSTEM_64:
    case KIND_COMPACT_32:
    case KIND_COMPACT_64:
    case KIND_PERFINFO_32:
    case KIND_PERFINFO_64:
        form.size = third;
        break;
    case KIND_EVENT_32:
    case KIND_EVENT_64:
        form.is_event = first >= EVENT_HEADER_BYTES;
        form.size = form.is_event ? first : 0;
        break;
    case KIND_FULL_32:
    case KIND_FULL_64:
    case KIND_INSTANCE_32:
    case KIND_INSTANCE_64:
    case KIND_ERROR:
        form.size = first;
        break;
    }
    return form;
}

static enum etl_provider provider_of(const uint8_t *guid)
{
    for (unsigned i = 0; i < ETL_PROVIDERS; i++)
        if (memcmp(guid, providers[i], sizeof providers[i]) == 0)
            return (enum etl_provider)i;
    return ETL_OTHERS;
}

/* What stands between header and payload: items, each as long as it says (EVENT_HEADER_EXTENDED_DATA_ITEM). */
static void skip_items(struct cursor *c)
{
    for (bool more = true; more && !c->failed;) {
        uint16_t size = cursor_u16le(c);
        cursor_skip(c, 2);
        more = cursor_u16le(c) & 1;
        cursor_skip(c, 2);
        if (size < ITEM_BYTES)
            c->failed = true;
        else
            cursor_skip(c, (size_t)size - ITEM_BYTES);
    }
}

/* False: nobody wants it. */
static bool read_event(struct etl_stream *s, struct span bytes)
{
    enum { FLAGS_AT = 4, TICKS_AT = 0x10, PROVIDER_AT = 0x18, ID_AT = 0x28, KEYWORD_AT = 0x30, HAS_ITEMS = 1 };
    struct etl_event *event = &s->event;
    event->provider = provider_of(bytes.data + PROVIDER_AT);
    if (event->provider == ETL_OTHERS)
        return false;
    struct cursor c = cursor_over(span_from(bytes, TICKS_AT));
    event->ticks = (int64_t)cursor_u64le(&c);
    c = cursor_over(span_from(bytes, ID_AT));
    event->id = cursor_u16le(&c);
    c = cursor_over(span_from(bytes, KEYWORD_AT));
    event->keyword = cursor_u64le(&c);
    event->stream = s->at->stream;
    event->offset = s->at->offset;
    c = cursor_over(span_from(bytes, EVENT_HEADER_BYTES));
    if (bytes.data[FLAGS_AT] & HAS_ITEMS)
        skip_items(&c);
    event->payload = cursor_rest(&c);
    return !c.failed;
}

static void give_up_buffer(struct etl_stream *s)
{
    if (s->all->notes)
        notes_add(s->all->notes, "buffer broken",
                  "the buffer at offset %llu cannot be read to its end: the rest of it is left out",
                  (unsigned long long)s->at->offset);
    s->from = s->to;
    s->filled_left = 0;
}

static bool is_filling(struct span begin)
{
    static const uint8_t ones[] = {0xFF, 0xFF, 0xFF, 0xFF}, zeros[] = {0, 0, 0, 0};
    return memcmp(begin.data, ones, sizeof ones) == 0 || memcmp(begin.data, zeros, sizeof zeros) == 0;
}

/* Passes over the next event of the buffer, and keeps it when it is wanted. False: there is none. */
static bool take_event(struct etl_stream *s, bool *wanted)
{
    struct span begin = peek(s, EVENT_LEAST);
    *wanted = false;
    if (begin.size < EVENT_LEAST || is_filling(begin)) {
        bool cut = begin.size > 0 && begin.size < EVENT_LEAST;
        if (cut)
            give_up_buffer(s);
        return false;
    }
    struct event_form form = form_of(begin);
    struct span bytes = peek(s, (form.size + EVENT_ALIGNMENT - 1) / EVENT_ALIGNMENT * EVENT_ALIGNMENT);
    if (form.size < EVENT_LEAST || bytes.size < form.size) {
        give_up_buffer(s);
        return false;
    }
    s->from += bytes.size;
    *wanted = form.is_event && read_event(s, span_part(bytes, 0, form.size));
    s->all->others += !*wanted;
    return true;
}

/* The next event that is wanted. False: the stream is at its end. */
static bool stream_next(struct etl_stream *s)
{
    bool wanted = false;
    for (; s->at < s->end; s->at++, s->begun = false) {
        if (!s->begun)
            begin_buffer(s);
        while (take_event(s, &wanted))
            if (wanted)
                return true;
    }
    return false;
}

static bool comes_before(const struct etl_stream *a, const struct etl_stream *b)
{
    return a->event.ticks != b->event.ticks ? a->event.ticks < b->event.ticks : a->event.stream < b->event.stream;
}

static void settle(struct etl_events *events, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < events->heap_size; child++)
            if (comes_before(events->heap[child], events->heap[least]))
                least = child;
        if (least == at)
            return;
        struct etl_stream *stream = events->heap[at];
        events->heap[at] = events->heap[least];
        events->heap[least] = stream;
        at = least;
    }
}

/* Buffers of one stream stand together. */
static uint32_t count_streams(const struct etl_buffers *buffers)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < buffers->count; i++)
        count += i == 0 || buffers->list[i].stream != buffers->list[i - 1].stream;
    return count;
}

static uint32_t end_of_stream(const struct etl_buffers *buffers, uint32_t from)
{
    uint32_t end = from + 1;
    while (end < buffers->count && buffers->list[end].stream == buffers->list[from].stream)
        end++;
    return end;
}

static size_t most_at_once(const struct etl_stream *stream)
{
    size_t most = 0;
    for (const struct etl_buffer *buffer = stream->at; buffer < stream->end; buffer++)
        if (buffer->filled > most)
            most = buffer->filled;
    return most < MADE_AT_ONCE ? most : MADE_AT_ONCE;
}

void etl_events_open(struct etl_events *events, struct window *window, const struct etl_buffers *buffers,
                     struct notes *notes)
{
    uint32_t count = count_streams(buffers);
    *events = (struct etl_events){.window = window, .buffers = buffers, .notes = notes, .stream_count = count};
    events->heap = memory_take_array(count + 1u, sizeof *events->heap);
    events->streams = memory_take_array(count + 1u, sizeof *events->streams);
    for (uint32_t i = 0, from = 0; i < count; i++) {
        struct etl_stream *stream = events->streams[i] = memory_take(sizeof *stream);
        uint32_t end = end_of_stream(buffers, from);
        *stream =
            (struct etl_stream){.all = events, .at = &buffers->list[from], .end = &buffers->list[from] + (end - from)};
        stream->capacity = XPRESS_REACH + most_at_once(stream);
        stream->bytes = memory_take(stream->capacity);
        if (stream_next(stream))
            events->heap[events->heap_size++] = stream;
        from = end;
    }
    for (size_t at = events->heap_size / 2; at-- > 0;)
        settle(events, at);
}

const struct etl_event *etl_events_next(struct etl_events *events)
{
    if (events->at_hand) {
        if (!stream_next(events->heap[0]))
            events->heap[0] = events->heap[--events->heap_size];
        settle(events, 0);
    }
    events->at_hand = events->heap_size > 0;
    return events->at_hand ? &events->heap[0]->event : NULL;
}

void etl_events_close(struct etl_events *events)
{
    for (uint32_t i = 0; i < events->stream_count; i++) {
        memory_give(events->streams[i]->xpress);
        memory_give(events->streams[i]->bytes);
        memory_give(events->streams[i]);
    }
    memory_give(events->streams);
    memory_give(events->heap);
    *events = (struct etl_events){0};
}
