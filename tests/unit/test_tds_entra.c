/* Tests of a login by a federated authentication token (MS-TDS 2.2.6.3, 2.2.6.4, 2.2.7.12). */
#include "tds_talk.h"
#include "tds_tokens.h"

/* clang-format off */
static const uint8_t login7_entra[] = {
    0x10, 0x01, 0x00, 8 + 124, 0, 0, 1, 0,
    124, 0, 0, 0,                        /* Length */
    0x04, 0x00, 0x00, 0x74,              /* TDS 7.4 */
    0x00, 0x10, 0x00, 0x00, 0, 0, 0, 7,
    0x39, 0x30, 0x00, 0x00, 0, 0, 0, 0,
    0xe0, 0x03, 0x00, 0x10,              /* OptionFlags3: there are extensions */
    0, 0, 0, 0, 0x09, 0x04, 0, 0,
    94, 0, 2, 0,                         /* host "pc" */
    98, 0, 0, 0,                         /* user: none */
    98, 0, 0, 0,                         /* password: none */
    98, 0, 2, 0,                         /* application "ap" */
    102, 0, 1, 0,                        /* server "s" */
    104, 0, 4, 0,                        /* extension: where the features stand */
    108, 0, 0, 0,                        /* library: none */
    108, 0, 0, 0,                        /* language: none */
    108, 0, 1, 0,                        /* database "d" */
    0, 0, 0, 0, 0, 0,                    /* ClientID */
    110, 0, 0, 0,  110, 0, 0, 0,  110, 0, 0, 0,  0, 0, 0, 0,
    W('p'), W('c'), W('a'), W('p'), W('s'),
    110, 0, 0, 0,
    W('d'),
    0x02, 2, 0, 0, 0, 0x05, 0x01,        /* FEDAUTH: MSAL (2), fFedAuthEcho; user and password */
    0x0a, 1, 0, 0, 0, 0x01,              /* UTF8_SUPPORT */
    0xff,
};
static const uint8_t info[] = {
    0x04, 0x01, 0x00, 8 + 5 + 32, 0, 0, 1, 0,
    0xee, 32, 0, 0, 0,
    2, 0, 0, 0,                          /* CountOfInfoIDs */
    0x02, 4, 0, 0, 0, 28, 0, 0, 0,       /* SPN at 28 */
    0x01, 6, 0, 0, 0, 22, 0, 0, 0,       /* STSURL at 22 */
    W('s'), W('t'), W('s'), W('d'), W('b'),
};
static const uint8_t token[] = {
    0x08, 0x01, 0x00, 8 + 14, 0, 0, 1, 0,
    10, 0, 0, 0, 6, 0, 0, 0, W('k'), W('e'), W('y'),
};
static const uint8_t granted[] = {
    0x04, 0x01, 0x00, 8 + 15 + 7 + 13, 0, 0x37, 1, 0,
    0xad, 0x0c, 0x00, 0x01, 0x74, 0, 0, 4, 0x01, W('S'), 0x10, 0x00, 0x10, 0x68,
    0xae, 0x02, 0, 0, 0, 0, 0xff,        /* FEATUREEXTACK: FEDAUTH, without data */
    DONE(0),
};
/* clang-format on */

static void entra_login(struct talk *talk)
{
    say_prelogin(talk);
    SAY(talk, SIDE_SERVER, prelogin_answer);
    SAY(talk, SIDE_CLIENT, login7_entra);
    SAY(talk, SIDE_SERVER, info);
    SAY(talk, SIDE_CLIENT, token);
    SAY(talk, SIDE_SERVER, granted);
    SAY(talk, SIDE_CLIENT, batch);
    SAY(talk, SIDE_SERVER, rows_answer);
}

static void assert_steps(const struct tds_facts *facts)
{
    assert_int_equal(facts->steps[LOGIN_STEP_LOGIN].frame, 3);
    assert_int_equal(facts->steps[LOGIN_STEP_SSPI_CHALLENGE].frame, 4);
    assert_int_equal(facts->steps[LOGIN_STEP_SSPI_RESPONSE].frame, 5);
    assert_int_equal(facts->steps[LOGIN_STEP_LOGIN_ANSWER].frame, 6);
    assert_int_equal(facts->steps[LOGIN_STEP_LOGIN_ACK].frame, 6);
    assert_int_equal(facts->authentication, LOGIN_ENTRA);
    assert_int_equal(facts->messages[TDS_FEDAUTH], 1);
}

static void test_entra_login_in_any_chopping(void **state)
{
    (void)state;
    const size_t chops[] = {0, 1, 7};
    for (unsigned i = 0; i < sizeof chops / sizeof *chops; i++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        talk.chop = chops[i];
        entra_login(&talk);
        const struct tds_facts *facts = facts_of(&talk);
        assert_steps(facts);
        assert_int_equal(facts->features_asked, 1u << FEATURE_FEDAUTH | 1u << FEATURE_UTF8_SUPPORT);
        assert_int_equal(facts->features_granted, 1u << FEATURE_FEDAUTH);
        assert_string_equal(facts->sts_url, "sts");
        assert_string_equal(facts->sts_spn, "db");
        assert_string_equal(facts->client_host, "pc");
        assert_string_equal(facts->database, "d");
        assert_null(facts->user);
        talk_close(&talk);
    }
}

/* Cut off at every length from where the tokens and their lengths can be told. */
static void test_cut_packets_change_no_step_of_it(void **state)
{
    (void)state;
    for (size_t snap = 13; snap < 48; snap++) {
        struct talk talk;
        talk_open(&talk, SQL_PORT, true);
        talk.snap = snap;
        entra_login(&talk);
        assert_steps(facts_of(&talk));
        assert_true(!facts_of(&talk)->sts_url || strcmp(facts_of(&talk)->sts_url, "sts") == 0);
        talk_close(&talk);
    }
}

/* With the library "security token" LOGIN7 brings the token itself: no text may show it. */
static void test_token_in_the_login_is_nowhere(void **state)
{
    (void)state;
    enum { HOST_PLACE = 8 + 36, FEATURE_DATA = 110 + 5 };
    uint8_t lying[sizeof login7_entra];
    memcpy(lying, login7_entra, sizeof lying);
    lying[HOST_PLACE] = FEATURE_DATA;
    lying[HOST_PLACE + 2] = 1;
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    SAY(&talk, SIDE_CLIENT, lying);
    assert_int_equal(facts_of(&talk)->authentication, LOGIN_ENTRA);
    assert_null(facts_of(&talk)->client_host);
    assert_string_equal(facts_of(&talk)->application, "ap");
    talk_close(&talk);
}

static void test_info_that_lies_tells_nothing(void **state)
{
    (void)state;
    static const uint8_t beyond[] = {0xff, 0xff, 0xff, 0xff, 0x01, 4, 0, 0, 0,    12,   0,    0,    0,
                                     0x02, 0xff, 0xff, 0xff, 0xff, 4, 0, 0, 0xff, 0x01, 0x09, 0x09, 0x09};
    for (size_t size = 0; size <= sizeof beyond; size++) {
        uint8_t body[sizeof beyond];
        memcpy(body, beyond, size);
        struct token_fedauthinfo read;
        token_read_fedauthinfo((struct span){body, size}, &read);
        assert_true(read.spn.size == 0);
        assert_int_equal(read.sts_url.size, size >= 16 ? 4 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entra_login_in_any_chopping),
        cmocka_unit_test(test_cut_packets_change_no_step_of_it),
        cmocka_unit_test(test_token_in_the_login_is_nowhere),
        cmocka_unit_test(test_info_that_lies_tells_nothing),
    };
    return cmocka_run_group_tests_name("tds_entra", tests, NULL, NULL);
}
