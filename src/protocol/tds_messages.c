/* What TDS messages tell: steps of the login, names, requests (MS-TDS 2.2.1, 3.2.5). */
#include <string.h>

#include "tds_state.h"
#include "text.h"

/* Longest text that is stored of a name. */
enum { NAME_BYTES_MAX = 512 };

/* How much of a message is kept to read it. PRELOGIN: as many options as there can be; LOGIN7: all names stand in front;
 * RPC: the headers and a procedure's name. */
enum { PRELOGIN_KEPT = 512, LOGIN7_KEPT = 4096, OLD_LOGIN_KEPT = 1024, SSPI_KEPT = 1024, RPC_KEPT = 768 };

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
const char *tds_store_text(struct tds_state *s, struct span bytes, bool wide, bool cut, size_t ceiling)
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
    const char *stored = text_pool_keep(&s->stream->casebook->names, text_string(&text), text.size);
    text_close(&text);
    return stored;
}

/* Zeros that fill it up are left out. */
const char *tds_store_name(struct tds_state *s, struct span bytes, bool wide)
{
    size_t unit = wide ? 2 : 1;
    while (bytes.size >= unit && bytes.data[bytes.size - 1] == 0 && bytes.data[bytes.size - unit] == 0)
        bytes.size -= unit;
    return tds_store_text(s, bytes, wide, false, NAME_BYTES_MAX);
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

static void attention(struct tds_state *s, const struct tds_channel *channel, const struct tds_lane *lane)
{
    struct tds_facts *facts = s->facts;
    if (moment_seen(&facts->first_attention))
        return;
    facts->first_attention = lane->message_begin;
    facts->attention_amid_request = lane->in_message;
    if (lane->nested || !tds_lane_amid_message(&channel->lanes[1 - lane->number]))
        return;
    const struct moment *stopped = &s->stream->conversation->sides[SIDE_SERVER].last_data;
    int64_t stopped_ms = (facts->first_attention.time_ns - stopped->time_ns) / NS_PER_MS;
    facts->answer_stopped_ms = stopped_ms < 0 ? 0 : stopped_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)stopped_ms;
}

/* A message's first packet: its type is known, and of its body nothing. */
void tds_message_begin(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    struct type_law law = law_of(lane->type);
    s->facts->messages[law.message]++;
    if (law.request) {
        if (s->login_encrypted)
            s->facts->encryption = LOGIN_ENCRYPTION_LOGIN;
        tds_request_begins(s, channel, &lane->message_begin);
        tds_request_is(s, channel, (enum tds_message)law.message, 0);
    }
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
        tds_step(s, LOGIN_STEP_SSPI_RESPONSE, &lane->message_begin);
        break;
    case TYPE_RPC:
        begin_gather(lane, RPC_KEPT);
        break;
    case TYPE_ATTENTION:
        attention(s, channel, lane);
        break;
    }
}

void tds_message_end(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane)
{
    if (law_of(lane->type).request)
        tds_request_goes_on(s, channel);
    if (lane->type == TDS_TYPE_RESPONSE)
        tds_answer_ends(s, channel, s->at->time_ns);
}

static void begin_tokens(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, uint8_t first)
{
    lane->body = BODY_TOKENS;
    token_walker_begin(&lane->walker);
    bool challenge = first == TOKEN_SSPI || first == TOKEN_FEDAUTHINFO;
    /* A LOGINACK that was cut off behind a challenge leaves the login without an answer: that to a request is none. */
    bool in_login = tds_step_seen(s, LOGIN_STEP_LOGIN) && !tds_step_seen(s, LOGIN_STEP_FIRST_REQUEST);
    if (in_login && !challenge)
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

/* MS-TDS 2.2.6.5, "Encryption negotiation": what results, until the bytes show it. The server's answer decides, also
 * where what it answers was not captured. */
static void negotiate_encryption(struct tds_facts *facts)
{
    unsigned client = facts->prelogin_client_encryption, server = facts->prelogin_server_encryption;
    if (facts->encryption != LOGIN_ENCRYPTION_UNKNOWN || server == PRELOGIN_UNKNOWN)
        return;
    bool client_known = client != PRELOGIN_UNKNOWN;
    client &= ENCRYPT_VALUES_MASK;
    server &= ENCRYPT_VALUES_MASK;
    if ((client_known && client == ENCRYPT_NOT_SUP) || server == ENCRYPT_NOT_SUP)
        facts->encryption = LOGIN_ENCRYPTION_NONE;
    else if ((!client_known || client == ENCRYPT_OFF) && server == ENCRYPT_OFF)
        facts->encryption = LOGIN_ENCRYPTION_LOGIN;
    else
        facts->encryption = LOGIN_ENCRYPTION_FULL;
}

static void note_client_prelogin(struct tds_state *s, const struct prelogin *p)
{
    struct tds_facts *facts = s->facts;
    facts->prelogin_client_encryption = p->encryption;
    s->client_mars = p->mars == 1;
    facts->has_connection_id = p->has_connection_id;
    memcpy(facts->connection_id, p->connection_id, sizeof facts->connection_id);
    facts->has_activity_id = p->has_activity_id;
    memcpy(facts->activity_id, p->activity_id, sizeof facts->activity_id);
    facts->activity_sequence = p->activity_sequence;
    facts->client_thread_id = p->thread_id;
    facts->client_version = p->version;
    facts->fedauth_required = p->fedauth_required;
}

static void note_server_prelogin(struct tds_state *s, const struct prelogin *p)
{
    struct tds_facts *facts = s->facts;
    facts->prelogin_server_encryption = p->encryption;
    facts->server_version = p->version;
    facts->mars = p->mars == 1 && s->client_mars;
    facts->fedauth_required_answer = p->fedauth_required;
}

/* A login has one PRELOGIN each way; a stream that sends more stores no more. */
static bool prelogin_known(const struct tds_facts *facts, const struct tds_lane *lane)
{
    if (lane->role == SIDE_CLIENT)
        return facts->prelogin_client_encryption != PRELOGIN_UNKNOWN || facts->client_version != 0;
    return facts->prelogin_server_encryption != PRELOGIN_UNKNOWN || facts->server_version != 0;
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
    if (prelogin_known(s->facts, lane))
        return;
    if (lane->role == SIDE_CLIENT)
        note_client_prelogin(s, &p);
    else
        note_server_prelogin(s, &p);
    negotiate_encryption(s->facts);
    tds_recognise(s, PROTOCOL_TDS);
    if (lane->role == SIDE_CLIENT && !s->facts->instance)
        s->facts->instance = tds_store_name(s, p.instance, false);
}

/* The version decides how tokens are laid out. 0x08000000: TDS 8.0. */
void tds_learn_version(struct tds_state *s, uint32_t version)
{
    uint8_t major = (uint8_t)(version >> 24);
    s->dialect.before_72 = version != 0x08000000 && major < 0x72;
    s->dialect.before_71 = version != 0x08000000 && major < 0x71;
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
    facts->client_host = tds_store_name(s, login.host, true);
    facts->user = tds_store_name(s, login.user, true);
    facts->application = tds_store_name(s, login.application, true);
    facts->library = tds_store_name(s, login.library, true);
    facts->server_name = tds_store_name(s, login.server, true);
    facts->database = tds_store_name(s, login.database, true);
    facts->language = tds_store_name(s, login.language, true);
    facts->login_flags = login.flags;
    facts->features_asked = login.features;
    facts->packet_size = login.packet_size;
    if (login.features & 1u << FEATURE_FEDAUTH)
        facts->authentication = LOGIN_ENTRA;
    else if (login.flags & LOGIN_FLAG_INTEGRATED)
        facts->authentication = sspi_mechanism(login.sspi);
    else
        facts->authentication = LOGIN_SQL;
    tds_learn_version(s, login.tds_version);
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
    facts->client_host = tds_store_name(s, login.host, false);
    facts->user = tds_store_name(s, login.user, false);
    facts->application = tds_store_name(s, login.application, false);
    facts->library = tds_store_name(s, login.library, false);
    facts->server_name = tds_store_name(s, login.server, false);
    facts->authentication = LOGIN_SQL;
    s->dialect = (struct token_dialect){.old = true, .before_72 = true, .before_71 = true};
}

void tds_learn_mechanism(struct tds_state *s, struct span token)
{
    enum login_authentication seen = sspi_mechanism(token);
    bool known = s->facts->authentication == LOGIN_NTLM || s->facts->authentication == LOGIN_KERBEROS;
    if (token.size > 0 && !known)
        s->facts->authentication = seen;
}

/* The names of the first AUTHENTICATE message that has any. LOGIN7 tells no user when the login is integrated. */
static void learn_ntlm_names(struct tds_state *s, struct span token)
{
    struct tds_facts *facts = s->facts;
    struct ntlm_names names;
    if (facts->user || facts->domain || !ntlm_authenticate_read(token, &names))
        return;
    facts->domain = tds_store_name(s, names.domain, names.wide);
    facts->user = tds_store_name(s, names.user, names.wide);
    if (!facts->client_host)
        facts->client_host = tds_store_name(s, names.workstation, names.wide);
}

/* body: all of the message, or as much of it as is kept or was captured. */
void tds_gathered(struct tds_state *s, struct tds_channel *channel, struct tds_lane *lane, struct span body)
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
        tds_learn_mechanism(s, body);
        learn_ntlm_names(s, body);
        break;
    case TYPE_RPC:
        tds_read_rpc(s, channel, body);
        break;
    }
}
