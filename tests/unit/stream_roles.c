/* The flow floor's part in tests of protocols: their conversations have no packets, only ends. */
#include "stream.h"

enum side stream_learn_client(const struct stream_consumer *consumer, struct stream *stream, enum side client,
                              enum side speaker, enum role_evidence evidence)
{
    struct conversation *c = stream->conversation;
    if (evidence <= c->role_evidence)
        return speaker;
    c->role_evidence = evidence;
    if (client == SIDE_CLIENT)
        return speaker;
    conversation_exchange_sides(c);
    consumer->sides_exchanged(consumer->context, stream);
    return side_other(speaker);
}
