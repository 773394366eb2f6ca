/* How far a TLS handshake came, and who ended it: what follows from the steps of a login without judging them. */
#ifndef TDSCOPE_TLS_HANDSHAKE_H
#define TDSCOPE_TLS_HANDSHAKE_H

#include "conversation.h"

enum tls_progress {
    TLS_NOT_SEEN,          /* no handshake, or the capture began after it */
    TLS_CLIENT_HELLO_SENT, /* the server's turn */
    TLS_RETRY_ASKED,       /* HelloRetryRequest: the client's turn */
    TLS_SERVER_HELLO_SENT, /* the client's turn */
    TLS_CLIENT_KEY_SENT,   /* the server's turn */
    TLS_SERVER_FINISHED,   /* of a resumed session: the client's turn */
    TLS_ESTABLISHED,
    TLS_PROGRESSES
};

struct tls_handshake {
    enum tls_progress progress;
    enum side turn; /* whose message was due; valid when the handshake was seen and is not established */
    bool stopped;   /* somebody ended it there, at this moment: */
    enum side stopped_by;
    bool by_alert; /* else by closing the connection */
    struct moment stop;
};

/* All zero where none was seen. */
struct tls_handshake tls_handshake_of(const struct conversation *conversation);

#endif
