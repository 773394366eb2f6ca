/* client.certificate-rejected: the client breaks the TLS handshake off once it has seen the server's certificate. */
#include <stdio.h>

#include "actions.h"
#include "certificate_faults.h"
#include "detector.h"
#include "login_signs.h"
#include "signs.h"

/* RFC 8446, 6.2: alerts about a certificate. */
static bool is_certificate_alert(uint8_t code)
{
    return (code >= 42 && code <= 46) || code == 48;
}

/* In TLS 1.3 the certificate is encrypted: who closes there may have disliked whatever came. */
static bool closed_at_certificate(const struct conversation *c, const struct login_halt *halt)
{
    return halt->closed && halt->closed_by == SIDE_CLIENT && halt->last_step == LOGIN_STEP_SERVER_HELLO &&
           halt->turn == SIDE_CLIENT && halt->waited_ns <= CERTIFICATE_LOOKED_AT_NS && !halt->alert &&
           c->tds->tls_version != 0x0304 && !moment_seen(&c->tds->client_alert) && !signs_of_missed_packets(c);
}

/* The day of a time like "2025-01-01T00:00:00Z". */
enum { DAY_SIZE = 10 };

/* What is wrong with it, as far as anybody sees; the first that holds is what a driver would name first. */
static void say_faults(const struct certificate_faults *faults, struct judgement *judgement)
{
    const struct tls_certificate *certificate = faults->certificate;
    char says[JUDGEMENT_TEXT_SIZE];
    if (!certificate) {
        judgement_say_more(judgement, "The certificate itself was not captured.");
        return;
    }
    if (faults->expired || faults->not_yet_valid) {
        snprintf(says, sizeof says, "The certificate %s %.*s, by the capture's clock.",
                 faults->expired ? "had expired on" : "is not valid before", DAY_SIZE,
                 faults->expired ? certificate->not_after : certificate->not_before);
        judgement_say_more(judgement, says);
    }
    if (faults->name_differs) {
        snprintf(says, sizeof says, "It is for \"%.60s\"%s, and the client asked for \"%.60s\".",
                 certificate->name_count > 0 ? certificate->names[0] : certificate->common_name,
                 certificate->name_count > 1 ? " and other names" : "", faults->asked);
        judgement_say_more(judgement, says);
    }
    if (certificate->sql_self_signed)
        judgement_say_more(judgement, "SQL Server made it itself, because none is installed; nobody vouches for it.");
    else if (certificate->self_signed)
        judgement_say_more(judgement, "It is self-signed: no authority vouches for it.");
    else if (!certificate_is_faulty(faults))
        judgement_say_more(judgement, faults->asked ? "Its dates and its name fit: then the client does not know the "
                                                      "authority that issued it, or wants more of it."
                                                    : "Its dates fit: then its name does not, or the client does not "
                                                      "know the authority that issued it.");
}

static void prove(const struct conversation *c, const struct login_halt *halt, struct judgement *judgement)
{
    const struct tds_facts *tds = c->tds;
    char alert[ALERT_WORDS_SIZE];
    judgement_prove(judgement, &tds->steps[LOGIN_STEP_CLIENT_HELLO], "the client begins TLS (ClientHello)");
    judgement_prove(judgement, &tds->steps[LOGIN_STEP_SERVER_HELLO], "the server answers with its certificate");
    judgement_prove(judgement, &tds->client_alert, "the client sends %s",
                    signs_alert_number_words(tds->client_alert_code, alert));
    judgement_prove(judgement, &halt->close,
                    halt->closed_by == SIDE_SERVER           ? "the server closes"
                    : halt->last_step == LOGIN_STEP_TLS_DONE ? "the client closes instead of logging in"
                                                             : "the client closes instead of going on with the "
                                                               "handshake");
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct login_halt halt = signs_of_login_halt(c, s);
    if (!halt.halted || signs_of_one_direction(c) || !moment_seen(&c->tds->steps[LOGIN_STEP_SERVER_HELLO]))
        return false;
    bool alert = moment_seen(&c->tds->client_alert) && is_certificate_alert(c->tds->client_alert_code);
    if (!alert && (!halt.acknowledged || signs_of_held_up(c, &halt.close)))
        return false; /* it may not have got the certificate, or its time have run out over it */
    bool went_on = signs_of_more_sent(c, SIDE_CLIENT);
    bool at_certificate = closed_at_certificate(c, &halt) && !went_on;
    bool after_handshake = signs_of_certificate_disliked(c, &halt) && !signs_of_missed_packets(c) && !went_on;
    if (!alert && !at_certificate && !after_handshake)
        return false;
    judgement->confidence = alert ? 0.97 : at_certificate ? 0.85 : 0.75;
    char words[ALERT_WORDS_SIZE];
    prove(c, &halt, judgement);
    if (alert)
        judgement_say(judgement, "The client refused the server's certificate with %s.",
                      signs_alert_number_words(c->tds->client_alert_code, words));
    else if (at_certificate)
        judgement_say(judgement, "The client closed as soon as it had seen the server's certificate, without a key "
                                 "exchange: it seems not to trust it.");
    else
        judgement_say(judgement,
                      "The client closed %s after the TLS handshake, without a login: it looked at the certificate "
                      "then, and does not trust it, or it was stopped.",
                      seconds_words(halt.waited_ns).text);
    struct certificate_faults faults = certificate_faults_of(c);
    say_faults(&faults, judgement);
    if (!alert)
        login_signs_doubt_client(c, s, &halt, judgement);
    login_signs_doubt_tds8(c, judgement);
    return true;
}

static const char *const actions[] = {
    "Read the client's error text: it names what is wrong (not trusted, name does not match, expired).",
    "See which certificate the server uses: `EXEC sp_readerrorlog 0, 1, N'certificate'` - \"self-generated\" means "
    "that none is configured, and no client trusts that one.",
    "Give SQL Server a certificate of an authority that the client trusts and whose name is the one in the connection "
    "string; TrustServerCertificate=yes only hides it.",
    NULL,
};

const struct detector client_certificate_rejected = {
    .cause = "client.certificate-rejected",
    .title = "The client refuses the server's certificate",
    .holds_when = "After ServerHello the client sends a TLS alert about the certificate, or closes at once without a "
                  "key exchange; or it closes in order within 5 s after the handshake, without a login, and the "
                  "certificate is self-signed, out of date, or for another name than the one asked for (SNI). Without "
                  "an alert only when the client has acknowledged the certificate, and no packet was repeated for a "
                  "second and more before; where it had waited for the server for 2 s or more, and more than half as "
                  "long as for itself, the culprit stays open: its time may have run out over that. So it does where "
                  "the connection begins with TLS, and the hello was not captured as far as its ALPN, which names TDS "
                  "8: a scanner may look at the certificate. (--slow-login sets the 2 s.)",
    .means =
        "The certificate came and the client went: it could not build a chain to an authority it trusts, or the name "
        "or the dates do not fit. Where the certificate is in clear (up to TLS 1.2), its dates and names are compared; "
        "TLS 1.3 encrypts it, and then client.closed-in-login says what can be known. It happens each time, not now "
        "and then - unless several servers stand behind one name. (RFC 8446, 6.2; RFC 6125, 6.4; article, 1.5.3.)",
    .actions = actions,
    .culprit = CULPRIT_CLIENT,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
