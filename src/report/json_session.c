/* TLS and the login's steps as JSON. */
#include "json_session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "fact_names.h"
#include "login_timeline.h"
#include "timeline_names.h"
#include "tls_handshake.h"
#include "tls_names.h"

static const char *const resumptions[] = {
    [TLS_RESUMPTION_UNKNOWN] = NULL, [TLS_RESUMPTION_NONE] = "no", [TLS_RESUMED_SESSION] = "session-id",
    [TLS_RESUMED_TICKET] = "ticket", [TLS_RESUMED_PSK] = "psk",
};
static_assert(sizeof resumptions / sizeof *resumptions == TLS_RESUMED_PSK + 1, "a name for each");

static const char *const progresses[] = {
    [TLS_NOT_SEEN] = NULL,
    [TLS_CLIENT_HELLO_SENT] = "client-hello",
    [TLS_RETRY_ASKED] = "retry",
    [TLS_SERVER_HELLO_SENT] = "server-hello",
    [TLS_CLIENT_KEY_SENT] = "client-key",
    [TLS_SERVER_FINISHED] = "server-finished",
    [TLS_ESTABLISHED] = "done",
};
static_assert(sizeof progresses / sizeof *progresses == TLS_PROGRESSES, "a name for each");

static json_t *versions_list(uint8_t bits)
{
    json_t *list = json_new_array();
    for (uint16_t version = TLS_VERSION_SSL_3; version <= TLS_VERSION_1_3; version++) {
        char name[TLS_NAME_SIZE];
        if (bits & tls_version_bit(version))
            array_add_text(list, tls_version_name(version, name));
    }
    return list;
}

static void add_names(json_t *object, const char *key, const char *names)
{
    if (!names)
        return;
    json_t *list = json_new_array();
    while (*names) {
        size_t size = strcspn(names, ",");
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)(size < sizeof name ? size : sizeof name - 1), names);
        array_add_text(list, name);
        names += size + (names[size] == ',');
    }
    object_add(object, key, list);
}

static json_t *certificate_object(const struct tls_certificate *certificate)
{
    json_t *object = json_new_object();
    char digits[2 * sizeof certificate->fingerprint + 1];
    for (size_t i = 0; i < sizeof certificate->fingerprint; i++)
        snprintf(digits + 2 * i, 3, "%02x", certificate->fingerprint[i]);
    object_add_text(object, "sha256", digits);
    object_add_flag(object, "readable", certificate->readable);
    if (!certificate->readable)
        return object;
    object_add_text(object, "subject", certificate->subject);
    object_add_text(object, "issuer", certificate->issuer);
    object_add_text(object, "not_before", certificate->not_before);
    object_add_text(object, "not_after", certificate->not_after);
    object_add_text(object, "key", certificate->key);
    if (certificate->key_bits)
        object_add_count(object, "key_bits", certificate->key_bits);
    object_add_text(object, "signature", certificate->signature);
    json_t *names = json_new_array();
    for (unsigned i = 0; i < certificate->name_count; i++)
        array_add_text(names, certificate->names[i]);
    object_add(object, "names", names);
    object_add_flag(object, "self_signed", certificate->self_signed);
    object_add_flag(object, "sql_server_fallback", certificate->sql_self_signed);
    return object;
}

static void add_chain(json_t *object, const struct tls_facts *tls)
{
    if (!tls->certificate_seen)
        return;
    json_t *list = json_new_array();
    for (unsigned i = 0; i < tls->chain_length && i < TLS_CHAIN_MAX; i++)
        if (tls->chain[i])
            array_add(list, certificate_object(tls->chain[i]));
    object_add(object, "certificates", list);
    if (tls->chain_cut)
        object_add_flag(object, "certificates_cut", true);
}

static json_t *alert_object(const struct tls_alert *alert)
{
    json_t *object = json_new_object();
    object_add_text(object, "from", side_name((enum side)alert->side));
    object_add_time(object, "time", alert->moment.time_ns);
    object_add_count(object, "capture", alert->moment.capture);
    object_add_count(object, "frame", alert->moment.frame);
    object_add_flag(object, "encrypted", alert->encrypted);
    if (alert->encrypted)
        return object;
    object_add_text(object, "level", alert->level == 1 ? "warning" : "fatal");
    object_add_count(object, "number", alert->number);
    object_add_text(object, "name", tls_alert_name(alert->number));
    return object;
}

static void add_handshake(json_t *object, const struct conversation *conversation)
{
    struct tls_handshake handshake = tls_handshake_of(conversation);
    if (handshake.progress == TLS_NOT_SEEN)
        return;
    json_t *state = json_new_object();
    object_add_text(state, "reached", progresses[handshake.progress]);
    if (handshake.progress != TLS_ESTABLISHED)
        object_add_text(state, "turn_of", side_name(handshake.turn));
    if (handshake.stopped) {
        object_add_text(state, "stopped_by", side_name(handshake.stopped_by));
        object_add_text(state, "stopped_with", handshake.by_alert ? "alert" : "close");
    }
    object_add(object, "handshake", state);
}

json_t *json_tls(const struct conversation *conversation)
{
    const struct tds_facts *tds = conversation->tds;
    const struct tls_facts *tls = tds->tls;
    char name[TLS_NAME_SIZE];
    json_t *object = json_new_object();
    if (tls->versions_offered)
        object_add(object, "versions_offered", versions_list(tls->versions_offered));
    if (tds->tls_version)
        object_add_text(object, "version", tls_version_name(tds->tls_version, name));
    if (tls->suites_offered)
        object_add_count(object, "ciphers_offered", tls->suites_offered);
    if (tds->cipher_suite)
        object_add_text(object, "cipher", tls_cipher_suite_name(tds->cipher_suite, name));
    object_add_text(object, "server_name", tls->server_name);
    add_names(object, "alpn_offered", tls->alpn_offered);
    object_add_text(object, "alpn", tls->alpn);
    object_add_text(object, "resumed", resumptions[tls->resumption]);
    if (tls->retried)
        object_add_flag(object, "retried", true);
    add_handshake(object, conversation);
    add_chain(object, tls);
    json_t *alerts = json_new_array();
    for (unsigned i = 0; i < tls->alert_count; i++)
        array_add(alerts, alert_object(&tls->alerts[i]));
    object_add(object, "alerts", alerts);
    if (tls->alerts_beyond)
        object_add_count(object, "alerts_beyond", tls->alerts_beyond);
    json_t *records = json_new_object();
    for (unsigned side = 0; side < SIDES; side++)
        object_add_count(records, side_name((enum side)side), tls->records[side]);
    object_add(object, "records", records);
    return object;
}

json_t *json_timeline(const struct casebook *casebook, const struct conversation *conversation)
{
    struct login_timeline timeline;
    login_timeline_read(conversation, login_timeline_end_ns(casebook, conversation), &timeline);
    json_t *list = json_new_array();
    for (unsigned i = 0; i < timeline.count; i++) {
        const struct timeline_entry *entry = &timeline.entries[i];
        json_t *object = json_new_object();
        object_add_text(object, "step", timeline_step_name(entry->step));
        if (entry->step != TIMELINE_WAITING && entry->step != TIMELINE_UNANSWERED)
            object_add_text(object, "from", side_name(entry->sender));
        object_add_time(object, "time", entry->moment.time_ns);
        if (moment_seen(&entry->moment)) {
            object_add_count(object, "capture", entry->moment.capture);
            object_add_count(object, "frame", entry->moment.frame);
        }
        object_add_seconds(object, "duration_s", entry->duration_ns);
        if (i > 0)
            object_add_text(object, "waited_for", waited_for_name(entry->waited_for));
        if ((int)i == timeline.slowest)
            object_add_flag(object, "slowest", true);
        array_add(list, object);
    }
    return list;
}
