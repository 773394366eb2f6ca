/* What the tokens of answers tell: errors, the login's end, changes of the environment (MS-TDS 2.2.7). */
#include "tds_state.h"

/* Longest text that is stored of an error: the longest of SQL Server's messages are 2048 characters. */
enum { MESSAGE_BYTES_MAX = 4096 };

/* ENVCHANGEs of the database before the first request that are believed: a login has one or two. */
enum { DATABASE_CHANGES_MAX = 4 };

/* NULL: beyond those that are kept, or none of its number is new. */
static struct tds_error_count *count_error(struct tds_state *s, uint32_t number)
{
    struct tds_facts *facts = s->facts;
    for (unsigned i = 0; i < facts->error_kinds; i++) {
        if (facts->errors[i].number == number) {
            facts->errors[i].count++;
            return NULL;
        }
    }
    if (facts->error_kinds == TDS_ERROR_NUMBERS_MAX) {
        facts->errors_beyond++;
        return NULL;
    }
    if (!facts->errors)
        facts->errors = arena_take(&s->stream->casebook->texts, TDS_ERROR_NUMBERS_MAX * sizeof *facts->errors);
    struct tds_error_count *counted = &facts->errors[facts->error_kinds++];
    *counted = (struct tds_error_count){.number = number, .count = 1};
    return counted;
}

static const char *login_error_text(struct tds_state *s, const struct token_error *error)
{
    unsigned texts = 0;
    for (unsigned i = 0; i < s->facts->error_kinds; i++)
        texts += s->facts->errors[i].message != NULL;
    if (texts == TDS_LOGIN_ERROR_TEXTS_MAX)
        return NULL;
    return tds_store_text(s, error->message, !s->old_dialect, error->message_cut, MESSAGE_BYTES_MAX);
}

static void note_error(struct tds_state *s, const struct token_error *error, bool in_login, const struct moment *begin)
{
    struct tds_error_count *counted = count_error(s, error->number);
    if (!counted)
        return;
    counted->state = error->state;
    counted->severity = error->severity;
    counted->line = error->line;
    counted->first = *begin;
    counted->server = tds_store_name(s, error->server, !s->old_dialect);
    counted->procedure = tds_store_name(s, error->procedure, !s->old_dialect);
    if (in_login)
        counted->message = login_error_text(s, error);
}

static const char *text_of_error(const struct tds_facts *facts, uint32_t number)
{
    for (unsigned i = 0; i < facts->error_kinds; i++)
        if (facts->errors[i].number == number)
            return facts->errors[i].message;
    return NULL;
}

static uint64_t errors_seen(const struct tds_facts *facts)
{
    uint64_t seen = facts->errors_beyond;
    for (unsigned i = 0; i < facts->error_kinds; i++)
        seen += facts->errors[i].count;
    return seen;
}

/* A capture of the server's packets only shows no LOGIN7: its answer to PRELOGIN is what comes before. That answer may be an error already. */
static bool login_begun(const struct tds_state *s)
{
    return tds_step_seen(s, LOGIN_STEP_LOGIN) || tds_step_seen(s, LOGIN_STEP_PRELOGIN) ||
           tds_step_seen(s, LOGIN_STEP_PRELOGIN_ANSWER) || tds_step_seen(s, LOGIN_STEP_SSPI_RESPONSE);
}

static void on_error(struct tds_state *s, const struct token_error *error, const struct moment *begin)
{
    struct tds_facts *facts = s->facts;
    /* Who asks for something is logged in, although the capture may have missed how. */
    bool login_over = tds_step_seen(s, LOGIN_STEP_LOGIN_ACK) || facts->requests > 0;
    bool in_login = login_begun(s) && !login_over;
    note_error(s, error, in_login, begin);
    if (!in_login || facts->login_error.number != 0)
        return;
    tds_step(s, LOGIN_STEP_LOGIN_ERROR, begin);
    facts->login_error = (struct tds_error){.number = error->number,
                                            .state = error->state,
                                            .severity = error->severity,
                                            .moment = *begin,
                                            .message = text_of_error(facts, error->number)};
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
    if (facts->server_version == 0)
        facts->server_version = ack.server_version;
    if (!s->old_dialect)
        tds_learn_version(s, ack.tds_version);
}

/* A server changes to the login's database once it has let the login in, and says so before LOGINACK. */
static void login_proved(struct tds_state *s)
{
    bool open = login_begun(s) && !tds_step_seen(s, LOGIN_STEP_FIRST_REQUEST);
    s->login_proved |= open && !s->old_dialect && !tds_step_seen(s, LOGIN_STEP_LOGIN_ERROR);
}

/* Missing bytes hide where the answer goes on. If the login was let in, LOGINACK is among them. */
void tds_answer_lost(struct tds_state *s)
{
    if (!s->login_proved || tds_step_seen(s, LOGIN_STEP_LOGIN_ACK) || tds_step_seen(s, LOGIN_STEP_LOGIN_ERROR))
        return;
    tds_step(s, LOGIN_STEP_LOGIN_ACK, s->at);
    tds_step(s, LOGIN_STEP_LOGIN_ANSWER, s->at);
}

static void database_changed(struct tds_state *s, struct span value)
{
    login_proved(s);
    if (value.size == 0 || tds_step_seen(s, LOGIN_STEP_FIRST_REQUEST) || s->database_changes >= DATABASE_CHANGES_MAX)
        return;
    s->database_changes++;
    s->facts->database = tds_store_name(s, value, !s->old_dialect);
}

/* The value is a number, as text. */
static void packet_size_changed(struct tds_state *s, struct span value)
{
    enum { PACKET_SIZE_MAX = 32767 };
    size_t step = s->old_dialect ? 1 : 2;
    uint32_t size = 0;
    for (size_t i = 0; i + step <= value.size && size <= PACKET_SIZE_MAX; i += step) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return;
        size = size * 10 + (uint32_t)(value.data[i] - '0');
    }
    if (size > 0 && size <= PACKET_SIZE_MAX)
        s->facts->packet_size = size;
}

static void routed(struct tds_state *s, const struct token_event *event)
{
    struct token_routing routing;
    if (moment_seen(&s->facts->routed) || !token_read_routing(event->body, &routing))
        return;
    s->facts->routed = event->begin;
    s->facts->routed_to = tds_store_name(s, routing.server, true);
    s->facts->routed_to_port = routing.port;
}

static void on_envchange(struct tds_state *s, const struct token_event *event)
{
    uint8_t type;
    struct span value;
    if (event->body.size > 0 && event->body.data[0] == ENVCHANGE_ROUTING) {
        routed(s, event);
        return;
    }
    bool read = token_read_envchange(event->body, !s->old_dialect, &type, &value);
    if (type == ENVCHANGE_DATABASE && event->body.size > 0)
        database_changed(s, read ? value : (struct span){0});
    else if (type == ENVCHANGE_PACKET_SIZE && read)
        packet_size_changed(s, value);
}

/* The server asks for a federated authentication token: the client has to fetch it, as an answer to a challenge. */
static void on_fedauthinfo(struct tds_state *s, const struct token_event *event)
{
    struct tds_facts *facts = s->facts;
    facts->authentication = LOGIN_ENTRA;
    if (tds_step_seen(s, LOGIN_STEP_SSPI_CHALLENGE))
        return;
    tds_step(s, LOGIN_STEP_SSPI_CHALLENGE, &event->begin);
    struct token_fedauthinfo info;
    token_read_fedauthinfo(event->body, &info);
    facts->sts_url = tds_store_name(s, info.sts_url, true);
    facts->sts_spn = tds_store_name(s, info.spn, true);
}

static void on_done(struct tds_state *s, const struct token_event *event)
{
    if (event->body.size == 0 || !(event->body.data[0] & DONE_ATTN))
        return;
    s->facts->attention_acknowledgements++;
    if (!moment_seen(&s->facts->attention_acknowledged))
        s->facts->attention_acknowledged = event->begin;
}

static void on_feature(struct tds_state *s, const struct token_event *event)
{
    enum { RANK_SINCE = 2 };
    if (event->feature <= FEATURES_KNOWN_MAX)
        s->facts->features_granted |= (uint32_t)1 << event->feature;
    uint8_t version = event->body.size > 0 ? event->body.data[0] : 0;
    if (event->feature == FEATURE_COLUMN_ENCRYPTION && version > 0)
        s->dialect.column_encryption = true;
    else if (event->feature == FEATURE_DATA_CLASSIFICATION)
        s->dialect.classification_rank = version >= RANK_SINCE;
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
        on_envchange(s, event);
        break;
    case TOKEN_INFO:
        if (token_read_info_number(event->body) == INFO_DATABASE_CHANGED)
            login_proved(s);
        break;
    case TOKEN_FEATUREEXTACK:
        on_feature(s, event);
        break;
    case TOKEN_SSPI:
        tds_step(s, LOGIN_STEP_SSPI_CHALLENGE, &event->begin);
        tds_learn_mechanism(s, event->body);
        break;
    case TOKEN_FEDAUTHINFO:
        on_fedauthinfo(s, event);
        break;
    case TOKEN_DONE:
    case TOKEN_DONEPROC:
    case TOKEN_DONEINPROC:
        on_done(s, event);
        break;
    }
}

struct token_sink tds_token_sink(struct tds_state *s)
{
    return (struct token_sink){.token = on_token, .context = s, .dialect = &s->dialect};
}

/* A message whose tokens were not walked to its end still ends with a DONE (2.2.7.6). */
void tds_tail_end(struct tds_state *s, const struct tds_lane *lane)
{
    size_t done = 1 + (size_t)(s->dialect.before_72 ? DONE_BODY_OLD : DONE_BODY);
    struct span tail = {lane->tail, lane->tail_have};
    struct token_sink sink = tds_token_sink(s);
    uint64_t errors_before = errors_seen(s->facts);
    s->facts->unwalked++;
    token_walk_tail(tail, s->at, &sink);
    if (tail.size < done || errors_before != errors_seen(s->facts))
        return;
    const uint8_t *last = tail.data + tail.size - done;
    s->facts->errors_unread += last[0] >= TOKEN_DONE && last[1] & DONE_ERROR && last[2] <= 1;
}
