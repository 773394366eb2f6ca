/* The order of messages is that of RFC 5246, 7.3 (in full and resumed), and RFC 8446, 2. */
#include "tls_handshake.h"

static bool step_seen(const struct tds_facts *tds, enum login_step step)
{
    return moment_seen(&tds->steps[step]);
}

static enum tls_progress progress_of(const struct tds_facts *tds)
{
    bool key = step_seen(tds, LOGIN_STEP_KEY_EXCHANGE), done = step_seen(tds, LOGIN_STEP_TLS_DONE);
    bool hello = step_seen(tds, LOGIN_STEP_SERVER_HELLO), client_hello = step_seen(tds, LOGIN_STEP_CLIENT_HELLO);
    if (!key && !done && !hello && !client_hello)
        return TLS_NOT_SEEN;
    bool went_on = step_seen(tds, LOGIN_STEP_LOGIN) || step_seen(tds, LOGIN_STEP_LOGIN_ANSWER);
    if ((key && done) || went_on)
        return TLS_ESTABLISHED;
    if (key)
        return TLS_CLIENT_KEY_SENT;
    if (done && tds->tls_version != TLS_VERSION_1_3)
        return TLS_SERVER_FINISHED;
    if (hello && tds->tls && tds->tls->retried && tds->tls_version == 0)
        return TLS_RETRY_ASKED;
    return hello ? TLS_SERVER_HELLO_SENT : TLS_CLIENT_HELLO_SENT;
}

/* The first alert of the handshake, encrypted ones too: until it is complete, only an error makes one. */
static const struct tls_alert *first_alert(const struct tds_facts *tds)
{
    return tds->tls && tds->tls->alert_count > 0 ? &tds->tls->alerts[0] : NULL;
}

struct tls_handshake tls_handshake_of(const struct conversation *c)
{
    struct tls_handshake handshake = {.progress = c->tds ? progress_of(c->tds) : TLS_NOT_SEEN};
    if (handshake.progress == TLS_NOT_SEEN || handshake.progress == TLS_ESTABLISHED)
        return handshake;
    bool servers_turn = handshake.progress == TLS_CLIENT_HELLO_SENT || handshake.progress == TLS_CLIENT_KEY_SENT;
    handshake.turn = servers_turn ? SIDE_SERVER : SIDE_CLIENT;
    const struct tls_alert *alert = first_alert(c->tds);
    if (alert) {
        handshake.stopped = handshake.by_alert = true;
        handshake.stopped_by = (enum side)alert->side;
        handshake.stop = alert->moment;
    } else if (c->first_close_known) {
        handshake.stopped = true;
        handshake.stopped_by = c->closed_first_by;
        handshake.stop = conversation_first_close(c);
    }
    return handshake;
}
