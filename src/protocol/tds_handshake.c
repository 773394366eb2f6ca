/*
 * What TLS records tell of a login, inside TDS packets or bare (MS-TDS 2.1, 3.2.5.1; TDS 8: TLS before all else).
 *
 * Application data cannot be read, but who speaks when tells what it is: the first turn of the client after the
 * handshake is the login (with TDS 8 the PRELOGIN, then the login), the server's turn after that its answer, and every
 * later turn of the client a request. With TLS 1.3 the client's Finished looks like application data, too: it is its
 * first such record after ServerHello. So do the server's session tickets, which come unasked behind that Finished and
 * hence before the PRELOGIN's answer (RFC 8446, 4.6.1). What comes before anything was asked is no answer; neither is a
 * record too long for one. The answer is a single record: of several in its turn it is the last, and records of one size
 * are tickets all of them. Once the client goes on, it had its answer, whatever that looked like.
 */
#include <string.h>

#include "tds_state.h"
#include "text.h"
#include "tls_certificates.h"
#include "tls_hello.h"

/* TLS 1.3 adds a byte with the content type and a tag of 16 to what it hides in a record (RFC 8446, 5.2). An alert has
 * two bytes. A message shorter than a TDS header is none: a KeyUpdate, say. */
enum { TLS13_OVERHEAD = 17, TLS13_ALERT_SIZE = TLS13_OVERHEAD + 2, TLS13_TDS_MIN = TLS13_OVERHEAD + TDS_HEADER };

/* A PRELOGIN answer with the header, eight options at their full sizes, of the instance one byte, and the terminator
 * (MS-TDS 2.2.6.5). */
enum { PRELOGIN_ANSWER_MAX = TDS_HEADER + 8 * 5 + 1 + 6 + 1 + 1 + 4 + 1 + 36 + 1 + 32 };

/* Of a name in a hello: a DNS name has at most 253 characters (RFC 1035, 2.3.4), a list of ALPN names rarely more. */
enum { HELLO_TEXT_MAX = 256 };

struct tls_turn {
    struct tds_state *s;
    struct tds_lane *lane;
};

static void client_speaks(struct tds_state *s, const struct moment *begin)
{
    bool turn = s->talker != SIDE_CLIENT;
    s->talker = SIDE_CLIENT;
    if (!turn && s->talk_phase == TALK_PRELOGIN && moment_seen(&s->answer_or_ticket)) {
        tds_step(s, LOGIN_STEP_PRELOGIN_ANSWER, &s->answer_or_ticket);
        s->talk_phase = TALK_LOGIN;
        turn = true;
    }
    if (!turn)
        return;
    switch ((enum talk_phase)s->talk_phase) {
    case TALK_PRELOGIN:
        tds_step(s, LOGIN_STEP_PRELOGIN, begin);
        break;
    case TALK_LOGIN:
        tds_step(s, LOGIN_STEP_LOGIN, begin);
        s->login_encrypted = true;
        break;
    case TALK_REQUESTS:
        s->facts->encrypted_requests++;
        tds_request_begins(s, &s->main, begin);
        break;
    }
}

/* The client's packets are not in the capture: what the server says after the handshake answers a login all the same. */
static bool login_not_captured(const struct tds_state *s)
{
    return !s->main.lanes[s->lane_of[SIDE_CLIENT]].started && s->talk_phase == TALK_LOGIN && !s->facts->strict &&
           tds_step_seen(s, LOGIN_STEP_TLS_DONE);
}

static void server_speaks(struct tds_state *s, const struct moment *begin)
{
    bool turn = s->talker != SIDE_SERVER;
    bool after_client = s->talker == SIDE_CLIENT || login_not_captured(s);
    if (!turn || (!after_client && s->talk_phase != TALK_REQUESTS))
        return;
    s->talker = SIDE_SERVER;
    switch ((enum talk_phase)s->talk_phase) {
    case TALK_PRELOGIN:
        tds_step(s, LOGIN_STEP_PRELOGIN_ANSWER, begin);
        s->talk_phase = TALK_LOGIN;
        break;
    case TALK_LOGIN:
        tds_step(s, LOGIN_STEP_LOGIN_ANSWER, begin);
        s->talk_phase = TALK_REQUESTS;
        break;
    case TALK_REQUESTS:
        s->facts->encrypted_responses++;
        tds_answer_begins(s, &s->main, begin);
        break;
    }
}

/* Takes back that a record was the PRELOGIN's answer. */
static void unanswer_prelogin(struct tds_state *s)
{
    s->facts->steps[LOGIN_STEP_PRELOGIN_ANSWER] = (struct moment){0};
    s->talk_phase = TALK_PRELOGIN;
    s->talker = SIDE_CLIENT;
}

/* TDS 8 with TLS 1.3, before the first request: see above. */
static void answer_or_ticket(struct tds_state *s, const struct tls_event *event)
{
    bool too_long = event->length > TLS13_OVERHEAD + PRELOGIN_ANSWER_MAX;
    bool as_before = event->length == s->ticket_size;
    if (s->client_finished)
        s->ticket_size = event->length;
    if (s->talk_phase == TALK_LOGIN && s->talker == SIDE_SERVER && !too_long)
        unanswer_prelogin(s);
    bool prelogin_asked = s->talk_phase == TALK_PRELOGIN && s->talker == SIDE_CLIENT;
    if (prelogin_asked)
        s->answer_or_ticket = event->begin;
    if (prelogin_asked && (too_long || as_before))
        s->facts->unasked = *s->at;
    else
        server_speaks(s, &event->begin);
}

static bool handshake_seen(const struct tds_state *s)
{
    return tds_step_seen(s, LOGIN_STEP_CLIENT_HELLO) || tds_step_seen(s, LOGIN_STEP_SERVER_HELLO) ||
           tds_step_seen(s, LOGIN_STEP_KEY_EXCHANGE) || tds_step_seen(s, LOGIN_STEP_TLS_DONE);
}

static struct tls_facts *tls_of(struct tds_state *s)
{
    if (!s->facts->tls)
        s->facts->tls = casebook_add_tls(s->stream->casebook);
    return s->facts->tls;
}

static void list_alert(struct tds_state *s, const struct tds_lane *lane, const struct tls_event *event, bool encrypted)
{
    struct tls_facts *tls = tls_of(s);
    if (tls->alert_count == TLS_ALERTS_MAX) {
        tls->alerts_beyond++;
        return;
    }
    tls->alerts[tls->alert_count++] = (struct tls_alert){.moment = event->begin,
                                                         .side = lane->role,
                                                         .encrypted = encrypted,
                                                         .level = encrypted ? 0 : event->level,
                                                         .number = encrypted ? 0 : event->type};
}

static void note_alert(struct tds_state *s, const struct tds_lane *lane, uint8_t code, const struct moment *begin)
{
    struct tds_facts *facts = s->facts;
    bool client = lane->role == SIDE_CLIENT;
    struct moment *alert = client ? &facts->client_alert : &facts->server_alert;
    if (moment_seen(alert))
        return;
    *alert = *begin;
    *(client ? &facts->client_alert_code : &facts->server_alert_code) = code;
}

static void bare_application_data(struct tds_state *s, const struct tds_lane *lane, const struct tls_event *event)
{
    bool hidden_alert = s->tls13 && event->length == TLS13_ALERT_SIZE;
    if (hidden_alert)
        list_alert(s, lane, event, true);
    else if (s->tls13 && event->length < TLS13_TDS_MIN)
        return;
    if (lane->role == SIDE_CLIENT && s->facts->strict && s->tls13 && !s->client_finished && s->server_hello_seen) {
        /* The handshake breaks off here by an alert that cannot be read, or is complete. */
        s->client_finished = !hidden_alert;
        if (hidden_alert)
            note_alert(s, lane, TLS_ALERT_CLOSE_NOTIFY, &event->begin);
        else
            tds_step(s, LOGIN_STEP_KEY_EXCHANGE, &event->begin);
        return;
    }
    if (hidden_alert)
        return;
    if (!s->from_start && !handshake_seen(s) && !tds_step_seen(s, LOGIN_STEP_LOGIN))
        s->talk_phase = TALK_REQUESTS;
    if (lane->role == SIDE_CLIENT) {
        client_speaks(s, &event->begin);
        return;
    }
    if (!s->facts->strict && (s->login_encrypted || s->facts->encryption == LOGIN_ENCRYPTION_UNKNOWN))
        s->facts->encryption = LOGIN_ENCRYPTION_FULL;
    if (s->tls13 && s->facts->strict && s->talk_phase != TALK_REQUESTS)
        answer_or_ticket(s, event);
    else
        server_speaks(s, &event->begin);
}

/* A server that goes on with a ticket need not say so: it just leaves its certificate out (RFC 5077, 3.1 and 3.4). */
static void note_ticket_accepted(struct tds_state *s)
{
    struct tls_facts *tls = tls_of(s);
    if (tls->resumption == TLS_RESUMPTION_NONE && tls->ticket_offered && !tls->certificate_seen && !s->tls13 &&
        !tds_step_seen(s, LOGIN_STEP_KEY_EXCHANGE))
        tls->resumption = TLS_RESUMED_TICKET;
}

static void change_cipher_spec(struct tds_state *s, const struct tds_lane *lane, const struct moment *begin)
{
    bool server_hello_known = tds_step_seen(s, LOGIN_STEP_SERVER_HELLO);
    if (lane->role == SIDE_CLIENT && (s->server_hello_seen || !server_hello_known))
        tds_step(s, LOGIN_STEP_KEY_EXCHANGE, begin);
    else if (lane->role == SIDE_SERVER && (!server_hello_known || s->server_hello_seen)) {
        note_ticket_accepted(s);
        tds_step(s, LOGIN_STEP_TLS_DONE, begin);
    }
}

static void on_record(struct tds_state *s, struct tds_lane *lane, const struct tls_event *event)
{
    s->facts->tls_records++;
    struct tls_facts *tls = tls_of(s);
    for (unsigned i = 0; i < SIDES; i++)
        tls->records[s->main.lanes[i].role] = s->tls[i].records;
    if (event->type == TLS_ALERT && event->ciphered)
        list_alert(s, lane, event, true);
    if (!s->recognised && lane->unit == UNIT_TLS && event->type != TLS_HANDSHAKE && tds_on_server_port(s))
        tds_recognise(s, s->facts->strict ? PROTOCOL_TDS8 : PROTOCOL_TDS);
    if (event->type == TLS_CHANGE_CIPHER_SPEC)
        change_cipher_spec(s, lane, &event->begin);
    if (event->type != TLS_APPLICATION_DATA)
        return;
    if (lane->unit == UNIT_TLS)
        bare_application_data(s, lane, event);
    else if (s->tls13 && event->length == TLS13_ALERT_SIZE)
        list_alert(s, lane, event, true);
    else if (lane->role == SIDE_CLIENT && s->tls13)
        tds_step(s, LOGIN_STEP_KEY_EXCHANGE, &event->begin);
}

static void on_message_begin(struct tds_state *s, struct tds_lane *lane, const struct tls_event *event)
{
    bool hello = event->type == TLS_CLIENT_HELLO || event->type == TLS_SERVER_HELLO;
    enum side speaker = event->type == TLS_CLIENT_HELLO ? SIDE_CLIENT : SIDE_SERVER;
    if (hello && !s->recognised && !tds_learn_role(s, lane, speaker)) {
        tds_candidate_fail(s, lane);
        return;
    }
    bool client = lane->role == SIDE_CLIENT;
    if (event->type == TLS_CLIENT_HELLO && client)
        tds_step(s, LOGIN_STEP_CLIENT_HELLO, &event->begin);
    else if (event->type == TLS_SERVER_HELLO && !client)
        tds_step(s, LOGIN_STEP_SERVER_HELLO, &event->begin);
    else if (event->type == TLS_CLIENT_KEY_EXCHANGE && client)
        tds_step(s, LOGIN_STEP_KEY_EXCHANGE, &event->begin);
    else if (event->type == TLS_NEW_SESSION_TICKET && !client)
        tds_step(s, LOGIN_STEP_TLS_DONE, &event->begin); /* ChangeCipherSpec is in the same flight (RFC 5077, 3.1) */
    else if (event->type == TLS_CERTIFICATE && !client)
        tls_of(s)->certificate_seen = true;
}

static const char *keep_text(struct tds_state *s, const struct text *text)
{
    if (text->size == 0)
        return NULL;
    return text_pool_keep(&s->stream->casebook->names, text->data, text->size);
}

static const char *keep_name(struct tds_state *s, struct span name)
{
    struct text text = {.ceiling = HELLO_TEXT_MAX};
    text_add_untrusted(&text, name);
    const char *kept = keep_text(s, &text);
    text_close(&text);
    return kept;
}

/* The names of an ALPN list, separated by commas. */
static const char *keep_alpn(struct tds_state *s, struct span list)
{
    struct text text = {.ceiling = HELLO_TEXT_MAX};
    for (size_t at = 0; at < list.size; at += 1u + list.data[at]) {
        text_add(&text, at > 0 ? "," : "");
        text_add_untrusted(&text, span_part(list, at + 1, list.data[at]));
    }
    const char *kept = keep_text(s, &text);
    text_close(&text);
    return kept;
}

/* After HelloRetryRequest the same hello comes again with another key: it changes nothing that is told here. */
static void note_client_hello(struct tds_state *s, const struct tls_hello *hello)
{
    struct tls_facts *tls = tls_of(s);
    tls->versions_offered = hello->versions;
    tls->suites_offered = hello->suites;
    tls->ticket_offered = hello->ticket;
    tls->session_id_size =
        (uint8_t)(hello->session_id.size < TLS_SESSION_ID_MAX ? hello->session_id.size : TLS_SESSION_ID_MAX);
    memset(tls->session_id, 0, sizeof tls->session_id);
    if (tls->session_id_size > 0)
        memcpy(tls->session_id, hello->session_id.data, tls->session_id_size);
    if (!tls->server_name)
        tls->server_name = keep_name(s, hello->server_name);
    if (!tls->alpn_offered)
        tls->alpn_offered = tls->alpn_offered ? tls->alpn_offered : keep_alpn(s, hello->alpn);
}

static enum tls_resumption resumption_of(const struct tls_facts *tls, const struct tls_hello *hello)
{
    if (hello->version == TLS_VERSION_1_3 || hello->version == 0) {
        if (hello->psk)
            return TLS_RESUMED_PSK;
        return hello->complete && hello->version != 0 ? TLS_RESUMPTION_NONE : TLS_RESUMPTION_UNKNOWN;
    }
    /* A client that has a ticket makes a session id up, to be answered with the same one (RFC 5077, 3.4). */
    bool echoed = tls->session_id_size > 0 && hello->session_id.size == tls->session_id_size &&
                  memcmp(hello->session_id.data, tls->session_id, tls->session_id_size) == 0;
    if (echoed)
        return tls->ticket_offered ? TLS_RESUMED_TICKET : TLS_RESUMED_SESSION;
    return TLS_RESUMPTION_NONE;
}

static void note_server_hello(struct tds_state *s, const struct tls_hello *hello)
{
    struct tls_facts *tls = tls_of(s);
    tls->retried = tls->retried || hello->retry;
    if (hello->retry)
        return;
    tls->alpn =
        tls->alpn ? tls->alpn : keep_alpn(s, hello->alpn); /* the first: a stream of hellos must not fill memory */
    if (tds_step_seen(s, LOGIN_STEP_CLIENT_HELLO))
        tls->resumption = resumption_of(tls, hello);
}

static void on_certificate(struct tds_state *s, const struct tls_event *event)
{
    struct tls_facts *tls = tls_of(s);
    if (s->recognised && tls->chain_length == 0)
        tls_read_certificates(event->body, event->whole, s->stream->casebook, s->options->certificates, tls);
}

/* The list names something, and not tds/8.0. */
static bool alpn_of_another(const struct tls_hello *hello)
{
    bool whole_name = hello->alpn.size > 0 && hello->alpn.data[0] < hello->alpn.size;
    return whole_name && !hello->alpn_tds;
}

/* A hello that is cut off before its ALPN leaves it open whether this is TDS 8. It is followed as if it were: the
 * answer, or what else is known of the server, may tell later. */
static void recognise_by_client_hello(struct tds_state *s, struct tds_lane *lane, const struct tls_hello *hello)
{
    if (s->recognised || lane->unit != UNIT_TLS)
        return;
    if (!hello->alpn_tds && (hello->complete || alpn_of_another(hello))) {
        tds_candidate_fail(s, lane);
        return;
    }
    tds_candidate_strict(s);
    if (hello->alpn_tds || tds_on_server_port(s))
        tds_recognise(s, PROTOCOL_TDS8);
}

static void on_client_hello(struct tds_state *s, struct tds_lane *lane, const struct tls_event *event)
{
    struct tls_hello hello = tls_read_client_hello(event->body, event->whole);
    if (hello.version)
        s->facts->tls_version_client = hello.version;
    recognise_by_client_hello(s, lane, &hello);
    if (s->recognised || s->facts->strict)
        note_client_hello(s, &hello);
}

static void recognise_by_server_hello(struct tds_state *s, struct tds_lane *lane, const struct tls_hello *hello)
{
    if (s->recognised || lane->unit != UNIT_TLS)
        return;
    /* TLS 1.3 answers ALPN where it cannot be read (RFC 8446, 4.3.1). */
    bool open = s->facts->strict && (hello->version == TLS_VERSION_1_3 || !hello->complete);
    if (hello->alpn_tds || (tds_on_server_port(s) && !alpn_of_another(hello)))
        tds_recognise(s, PROTOCOL_TDS8);
    else if (!open || alpn_of_another(hello))
        tds_candidate_fail(s, lane);
}

static void on_server_hello(struct tds_state *s, struct tds_lane *lane, const struct tls_event *event)
{
    struct tls_hello hello = tls_read_server_hello(event->body, event->whole);
    struct tds_facts *facts = s->facts;
    s->tls13 = hello.version == TLS_VERSION_1_3;
    for (unsigned i = 0; s->tls13 && i < SIDES; i++)
        tls_reader_is_tls13(&s->tls[i]);
    if (!hello.retry) {
        s->server_hello_seen = true;
        facts->tls_version = hello.version;
        facts->cipher_suite = hello.cipher_suite;
        if (s->tls13)
            tds_step(s, LOGIN_STEP_TLS_DONE, &event->begin);
    }
    recognise_by_server_hello(s, lane, &hello);
    if (s->recognised || s->facts->strict)
        note_server_hello(s, &hello);
}

static void on_message(struct tds_state *s, struct tds_lane *lane, const struct tls_event *event)
{
    if (event->type == TLS_CLIENT_HELLO && lane->role == SIDE_CLIENT)
        on_client_hello(s, lane, event);
    else if (event->type == TLS_SERVER_HELLO && lane->role == SIDE_SERVER)
        on_server_hello(s, lane, event);
    else if (event->type == TLS_CERTIFICATE && lane->role == SIDE_SERVER)
        on_certificate(s, event);
}

static void on_event(void *context, const struct tls_event *event)
{
    const struct tls_turn *turn = context;
    struct tds_state *s = turn->s;
    if (tds_stopped(s))
        return;
    switch (event->kind) {
    case TLS_EVENT_RECORD:
        on_record(s, turn->lane, event);
        break;
    case TLS_EVENT_MESSAGE_BEGIN:
        on_message_begin(s, turn->lane, event);
        break;
    case TLS_EVENT_MESSAGE:
        on_message(s, turn->lane, event);
        break;
    case TLS_EVENT_ALERT:
        list_alert(s, turn->lane, event, false);
        if (event->type != TLS_ALERT_CLOSE_NOTIFY)
            note_alert(s, turn->lane, event->type, &event->begin);
        break;
    }
}

/* A ticket lasts as long as its bytes come. */
static void note_unasked_bytes(struct tds_state *s, const struct tds_lane *lane)
{
    if (lane->role == SIDE_SERVER && s->talk_phase == TALK_PRELOGIN && moment_seen(&s->facts->unasked))
        s->facts->unasked = *s->at;
}

/* A request lasts as long as its records come. */
static void note_request_bytes(struct tds_state *s, const struct tds_lane *lane)
{
    if (lane->role == SIDE_CLIENT && lane->unit == UNIT_TLS && s->talker == SIDE_CLIENT)
        tds_request_goes_on(s, &s->main);
}

size_t tds_tls_data(struct tds_state *s, struct tds_lane *lane, struct span bytes)
{
    struct tls_turn turn = {s, lane};
    struct tls_sink sink = {on_event, &turn};
    struct tls_reader *reader = &s->tls[lane->number];
    size_t taken = tls_reader_data(reader, bytes, s->at, &sink);
    if (reader->failed) {
        reader->failed = false;
        tls_reader_lose(reader);
        return 0;
    }
    note_request_bytes(s, lane);
    note_unasked_bytes(s, lane);
    return taken;
}

uint64_t tds_tls_gap(struct tds_state *s, struct tds_lane *lane, uint64_t n)
{
    struct tls_turn turn = {s, lane};
    struct tls_sink sink = {on_event, &turn};
    uint64_t taken = tls_reader_gap(&s->tls[lane->number], n, &sink);
    note_request_bytes(s, lane);
    note_unasked_bytes(s, lane);
    return taken;
}
