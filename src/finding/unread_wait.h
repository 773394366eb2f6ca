/*
 * What is left to tell of a wait where only headers were captured: TCP's lengths say who spoke, and sequence numbers that it arrived.
 */
#ifndef TDSCOPE_UNREAD_WAIT_H
#define TDSCOPE_UNREAD_WAIT_H

#include <stdbool.h>

#include "conversation.h"
#include "surroundings.h"

/* Ethernet, IPv4 or IPv6, and TCP with its options take up to 114 bytes; a TDS header and the type of its first token take 9 more
 * (MS-TDS 2.2.3). What is shorter may not even show what was said. */
enum { HEADERS_BYTES = 124 };

/* A client speaks first, and then in turn with the server (MS-TDS 3.1): PRELOGIN, then LOGIN7 or ClientHello. A query comes third at the
 * soonest. */
enum { LOGIN_WORDS = 2 };

/* Only headers were captured of it: nothing of what was said on the connection could be read. */
bool unread_is(const struct conversation *conversation, const struct surroundings *surroundings);

/* Of such a connection the client's last word, which the server's machine acknowledged, has no answer. */
struct unread_wait {
    bool held;
    bool perhaps_of_login; /* no more was said than a login takes */
    bool of_login; /* it was its first word, or its second after one packet of the server: a login's, whatever it was */
    struct moment since;
    bool closed;
    enum side closed_by;
    struct moment close;
    int64_t waited_ns; /* until somebody closed, or the capture ended */
};
struct unread_wait unread_wait_of(const struct conversation *conversation, const struct surroundings *surroundings);

/* The longest that the client of such a connection waited for an answer while no more had been said than a login takes. */
struct unread_answer {
    bool held;
    struct moment asked;
    uint32_t packets; /* with data, of the client by then */
    int64_t waited_ns;
    bool repeated; /* packets were sent again meanwhile */
};
struct unread_answer unread_answer_of(const struct conversation *conversation, const struct surroundings *surroundings);

#endif
