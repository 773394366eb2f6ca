/* What the first packets of a connection tell of who would not, or could not, go on with a login. */
#ifndef TDSCOPE_LOGIN_SIGNS_H
#define TDSCOPE_LOGIN_SIGNS_H

#include <stdbool.h>

#include "conversation.h"
#include "detector.h"
#include "signs.h"
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
    enum side by;                    /* the server, too, where it closed of its own accord while the client did */
    struct moment close;             /* or the client's good-bye (TLS), if the server closes on that */
    const struct conversation *next; /* with another server, to which the client connected at once; NULL: none */
};
struct unasked_close login_signs_unasked_close(const struct conversation *conversation,
                                               const struct surroundings *surroundings);

/* How long the server's machine had the client's last word of a login that halted when it was its turn: what was repeated until it was acknowledged
 * had not come before. */
int64_t login_signs_server_time_ns(const struct conversation *conversation, const struct login_halt *halt);

/* How long the client took for its own turns of the login. In another capture than its own, that may have been the way's time, too. */
int64_t login_signs_client_time_ns(const struct conversation *conversation);

/* A client that closes while the server is to answer had time for the whole login, and gave twice as much of that away itself as the server
 * took, or more. A server that takes as long as --late-login is to blame in any case. */
bool login_signs_client_slower(const struct conversation *conversation, const struct surroundings *surroundings,
                               const struct login_halt *halt);

/* Likewise, and the server did not take twice as much as client and way: the time ran out over both. Then the culprit of what the server seems
 * to have done stays open, and why is said. */
void login_signs_doubt_server(const struct conversation *conversation, const struct surroundings *surroundings,
                              const struct login_halt *halt, struct judgement *judgement);

/* A client that closes part-way had waited for the server, and the way, for more than half as long as for itself: its time may have run out
 * over that. Then the culprit of what it seems to have done stays open, and why is said. */
void login_signs_doubt_client(const struct conversation *conversation, const struct surroundings *surroundings,
                              const struct login_halt *halt, struct judgement *judgement);

/* The server's IP IDs went on by more than one between the last packet of it before that answer and the answer, and its machine was not
 * heard meanwhile on another connection: copies of the answer may have been lost on the way here. So many; 0: none, or nothing is lost before it
 * comes here. */
uint32_t login_signs_lost_before(const struct conversation *conversation, const struct surroundings *surroundings,
                                 int64_t asked_ns, int64_t answered_ns);

/* TDS 8 begins with TLS, and so does whoever looks at a port's TLS. Its client names the protocol in ALPN (MS-TDS, TDS 8.0; RFC 7301): where the hello was not
 * captured that far, and no login followed, it may have been no client of SQL Server. Then the culprit stays open, and why is said. */
void login_signs_doubt_tds8(const struct conversation *conversation, struct judgement *judgement);

/* The client begins with TLS (TDS 8), and the server said nothing, no alert either. SQL Server knows that from 2022 on; an older one takes a
 * ClientHello for a malformed packet, and closes. */
bool login_signs_strict_unanswered(const struct conversation *conversation);

#endif
