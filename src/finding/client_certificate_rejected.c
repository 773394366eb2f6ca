/* client.certificate-rejected: the client breaks the TLS handshake off once it has seen the server's certificate. */
#include "actions.h"
#include "detector.h"
#include "signs.h"

/* A driver that dislikes the certificate closes as soon as it has looked at it, which may include asking a revocation
 * server. Later than that, a time-out is as likely. */
#define DECIDED_NS (5 * NS_PER_SECOND)

/* RFC 8446, 6.2: alerts about a certificate. */
static bool is_certificate_alert(uint8_t code)
{
    return (code >= 42 && code <= 46) || code == 48;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct login_halt halt = signs_of_login_halt(c, s);
    if (!halt.halted || signs_of_one_direction(c))
        return false;
    const struct tds_facts *tds = c->tds;
    const struct moment *hello = &tds->steps[LOGIN_STEP_SERVER_HELLO];
    bool alert = moment_seen(&tds->client_alert) && is_certificate_alert(tds->client_alert_code);
    bool closed_at_certificate = halt.closed && halt.closed_by == SIDE_CLIENT &&
                                 halt.last_step == LOGIN_STEP_SERVER_HELLO && halt.turn == SIDE_CLIENT &&
                                 halt.waited_ns <= DECIDED_NS && !moment_seen(&tds->client_alert) &&
                                 !signs_of_missed_packets(c);
    if (!moment_seen(hello) || (!alert && !closed_at_certificate))
        return false;
    judgement->confidence = alert ? 0.97 : 0.85;
    judgement_prove(judgement, &tds->steps[LOGIN_STEP_CLIENT_HELLO], "the client begins TLS (ClientHello)");
    judgement_prove(judgement, hello, "the server answers with its certificate");
    judgement_prove(judgement, &tds->client_alert, "the client sends TLS alert %u", tds->client_alert_code);
    judgement_prove(judgement, &halt.close, "the client closes instead of going on with the handshake");
    judgement_say(judgement,
                  alert ? "The client refused the server's certificate (TLS alert %u)."
                        : "The client closed as soon as it had seen the server's certificate, without a key "
                          "exchange: it does not trust it.",
                  tds->client_alert_code);
    return true;
}

static const char *const actions[] = {
    "Read the client's error text: it names what is wrong (not trusted, name does not match, expired).",
    "See which certificate the server uses: `EXEC sp_readerrorlog 0, 1, N'certificate'` - \"self-generated\" means "
    "that none is configured, and no client trusts that one.",
    "Give SQL Server a certificate of an authority that the client trusts and whose name is the one in the "
    "connection string; TrustServerCertificate=yes only hides it.",
    NULL,
};

const struct detector client_certificate_rejected = {
    .cause = "client.certificate-rejected",
    .title = "The client refuses the server's certificate",
    .holds_when =
        "After ServerHello the client sends a TLS alert about the certificate, or closes at once without a key "
        "exchange.",
    .means = "The certificate came and the client went: it could not build a chain to an authority it trusts, or the "
             "name or the dates do not fit. It happens each time, not now and then - unless several servers stand "
             "behind one name. (RFC 8446, 6.2; article, 1.5.3.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
