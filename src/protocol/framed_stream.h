/* A TCP stream whose both sides send messages that begin with their length: what DNS, Kerberos and SMB have in common. */
#ifndef TDSCOPE_FRAMED_STREAM_H
#define TDSCOPE_FRAMED_STREAM_H

#include "message_framer.h"
#include "stream.h"

struct framed_stream {
    const struct framing *framing;
    struct held_bytes *budget;
    struct stream *stream; /* of the call under way */
    void *context;         /* the protocol's, for framing->message, which is handed the framed_stream */
    enum side side;        /* that speaks */
    struct message_framer framers[SIDES];
};

/* Makes the stream's state at its first bytes. */
struct framed_stream *framed_stream_of(struct stream *stream, const struct framing *framing, struct held_bytes *budget,
                                       void *context);
void framed_stream_data(struct framed_stream *f, enum side side, struct span bytes, const struct moment *at);
void framed_stream_gap(struct framed_stream *f, enum side side, uint64_t size, const struct moment *at);

/* The rest of a stream consumer, for streams whose state is a framed_stream. */
void framed_stream_end(void *context, struct stream *stream, enum side side, const struct moment *at);
void framed_stream_sides_exchanged(void *context, struct stream *stream);
void framed_stream_release(void *context, struct stream *stream);

#endif
