/*
 * What a protocol is told of a TCP stream, in any chunking: data, gap, end - and nothing else.
 *
 * `data` and `gap` together cover each side's sequence space once and in order. A gap is bytes that were on the wire
 * and are not in the capture: cut off by the snap length, missed by the capture, or given up waiting for. Nested
 * protocols (TLS in TDS, TDS in SMP) use the same three.
 */
#ifndef TDSCOPE_STREAM_H
#define TDSCOPE_STREAM_H

#include <stdbool.h>

#include "casebook.h"
#include "conversation.h"
#include "span.h"

struct image;

struct stream {
    struct conversation *conversation;
    struct casebook *casebook; /* where facts and texts are stored */
    uint8_t protocol;          /* the protocols' own note of whose stream it is; 0: nobody looked yet */
    void *protocol_state;      /* the protocol's own; NULL until it makes one */
};

/* The protocols' side of the bargain. The flow floor does not know them: the engine hands it this table. */
struct stream_consumer {
    /* New bytes of one side, at the packet that brought (or completed) them. */
    void (*data)(void *context, struct stream *stream, enum side side, struct span bytes, const struct moment *at);
    /* size bytes are missing. What came before the capture began is no gap: nobody knows how much it was. */
    void (*gap)(void *context, struct stream *stream, enum side side, uint64_t size, const struct moment *at);
    /* The side closed (FIN delivered in order) or reset the connection, or the conversation was retired; once for each
     * side. */
    void (*end)(void *context, struct stream *stream, enum side side, const struct moment *at);
    /* Roles were exchanged: state that the protocol keeps per side has to be, too. */
    void (*sides_exchanged)(void *context, struct stream *stream);
    /* The conversation is over: free protocol_state. Called once for each stream whose protocol_state is not NULL. */
    void (*release)(void *context, struct stream *stream);
    /* Nothing has come for a while: the protocol puts its state at the image's end and frees it, or leaves what points neither to the
     * conversation nor to the stream, which move. False: neither can be done now. */
    bool (*fold)(void *context, struct stream *stream, struct image *image);
    /* Something has come: the state that was put there stands in the image. */
    void (*unfold)(void *context, struct stream *stream, const struct image *image, uint32_t at);
    void *context;
};

/* The protocol has evidence of who the client is. Exchanges the sides (and calls sides_exchanged) when it is better than
 * what is known so far and says otherwise. Returns the role that `speaker` has from now on; a data call under way
 * goes on with that side. */
enum side stream_learn_client(const struct stream_consumer *consumer, struct stream *stream, enum side client,
                              enum side speaker, enum role_evidence evidence);

#endif
