/* One conversation as JSON. */
#include "json_conversation.h"
#include "json_comparison.h"

#include <string.h>

#include "fact_names.h"
#include "json_around.h"
#include "json_requests.h"
#include "json_session.h"
#include "tds_version_names.h"
#include "tls_names.h"

json_t *json_endpoint(const struct endpoint *endpoint)
{
    char address[ADDRESS_TEXT_SIZE];
    json_t *object = json_new_object();
    object_add_text(object, "address", address_text(&endpoint->address, address));
    object_add_count(object, "port", endpoint->port);
    return object;
}

/* The files of its first and last packet, and those of its capture point that lie between them in time. */
static void add_files(json_t *list, const struct casebook *casebook, const struct conversation *conversation)
{
    if (conversation->capture_first == conversation->capture_last) {
        array_add(list, json_integer((json_int_t)conversation->capture_first));
        return;
    }
    for (uint32_t i = 0; i < casebook->capture_count; i++) {
        const struct capture_facts *capture = &casebook->captures[i];
        bool at_an_end = i == conversation->capture_first || i == conversation->capture_last;
        bool between = capture->point == conversation->point && capture->packets > 0 &&
                       capture->first_ns <= conversation->last.time_ns &&
                       capture->last_ns >= conversation->first.time_ns;
        if (at_an_end || between)
            array_add(list, json_integer((json_int_t)i));
    }
}

static const struct conversation *twin_of(const struct casebook *casebook, const struct conversation *conversation)
{
    return conversation->twin ? casebook_conversation(casebook, conversation->twin - 1) : NULL;
}

static json_t *seen_in(const struct casebook *casebook, const struct conversation *conversation)
{
    json_t *list = json_new_array();
    add_files(list, casebook, conversation);
    while (conversation->next_view) {
        conversation = casebook_conversation(casebook, conversation->next_view - 1);
        add_files(list, casebook, conversation);
    }
    return list;
}

/* Addresses and ports as the server's capture shows them, where a device on the way rewrites them. */
static void add_seen_by_server(json_t *object, const struct casebook *casebook, const struct conversation *conversation)
{
    const struct conversation *twin = twin_of(casebook, conversation);
    if (!twin || (endpoint_equal(&twin->ends[SIDE_CLIENT], &conversation->ends[SIDE_CLIENT]) &&
                  endpoint_equal(&twin->ends[SIDE_SERVER], &conversation->ends[SIDE_SERVER])))
        return;
    json_t *seen = json_new_object();
    object_add(seen, "client", json_endpoint(&twin->ends[SIDE_CLIENT]));
    object_add(seen, "server", json_endpoint(&twin->ends[SIDE_SERVER]));
    object_add(object, "seen_by_server", seen);
}

static void add_versions(json_t *object, const struct tds_facts *tds)
{
    char name[TLS_NAME_SIZE], version[VERSION_TEXT_SIZE];
    if (tds->tls_version)
        object_add_text(object, "tls_version", tls_version_name(tds->tls_version, name));
    if (tds->cipher_suite)
        object_add_text(object, "cipher", tls_cipher_suite_name(tds->cipher_suite, name));
    uint32_t tds_version = tds->tds_version ? tds->tds_version : tds->tds_version_client;
    if (tds_version)
        object_add_text(object, "tds_version", tds_version_text(tds_version, version));
    if (tds->server_version)
        object_add_text(object, "server_version", server_version_text(tds->server_version, version));
}

static void add_login_error(json_t *object, const struct tds_error *error)
{
    if (error->number == 0)
        return;
    json_t *entry = json_new_object();
    object_add_count(entry, "number", error->number);
    object_add_count(entry, "state", error->state);
    object_add_count(entry, "severity", error->severity);
    object_add_text(entry, "message", error->message);
    object_add(object, "error", entry);
}

static json_t *login_object(const struct casebook *casebook, const struct conversation *conversation)
{
    json_t *object = json_new_object();
    object_add_text(object, "stage", login_stage_name(conversation_login_stage(conversation)));
    const struct tds_facts *tds = conversation->tds;
    if (!tds)
        return object;
    object_add_seconds(object, "duration_s", conversation_login_duration_ns(conversation));
    object_add_text(object, "encrypted", encryption_name(tds->encryption));
    add_versions(object, tds);
    object_add_text(object, "client_host", tds->client_host);
    object_add_text(object, "application", tds->application);
    object_add_text(object, "library", tds->library);
    object_add_text(object, "user", tds->user);
    object_add_text(object, "domain", tds->domain);
    object_add_text(object, "database", tds->database);
    object_add_text(object, "server_name", tds->server_name);
    if (tds->has_connection_id)
        object_add_guid(object, "connection_id", tds->connection_id);
    object_add_text(object, "authentication", authentication_name(tds->authentication));
    json_add_login(object, tds);
    add_login_error(object, &tds->login_error);
    object_add(object, "timeline", json_timeline(casebook, conversation));
    return object;
}

/* Where TLS hides messages, a count of zero would be made up. */
static bool hides_messages(const struct tds_facts *tds)
{
    return tds->encryption == LOGIN_ENCRYPTION_FULL || tds->encryption == LOGIN_ENCRYPTION_STRICT ||
           tds->encrypted_requests > 0 || tds->encrypted_responses > 0;
}

static json_t *error_object(const struct tds_error_count *error)
{
    json_t *entry = json_new_object();
    object_add_count(entry, "number", error->number);
    object_add_count(entry, "count", error->count);
    object_add_count(entry, "state", error->state);
    object_add_count(entry, "severity", error->severity);
    object_add_text(entry, "server", error->server);
    object_add_text(entry, "procedure", error->procedure);
    if (error->line > 0)
        object_add_count(entry, "line", error->line);
    object_add_text(entry, "message", error->message);
    if (moment_seen(&error->first)) {
        object_add_time(entry, "time", error->first.time_ns);
        object_add_count(entry, "capture", error->first.capture);
        object_add_count(entry, "frame", error->first.frame);
    }
    return entry;
}

static void add_messages(json_t *object, const struct tds_facts *tds)
{
    json_t *counts = json_new_object();
    for (unsigned i = 0; i < TDS_MESSAGES; i++)
        if (tds->messages[i] > 0 || !hides_messages(tds))
            object_add_count(counts, message_name((enum tds_message)i), tds->messages[i]);
    object_add(object, "messages", counts);

    if (tds->error_kinds == 0 && hides_messages(tds))
        return;
    json_t *errors = json_new_array();
    for (unsigned i = 0; i < tds->error_kinds && i < TDS_ERROR_NUMBERS_MAX; i++)
        array_add(errors, error_object(&tds->errors[i]));
    object_add(object, "errors", errors);
    if (tds->errors_beyond > 0)
        object_add_count(object, "errors_beyond", tds->errors_beyond);
}

static void add_tcp(json_t *object, const struct conversation *conversation)
{
    const struct tcp_side *client = &conversation->sides[SIDE_CLIENT], *server = &conversation->sides[SIDE_SERVER];
    object_add_text(object, "ending", ending_name(conversation->ending));
    if (conversation->first_close_known)
        object_add_text(object, "closed_first_by", side_name(conversation->closed_first_by));
    object_add_count(object, "retransmits", (uint64_t)client->retransmits + server->retransmits);
    object_add_count(object, "keep_alives", (uint64_t)client->keep_alives + server->keep_alives);
    object_add_count(object, "zero_windows", (uint64_t)client->zero_windows + server->zero_windows);
}

static void add_size(json_t *object, const char *key, uint32_t bytes)
{
    if (bytes > 0)
        object_add_count(object, key, bytes);
}

static json_t *segments_of(const struct tcp_side *side)
{
    json_t *object = json_new_object();
    add_size(object, "mss", side->mss);
    add_size(object, "largest", side->largest_payload);
    add_size(object, "largest_acknowledged", side->largest_acknowledged);
    add_size(object, "larger_unacknowledged", side->larger_unacknowledged);
    return object;
}

/* The MSS that a side announced limits the segments of the other. */
static void add_segments(json_t *object, const struct conversation *conversation)
{
    json_t *segments = json_new_object();
    for (enum side side = SIDE_CLIENT; side < SIDES; side++) {
        const struct tcp_side *facts = &conversation->sides[side];
        if (facts->mss > 0 || facts->largest_payload > 0)
            object_add(segments, side_name(side), segments_of(facts));
    }
    object_add(object, "segments", segments);
}

static void add_judgement(json_t *object, const struct judgement *judgement)
{
    object_add_text(object, "culprit", culprit_names[judgement->culprit]);
    object_add_text(object, "cause", judgement->detector->cause);
    object_add_confidence(object, judgement->confidence);
    object_add_proofs(object, judgement);
}

json_t *json_conversation(const struct report *report, const struct reused_tuples *reused,
                          const struct conversation *conversation)
{
    json_t *object = json_new_object();
    object_add_count(object, "id", conversation->id);
    if (conversation->secondary)
        object_add_count(object, "view_of", conversation->twin);
    object_add_text(object, "protocol", protocol_name(conversation->protocol));
    object_add(object, "client", json_endpoint(&conversation->ends[SIDE_CLIENT]));
    object_add(object, "server", json_endpoint(&conversation->ends[SIDE_SERVER]));
    add_seen_by_server(object, report->casebook, conversation);
    object_add(object, "seen_in", seen_in(report->casebook, conversation));
    object_add_time(object, "start", conversation->first.time_ns);
    object_add_time(object, "end", conversation->last.time_ns);
    object_add_count(object, "packets", conversation->packets);
    object_add_count(object, "bytes", conversation->wire_bytes);
    add_tcp(object, conversation);
    add_segments(object, conversation);
    object_add(object, "login", login_object(report->casebook, conversation));
    json_add_comparison(object, report->casebook, conversation);
    json_add_joins(object, report->casebook, conversation);
    const struct tds_facts *tds = conversation->tds;
    if (tds) {
        add_messages(object, tds);
        json_add_requests(object, tds);
        if (tds->tls)
            object_add(object, "tls", json_tls(conversation));
        if (tds->mars || moment_seen(&tds->steps[LOGIN_STEP_PRELOGIN]))
            object_add_flag(object, "mars", tds->mars);
    }
    struct judgement judgement;
    judge_conversation(report->judge, conversation, &judgement);
    add_judgement(object, &judgement);

    char filter[WIRESHARK_FILTER_SIZE];
    bool only_this = reused_tuples_have(reused, conversation);
    object_add_text(object, "display_filter", wireshark_conversation_filter(conversation, only_this, filter));
    return object;
}
