/* Hands datagrams and stream bytes to the protocols that are known by their port, as the engine does. */
#ifndef TDSCOPE_EXCHANGE_CALLS_H
#define TDSCOPE_EXCHANGE_CALLS_H

#include "casebook.h"
#include "protocols.h"

struct exchange_calls {
    struct casebook casebook;
    struct tds_options options;
    struct protocols protocols;
    struct stream stream;
    struct moment at; /* of the next call */
};

enum { CALL_MS = 1000000 };

void calls_open(struct exchange_calls *calls);
void calls_close(struct exchange_calls *calls);

/* 10.0.0.<host>:<port> */
struct endpoint calls_end(uint8_t host, uint16_t port);

/* One packet later by 1 ms each; wire: 0, or the length on the wire. */
void calls_datagram(struct exchange_calls *calls, struct endpoint from, struct endpoint to, const void *bytes,
                    size_t size, size_t wire);
void calls_refuse(struct exchange_calls *calls, struct endpoint from, struct endpoint to);

/* A TCP conversation from 10.0.0.1:50000 to 10.0.0.2:<port>; the one before is over. */
void calls_connect(struct exchange_calls *calls, uint16_t port);
void calls_stream(struct exchange_calls *calls, enum side side, const void *bytes, size_t size);
void calls_gap(struct exchange_calls *calls, enum side side, uint64_t size);
void calls_disconnect(struct exchange_calls *calls);

#endif
