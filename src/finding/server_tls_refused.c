/* server.tls-refused: the server ends the TLS handshake at the ClientHello. */
#include "actions.h"
#include "detector.h"
#include "login_signs.h"
#include "settling.h"
#include "signs.h"
#include "ttl_signs.h"

/* Schannel and OpenSSL decide at once; a close much later is a time-out of a login that nobody worked on. */
#define DECIDED_NS (5 * NS_PER_SECOND)

enum {
    HANDSHAKE_FAILURE = 40,
    PROTOCOL_VERSION = 70,
    INSUFFICIENT_SECURITY = 71,
    INAPPROPRIATE_FALLBACK = 86,
    UNRECOGNIZED_NAME = 112
};

/* What the alert complains of (RFC 8446, 6.2; RFC 7507, 3; RFC 6066, 3); of the others, and of a close without one, only what is usual is known. */
static const char *reason(uint8_t alert_code)
{
    switch (alert_code) {
    case PROTOCOL_VERSION:
    case INAPPROPRIATE_FALLBACK:
        return "the two have no TLS version in common";
    case HANDSHAKE_FAILURE:
    case INSUFFICIENT_SECURITY:
        return "the two have no cipher suite, hash or curve in common";
    case UNRECOGNIZED_NAME:
        return "it does not go by the name that the client asks for (SNI)";
    default:
        return "it could not go on with what the client offers; mostly the two have no TLS version or cipher suite in "
               "common";
    }
}

/* Schannel's event of that moment says which of the two it was: 36874 no cipher suite, 36888 an alert. */
static const struct log_record *event_of(const struct conversation *c, const struct surroundings *s)
{
    uint32_t count;
    const struct evidence_join *joins = casebook_joined(s->casebook, c, JOINED_TLS, &count);
    return count > 0 ? evidence_log(&s->casebook->evidence, joins[0].record) : NULL;
}

static const char *reason_by_event(const struct log_record *event)
{
    enum { NO_COMMON_SUITE = 36874 };
    return event->number == NO_COMMON_SUITE ? "the two have no cipher suite in common" : reason((uint8_t)event->state);
}

static bool leave_strict_open(const struct conversation *c, struct judgement *judgement)
{
    if (!login_signs_strict_unanswered(c))
        return false;
    judgement_leave_open(judgement, 0.6);
    judgement->would_settle = "The server's version: `SELECT @@VERSION`; or whether the client gets in with "
                              "Encrypt=Mandatory in place of Strict.";
    judgement_say(judgement,
                  "The client begins with TLS (TDS 8, Encrypt=Strict), and the server closed without a ServerHello or "
                  "an alert: SQL Server before 2022 does not know TDS 8, and another one may have no TLS version or "
                  "cipher suite in common with the client.");
    return true;
}

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct login_halt halt = signs_of_login_halt(c, s);
    if (!halt.halted || halt.unfinished || signs_of_one_direction(c) || signs_of_missed_packets(c) ||
        signs_of_more_sent(c, SIDE_SERVER))
        return false;
    if (!c->starts_with_syn && signs_of_forgotten(c, SIDE_SERVER))
        return false; /* it had ended the connection before it got that */
    const struct tds_facts *tds = c->tds;
    if (!moment_seen(&tds->steps[LOGIN_STEP_CLIENT_HELLO]) || moment_seen(&tds->steps[LOGIN_STEP_SERVER_HELLO]))
        return false;
    bool alert = moment_seen(&tds->server_alert);
    bool closed = halt.closed && halt.stopped_by == SIDE_SERVER && halt.waited_ns <= DECIDED_NS;
    const struct tcp_side *server = &c->sides[SIDE_SERVER];
    if ((!alert && !closed) || signs_of_foreign_reset(server))
        return false;
    const struct log_record *event = event_of(c, s);
    char words[ALERT_WORDS_SIZE];
    judgement->confidence = alert ? 0.95 : 0.88;
    if (!alert && !event && signs_of_doubtful_close(c, s)) {
        judgement_leave_open(judgement, 0.65);
        judgement->would_settle = settle_by_server_capture;
    }
    judgement_prove(judgement, &tds->steps[LOGIN_STEP_CLIENT_HELLO], "the client begins TLS (ClientHello)");
    judgement_prove(judgement, &tds->server_alert, "the server sends %s",
                    signs_alert_number_words(tds->server_alert_code, words));
    judgement_prove(judgement, &halt.close, "the %s closes", side_name(halt.closed_by));
    if (!alert && !event && leave_strict_open(c, judgement)) {
        login_signs_doubt_tds8(c, judgement);
        return true;
    }
    judgement_say(judgement, "The server %s%s after the ClientHello%s: %s.", alert ? "sent " : "closed",
                  alert ? signs_alert_number_words(tds->server_alert_code, words) : "",
                  alert ? "" : " without a ServerHello",
                  event && !alert ? reason_by_event(event) : reason(alert ? tds->server_alert_code : 0));
    if (event) {
        judgement->confidence = 0.97;
        judgement_prove(judgement, &event->at, "Schannel's event %u on the server at that moment", event->number);
    }
    login_signs_doubt_tds8(c, judgement);
    return true;
}

static const char *const actions[] = {
    ACTION_TLS_VERSIONS,
    ACTION_TLS_SUITES,
    "Look for Schannel's events in the server's System log at that time: `Get-WinEvent -FilterHashtable "
    "@{LogName='System'; ProviderName='Schannel'} -MaxEvents 50` (36871, 36874, 36888).",
    "Use a driver that knows TLS 1.2, e.g. Microsoft ODBC Driver 17 or later.",
    NULL,
};

const struct detector server_tls_refused = {
    .cause = "server.tls-refused",
    .title = "The server refuses the TLS handshake: no common version or cipher suite",
    .holds_when =
        "After the ClientHello the server closes within 5 s, or sends a TLS alert, and no ServerHello comes. Alerts "
        "70 and 86 are about the version, 40 and 71 about cipher suites, hashes or curves, 112 about the name that "
        "the client asks for; the server's events 36874 and 36888 of Schannel within two seconds of it tell it, too. "
        "Not when the capture missed packets of the connection (the ServerHello may be among them), or only the "
        "beginning of the ClientHello came. Not when the reset's TTL shows that the server did not send it, or when "
        "the connection began before the capture and the reset bears no acknowledgement: then the server did not know "
        "the connection any more. The culprit stays open when a reset has not what the server's packets have (IP IDs, "
        "timestamps): devices that look into TLS send such ones; and when the client begins with TLS (TDS 8) and no "
        "alert tells why the server closes, for it may not know that, or the hello was not captured as far as its "
        "ALPN, which names TDS 8, for a scanner begins with TLS, too. Not when a sequence number of the server or the "
        "other side's SACK shows that it had sent more than arrived.",
    .means = "The server looks at the versions and cipher suites that the client offers and goes on with ServerHello "
             "when one suits. To close there mostly means that none did: one side allows TLS 1.0 only and the other "
             "demands 1.2, or their cipher suites or hashes do not overlap. Which of the two machines has to change, "
             "their settings tell. (Article, 1.5.3; RFC 8446, 4.1.1.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
