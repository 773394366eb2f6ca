/* What TDS messages tell: steps of the login, names, requests and answers (MS-TDS 2.2.1, 2.2.2, 3.2.5). */
#include <string.h>

#include "tds_state.h"
#include "text.h"

/* Longest text that is stored of an error (the longest of SQL Server's messages are 2048 characters) and of a name. */
enum { MESSAGE_BYTES_MAX = 4096, NAME_BYTES_MAX = 512 };

/* How much of a message is kept to read it. PRELOGIN: as many options as there can be; LOGIN7: all names stand in front. */
enum { PRELOGIN_KEPT = 512, LOGIN7_KEPT = 4096, OLD_LOGIN_KEPT = 1024, SSPI_KEPT = 1024 };

/* ENVCHANGEs of the database before the first request that are believed: a login has one or two. */
enum { DATABASE_CHANGES_MAX = 4 };

enum { TYPE_BATCH = 1, TYPE_OLD_LOGIN = 2, TYPE_RPC = 3, TYPE_ATTENTION = 6, TYPE_BULK = 7, TYPE_FEDAUTH = 8 };
enum { TYPE_TRANSACTION = 0x0e, TYPE_LOGIN7 = 0x10, TYPE_SSPI = 0x11, TYPES = 0x13 };

struct type_law {
    uint8_t message; /* enum tds_message */
    bool request;    /* work for the server, after the login */
};

static const struct type_law laws[TYPES] = {
    [TYPE_BATCH] = {TDS_BATCH, true},
    [TYPE_OLD_LOGIN] = {TDS_OLD_LOGIN, false},
    [TYPE_RPC] = {TDS_RPC, true},
    [TDS_TYPE_RESPONSE] = {TDS_RESPONSE, false},
    [TYPE_ATTENTION] = {TDS_ATTENTION, false},
    [TYPE_BULK] = {TDS_BULK, true},
    [TYPE_FEDAUTH] = {TDS_FEDAUTH, false},
    [TYPE_TRANSACTION] = {TDS_TRANSACTION, true},
    [TDS_TYPE_OLD_NORMAL] = {TDS_BATCH, true},
    [TYPE_LOGIN7] = {TDS_LOGIN, false},
    [TYPE_SSPI] = {TDS_SSPI, false},
    [TDS_TYPE_PRELOGIN] = {TDS_PRELOGIN, false},
};

static struct type_law law_of(uint8_t type)
{
    return laws[type < TYPES ? type : 0];
}

/* Empty, or not captured, is not known: NULL. Nothing is stored for a stream that may yet be none of ours. */
static const char *store_text(struct tds_state *s, struct span bytes, bool wide, bool cut, size_t ceiling)
{
    if (bytes.size == 0 || !s->recognised)
        return NULL;
    struct text text = {.ceiling = ceiling};
    if (wide)
        text_add_utf16le(&text, bytes);
    else
        text_add_untrusted(&text, bytes);
    if (cut || text.cut) {
        text.ceiling = 0;
        text_add(&text, "\xe2\x80\xa6"); /* an ellipsis */
    }
    const char *stored = arena_copy_text(&s->stream->casebook->texts, text_string(&text), text.size);
    text_close(&text);
    return stored;
}

/* SQL Server pads its product's name with zeros. */
static const char *store_name(struct tds_state *s, struct span bytes, bool wide)
{
    size_t unit = wide ? 2 : 1;
    while (bytes.size >= unit && bytes.data[bytes.size - 1] == 0 && bytes.data[bytes.size - unit] == 0)
        bytes.size -= unit;
    return store_text(s, bytes, wide, false, NAME_BYTES_MAX);
}

void tds_request_begins(struct tds_state *s, struct tds_channel *channel, const struct moment *begin)
{
    /* Without the login, the first request that is seen is not the first. */
    if (s->from_start || tds_step_seen(s, LOGIN_STEP_LOGIN) || tds_step_seen(s, LOGIN_STEP_LOGIN_ANSWER))
        tds_step(s, LOGIN_STEP_FIRST_REQUEST, begin);
    s->facts->last_request = *begin;
    s->facts->request_unanswered = true;
    s->last_request = channel;
    channel->awaiting = true;
    channel->request_ended = false;
    channel->request_begin = *begin;
}

void tds_request_goes_on(struct tds_state *s, struct tds_channel *channel)
{
    channel->request_ended = true;
    channel->request_end_ns = s->at->time_ns;
}

void tds_answer_begins(struct tds_state *s, struct tds_channel *channel, const struct moment *begin)
{
    struct tds_facts *facts = s->facts;
    facts->last_response = *begin;
    if (s->last_request == channel)
        facts->request_unanswered = false;
    if (!channel->awaiting)
        return;
    channel->awaiting = false;
    int64_t wait_ns = begin->time_ns - channel->request_end_ns;
    bool slowest = wait_ns > facts->slowest_response_ns || !moment_seen(&facts->slowest_request);
    if (!channel->request_ended || wait_ns < 0 || !slowest)
        return;
    facts->slowest_response_ns = wait_ns;
    facts->slowest_request = channel->request_begin;
}

static void begin_gather(struct tds_lane *lane, uint32_t want)
{
    lane->body = BODY_GATHER;
    lane->gather.want = want;
}

static void login_in_clear(struct tds_state *s, const struct tds_lane *lane)
{
    tds_step(s, LOGIN_STEP_LOGIN, &lane->message_begin);
    s->facts->encryption = LOGIN_ENCRYPTION_NONE;
}

static void attention(struct tds_state *s, const struct tds_lane *lane)
{
    if (!moment_seen(&s->facts->first_attention))
        s->facts->first_attention = lane->message_begin;
}

/* A message's first packet: its type is known, and of its body nothing. */
void tds_message_begin(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    struct type_law law = law_of(lane->type);
    s->facts->messages[law.message]++;
    if (law.request)
        tds_request_begins(s, channel, &lane->message_begin);
    switch (lane->type) {
    case TDS_TYPE_PRELOGIN:
    case TDS_TYPE_RESPONSE:
        if (!lane->nested && !tls_reader_between(&s->tls[lane->number]))
            lane->body = BODY_TLS;
        else if (lane->packet_size > 0)
            lane->body = BODY_UNDECIDED;
        break;
    case TYPE_LOGIN7:
        login_in_clear(s, lane);
        begin_gather(lane, LOGIN7_KEPT);
        break;
    case TYPE_OLD_LOGIN:
        s->old_dialect = true;
        login_in_clear(s, lane);
        begin_gather(lane, OLD_LOGIN_KEPT);
        break;
    case TYPE_SSPI:
        tds_step(s, LOGIN_STEP_SSPI_RESPONSE, &lane->message_begin);
        begin_gather(lane, SSPI_KEPT);
        break;
    case TYPE_FEDAUTH:
        s->facts->authentication = LOGIN_ENTRA;
        break;
    case TYPE_ATTENTION:
        attention(s, lane);
        break;
    }
}

void tds_message_end(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    if (law_of(lane->type).request)
        tds_request_goes_on(s, channel);
}

static void begin_tokens(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, uint8_t first)
{
    lane->body = BODY_TOKENS;
    token_walker_begin(&lane->walker);
    bool challenge = first == TOKEN_SSPI || first == TOKEN_FEDAUTHINFO;
    if (tds_step_seen(s, LOGIN_STEP_LOGIN) && !challenge)
        tds_step(s, LOGIN_STEP_LOGIN_ANSWER, &lane->message_begin);
    if (s->login_encrypted)
        s->facts->encryption = LOGIN_ENCRYPTION_LOGIN;
    tds_answer_begins(s, channel, &lane->message_begin);
}

/* The first byte of a PRELOGIN or response tells what is in it: an option table begins with VERSION (0), TLS with a
 * record type, and no token is that small. first is 0 when the byte was not captured. */
void tds_body_begin(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, uint8_t first)
{
    bool is_tls = first >= TLS_CHANGE_CIPHER_SPEC && first <= TLS_APPLICATION_DATA;
    if (!lane->nested && is_tls && !tds_step_seen(s, LOGIN_STEP_LOGIN)) {
        lane->body = BODY_TLS;
        return;
    }
    bool in_login = tds_step_seen(s, LOGIN_STEP_LOGIN) || tds_step_seen(s, LOGIN_STEP_PRELOGIN_ANSWER);
    bool is_prelogin = lane->type == TDS_TYPE_PRELOGIN || (first == 0 && !in_login);
    if (lane->nested || !is_prelogin) {
        begin_tokens(s, channel, lane, first);
        return;
    }
    begin_gather(lane, PRELOGIN_KEPT);
    if (lane->role == SIDE_CLIENT)
        tds_step(s, LOGIN_STEP_PRELOGIN, &lane->message_begin);
    else
        tds_step(s, LOGIN_STEP_PRELOGIN_ANSWER, &lane->message_begin);
}

/* MS-TDS 2.2.6.5, "Encryption negotiation": what results, until the bytes show it. */
static void negotiate_encryption(struct tds_facts *facts)
{
    unsigned client = facts->prelogin_client_encryption, server = facts->prelogin_server_encryption;
    if (facts->encryption != LOGIN_ENCRYPTION_UNKNOWN || client == PRELOGIN_UNKNOWN || server == PRELOGIN_UNKNOWN)
        return;
    client &= ENCRYPT_VALUES_MASK;
    server &= ENCRYPT_VALUES_MASK;
    if (client == ENCRYPT_NOT_SUP || server == ENCRYPT_NOT_SUP)
        facts->encryption = LOGIN_ENCRYPTION_NONE;
    else if (client == ENCRYPT_OFF && server == ENCRYPT_OFF)
        facts->encryption = LOGIN_ENCRYPTION_LOGIN;
    else
        facts->encryption = LOGIN_ENCRYPTION_FULL;
}

static void read_prelogin(struct tds_state *s, struct tds_lane *lane, struct span body)
{
    bool size_known = lane->status & TDS_STATUS_EOM;
    struct prelogin p;
    if (!prelogin_read(body, size_known ? lane->message_size : 0, &p)) {
        tds_candidate_fail(s, &s->main.lanes[lane->number]);
        return;
    }
    if (!s->recognised &&
        !tds_learn_role(s, lane, lane->type == TDS_TYPE_RESPONSE ? SIDE_SERVER : (enum side)lane->role)) {
        tds_candidate_fail(s, lane);
        return;
    }
    struct tds_facts *facts = s->facts;
    if (lane->role == SIDE_CLIENT) {
        facts->prelogin_client_encryption = p.encryption;
        s->client_mars = p.mars == 1;
        facts->has_connection_id = p.has_connection_id;
        memcpy(facts->connection_id, p.connection_id, sizeof facts->connection_id);
    } else {
        facts->prelogin_server_encryption = p.encryption;
        facts->server_version = p.version;
        facts->mars = p.mars == 1 && s->client_mars;
    }
    negotiate_encryption(facts);
    tds_recognise(s, PROTOCOL_TDS);
}

static bool before_tds_72(uint32_t version)
{
    return version != 0x08000000 && version >> 24 < 0x72;
}

static void read_login7(struct tds_state *s, struct tds_lane *lane, struct span body)
{
    struct login7 login;
    bool size_known = lane->status & TDS_STATUS_EOM;
    bool valid = login7_read(body, &login);
    bool agrees = size_known ? login.length == lane->message_size : login.length > lane->message_size;
    if (!valid || (!s->recognised && !agrees)) {
        tds_candidate_fail(s, lane);
        return;
    }
    tds_recognise(s, PROTOCOL_TDS);
    s->login_read = s->recognised;
    struct tds_facts *facts = s->facts;
    facts->tds_version_client = login.tds_version;
    facts->client_process_id = login.process_id;
    facts->client_host = store_name(s, login.host, true);
    facts->user = store_name(s, login.user, true);
    facts->application = store_name(s, login.application, true);
    facts->library = store_name(s, login.library, true);
    facts->server_name = store_name(s, login.server, true);
    facts->database = store_name(s, login.database, true);
    if (login.fedauth)
        facts->authentication = LOGIN_ENTRA;
    else if (login.integrated)
        facts->authentication = sspi_mechanism(login.sspi);
    else
        facts->authentication = LOGIN_SQL;
    for (unsigned i = 0; i < SIDES; i++)
        s->main.lanes[i].walker.old_done = before_tds_72(login.tds_version);
}

static void read_old_login(struct tds_state *s, struct tds_lane *lane, struct span body)
{
    struct old_login login;
    if (!old_login_read(body, &login)) {
        tds_candidate_fail(s, lane);
        return;
    }
    tds_recognise(s, PROTOCOL_TDS);
    s->login_read = s->recognised;
    struct tds_facts *facts = s->facts;
    facts->tds_version_client = login.tds_version;
    facts->client_host = store_name(s, login.host, false);
    facts->user = store_name(s, login.user, false);
    facts->application = store_name(s, login.application, false);
    facts->library = store_name(s, login.library, false);
    facts->server_name = store_name(s, login.server, false);
    facts->authentication = LOGIN_SQL;
    for (unsigned i = 0; i < SIDES; i++)
        s->main.lanes[i].walker.old_done = true;
}

static void learn_mechanism(struct tds_state *s, struct span token)
{
    enum login_authentication seen = sspi_mechanism(token);
    bool known = s->facts->authentication == LOGIN_NTLM || s->facts->authentication == LOGIN_KERBEROS;
    if (token.size > 0 && !known)
        s->facts->authentication = seen;
}

/* body: all of the message, or as much of it as is kept or was captured. */
void tds_gathered(struct tds_state *s, struct tds_lane *lane, struct span body)
{
    switch (lane->type) {
    case TDS_TYPE_PRELOGIN:
    case TDS_TYPE_RESPONSE:
        read_prelogin(s, lane, body);
        break;
    case TYPE_LOGIN7:
        if (!s->login_read)
            read_login7(s, lane, body);
        break;
    case TYPE_OLD_LOGIN:
    case TDS_TYPE_OLD_NORMAL:
        if (!s->login_read)
            read_old_login(s, lane, body);
        break;
    case TYPE_SSPI:
        learn_mechanism(s, body);
        break;
    }
}

static void count_error(struct tds_facts *facts, uint32_t number)
{
    for (unsigned i = 0; i < facts->error_kinds; i++) {
        if (facts->errors[i].number == number) {
            facts->errors[i].count++;
            return;
        }
    }
    if (facts->error_kinds == TDS_ERROR_NUMBERS_MAX)
        facts->errors_beyond++;
    else
        facts->errors[facts->error_kinds++] = (struct tds_error_count){.number = number, .count = 1};
}

static void on_error(struct tds_state *s, const struct token_error *error, const struct moment *begin)
{
    struct tds_facts *facts = s->facts;
    count_error(facts, error->number);
    bool login_begun = tds_step_seen(s, LOGIN_STEP_LOGIN) || tds_step_seen(s, LOGIN_STEP_PRELOGIN_ANSWER) ||
                       tds_step_seen(s, LOGIN_STEP_SSPI_RESPONSE);
    bool login_over = tds_step_seen(s, LOGIN_STEP_LOGIN_ACK) || tds_step_seen(s, LOGIN_STEP_FIRST_REQUEST);
    if (!login_begun || login_over || facts->login_error.number != 0)
        return;
    tds_step(s, LOGIN_STEP_LOGIN_ERROR, begin);
    facts->login_error = (struct tds_error){
        .number = error->number,
        .state = error->state,
        .severity = error->severity,
        .moment = *begin,
        .message = store_text(s, error->message, !s->old_dialect, error->message_cut, MESSAGE_BYTES_MAX)};
}

static void on_login_ack(struct tds_state *s, const struct token_event *event)
{
    struct token_login_ack ack;
    bool read = token_read_login_ack(event->body, !s->old_dialect, &ack);
    if (tds_step_seen(s, LOGIN_STEP_LOGIN_ACK) || (read && s->old_dialect && ack.interface == LOGINACK_REFUSED_OLD))
        return;
    struct tds_facts *facts = s->facts;
    tds_step(s, LOGIN_STEP_LOGIN_ACK, &event->begin);
    tds_step(s, LOGIN_STEP_LOGIN_ANSWER, &event->begin);
    facts->login_error = (struct tds_error){0};
    facts->steps[LOGIN_STEP_LOGIN_ERROR] = (struct moment){0};
    if (!read)
        return;
    facts->tds_version = ack.tds_version;
    facts->server_product = store_name(s, ack.product, !s->old_dialect);
    if (facts->server_version == 0)
        facts->server_version = ack.server_version;
    for (unsigned i = 0; i < SIDES; i++)
        s->main.lanes[i].walker.old_done = before_tds_72(ack.tds_version);
}

static void on_envchange(struct tds_state *s, struct span body)
{
    uint8_t type;
    struct span value;
    if (!token_read_envchange(body, !s->old_dialect, &type, &value) || type != ENVCHANGE_DATABASE || value.size == 0)
        return;
    if (tds_step_seen(s, LOGIN_STEP_FIRST_REQUEST) || s->database_changes >= DATABASE_CHANGES_MAX)
        return;
    s->database_changes++;
    s->facts->database = store_name(s, value, !s->old_dialect);
}

static void on_done(struct tds_state *s, struct span body)
{
    if (body.size > 0 && body.data[0] & DONE_ATTN)
        s->facts->attention_acknowledgements++;
}

/* MS-SSTDS 2.2.7: severities above 10 are errors; EED carries both. */
enum { SEVERITY_INFORMATION_MAX = 10 };

static void on_token(void *context, const struct token_event *event)
{
    struct tds_state *s = context;
    struct token_error error;
    switch (event->token) {
    case TOKEN_ERROR:
        if (token_read_error(event->body, !s->old_dialect, &error))
            on_error(s, &error, &event->begin);
        break;
    case TOKEN_EED:
        if (token_read_eed(event->body, &error) && error.severity > SEVERITY_INFORMATION_MAX)
            on_error(s, &error, &event->begin);
        break;
    case TOKEN_LOGINACK:
        on_login_ack(s, event);
        break;
    case TOKEN_ENVCHANGE:
        on_envchange(s, event->body);
        break;
    case TOKEN_SSPI:
        tds_step(s, LOGIN_STEP_SSPI_CHALLENGE, &event->begin);
        learn_mechanism(s, event->body);
        break;
    case TOKEN_FEDAUTHINFO:
        s->facts->authentication = LOGIN_ENTRA;
        break;
    case TOKEN_DONE:
    case TOKEN_DONEPROC:
    case TOKEN_DONEINPROC:
        on_done(s, event->body);
        break;
    }
}

struct token_sink tds_token_sink(struct tds_state *s)
{
    return (struct token_sink){.token = on_token, .context = s};
}

/* A message whose tokens were not walked to its end still ends with a DONE (2.2.7.6). */
void tds_tail_end(struct tds_state *s, const struct tds_lane *lane)
{
    size_t size = 1 + (lane->walker.old_done ? DONE_BODY_OLD : DONE_BODY);
    if (lane->tail_have < size)
        return;
    const uint8_t *done = lane->tail + lane->tail_have - size;
    unsigned status = (unsigned)(done[1] | done[2] << 8);
    bool is_done = done[0] >= TOKEN_DONE && (status & ~(unsigned)DONE_STATUS_BITS) == 0;
    if (is_done && status & DONE_ATTN)
        s->facts->attention_acknowledgements++;
}
