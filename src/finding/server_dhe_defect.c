/* server.dhe-defect: a TLS_DHE cipher suite was picked and the handshake broke off. */
#include "actions.h"
#include "detector.h"
#include "signs.h"
#include "tls_names.h"

/* IANA's cipher suites with plain (finite field) Diffie-Hellman: TLS_DHE_RSA_* and TLS_DHE_DSS_*. */
static const uint16_t dhe_suites[] = {0x0013, 0x0016, 0x0032, 0x0033, 0x0038, 0x0039, 0x0040,
                                      0x0067, 0x006a, 0x006b, 0x009e, 0x009f, 0x00a2, 0x00a3};

static bool is_dhe(uint16_t suite)
{
    for (unsigned i = 0; i < sizeof dhe_suites / sizeof *dhe_suites; i++)
        if (dhe_suites[i] == suite)
            return true;
    return false;
}

/* The defect shows at once; anything later is a time-out. */
#define BROKEN_OFF_NS (2 * NS_PER_SECOND)

static bool judge(const struct conversation *c, const struct surroundings *s, struct judgement *judgement)
{
    struct login_halt halt = signs_of_login_halt(c, s);
    if (signs_of_more_sent(c, SIDE_CLIENT) || signs_of_more_sent(c, SIDE_SERVER))
        return false; /* the handshake went on */
    if (!halt.halted || !halt.closed || halt.waited_ns > BROKEN_OFF_NS || !is_dhe(c->tds->cipher_suite))
        return false;
    if (halt.last_step != LOGIN_STEP_KEY_EXCHANGE && halt.last_step != LOGIN_STEP_SERVER_HELLO)
        return false;
    const struct moment *steps = c->tds->steps;
    bool after_key_exchange = halt.last_step == LOGIN_STEP_KEY_EXCHANGE;
    judgement->confidence = after_key_exchange ? 0.9 : 0.87;
    if (moment_seen(&c->tds->client_alert) && !after_key_exchange)
        judgement->confidence = 0.6;
    if (halt.stopped_by == SIDE_CLIENT)
        judgement->culprit = CULPRIT_CLIENT; /* who breaks off is who could not go on with the other's value */
    char suite[TLS_NAME_SIZE];
    tls_cipher_suite_name(c->tds->cipher_suite, suite);
    judgement_prove(judgement, &steps[LOGIN_STEP_SERVER_HELLO], "the server picks the cipher suite %s", suite);
    judgement_prove(judgement, &steps[LOGIN_STEP_KEY_EXCHANGE], "the client sends its key exchange");
    judgement_prove(judgement, &halt.close, "the %s breaks the handshake off", side_name(halt.stopped_by));
    judgement_say(judgement,
                  "The %s broke the handshake off right after %s %s, as happens where one of the two machines has the "
                  "known defect of older Windows. Which one, their Windows builds tell.",
                  side_name(halt.stopped_by), after_key_exchange ? "the key exchange with" : "the server had picked",
                  suite);
    return true;
}

static const char *const actions[] = {
    ACTION_DISABLE_DHE,
    ACTION_FIXED_WINDOWS,
    NULL,
};

const struct detector server_dhe_defect = {
    .cause = "server.dhe-defect",
    .title = "The TLS handshake breaks off with a Diffie-Hellman cipher suite",
    .holds_when =
        "ServerHello picks a TLS_DHE suite (not ECDHE), and within 2 s one side closes before the handshake is done.",
    .means = "Old and new Windows versions disagree about leading zero bytes of the Diffie-Hellman secret, so that "
             "about one handshake in 256 fails. It looks random and is not. As the culprit stands who broke off, "
             "because it could not go on with the other's value; the defect may be in either machine: the one whose "
             "Windows lacks the fix. (Article, 1.5.3; Microsoft: applications forcibly closed TLS connection errors.)",
    .actions = actions,
    .culprit = CULPRIT_SERVER,
    .severity = SEVERITY_FAULT,
    .judge = judge,
};
