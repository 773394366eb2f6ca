/* What tests of protocols share: a state that is folded and unfolded between two calls, which nobody can tell. */
#ifndef TDSCOPE_STREAM_FOLD_H
#define TDSCOPE_STREAM_FOLD_H

#include "image_packing.h"
#include "stream.h"

static inline void fold_and_unfold(const struct stream_consumer *consumer, struct stream *stream)
{
    struct image image;
    image_begin(&image);
    if (!stream->protocol_state || !consumer->fold(consumer->context, stream, &image) || image.end == image_first())
        return;
    stream->protocol_state = NULL;
    consumer->unfold(consumer->context, stream, &image, image_first());
}

#endif
