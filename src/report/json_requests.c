/* TDS facts as JSON: the login's terms, requests and their times, MARS sessions. */
#include "json_requests.h"

#include <stdio.h>

#include "fact_names.h"
#include "tds_version_names.h"

enum { GUID_TEXT_SIZE = 37, NOT_SAID = 0xff };

void object_add_guid(json_t *object, const char *key, const uint8_t b[16])
{
    char text[GUID_TEXT_SIZE];
    snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[3], b[2],
             b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    object_add_text(object, key, text);
}

static void add_known(json_t *object, const char *key, uint64_t value)
{
    if (value > 0)
        object_add_count(object, key, value);
}

static const char *const feature_names[FEATURES_KNOWN_MAX + 1] = {
    [FEATURE_SESSION_RECOVERY] = "session-recovery",   [FEATURE_FEDAUTH] = "fedauth",
    [FEATURE_COLUMN_ENCRYPTION] = "column-encryption", [FEATURE_GLOBAL_TRANSACTIONS] = "global-transactions",
    [FEATURE_AZURE_SQL_SUPPORT] = "azure-sql-support", [FEATURE_DATA_CLASSIFICATION] = "data-classification",
    [FEATURE_UTF8_SUPPORT] = "utf8-support",           [FEATURE_AZURE_SQL_DNS_CACHING] = "azure-sql-dns-caching",
    [FEATURE_JSON_SUPPORT] = "json-support",           [FEATURE_VECTOR_SUPPORT] = "vector-support",
};

static void add_features(json_t *object, const char *key, uint32_t features)
{
    if (features == 0)
        return;
    json_t *list = json_new_array();
    for (unsigned i = 0; i <= FEATURES_KNOWN_MAX; i++) {
        if (!(features >> i & 1))
            continue;
        char number[sizeof "feature-31"];
        snprintf(number, sizeof number, "feature-%u", i);
        array_add_text(list, feature_names[i] ? feature_names[i] : number);
    }
    object_add(object, key, list);
}

void json_add_login(json_t *login, const struct tds_facts *tds)
{
    char version[VERSION_TEXT_SIZE];
    add_known(login, "client_process_id", tds->client_process_id);
    add_known(login, "client_thread_id", tds->client_thread_id);
    if (tds->client_version)
        object_add_text(login, "client_version", server_version_text(tds->client_version, version));
    object_add_text(login, "instance", tds->instance);
    object_add_text(login, "language", tds->language);
    add_known(login, "packet_size", tds->packet_size);
    if (tds->login_flags & LOGIN_FLAG_READ_ONLY_INTENT)
        object_add_flag(login, "read_only_intent", true);
    if (tds->login_flags & LOGIN_FLAG_CHANGES_PASSWORD)
        object_add_flag(login, "changes_password", true);
    if (tds->login_flags & LOGIN_FLAG_USER_INSTANCE)
        object_add_flag(login, "user_instance", true);
    if (tds->fedauth_required != NOT_SAID)
        object_add_flag(login, "fedauth_required", tds->fedauth_required == 1);
    object_add_text(login, "sts_url", tds->sts_url);
    object_add_text(login, "sts_spn", tds->sts_spn);
    add_features(login, "features_asked", tds->features_asked);
    add_features(login, "features_granted", tds->features_granted);
    if (tds->has_activity_id) {
        object_add_guid(login, "activity_id", tds->activity_id);
        object_add_count(login, "activity_sequence", tds->activity_sequence);
    }
}

/* ProcID (MS-TDS 2.2.6.6). */
static const char *const procedure_names[] = {NULL,
                                              "sp_cursor",
                                              "sp_cursoropen",
                                              "sp_cursorprepare",
                                              "sp_cursorexecute",
                                              "sp_cursorprepexec",
                                              "sp_cursorunprepare",
                                              "sp_cursorfetch",
                                              "sp_cursoroption",
                                              "sp_cursorclose",
                                              "sp_executesql",
                                              "sp_prepare",
                                              "sp_execute",
                                              "sp_prepexec",
                                              "sp_prepexecrpc",
                                              "sp_unprepare"};

void object_add_request(json_t *object, const char *key, const struct tds_request *request)
{
    enum { PROCEDURES = sizeof procedure_names / sizeof procedure_names[0] };
    if (request->message >= TDS_MESSAGES)
        return;
    json_t *inner = json_new_object();
    object_add_text(inner, "type", message_name((enum tds_message)request->message));
    if (request->procedure)
        object_add_text(inner, "procedure", request->procedure);
    else if (request->procedure_id < PROCEDURES)
        object_add_text(inner, "procedure", procedure_names[request->procedure_id]);
    object_add(object, key, inner);
}

void object_add_times(json_t *object, const char *key, const struct response_times *times, int64_t slowest_ns)
{
    if (times->count == 0)
        return;
    json_t *inner = json_new_object();
    object_add_count(inner, "count", times->count);
    object_add_seconds(inner, "mean_s", times->sum_ns / times->count);
    object_add_seconds(inner, "slowest_s", slowest_ns);
    object_add_seconds(inner, "half_below_s", response_times_below_ns(times, 50));
    object_add_seconds(inner, "most_below_s", response_times_below_ns(times, 95));
    object_add(object, key, inner);
}

static void add_requests(json_t *object, const struct tds_facts *tds)
{
    if (tds->requests == 0 && tds->rows == 0)
        return;
    json_t *inner = json_new_object();
    if (tds->requests > 0) { /* of a capture that holds the server's words only, a zero would be made up */
        object_add_count(inner, "count", tds->requests);
        object_add_count(inner, "answered", tds->answered);
    }
    if (tds->messages[TDS_RESPONSE] > 0 && tds->encrypted_requests == 0)
        object_add_count(inner, "rows", tds->rows);
    add_known(inner, "answers_not_walked", tds->unwalked);
    add_known(inner, "errors_not_read", tds->errors_unread);
    object_add_times(inner, "first_byte", &tds->first_bytes, tds->slowest_response_ns);
    object_add_times(inner, "end", &tds->ends, tds->slowest_end_ns);
    if (moment_seen(&tds->slowest_request))
        object_add_request(inner, "slowest", &tds->slowest_request_is);
    object_add_request(inner, "last", &tds->last_request_is);
    object_add(object, "requests", inner);
}

static void add_attention(json_t *object, const struct tds_facts *tds)
{
    if (!moment_seen(&tds->first_attention))
        return;
    json_t *inner = json_new_object();
    object_add_time(inner, "first", tds->first_attention.time_ns);
    if (moment_seen(&tds->attention_acknowledged))
        object_add_time(inner, "acknowledged", tds->attention_acknowledged.time_ns);
    object_add(object, "attention_times", inner);
}

static void add_mars_sessions(json_t *object, const struct smp_facts *smp)
{
    if (!smp || smp->opened == 0)
        return;
    json_t *inner = json_new_object();
    object_add_count(inner, "opened", smp->opened);
    object_add_count(inner, "closed", smp->closed);
    add_known(inner, "not_followed", smp->not_followed);
    add_known(inner, "window_stalls", smp->stalls);
    if (smp->stalls > 0)
        object_add_seconds(inner, "longest_stall_s", smp->longest_stall_ns);
    if (moment_seen(&smp->open_stall))
        object_add_time(inner, "stalled_since", smp->open_stall.time_ns);
    object_add(object, "mars_sessions", inner);
}

void json_add_requests(json_t *conversation, const struct tds_facts *tds)
{
    add_known(conversation, "spid", tds->spid);
    if (moment_seen(&tds->routed)) {
        json_t *inner = json_new_object();
        object_add_text(inner, "server", tds->routed_to);
        object_add_count(inner, "port", tds->routed_to_port);
        object_add(conversation, "routed_to", inner);
    }
    add_requests(conversation, tds);
    add_attention(conversation, tds);
    add_mars_sessions(conversation, tds->smp);
}
