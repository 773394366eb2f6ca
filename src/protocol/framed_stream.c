/* Both directions of a stream of framed messages. */
#include "framed_stream.h"

#include "memory.h"

struct framed_stream *framed_stream_of(struct stream *stream, const struct framing *framing, struct held_bytes *budget,
                                       void *context)
{
    struct framed_stream *f = stream->protocol_state;
    if (!f) {
        f = memory_take(sizeof *f);
        *f = (struct framed_stream){.framing = framing, .budget = budget, .context = context};
        stream->protocol_state = f;
    }
    f->stream = stream;
    return f;
}

void framed_stream_data(struct framed_stream *f, enum side side, struct span bytes, const struct moment *at)
{
    f->side = side;
    message_framer_data(&f->framers[side], f->framing, f->budget, bytes, at, f);
}

void framed_stream_gap(struct framed_stream *f, enum side side, uint64_t size, const struct moment *at)
{
    f->side = side;
    message_framer_gap(&f->framers[side], f->framing, f->budget, size, at, f);
}

void framed_stream_end(void *context, struct stream *stream, enum side side, const struct moment *at)
{
    (void)context;
    (void)at;
    struct framed_stream *f = stream->protocol_state;
    if (!f)
        return;
    f->stream = stream;
    f->side = side;
    message_framer_end(&f->framers[side], f->framing, f->budget, f);
}

void framed_stream_sides_exchanged(void *context, struct stream *stream)
{
    (void)context;
    struct framed_stream *f = stream->protocol_state;
    struct message_framer client = f->framers[SIDE_CLIENT];
    f->framers[SIDE_CLIENT] = f->framers[SIDE_SERVER];
    f->framers[SIDE_SERVER] = client;
}

void framed_stream_release(void *context, struct stream *stream)
{
    (void)context;
    struct framed_stream *f = stream->protocol_state;
    for (unsigned side = 0; side < SIDES; side++)
        message_framer_close(&f->framers[side], f->budget);
    memory_give(f);
    stream->protocol_state = NULL;
}
