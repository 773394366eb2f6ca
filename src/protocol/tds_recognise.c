/*
 * Whether a stream is TDS, by its own bytes (MS-TDS 2.2.3.1).
 *
 * Proof is one of: a PRELOGIN with a valid option table; a LOGIN7 that agrees with its packets about its length; a
 * request of one side and a response of the other; two units in a row on one side; TLS that offers "tds/8.0". On a
 * port that is a SQL Server's by name or by number, one header that makes sense is enough. A single look-alike frame
 * elsewhere is not.
 *
 * A server's address and port that a stream was proved on from its first byte, or by "tds/8.0", are remembered, and count as
 * a SQL Server's port from then on. A stream that came before and is not disproved is recognised at its next bytes, or at
 * its end.
 */
#include "hash_index.h"
#include "tds_state.h"

/* Chunks of a stream without its beginning that are looked at for a first header. */
enum { TRIES_MAX = 256, TRIES_MAX_SERVER_PORT = 4096, TRIES_OF_A_FAILURE = 8 };

/* MS-TDS 2.2.3.1.1. Largest packet that can be negotiated: 32767 (2.2.6.4, PacketSize). */
enum { PACKET_MAX = 32767 };

struct tds_header tds_header_read(const uint8_t b[TDS_HEADER])
{
    return (struct tds_header){.type = b[0],
                               .status = b[1],
                               .length = (uint16_t)(b[2] << 8 | b[3]),
                               .spid = (uint16_t)(b[4] << 8 | b[5]),
                               .packet_id = b[6]};
}

static bool type_plausible(const struct tds_state *s, const struct tds_lane *lane, uint8_t type)
{
    switch (type) {
    case TDS_TYPE_PRELOGIN:
        return true;
    case TDS_TYPE_RESPONSE:
        return !s->role_known || lane->role == SIDE_SERVER;
    case TDS_TYPE_OLD_NORMAL:
        return s->old_dialect && lane->role == SIDE_CLIENT;
    case 1:
    case 2:
    case 3:
    case 6:
    case 7:
    case 8:
    case 0x0e:
    case 0x10:
    case 0x11:
        return !s->role_known || lane->role == SIDE_CLIENT;
    }
    return false;
}

/* MS-TDS 2.2.3.1.2 knows no 0x04, but clients were seen to set it (Wireshark calls it an event notification): where SQL Server
 * is known to be, it is let pass. */
static bool status_plausible(const struct tds_state *s, uint8_t type, uint8_t status)
{
    const unsigned known = TDS_STATUS_EOM | TDS_STATUS_IGNORE | TDS_STATUS_RESET | TDS_STATUS_RESET_KEEP;
    const unsigned resets = TDS_STATUS_RESET | TDS_STATUS_RESET_KEEP;
    unsigned unknown = status & ~known;
    if (unknown && !(unknown == TDS_STATUS_EVENT && (s->recognised || tds_on_server_port(s))))
        return false;
    if ((status & resets) == resets)
        return false;
    if (status & TDS_STATUS_IGNORE && !(status & TDS_STATUS_EOM))
        return false;
    return type != TDS_TYPE_RESPONSE || status <= TDS_STATUS_EOM;
}

bool tds_header_plausible(const struct tds_state *s, const struct tds_lane *lane, struct span bytes)
{
    const uint8_t *b = bytes.data;
    if (bytes.size > 0 && !type_plausible(s, lane, b[0]))
        return false;
    if (bytes.size > 1 && !status_plausible(s, b[0], b[1]))
        return false;
    if (bytes.size < TDS_HEADER)
        return bytes.size > 0;
    struct tds_header header = tds_header_read(b);
    bool window = b[TDS_HEADER - 1] == 0;
    bool attention = header.type == 6;
    if (!window || header.length < TDS_HEADER || (attention && header.length != TDS_HEADER))
        return false;
    return s->from_start || header.length <= PACKET_MAX;
}

static bool tls_may_begin(const struct tds_state *s, const struct tds_lane *lane, struct span bytes)
{
    if (lane->nested || !tls_record_plausible(bytes))
        return false;
    if (s->recognised || s->facts->strict || tds_on_server_port(s))
        return true;
    /* Elsewhere only a ClientHello can show that this is TDS 8. */
    return bytes.data[0] == TLS_HANDSHAKE && (bytes.size <= TLS_RECORD_HEADER || bytes.data[5] == TLS_CLIENT_HELLO);
}

/* A packet that is not the last of its message is as long as was negotiated: 512 bytes at least (MS-TDS 2.2.3.1.3,
 * 2.2.6.4). */
enum { PACKET_NEGOTIATED_MIN = 512 };

/* Any bytes may stand where a stream is picked up, so more is asked of a header there than where one is due. */
static bool header_convincing(const struct tds_state *s, const struct tds_lane *lane, struct span bytes)
{
    struct tds_header header = tds_header_read(bytes.data);
    bool eom = header.status & TDS_STATUS_EOM;
    if (header.length > PACKET_MAX || (!eom && header.length < PACKET_NEGOTIATED_MIN))
        return false;
    bool client = header.type != TDS_TYPE_RESPONSE;
    if (client ? header.spid != 0 && header.spid != s->spid : s->spid != 0 && header.spid != s->spid)
        return false;
    bool of_login = header.type == TDS_TYPE_PRELOGIN || header.type == 0x10 || header.type == 0x11 || header.type == 2;
    if (of_login && tds_step_seen(s, LOGIN_STEP_FIRST_REQUEST))
        return false;
    struct span next = span_part(bytes, header.length, TDS_HEADER);
    return next.size == 0 || tds_header_plausible(s, lane, next);
}

/* Whether a unit can begin here, as a place where to pick up a stream that was lost. */
bool tds_may_begin(const struct tds_state *s, const struct tds_lane *lane, struct span bytes)
{
    if (s->facts->strict)
        return tls_may_begin(s, lane, bytes);
    struct smp_header smp;
    bool has_smp = !lane->nested && (!s->recognised || s->facts->mars);
    if (has_smp && smp_header_read(span_part(bytes, 0, SMP_HEADER), &smp))
        return true;
    if (tls_may_begin(s, lane, bytes))
        return true;
    if (!tds_header_plausible(s, lane, span_part(bytes, 0, TDS_HEADER)))
        return false;
    return bytes.size < TDS_HEADER || header_convincing(s, lane, bytes);
}

static enum side side_of(const struct tds_state *s, const struct tds_lane *lane)
{
    return s->lane_of[SIDE_CLIENT] == lane->number ? SIDE_CLIENT : SIDE_SERVER;
}

static const struct tds_lane *lane_with_role(const struct tds_state *s, enum side role)
{
    return &s->main.lanes[s->main.lanes[0].role == role ? 0 : 1];
}

static const struct endpoint *server_of(const struct tds_state *s)
{
    return &s->stream->conversation->ends[side_of(s, lane_with_role(s, SIDE_SERVER))];
}

/* Its place, or a free one for it; NULL: neither. */
enum { PLACES_TRIED = 16 };

static struct endpoint *place_of(struct tds_servers *servers, const struct endpoint *server)
{
    uint32_t hash = hash_bytes(&server->address, sizeof server->address) + server->port * 2654435761u;
    for (uint32_t i = 0; i < PLACES_TRIED; i++) {
        struct endpoint *place = &servers->ends[(hash + i) % TDS_SERVERS_PLACES];
        if (place->port == 0 || endpoint_equal(place, server))
            return place;
    }
    return NULL;
}

static bool remembered(const struct tds_state *s, const struct endpoint *server)
{
    struct tds_servers *servers = s->options->servers;
    const struct endpoint *place = servers && server->port != 0 ? place_of(servers, server) : NULL;
    return place && place->port != 0;
}

/* What was picked up somewhere may be a look-alike after all, and would take others with it. */
static void remember_server(const struct tds_state *s)
{
    const struct endpoint *server = server_of(s);
    bool login_seen = tds_step_seen(s, LOGIN_STEP_PRELOGIN) || tds_step_seen(s, LOGIN_STEP_CLIENT_HELLO) ||
                      tds_step_seen(s, LOGIN_STEP_LOGIN);
    if (!s->options->servers || !s->from_start || !login_seen || server->port == 0 ||
        tds_port_is_known(server->port, s->options->server_port))
        return;
    struct endpoint *place = place_of(s->options->servers, server);
    if (place)
        *place = *server;
}

bool tds_on_server_port(const struct tds_state *s)
{
    const struct endpoint *server = server_of(s);
    return tds_port_is_known(server->port, s->options->server_port) || remembered(s, server);
}

static void refuse(struct tds_state *s)
{
    s->refused = true;
}

/* The lane's sender is known to be role. False: something else said otherwise, and this is no TDS. */
bool tds_learn_role(struct tds_state *s, struct tds_lane *lane, enum side role)
{
    if (lane->role == role) {
        s->role_known = true;
        return true;
    }
    struct conversation *c = s->stream->conversation;
    if (s->role_known || s->recognised || c->role_evidence == ROLE_SYN)
        return false;
    for (unsigned i = 0; i < SIDES; i++)
        s->main.lanes[i].role = (uint8_t)side_other((enum side)s->main.lanes[i].role);
    tds_smp_set_roles(s);
    s->role_known = true;
    return true;
}

void tds_recognise(struct tds_state *s, enum conversation_protocol protocol)
{
    if (s->recognised || s->refused)
        return;
    struct conversation *c = s->stream->conversation;
    enum side client = side_of(s, lane_with_role(s, SIDE_CLIENT));
    if (client != SIDE_CLIENT && c->role_evidence == ROLE_SYN) {
        refuse(s);
        return;
    }
    struct tds_facts *facts = s->facts;
    s->recognised = true;
    c->tds = facts;
    c->protocol = protocol;
    facts->recognised_mid_stream = !s->from_start;
    if (protocol == PROTOCOL_TDS8)
        tds_candidate_strict(s);
    remember_server(s);
    if (s->role_known) {
        struct stream_consumer self = tds_consumer(s->options);
        stream_learn_client(&self, s->stream, client, client, ROLE_TDS);
    }
}

/* Picked up somewhere between two ports that tell nothing: a server that is remembered tells who is who. */
void tds_candidate_place(struct tds_state *s)
{
    if (s->recognised || s->from_start || s->role_known || tds_on_server_port(s))
        return;
    struct tds_lane *client = &s->main.lanes[s->main.lanes[0].role == SIDE_CLIENT ? 0 : 1];
    if (remembered(s, &s->stream->conversation->ends[side_of(s, client)]))
        tds_learn_role(s, client, SIDE_SERVER);
}

/* From here on it is followed as TDS 8. */
void tds_candidate_strict(struct tds_state *s)
{
    if (s->facts->strict)
        return;
    s->facts->strict = true;
    s->facts->encryption = LOGIN_ENCRYPTION_STRICT;
    s->talk_phase = TALK_PRELOGIN;
}

/* TLS opens the connection, and of the hello there is no more than its beginning. */
static bool hello_is_cut_off(const struct tds_state *s)
{
    const struct tds_lane *client = lane_with_role(s, SIDE_CLIENT);
    return s->from_start && client->unit == UNIT_TLS && tds_step_seen(s, LOGIN_STEP_CLIENT_HELLO) &&
           !tds_step_seen(s, LOGIN_STEP_SERVER_HELLO) && !tls_reader_between(&s->tls[client->number]);
}

/* Nothing more will come of one side. */
void tds_candidate_end(struct tds_state *s)
{
    if (s->recognised || !tds_on_server_port(s) || (!s->facts->strict && !hello_is_cut_off(s)))
        return;
    tds_candidate_strict(s);
    tds_recognise(s, PROTOCOL_TDS8);
}

/* The bytes so far are no TDS after all. What is under way unwinds first; see tds_candidate_reset(). */
void tds_candidate_fail(struct tds_state *s, const struct tds_lane *lane)
{
    if (s->recognised)
        return;
    if (s->from_start && !lane->tentative)
        refuse(s);
    else
        s->failed = true;
}

/* Forgets a candidate that failed, and goes on looking. */
void tds_candidate_reset(struct tds_state *s)
{
    for (unsigned i = 0; i < SIDES; i++) {
        struct tds_lane *lane = &s->main.lanes[i];
        tds_lane_close(lane);
        *lane = (struct tds_lane){.number = lane->number, .role = lane->role, .started = true, .unit = UNIT_LOST};
        tls_reader_close(&s->tls[i]);
        s->tls[i] = (struct tls_reader){0};
    }
    tds_smp_close(s);
    tds_draft_clear(s);
    s->role_known = s->request_seen = s->old_dialect = false;
    s->tls13 = s->server_hello_seen = s->client_finished = s->login_encrypted = false;
    s->talker = SIDES;
    s->talk_phase = TALK_LOGIN;
    s->ticket_size = 0;
    s->answer_or_ticket = (struct moment){0};
    s->spid = 0;
    s->main.awaiting = s->main.answering = s->main.request_ended = false;
    s->last_request = NULL;
    s->login_proved = false;
    s->dialect = (struct token_dialect){0};
    tds_requests_close(s);
    tds_channel_close(&s->main);
    s->failed = false;
    s->tries += TRIES_OF_A_FAILURE;
}

void tds_candidate_nothing(struct tds_state *s)
{
    if (s->recognised)
        return;
    s->tries++;
    bool hopeful = s->facts->strict || tds_on_server_port(s);
    if (s->tries > (hopeful ? TRIES_MAX_SERVER_PORT : TRIES_MAX))
        refuse(s);
}

/* A TDS header that makes sense, before recognition. */
void tds_candidate_packet(struct tds_state *s, struct tds_lane *lane, const struct tds_header *header)
{
    struct tds_lane *main_lane = &s->main.lanes[lane->number];
    bool request = header->type != TDS_TYPE_RESPONSE && header->type != TDS_TYPE_PRELOGIN;
    bool response = header->type == TDS_TYPE_RESPONSE;
    if ((request && !tds_learn_role(s, main_lane, SIDE_CLIENT)) ||
        (response && !tds_learn_role(s, main_lane, SIDE_SERVER))) {
        tds_candidate_fail(s, main_lane);
        return;
    }
    bool first_of_all =
        s->from_start && !lane->tentative && !lane->nested && lane->role == SIDE_CLIENT && lane->units_in_row == 0;
    bool can_be_first = header->type == TDS_TYPE_PRELOGIN || header->type == 0x10 || header->type == 0x02;
    if (first_of_all && !can_be_first) {
        tds_candidate_fail(s, main_lane);
        return;
    }
    lane->units_in_row++;
    bool answered = response && s->request_seen;
    if (lane->role == SIDE_CLIENT)
        s->request_seen = true;
    if (lane->units_in_row > 1 || answered || tds_on_server_port(s))
        tds_recognise(s, PROTOCOL_TDS);
}
