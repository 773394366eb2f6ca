/* TDS streams into facts: logins of every kind, in any cutting, with gaps, mid-stream, and what is no TDS. */
#include "tds_talk.h"

static void test_clear_login_in_any_chopping(void **state)
{
    (void)state;
    static const uint16_t ports[] = {SQL_PORT, OTHER_PORT};
    for (size_t chop = 0; chop < 140; chop++) {
        struct talk talk;
        talk_open(&talk, ports[chop % 2], true);
        talk.chop = chop;
        clear_login(&talk);
        check_clear_login(&talk);
        talk_close(&talk);
    }
}

/* All bytes of a side in one packet: many TDS packets a segment, as offloading makes them. */
static void test_many_packets_a_segment(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    uint8_t both[2 * sizeof batch + sizeof attention];
    memcpy(both, batch, sizeof batch);
    memcpy(both + sizeof batch, batch, sizeof batch);
    memcpy(both + 2 * sizeof batch, attention, sizeof attention);
    say_prelogin(&talk);
    SAY(&talk, SIDE_CLIENT, both);
    assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], 2);
    assert_int_equal(facts_of(&talk)->messages[TDS_ATTENTION], 1);
    talk_close(&talk);
}

static void test_password_is_nowhere(void **state)
{
    (void)state;
    static const uint8_t password[] = {W(0xa1), W(0xa2), W(0xa3)};
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    clear_login(&talk);
    const uint8_t *facts = (const uint8_t *)facts_of(&talk);
    for (size_t i = 0; i + sizeof password <= sizeof(struct tds_facts); i++)
        assert_memory_not_equal(facts + i, password, sizeof password);
    talk_close(&talk);
}

static void assert_text_is_not(const char *text, const char *other)
{
    if (text)
        assert_string_not_equal(text, other);
}

/* A text that says of itself that it stands where the password, the new password or the SSPI token is. */
static void test_no_text_shows_a_secret(void **state)
{
    (void)state;
    enum { POINTERS = 8 + 36, HOST = 0, APPLICATION = 3, DATABASE = 8, SSPI = 42, NEW_PASSWORD = 50 };
    static const unsigned texts[] = {HOST, APPLICATION, 4, 6, 7, DATABASE};
    static const unsigned secrets[] = {8, SSPI, NEW_PASSWORD};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (unsigned j = 0; j < sizeof secrets / sizeof secrets[0]; j++) {
            uint8_t message[sizeof login7];
            memcpy(message, login7, sizeof message);
            uint8_t *text = message + POINTERS + 4 * texts[i], *secret = message + POINTERS + secrets[j];
            message[POINTERS + 8] = 114; /* only the secret under test is there */
            message[POINTERS + 10] = 0;
            secret[0] = 102;
            secret[2] = secrets[j] == SSPI ? 6 : 3;
            text[0] = 100; /* begins before the secret and ends in it */
            text[2] = 2;
            struct talk talk;
            talk_open(&talk, OTHER_PORT, true);
            SAY(&talk, SIDE_CLIENT, message);
            const struct tds_facts *facts = facts_of(&talk);
            assert_non_null(facts);
            assert_string_equal(facts->user, "me");
            const char *told[] = {facts->client_host, facts->application, facts->server_name,
                                  facts->library,     facts->language,    facts->database};
            for (unsigned k = 0; k < sizeof told / sizeof told[0]; k++)
                assert_text_is_not(told[k], "e\xc2\xa1");
            assert_null(told[i]);
            talk_close(&talk);
        }
    }
}

static void test_only_the_first_prelogin_counts(void **state)
{
    (void)state;
    static const uint8_t another[] = {
        0x12, 0x01, 0x00, 0x27, 0,    0, 1, 0, /* header: 39 bytes */
        0x00, 0x00, 0x15, 0x00, 0x06,          /* VERSION at 21 */
        0x01, 0x00, 0x1b, 0x00, 0x01,          /* ENCRYPTION at 27 */
        0x02, 0x00, 0x1c, 0x00, 0x02,          /* INSTOPT at 28 */
        0x04, 0x00, 0x1e, 0x00, 0x01,          /* MARS at 30 */
        0xff,                                  /* end */
        0x11, 0x00, 0x00, 0x01, 0,    0,       /* 17.0.1 */
        0x02, 'i',  0x00, 0x00,                /* ENCRYPT_NOT_SUP, "i", no MARS */
    };
    uint8_t another_answer[sizeof prelogin_answer];
    memcpy(another_answer, prelogin_answer, sizeof another_answer);
    another_answer[8 + 26] = 0x11;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    SAY(&talk, SIDE_CLIENT, another);
    const char *instance = facts_of(&talk)->instance;
    SAY(&talk, SIDE_CLIENT, another);
    assert_string_equal(instance, "i");
    assert_ptr_equal(facts_of(&talk)->instance, instance);
    talk_close(&talk);

    talk_open(&talk, OTHER_PORT, true);
    say_prelogin(&talk);
    SAY(&talk, SIDE_SERVER, prelogin_answer);
    SAY(&talk, SIDE_CLIENT, another);
    SAY(&talk, SIDE_SERVER, another_answer);
    const struct tds_facts *facts = facts_of(&talk);
    assert_null(facts->instance);
    assert_int_equal(facts->client_version, 16u << 24 | 1000);
    assert_int_equal(facts->server_version, 16u << 24 | 4200);
    assert_true(facts->has_connection_id);
    assert_true(facts->mars);
    assert_int_equal(facts->messages[TDS_PRELOGIN], 2);
    talk_close(&talk);
}

/* clang-format off */
#define NTLM_FIELD(size, offset) (size), 0, (size), 0, (offset), 0, 0, 0
static const uint8_t ntlm_authenticate[] = {
    'N', 'T', 'L', 'M', 'S', 'S', 'P', 0, 3, 0, 0, 0,
    NTLM_FIELD(2, 78), NTLM_FIELD(2, 80),                    /* responses to the challenge */
    NTLM_FIELD(4, 64), NTLM_FIELD(6, 68), NTLM_FIELD(4, 74), /* domain, user, workstation */
    NTLM_FIELD(2, 82),                                       /* session key */
    0x01, 0x02, 0, 0,                                        /* flags: unicode */
    W('D'), W('O'), W('b'), W('o'), W('b'), W('W'), W('S'), 0xa1, 0xa1, 0xa2, 0xa2, 0xa3, 0xa3,
};
/* clang-format on */
enum { SSPI_HEADER = 8, SPNEGO_HEAD = 5, NTLM_DOMAIN = 28, NTLM_USER = 36, NTLM_FLAGS = 60 };

/* LOGIN7 without a user, then the client's second token, bare or wrapped. */
static void ntlm_login(struct talk *talk, size_t before, const uint8_t *token, size_t size)
{
    uint8_t login[sizeof login7], message[SSPI_HEADER + SPNEGO_HEAD + sizeof ntlm_authenticate] = {0x11, 1};
    memcpy(login, login7, sizeof login);
    login[8 + 25] = 0x83;      /* integrated security */
    login[8 + 36 + 2] = 0;     /* no host */
    login[8 + 36 + 4 + 2] = 0; /* no user */
    memset(message + SSPI_HEADER, 0xa0, before);
    memcpy(message + SSPI_HEADER + before, token, size);
    message[3] = (uint8_t)(SSPI_HEADER + before + size);
    talk_open(talk, OTHER_PORT, true);
    SAY(talk, SIDE_CLIENT, login);
    say(talk, SIDE_CLIENT, message, message[3]);
}

static void test_ntlm_tells_domain_and_user(void **state)
{
    (void)state;
    struct talk talk;
    for (size_t before = 0; before <= SPNEGO_HEAD; before += SPNEGO_HEAD) {
        ntlm_login(&talk, before, ntlm_authenticate, sizeof ntlm_authenticate);
        assert_int_equal(facts_of(&talk)->authentication, LOGIN_NTLM);
        assert_string_equal(facts_of(&talk)->domain, "DO");
        assert_string_equal(facts_of(&talk)->user, "bob");
        assert_string_equal(facts_of(&talk)->client_host, "WS");
        talk_close(&talk);
    }
    for (size_t size = 1; size < sizeof ntlm_authenticate - 6; size++) {
        ntlm_login(&talk, 0, ntlm_authenticate, size);
        assert_int_equal(facts_of(&talk)->domain != NULL, size >= 68);
        assert_int_equal(facts_of(&talk)->user != NULL, size >= 74);
        talk_close(&talk);
    }
}

static void test_ntlm_that_lies_tells_nothing(void **state)
{
    (void)state;
    uint8_t token[sizeof ntlm_authenticate];
    struct talk talk;
    for (unsigned secret = 76; secret < sizeof token; secret++) {
        memcpy(token, ntlm_authenticate, sizeof token);
        token[NTLM_USER + 4] = (uint8_t)secret; /* into the responses and the key, and past the end */
        ntlm_login(&talk, 0, token, sizeof token);
        assert_null(facts_of(&talk)->user);
        talk_close(&talk);
    }
    memcpy(token, ntlm_authenticate, sizeof token);
    token[NTLM_DOMAIN + 7] = token[NTLM_USER + 7] = 0xff;
    ntlm_login(&talk, 0, token, sizeof token);
    assert_null(facts_of(&talk)->domain);
    assert_null(facts_of(&talk)->user);
    talk_close(&talk);

    memcpy(token, ntlm_authenticate, sizeof token);
    token[NTLM_FLAGS] = 0;
    token[NTLM_USER] = 1;
    ntlm_login(&talk, 0, token, sizeof token);
    assert_string_equal(facts_of(&talk)->user, "b");
    talk_close(&talk);
}

static void test_cut_packets_change_no_step(void **state)
{
    (void)state;
    for (size_t snap = 36; snap < 130; snap++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        talk.snap = snap;
        clear_login(&talk);
        const struct tds_facts *facts = facts_of(&talk);
        assert_non_null(facts);
        assert_step(&talk, LOGIN_STEP_PRELOGIN, 1);
        assert_step(&talk, LOGIN_STEP_PRELOGIN_ANSWER, 2);
        assert_step(&talk, LOGIN_STEP_LOGIN, 3);
        assert_step(&talk, LOGIN_STEP_LOGIN_ANSWER, 4);
        assert_step(&talk, LOGIN_STEP_FIRST_REQUEST, 5);
        assert_int_equal(facts->messages[TDS_RESPONSE], 5);
        assert_int_equal(facts->slowest_response_ns, 5 * MS);
        assert_int_equal(facts->malformed, 0);
        talk_close(&talk);
    }
}

static void test_lost_packet_is_picked_up(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    say_prelogin(&talk);
    SAY(&talk, SIDE_SERVER, prelogin_answer);
    talk_gap(&talk, SIDE_CLIENT, sizeof login7);
    talk_gap(&talk, SIDE_SERVER, sizeof login_answer);
    SAY(&talk, SIDE_CLIENT, batch);
    SAY(&talk, SIDE_SERVER, attention_answer);
    const struct tds_facts *facts = facts_of(&talk);
    assert_int_equal(facts->messages[TDS_BATCH], 1);
    assert_int_equal(facts->attention_acknowledgements, 1);
    assert_int_equal(facts->malformed, 0);
    talk_close(&talk);
}

static void test_refused_login(void **state)
{
    (void)state;
    for (size_t chop = 0; chop < 50; chop++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        talk.chop = chop;
        SAY(&talk, SIDE_CLIENT, login7);
        SAY(&talk, SIDE_SERVER, login_refused);
        const struct tds_facts *facts = facts_of(&talk);
        assert_step(&talk, LOGIN_STEP_LOGIN_ANSWER, 2);
        assert_step(&talk, LOGIN_STEP_LOGIN_ERROR, 2);
        assert_int_equal(facts->login_error.number, 18456);
        assert_int_equal(facts->login_error.severity, 14);
        assert_string_equal(facts->login_error.message, "x");
        assert_int_equal(facts->error_kinds, 1);
        assert_int_equal(facts->errors[0].count, 1);
        talk_close(&talk);
    }
}

/* clang-format off */
#define ERROR_OF(number, text) 0xaa, 0x1a, 0x00, (number) & 0xff, (number) >> 8, 0, 0, 3, 16, 0x01, 0x00, W(text), \
                               0x02, W('s'), W('q'), 0x03, W('p'), W('r'), W('c'), 7, 0, 0, 0
static const uint8_t two_errors[] = {
    0x04, 0x01, 0x00, 8 + 2 * 29 + 13, 0, 0x37, 1, 0,
    ERROR_OF(4060, 'a'), ERROR_OF(18456, 'b'),
    DONE(2),
};
/* clang-format on */

static void test_errors_tell_what_and_where(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    SAY(&talk, SIDE_CLIENT, login7);
    SAY(&talk, SIDE_SERVER, two_errors);
    SAY(&talk, SIDE_SERVER, two_errors);
    const struct tds_facts *facts = facts_of(&talk);
    static const uint32_t numbers[] = {4060, 18456};
    static const char *const texts[] = {"a", "b"};
    assert_int_equal(facts->login_error.number, 4060);
    assert_string_equal(facts->login_error.message, "a");
    assert_int_equal(facts->error_kinds, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct tds_error_count *error = &facts->errors[i];
        assert_int_equal(error->number, numbers[i]);
        assert_int_equal(error->count, 2);
        assert_int_equal(error->state, 3);
        assert_int_equal(error->severity, 16);
        assert_int_equal(error->line, 7);
        assert_int_equal(error->first.frame, 2);
        assert_string_equal(error->server, "sq");
        assert_string_equal(error->procedure, "prc");
        assert_string_equal(error->message, texts[i]);
    }
    talk_close(&talk);
}

static void test_text_of_a_later_error_is_not_kept(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    clear_login(&talk);
    SAY(&talk, SIDE_CLIENT, batch);
    SAY(&talk, SIDE_SERVER, two_errors);
    assert_int_equal(facts_of(&talk)->error_kinds, 2);
    assert_string_equal(facts_of(&talk)->errors[0].procedure, "prc");
    assert_null(facts_of(&talk)->errors[0].message);
    talk_close(&talk);
}

static void test_texts_of_login_errors_are_few(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    SAY(&talk, SIDE_CLIENT, login7);
    for (uint8_t number = 1; number < 12; number++) {
        uint8_t answer[sizeof two_errors];
        memcpy(answer, two_errors, sizeof answer);
        answer[8 + 3] = answer[8 + 29 + 3] = number;
        answer[8 + 4] = answer[8 + 29 + 4] = 0;
        SAY(&talk, SIDE_SERVER, answer);
    }
    const struct tds_facts *facts = facts_of(&talk);
    assert_int_equal(facts->error_kinds, 8);
    assert_int_equal(facts->errors_beyond, 6);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(facts->errors[i].message != NULL, i < 4);
    talk_close(&talk);
}

static void test_error_before_ack_is_no_refusal(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    SAY(&talk, SIDE_CLIENT, login7);
    SAY(&talk, SIDE_SERVER, login_refused);
    SAY(&talk, SIDE_SERVER, login_answer);
    assert_step(&talk, LOGIN_STEP_LOGIN_ERROR, 0);
    assert_int_equal(facts_of(&talk)->login_error.number, 0);
    assert_int_equal(facts_of(&talk)->errors[0].number, 18456);
    talk_close(&talk);
}

static void test_unanswered_request(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    clear_login(&talk);
    SAY(&talk, SIDE_CLIENT, batch);
    assert_true(facts_of(&talk)->request_unanswered);
    assert_int_equal(facts_of(&talk)->last_request.frame, 12);
    talk_close(&talk);
}

static void test_mid_stream(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, false);
    /* The server is the first sender that the capture saw: the roles are the wrong way round. */
    talk.stream.conversation->ends[SIDE_CLIENT].port = OTHER_PORT;
    talk.stream.conversation->ends[SIDE_SERVER].port = CLIENT_PORT;
    static const uint8_t rest_of_rows[] = {0xd1, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0};
    SAY(&talk, SIDE_SERVER, rest_of_rows);
    SAY(&talk, SIDE_CLIENT, batch);
    assert_null(facts_of(&talk));
    SAY(&talk, SIDE_SERVER, rows_answer);
    assert_non_null(facts_of(&talk));
    assert_int_equal(talk.stream.conversation->ends[SIDE_CLIENT].port, CLIENT_PORT);
    assert_int_equal(talk.stream.conversation->role_evidence, ROLE_TDS);
    assert_true(facts_of(&talk)->recognised_mid_stream);
    assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], 1);
    assert_int_equal(facts_of(&talk)->last_request.frame, 2);
    assert_int_equal(facts_of(&talk)->slowest_response_ns, MS);
    assert_step(&talk, LOGIN_STEP_FIRST_REQUEST, 0);
    talk_close(&talk);
}

/* A status that MS-TDS does not know, as some clients send it, mid-stream: no proof of TDS by itself. */
static void test_status_of_an_event(void **state)
{
    (void)state;
    static const uint8_t event_batch[] = {0x01, 0x05, 0x00, 0x0e, 0, 0, 1, 0, W('g'), W('o'), W(' ')};
    static const uint8_t unknown_batch[] = {0x01, 0x41, 0x00, 0x0e, 0, 0, 1, 0, W('g'), W('o'), W(' ')};
    const uint16_t ports[] = {SQL_PORT, OTHER_PORT};
    for (unsigned i = 0; i < 2; i++) {
        struct talk talk;
        talk_open(&talk, ports[i], false);
        SAY(&talk, SIDE_CLIENT, event_batch);
        assert_int_equal(facts_of(&talk) != NULL, ports[i] == SQL_PORT);
        SAY(&talk, SIDE_SERVER, rows_answer);
        SAY(&talk, SIDE_CLIENT, batch);
        SAY(&talk, SIDE_SERVER, rows_answer);
        SAY(&talk, SIDE_CLIENT, event_batch);
        assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], ports[i] == SQL_PORT ? 3 : 2);
        SAY(&talk, SIDE_CLIENT, unknown_batch);
        assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], ports[i] == SQL_PORT ? 3 : 2);
        assert_int_equal(facts_of(&talk)->malformed, 1);
        talk_close(&talk);
    }
}

static void test_one_look_alike_is_no_server(void **state)
{
    (void)state;
    static const uint8_t noise[] = {0x7f, 0x33, 0x00, 0x99, 0x12, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa};
    struct talk talk;
    talk_open(&talk, OTHER_PORT, false);
    for (unsigned i = 0; i < 20; i++)
        SAY(&talk, i % 2 ? SIDE_SERVER : SIDE_CLIENT, noise);
    SAY(&talk, SIDE_CLIENT, batch);
    for (unsigned i = 0; i < 600; i++)
        SAY(&talk, i % 2 ? SIDE_CLIENT : SIDE_SERVER, noise);
    assert_null(facts_of(&talk));
    assert_int_equal(talk.stream.conversation->protocol, PROTOCOL_TCP);
    talk_close(&talk);
}

static void test_other_protocols_are_refused_at_once(void **state)
{
    (void)state;
    static const uint8_t http[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    static const uint8_t smb[] = {0x00, 0x00, 0x00, 0x54, 0xff, 'S', 'M', 'B', 0x72};
    static const uint8_t tpkt[] = {0x03, 0x00, 0x00, 0x13, 0x0e, 0xe0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01};
    static const uint8_t tls[] = {0x16, 0x03, 0x01, 0x00, 0x2f, 0x01, 0x00, 0x00, 0x2b, 0x03, 0x03, 1,   2, 3,
                                  4,    5,    6,    7,    8,    1,    2,    3,    4,    5,    6,    7,   8, 1,
                                  2,    3,    4,    5,    6,    7,    8,    1,    2,    3,    4,    5,   6, 7,
                                  8,    0,    0,    2,    0x13, 1,    1,    0,    0,    0,    0x17, 0x03};
    const struct span others[] = {{http, sizeof http}, {smb, sizeof smb}, {tpkt, sizeof tpkt}, {tls, sizeof tls}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        for (size_t chop = 0; chop < 12; chop++) {
            struct talk talk;
            talk_open(&talk, OTHER_PORT, true);
            talk.chop = chop;
            say(&talk, SIDE_CLIENT, others[i].data, others[i].size);
            const void *refused = talk.stream.protocol_state;
            SAY(&talk, SIDE_SERVER, prelogin_answer);
            say_prelogin(&talk);
            assert_null(facts_of(&talk));
            assert_ptr_equal(talk.stream.protocol_state, refused);
            talk_close(&talk);
        }
    }
}

/* clang-format off */
#define SMP(kind, session, size) 0x53, (kind), (session), 0, 16 + (size), 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0
static const uint8_t smp_open[] = {SMP(1, 0, 0)};
static const uint8_t smp_open_second[] = {SMP(1, 1, 0)};
static const uint8_t smp_batch[] = {SMP(8, 0, 14), 0x01, 0x01, 0x00, 0x0e, 0, 0, 1, 0, W('g'), W('o'), W(' ')};
static const uint8_t smp_batch_second[] = {SMP(8, 1, 14), 0x01, 0x01, 0x00, 0x0e, 0, 0, 1, 0, W('g'), W('o'), W(' ')};
static const uint8_t smp_answer[] = {SMP(8, 0, 21), 0x04, 0x01, 0x00, 8 + 13, 0, 0x37, 1, 0, DONE(0)};
static const uint8_t smp_ack[] = {SMP(2, 0, 0)};
static const uint8_t smp_close[] = {SMP(4, 0, 0)};
/* clang-format on */

static void test_mars(void **state)
{
    (void)state;
    for (size_t chop = 0; chop < 50; chop++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        talk.chop = chop;
        SAY(&talk, SIDE_CLIENT, login7);
        SAY(&talk, SIDE_SERVER, login_answer);
        SAY(&talk, SIDE_CLIENT, smp_open);
        SAY(&talk, SIDE_CLIENT, smp_open_second);
        SAY(&talk, SIDE_CLIENT, smp_batch);
        SAY(&talk, SIDE_CLIENT, smp_batch_second);
        SAY(&talk, SIDE_SERVER, smp_answer);
        SAY(&talk, SIDE_CLIENT, smp_ack);
        SAY(&talk, SIDE_CLIENT, smp_close);
        SAY(&talk, SIDE_SERVER, smp_close);
        const struct tds_facts *facts = facts_of(&talk);
        assert_true(facts->mars);
        assert_int_equal(facts->messages[TDS_BATCH], 2);
        assert_int_equal(facts->messages[TDS_RESPONSE], 2);
        assert_step(&talk, LOGIN_STEP_FIRST_REQUEST, 5);
        assert_int_equal(facts->slowest_response_ns, 2 * MS);
        assert_true(facts->request_unanswered); /* the answer was the other session's */
        assert_int_equal(facts->smp_fin[SIDE_CLIENT].frame, 9);
        assert_int_equal(facts->smp_fin[SIDE_SERVER].frame, 10);
        assert_int_equal(facts->malformed, 0);
        talk_close(&talk);
    }
}

static void test_more_mars_sessions_than_followed(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    SAY(&talk, SIDE_CLIENT, login7);
    SAY(&talk, SIDE_SERVER, login_answer);
    for (unsigned session = 0; session < 200; session++) {
        uint8_t packet[sizeof smp_batch];
        memcpy(packet, smp_batch, sizeof packet);
        packet[2] = (uint8_t)session;
        SAY(&talk, SIDE_CLIENT, packet);
    }
    assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], 32);
    assert_int_equal(facts_of(&talk)->smp->opened, 32);
    assert_int_equal(facts_of(&talk)->smp->not_followed, 1); /* at least: their SYNs are not captured */
    talk_close(&talk);
}

static void say_smp(struct talk *talk, enum side side, const uint8_t *bytes, size_t size, unsigned session)
{
    uint8_t packet[sizeof smp_batch + sizeof smp_answer];
    memcpy(packet, bytes, size);
    packet[2] = (uint8_t)session;
    say(talk, side, packet, size);
}

static void test_mars_sessions_are_counted_beyond_those_followed(void **state)
{
    (void)state;
    enum { SESSIONS = 40, FOLLOWED = 32 };
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    SAY(&talk, SIDE_CLIENT, login7);
    SAY(&talk, SIDE_SERVER, login_answer);
    for (unsigned i = 0; i < SESSIONS; i++)
        say_smp(&talk, SIDE_CLIENT, smp_open, sizeof smp_open, i);
    const struct smp_facts *smp = facts_of(&talk)->smp;
    assert_int_equal(smp->opened, SESSIONS);
    assert_int_equal(smp->not_followed, SESSIONS - FOLLOWED);
    say_smp(&talk, SIDE_CLIENT, smp_batch, sizeof smp_batch, FOLLOWED - 1);
    assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], 1);
    say_smp(&talk, SIDE_CLIENT, smp_batch, sizeof smp_batch, SESSIONS - 1);
    assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], 1);
    say_smp(&talk, SIDE_CLIENT, smp_close, sizeof smp_close, 0);
    say_smp(&talk, SIDE_SERVER, smp_close, sizeof smp_close, 0);
    assert_int_equal(smp->closed, 1);
    say_smp(&talk, SIDE_CLIENT, smp_batch, sizeof smp_batch, SESSIONS - 1); /* takes the slot that became free */
    assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], 2);
    for (unsigned i = 1; i < SESSIONS; i++) {
        say_smp(&talk, SIDE_CLIENT, smp_close, sizeof smp_close, i);
        say_smp(&talk, SIDE_SERVER, smp_close, sizeof smp_close, i);
    }
    assert_int_equal(smp->opened, SESSIONS);
    assert_int_equal(smp->closed, SESSIONS);
    talk_close(&talk);
}

/* clang-format off */
static const uint8_t rpc_by_name[] = {
    0x03, 0x01, 0x00, 8 + 22 + 2 + 6 + 2 + 2, 0, 0, 1, 0,         /* RPC */
    22,   0,    0,    0, 18, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, /* ALL_HEADERS: a transaction */
    3,    0,    W('p'), W('r'), W('c'), 0, 0, 0xaa, 0xbb,          /* "prc", options, a parameter's bytes */
};
static const uint8_t rpc_by_number[] = {
    0x03, 0x01, 0x00, 8 + 4 + 6, 0, 0, 1, 0, 4, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0, /* sp_executesql, no headers */
};
static const uint8_t two_rows[] = {
    0x04, 0x01, 0x00, 8 + 11 + 4 + 18 + 13, 0, 0x37, 1, 0,
    0x81, 0x01, 0x00, 0, 0, 0, 0, 0x08, 0x00, 0x30, 0x00, /* COLMETADATA: INT1 */
    0xd1, 0x01, 0xd1, 0x02,                               /* ROW, ROW */
    0xaa, 0x0f, 0x00, 0x50, 0xc3, 0, 0, 1, 16, 0x01, 0x00, W('x'), 0, 0, 1, 0, 0, /* ERROR 50000 behind them */
    DONE(2),
};
/* clang-format on */

static void test_requests(void **state)
{
    (void)state;
    for (size_t chop = 0; chop < 60; chop++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        talk.chop = chop;
        SAY(&talk, SIDE_CLIENT, login7);
        SAY(&talk, SIDE_SERVER, login_answer);
        SAY(&talk, SIDE_CLIENT, rpc_by_name);
        talk.at.time_ns += 9 * MS;
        SAY(&talk, SIDE_SERVER, two_rows);
        SAY(&talk, SIDE_CLIENT, rpc_by_number);
        const struct tds_facts *facts = facts_of(&talk);
        assert_int_equal(facts->spid, 0x37);
        assert_int_equal(facts->packet_size, 4096);
        assert_int_equal(facts->requests, 2);
        assert_int_equal(facts->answered, 1);
        assert_int_equal(facts->rows, 2);
        assert_int_equal(facts->errors[0].number, 50000);
        assert_int_equal(facts->unwalked, 0);
        assert_int_equal(facts->first_bytes.count, 1);
        assert_int_equal(facts->first_bytes.bins[4], 1); /* from 8 to 16 ms */
        assert_int_equal(facts->ends.sum_ns, 10 * MS);
        assert_int_equal(facts->slowest_end_ns, 10 * MS);
        assert_int_equal(facts->last_request_is.procedure_id, 10);
        talk_end(&talk);
        assert_string_equal(facts->slowest_request_is.procedure, "prc");
        assert_null(facts->last_request_is.procedure);
        talk_close(&talk);
    }
}

/* clang-format off */
static const uint8_t routed_answer[] = {
    0x04, 0x01, 0x00, 8 + 15 + 20 + 13, 0, 0x37, 1, 0,
    0xad, 0x0c, 0x00, 0x01, 0x74, 0, 0, 4, 0x01, W('S'), 0x10, 0x00, 0x10, 0x68, /* LOGINACK */
    0xe3, 0x11, 0x00, 20, 0x0b, 0x00, 0, 0x39, 0x30, 3, 0, W('s'), W('q'), W('l'), 0, 0, 0, /* ENVCHANGE: to sql,12345 */
    DONE(0),
};
/* clang-format on */

static void test_routing_to_another_server(void **state)
{
    (void)state;
    for (size_t chop = 0; chop < 40; chop++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        talk.chop = chop;
        SAY(&talk, SIDE_CLIENT, login7);
        SAY(&talk, SIDE_SERVER, routed_answer);
        assert_string_equal(facts_of(&talk)->routed_to, "sql");
        assert_int_equal(facts_of(&talk)->routed_to_port, 12345);
        assert_step(&talk, LOGIN_STEP_LOGIN_ACK, 2);
        talk_close(&talk);
    }
}

/* The answer to the login, of which so many bytes are captured; closes the talk. */
static void proves_login(struct talk *talk, size_t snap)
{
    talk->snap = snap;
    SAY(talk, SIDE_SERVER, login_answer);
    assert_step(talk, LOGIN_STEP_LOGIN_ACK, 2);
    assert_int_equal(conversation_login_stage(talk->stream.conversation), LOGIN_STAGE_DONE);
    talk_close(talk);
}

/* Wherever the answer to the login is cut off behind the change of the database, the login was let in. */
static void test_database_change_proves_the_login(void **state)
{
    (void)state;
    for (size_t snap = 8 + 12; snap <= sizeof login_answer; snap++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        SAY(&talk, SIDE_CLIENT, login7);
        proves_login(&talk, snap);
    }
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    SAY(&talk, SIDE_CLIENT, login7);
    talk.snap = 30;
    SAY(&talk, SIDE_SERVER, login_refused);
    assert_step(&talk, LOGIN_STEP_LOGIN_ACK, 0);
    talk_close(&talk);
}

/* The server's packets only, cut off behind the change of the database. */
static void test_login_is_proved_by_the_server_alone(void **state)
{
    (void)state;
    for (size_t snap = 8 + 12; snap <= sizeof login_answer; snap++) {
        struct talk talk;
        talk_open(&talk, SQL_PORT, true);
        SAY(&talk, SIDE_SERVER, prelogin_answer);
        proves_login(&talk, snap);
    }
}

/* clang-format off */
#define SMP_FLOW(kind, size, sequence, window) 0x53, (kind), 0, 0, 16 + (size), 0, 0, 0, (sequence), 0, 0, 0, (window), 0, 0, 0
static const uint8_t smp_half[] = {SMP_FLOW(8, 10, 1, 4), 0x04, 0x00, 0x00, 10, 0, 0x37, 1, 0, 0xab, 0x01};
static const uint8_t smp_window[] = {SMP_FLOW(2, 0, 1, 5)};
/* clang-format on */

/* Four packets of one answer use the window up; the client lets the server go on seven milliseconds later. */
static void test_mars_window_stalls(void **state)
{
    (void)state;
    for (size_t chop = 0; chop < 20; chop++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        talk.chop = chop;
        SAY(&talk, SIDE_CLIENT, login7);
        SAY(&talk, SIDE_SERVER, login_answer);
        SAY(&talk, SIDE_CLIENT, smp_open);
        SAY(&talk, SIDE_CLIENT, smp_batch);
        for (uint8_t sequence = 1; sequence <= 4; sequence++) {
            uint8_t packet[sizeof smp_half];
            memcpy(packet, smp_half, sizeof packet);
            packet[8] = sequence;
            SAY(&talk, SIDE_SERVER, packet);
        }
        const struct smp_facts *smp = facts_of(&talk)->smp;
        assert_int_equal(smp->opened, 1);
        assert_int_equal(smp->stalls, 0);
        talk.at.time_ns += 6 * MS;
        SAY(&talk, SIDE_CLIENT, smp_window);
        assert_int_equal(smp->stalls, 1);
        assert_int_equal(smp->longest_stall_ns, 7 * MS);
        uint8_t packet[sizeof smp_half];
        memcpy(packet, smp_half, sizeof packet);
        packet[8] = 5; /* and the window is used up again */
        SAY(&talk, SIDE_SERVER, packet);
        talk_end(&talk);
        talk_close(&talk);
    }
}

static void test_senseless_header_is_counted_and_passed(void **state)
{
    (void)state;
    static const uint8_t senseless[] = {0x99, 0x01, 0x00, 0x10, 0, 0, 1, 0, 0, 0};
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    clear_login(&talk);
    SAY(&talk, SIDE_CLIENT, senseless);
    SAY(&talk, SIDE_CLIENT, batch);
    assert_int_equal(facts_of(&talk)->malformed, 1);
    assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], 3);
    talk_close(&talk);
}

/* The same bytes in two packets, cut at each place: only the moments of what begins later differ, and those not. */
static void test_moments_are_of_the_first_byte(void **state)
{
    (void)state;
    for (size_t split = 1; split < sizeof login7; split++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        say(&talk, SIDE_CLIENT, login7, split);
        say(&talk, SIDE_CLIENT, login7 + split, sizeof login7 - split);
        SAY(&talk, SIDE_SERVER, login_answer);
        assert_step(&talk, LOGIN_STEP_LOGIN, 1);
        assert_step(&talk, LOGIN_STEP_LOGIN_ANSWER, 3);
        assert_string_equal(facts_of(&talk)->user, "me");
        talk_close(&talk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clear_login_in_any_chopping),
        cmocka_unit_test(test_many_packets_a_segment),
        cmocka_unit_test(test_password_is_nowhere),
        cmocka_unit_test(test_no_text_shows_a_secret),
        cmocka_unit_test(test_only_the_first_prelogin_counts),
        cmocka_unit_test(test_ntlm_tells_domain_and_user),
        cmocka_unit_test(test_ntlm_that_lies_tells_nothing),
        cmocka_unit_test(test_cut_packets_change_no_step),
        cmocka_unit_test(test_lost_packet_is_picked_up),
        cmocka_unit_test(test_refused_login),
        cmocka_unit_test(test_errors_tell_what_and_where),
        cmocka_unit_test(test_text_of_a_later_error_is_not_kept),
        cmocka_unit_test(test_texts_of_login_errors_are_few),
        cmocka_unit_test(test_error_before_ack_is_no_refusal),
        cmocka_unit_test(test_unanswered_request),
        cmocka_unit_test(test_mid_stream),
        cmocka_unit_test(test_status_of_an_event),
        cmocka_unit_test(test_one_look_alike_is_no_server),
        cmocka_unit_test(test_other_protocols_are_refused_at_once),
        cmocka_unit_test(test_mars),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_routing_to_another_server),
        cmocka_unit_test(test_database_change_proves_the_login),
        cmocka_unit_test(test_login_is_proved_by_the_server_alone),
        cmocka_unit_test(test_mars_window_stalls),
        cmocka_unit_test(test_mars_sessions_are_counted_beyond_those_followed),
        cmocka_unit_test(test_more_mars_sessions_than_followed),
        cmocka_unit_test(test_senseless_header_is_counted_and_passed),
        cmocka_unit_test(test_moments_are_of_the_first_byte),
    };
    return cmocka_run_group_tests_name("tds", tests, NULL, NULL);
}
