/* TDS streams whose login, or all of them, is encrypted: TLS inside TDS, and TDS 8 inside TLS. */
#include "tds_talk.h"

/* clang-format off */
#define RANDOM_8 1, 2, 3, 4, 5, 6, 7, 8
#define RANDOM_32 RANDOM_8, RANDOM_8, RANDOM_8, RANDOM_8
#define CLIENT_HELLO 0x16, 0x03, 0x01, 0x00, 0x2d, 0x01, 0x00, 0x00, 0x29, 0x03, 0x03, RANDOM_32, 0x00, \
                     0x00, 0x02, 0xc0, 0x30, 0x01, 0x00
#define SERVER_HELLO 0x16, 0x03, 0x03, 0x00, 0x2a, 0x02, 0x00, 0x00, 0x26, 0x03, 0x03, RANDOM_32, 0x00, 0xc0, 0x30, 0x00
#define HELLO_DONE 0x16, 0x03, 0x03, 0x00, 0x04, 0x0e, 0x00, 0x00, 0x00
#define KEY_EXCHANGE 0x16, 0x03, 0x03, 0x00, 0x06, 0x10, 0x00, 0x00, 0x02, 0xaa, 0xaa
#define CHANGE_CIPHER_SPEC 0x14, 0x03, 0x03, 0x00, 0x01, 0x01
#define FINISHED 0x16, 0x03, 0x03, 0x00, 0x08, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8
#define CIPHERED(size) 0x17, 0x03, 0x03, 0x00, (size)
#define WRAPPED(size) 0x12, 0x01, 0x00, 8 + (size), 0, 0, 0, 0

static const uint8_t wrapped_client_hello[] = {WRAPPED(50), CLIENT_HELLO};
static const uint8_t wrapped_server_hello[] = {WRAPPED(47 + 9), SERVER_HELLO, HELLO_DONE};
static const uint8_t wrapped_key_exchange[] = {WRAPPED(11 + 6 + 13), KEY_EXCHANGE, CHANGE_CIPHER_SPEC, FINISHED};
static const uint8_t wrapped_finished[] = {WRAPPED(6 + 13), CHANGE_CIPHER_SPEC, FINISHED};
static const uint8_t ciphered[5 + 40] = {CIPHERED(40)};
/* clang-format on */

static void tls_handshake(struct talk *talk)
{
    say_prelogin(talk);
    SAY(talk, SIDE_SERVER, prelogin_answer);
    SAY(talk, SIDE_CLIENT, wrapped_client_hello);
    SAY(talk, SIDE_SERVER, wrapped_server_hello);
    SAY(talk, SIDE_CLIENT, wrapped_key_exchange);
    SAY(talk, SIDE_SERVER, wrapped_finished);
    SAY(talk, SIDE_CLIENT, ciphered);
}

static void check_tls_handshake(const struct talk *talk)
{
    const struct tds_facts *facts = facts_of(talk);
    assert_step(talk, LOGIN_STEP_CLIENT_HELLO, 3);
    assert_step(talk, LOGIN_STEP_SERVER_HELLO, 4);
    assert_step(talk, LOGIN_STEP_KEY_EXCHANGE, 5);
    assert_step(talk, LOGIN_STEP_TLS_DONE, 6);
    assert_step(talk, LOGIN_STEP_LOGIN, 7);
    assert_int_equal(facts->tls_version_client, 0x0303);
    assert_int_equal(facts->tls_version, 0x0303);
    assert_int_equal(facts->cipher_suite, 0xc030);
    assert_int_equal(facts->messages[TDS_LOGIN], 0);
}

static void test_only_the_login_encrypted(void **state)
{
    (void)state;
    for (size_t chop = 0; chop < 70; chop++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        talk.chop = chop;
        tls_handshake(&talk);
        SAY(&talk, SIDE_SERVER, login_answer);
        SAY(&talk, SIDE_CLIENT, batch);
        SAY(&talk, SIDE_SERVER, attention_answer);
        check_tls_handshake(&talk);
        assert_step(&talk, LOGIN_STEP_LOGIN_ANSWER, 8);
        assert_step(&talk, LOGIN_STEP_LOGIN_ACK, 8);
        assert_step(&talk, LOGIN_STEP_FIRST_REQUEST, 9);
        assert_int_equal(facts_of(&talk)->encryption, LOGIN_ENCRYPTION_LOGIN);
        assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], 1);
        talk_close(&talk);
    }
}

static void test_all_encrypted(void **state)
{
    (void)state;
    for (size_t chop = 0; chop < 70; chop++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        talk.chop = chop;
        tls_handshake(&talk);
        SAY(&talk, SIDE_SERVER, ciphered);
        SAY(&talk, SIDE_SERVER, ciphered);
        SAY(&talk, SIDE_CLIENT, ciphered);
        SAY(&talk, SIDE_CLIENT, ciphered);
        talk.at.time_ns += 7 * MS;
        SAY(&talk, SIDE_SERVER, ciphered);
        SAY(&talk, SIDE_CLIENT, ciphered);
        check_tls_handshake(&talk);
        const struct tds_facts *facts = facts_of(&talk);
        assert_step(&talk, LOGIN_STEP_LOGIN_ANSWER, 8);
        assert_step(&talk, LOGIN_STEP_LOGIN_ACK, 0);
        assert_step(&talk, LOGIN_STEP_FIRST_REQUEST, 10);
        assert_int_equal(facts->encryption, LOGIN_ENCRYPTION_FULL);
        assert_int_equal(facts->encrypted_requests, 2);
        assert_int_equal(facts->encrypted_responses, 1);
        assert_int_equal(facts->slowest_response_ns, 8 * MS);
        assert_int_equal(facts->last_request.frame, 13);
        assert_true(facts->request_unanswered);
        talk_close(&talk);
    }
}

static void test_alert_in_wrapped_handshake(void **state)
{
    (void)state;
    static const uint8_t alert[] = {WRAPPED(7), 0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x30};
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    say_prelogin(&talk);
    SAY(&talk, SIDE_SERVER, prelogin_answer);
    SAY(&talk, SIDE_CLIENT, wrapped_client_hello);
    SAY(&talk, SIDE_SERVER, wrapped_server_hello);
    SAY(&talk, SIDE_CLIENT, alert);
    assert_int_equal(facts_of(&talk)->client_alert.frame, 5);
    assert_int_equal(facts_of(&talk)->client_alert_code, 48);
    assert_int_equal(facts_of(&talk)->server_alert.frame, 0);
    assert_step(&talk, LOGIN_STEP_KEY_EXCHANGE, 0);
    talk_close(&talk);
}

/* A capture that holds only one side's packets. */
static void test_only_the_server_heard(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, SQL_PORT, true);
    SAY(&talk, SIDE_SERVER, prelogin_answer);
    assert_int_not_equal(facts_of(&talk)->encryption, LOGIN_ENCRYPTION_UNKNOWN);
    SAY(&talk, SIDE_SERVER, wrapped_server_hello);
    assert_int_equal(conversation_login_stage(talk.stream.conversation), LOGIN_STAGE_TLS);
    SAY(&talk, SIDE_SERVER, wrapped_finished);
    SAY(&talk, SIDE_SERVER, ciphered);
    SAY(&talk, SIDE_SERVER, ciphered);
    assert_step(&talk, LOGIN_STEP_LOGIN_ANSWER, 4);
    assert_int_equal(facts_of(&talk)->encrypted_responses, 0);
    assert_int_equal(conversation_login_stage(talk.stream.conversation), LOGIN_STAGE_LOGIN);
    talk_close(&talk);
}

static void test_only_the_client_heard(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, SQL_PORT, true);
    say_prelogin(&talk);
    SAY(&talk, SIDE_CLIENT, wrapped_client_hello);
    SAY(&talk, SIDE_CLIENT, wrapped_key_exchange);
    SAY(&talk, SIDE_CLIENT, ciphered);
    assert_int_equal(facts_of(&talk)->encryption, LOGIN_ENCRYPTION_UNKNOWN);
    SAY(&talk, SIDE_CLIENT, batch);
    assert_int_equal(facts_of(&talk)->encryption, LOGIN_ENCRYPTION_LOGIN);
    assert_int_equal(conversation_login_stage(talk.stream.conversation), LOGIN_STAGE_DONE);
    talk_close(&talk);
}

/* Nothing more comes: the last answer ends with its last record. */
static void test_last_encrypted_answer_has_an_end(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    tls_handshake(&talk);
    SAY(&talk, SIDE_SERVER, ciphered);
    SAY(&talk, SIDE_CLIENT, ciphered);
    SAY(&talk, SIDE_SERVER, ciphered);
    talk.at.time_ns += 3 * MS;
    SAY(&talk, SIDE_SERVER, ciphered);
    assert_int_equal(facts_of(&talk)->ends.count, 0);
    talk.at.time_ns += 50 * MS;
    talk_end(&talk);
    assert_int_equal(facts_of(&talk)->ends.count, 1);
    assert_int_equal(facts_of(&talk)->slowest_end_ns, 5 * MS);
    talk_close(&talk);
}

/* clang-format off */
static const uint8_t strict_client_hello[] = {
    0x16, 0x03, 0x01, 0x00, 0x46, 0x01, 0x00, 0x00, 0x42, 0x03, 0x03, RANDOM_32, 0x00, 0x00, 0x02, 0x13, 0x02, 0x01, 0x00,
    0x00, 0x17,
    0x00, 0x10, 0x00, 0x0a, 0x00, 0x08, 0x07, 't', 'd', 's', '/', '8', '.', '0',
    0x00, 0x2b, 0x00, 0x05, 0x04, 0x03, 0x04, 0x03, 0x03,
};
static const uint8_t strict_server_hello[] = {
    0x16, 0x03, 0x03, 0x00, 0x32, 0x02, 0x00, 0x00, 0x2e, 0x03, 0x03, RANDOM_32, 0x00, 0x13, 0x02, 0x00,
    0x00, 0x06, 0x00, 0x2b, 0x00, 0x02, 0x03, 0x04,
    CHANGE_CIPHER_SPEC,
};
static const uint8_t strict_finished[6 + 5 + 69] = {CHANGE_CIPHER_SPEC, CIPHERED(69)};
static const uint8_t hidden_alert[6 + 5 + 19] = {CHANGE_CIPHER_SPEC, CIPHERED(19)};
static const uint8_t hidden_close[5 + 19] = {CIPHERED(19)};
/* clang-format on */

static void test_strict(void **state)
{
    (void)state;
    for (size_t chop = 0; chop < 80; chop++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        talk.chop = chop;
        SAY(&talk, SIDE_CLIENT, strict_client_hello);
        SAY(&talk, SIDE_SERVER, strict_server_hello);
        SAY(&talk, SIDE_CLIENT, strict_finished);
        SAY(&talk, SIDE_SERVER, ciphered); /* session tickets */
        for (unsigned turn = 0; turn < 3; turn++) {
            SAY(&talk, SIDE_CLIENT, ciphered);
            SAY(&talk, SIDE_SERVER, ciphered);
        }
        SAY(&talk, SIDE_CLIENT, hidden_close);
        const struct tds_facts *facts = facts_of(&talk);
        assert_int_equal(talk.stream.conversation->protocol, PROTOCOL_TDS8);
        assert_true(facts->strict);
        assert_int_equal(facts->encryption, LOGIN_ENCRYPTION_STRICT);
        assert_int_equal(facts->tls_version, 0x0304);
        assert_int_equal(facts->tls_version_client, 0x0304);
        assert_step(&talk, LOGIN_STEP_CLIENT_HELLO, 1);
        assert_step(&talk, LOGIN_STEP_SERVER_HELLO, 2);
        assert_step(&talk, LOGIN_STEP_TLS_DONE, 2);
        assert_step(&talk, LOGIN_STEP_KEY_EXCHANGE, 3);
        assert_step(&talk, LOGIN_STEP_PRELOGIN, 5);
        assert_step(&talk, LOGIN_STEP_PRELOGIN_ANSWER, 6);
        assert_step(&talk, LOGIN_STEP_LOGIN, 7);
        assert_step(&talk, LOGIN_STEP_LOGIN_ANSWER, 8);
        assert_step(&talk, LOGIN_STEP_FIRST_REQUEST, 9);
        assert_int_equal(facts->encrypted_requests, 1);
        assert_false(facts->request_unanswered);
        talk_close(&talk);
    }
}

static void test_strict_refused_by_hidden_alert(void **state)
{
    (void)state;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    SAY(&talk, SIDE_CLIENT, strict_client_hello);
    SAY(&talk, SIDE_SERVER, strict_server_hello);
    SAY(&talk, SIDE_CLIENT, hidden_alert);
    assert_int_equal(facts_of(&talk)->client_alert.frame, 3);
    assert_int_equal(facts_of(&talk)->client_alert_code, 0);
    assert_step(&talk, LOGIN_STEP_PRELOGIN, 0);
    talk_close(&talk);
}

static void test_encrypted_mid_stream_on_server_port(void **state)
{
    (void)state;
    static const uint16_t ports[] = {SQL_PORT, OTHER_PORT};
    for (unsigned i = 0; i < 2; i++) {
        struct talk talk;
        talk_open(&talk, ports[i], false);
        SAY(&talk, SIDE_CLIENT, ciphered);
        SAY(&talk, SIDE_SERVER, ciphered);
        SAY(&talk, SIDE_CLIENT, ciphered);
        if (ports[i] == SQL_PORT) {
            assert_int_equal(facts_of(&talk)->encrypted_requests, 2);
            assert_int_equal(facts_of(&talk)->encryption, LOGIN_ENCRYPTION_FULL);
            assert_step(&talk, LOGIN_STEP_LOGIN, 0);
        } else {
            assert_null(facts_of(&talk));
        }
        talk_close(&talk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_login_encrypted),
        cmocka_unit_test(test_all_encrypted),
        cmocka_unit_test(test_last_encrypted_answer_has_an_end),
        cmocka_unit_test(test_only_the_server_heard),
        cmocka_unit_test(test_only_the_client_heard),
        cmocka_unit_test(test_alert_in_wrapped_handshake),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_strict_refused_by_hidden_alert),
        cmocka_unit_test(test_encrypted_mid_stream_on_server_port),
    };
    return cmocka_run_group_tests_name("tds", tests, NULL, NULL);
}
