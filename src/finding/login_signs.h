/* What the first packets of a connection tell of who would not, or could not, go on with a login. */
#ifndef TDSCOPE_LOGIN_SIGNS_H
#define TDSCOPE_LOGIN_SIGNS_H

#include <stdbool.h>

#include "conversation.h"
#include "surroundings.h"

/* What came in answer to the client's first packet is neither TDS nor TLS: another program has the port, or a device answers. */
bool login_signs_foreign_answer(const struct conversation *conversation);

/* The server's side closes as soon as the connection is made, before a byte was said. Drivers speak first and at once, and a server waits
 * for them: this one wants none of it. */
bool login_signs_turning_away(const struct conversation *conversation, const struct surroundings *surroundings);

/* PRELOGIN shows that one side demands encryption and the other has none: the client has to close (MS-TDS 2.2.6.5). */
struct encryption_clash {
    bool held;
    enum side lacking; /* who has no encryption */
};
struct encryption_clash login_signs_encryption_clash(const struct conversation *conversation);

/* The client sent PRELOGIN, which no probe does, and closed without waiting for the answer or going on from it. */
bool login_signs_time_spent(const struct conversation *conversation, const struct surroundings *surroundings);

/* The login was answered by something that encryption hides, and within a second somebody closed, with nothing asked. */
struct unasked_close {
    bool held;
    enum side by; /* the server, too, where it closed of its own accord while the client did */
    struct moment close;
    const struct conversation *next; /* with another server, to which the client connected at once; NULL: none */
};
struct unasked_close login_signs_unasked_close(const struct conversation *conversation,
                                               const struct surroundings *surroundings);

/* The client begins with TLS (TDS 8), and the server said nothing, no alert either. SQL Server knows that from 2022 on; an older one takes a
 * ClientHello for a malformed packet, and closes. */
bool login_signs_strict_unanswered(const struct conversation *conversation);

#endif
