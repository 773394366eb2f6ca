/* TDS streams into facts: logins of every kind, in any cutting, with gaps, mid-stream, and what is no TDS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"
#include "tds.h"

/* The flow floor's part: here a conversation has no packets, only its ends. */
enum side stream_learn_client(const struct stream_consumer *consumer, struct stream *stream, enum side client,
                              enum side speaker, enum role_evidence evidence)
{
    struct conversation *c = stream->conversation;
    if (evidence <= c->role_evidence)
        return speaker;
    c->role_evidence = evidence;
    if (client == SIDE_CLIENT)
        return speaker;
    struct endpoint end = c->ends[SIDE_CLIENT];
    c->ends[SIDE_CLIENT] = c->ends[SIDE_SERVER];
    c->ends[SIDE_SERVER] = end;
    consumer->sides_exchanged(consumer->context, stream);
    return side_other(speaker);
}

enum { CLIENT_PORT = 50000, OTHER_PORT = 9000, SQL_PORT = 1433, MS = 1000000 };

struct talk {
    struct casebook casebook;
    struct tds_options options;
    struct stream_consumer consumer;
    struct stream stream;
    struct moment at; /* of the packet said last */
    size_t chop;      /* hand on at most so many bytes at once; 0: all */
    size_t snap;      /* capture so many bytes of a packet; 0: all */
};

static void talk_open(struct talk *talk, uint16_t server_port, bool from_syn)
{
    *talk = (struct talk){0};
    casebook_open(&talk->casebook);
    struct conversation *c = casebook_add_conversation(&talk->casebook);
    c->ends[SIDE_CLIENT].port = CLIENT_PORT;
    c->ends[SIDE_SERVER].port = server_port;
    c->starts_with_syn = from_syn;
    c->role_evidence = from_syn ? ROLE_SYN : ROLE_FIRST_SENDER;
    talk->consumer = tds_consumer(&talk->options);
    talk->stream = (struct stream){.conversation = c, .casebook = &talk->casebook};
}

/* The side that the host on the client's port (or the other one) has now. */
static enum side side_now(const struct talk *talk, enum side origin)
{
    bool exchanged = talk->stream.conversation->ends[SIDE_CLIENT].port != CLIENT_PORT;
    return exchanged ? side_other(origin) : origin;
}

static void hand_on(struct talk *talk, enum side origin, struct span bytes)
{
    const struct stream_consumer *consumer = &talk->consumer;
    size_t step = talk->chop ? talk->chop : bytes.size;
    for (; bytes.size > 0; bytes = span_from(bytes, step)) {
        struct span part = span_part(bytes, 0, step);
        uint8_t *block = memory_take(part.size); /* of its own, so that reading past it is noticed */
        memcpy(block, part.data, part.size);
        consumer->data(consumer->context, &talk->stream, side_now(talk, origin), (struct span){block, part.size},
                       &talk->at);
        memory_give(block);
    }
}

static void talk_gap(struct talk *talk, enum side origin, uint64_t size)
{
    talk->consumer.gap(talk->consumer.context, &talk->stream, side_now(talk, origin), size, &talk->at);
}

/* One packet, a millisecond after the one before. */
static void say(struct talk *talk, enum side origin, const void *bytes, size_t size)
{
    talk->at.frame++;
    talk->at.time_ns += MS;
    size_t captured = talk->snap && talk->snap < size ? talk->snap : size;
    hand_on(talk, origin, (struct span){bytes, captured});
    if (captured < size)
        talk_gap(talk, origin, size - captured);
}

#define SAY(talk, origin, bytes) say(talk, origin, bytes, sizeof(bytes))

static void talk_end(struct talk *talk)
{
    for (int origin = SIDE_CLIENT; origin < SIDES; origin++)
        talk->consumer.end(talk->consumer.context, &talk->stream, side_now(talk, (enum side)origin), &talk->at);
    if (talk->stream.protocol_state)
        talk->consumer.release(talk->consumer.context, &talk->stream);
}

static void talk_close(struct talk *talk)
{
    if (talk->stream.protocol_state)
        talk_end(talk);
    casebook_close(&talk->casebook);
}

static const struct tds_facts *facts_of(const struct talk *talk)
{
    return talk->stream.conversation->tds;
}

#define W(c) (c), 0

/* clang-format off */
static const uint8_t prelogin[] = {
    0x12, 0x01, 0x00, 0x49, 0, 0, 1, 0,  /* header: 73 bytes */
    0x00, 0x00, 0x15, 0x00, 0x06,        /* VERSION at 21 */
    0x01, 0x00, 0x1b, 0x00, 0x01,        /* ENCRYPTION at 27 */
    0x04, 0x00, 0x1c, 0x00, 0x01,        /* MARS at 28 */
    0x05, 0x00, 0x1d, 0x00, 0x24,        /* TRACEID at 29 */
    0xff,
};
static const uint8_t prelogin_values[] = {
    0x10, 0x00, 0x03, 0xe8, 0, 0,        /* 16.0.1000 */
    0x00,                                /* ENCRYPT_OFF */
    0x01,                                /* MARS */
};

static const uint8_t prelogin_answer[] = {
    0x04, 0x01, 0x00, 0x2c, 0, 0, 1, 0,
    0x00, 0x00, 0x1a, 0x00, 0x06,
    0x01, 0x00, 0x20, 0x00, 0x01,
    0x02, 0x00, 0x21, 0x00, 0x01,
    0x03, 0x00, 0x22, 0x00, 0x00,
    0x04, 0x00, 0x22, 0x00, 0x01,
    0xff,
    0x10, 0x00, 0x10, 0x68, 0, 0,        /* 16.0.4200 */
    0x00, 0x00, 0x01,                    /* ENCRYPT_OFF, instance, MARS */
    0x00,
};

static const uint8_t login7[] = {
    0x10, 0x01, 0x00, 8 + 94 + 22, 0, 0, 1, 0,
    94 + 22, 0, 0, 0,                    /* Length */
    0x04, 0x00, 0x00, 0x74,              /* TDS 7.4 */
    0x00, 0x10, 0x00, 0x00, 0, 0, 0, 7,  /* packet size, library version */
    0x39, 0x30, 0x00, 0x00, 0, 0, 0, 0,  /* process 12345 */
    0xe0, 0x03, 0x00, 0x00,              /* no integrated security */
    0, 0, 0, 0, 0x09, 0x04, 0, 0,
    94, 0, 2, 0,                         /* host "pc" */
    98, 0, 2, 0,                         /* user "me" */
    102, 0, 3, 0,                        /* password */
    108, 0, 2, 0,                        /* application "ap" */
    112, 0, 1, 0,                        /* server "s" */
    0, 0, 0, 0,                          /* extension */
    114, 0, 0, 0,                        /* library: none */
    114, 0, 0, 0,                        /* language: none */
    114, 0, 1, 0,                        /* database "d" */
    0, 0, 0, 0, 0, 0,                    /* ClientID */
    116, 0, 0, 0,  116, 0, 0, 0,  116, 0, 0, 0,  0, 0, 0, 0,
    W('p'), W('c'), W('m'), W('e'), W(0xa1), W(0xa2), W(0xa3), W('a'), W('p'), W('s'), W('d'),
};

#define DONE(status) 0xfd, (status) & 0xff, (status) >> 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

static const uint8_t login_answer[] = {
    0x04, 0x01, 0x00, 8 + 12 + 15 + 13, 0, 0x37, 1, 0, /* SPID 55 */
    0xe3, 0x09, 0x00, 0x01, 0x03, W('n'), W('e'), W('w'), 0x00, /* database: "new" */
    0xad, 0x0c, 0x00, 0x01, 0x74, 0, 0, 4, 0x01, W('S'), 0x10, 0x00, 0x10, 0x68,
    DONE(0),
};

#define LOGIN_REFUSED 0xaa, 0x10, 0x00, 0x18, 0x48, 0x00, 0x00, 0x01, 0x0e, 0x01, 0x00, W('x'), 0x00, 0x00, 0x01, 0, 0, 0

static const uint8_t login_refused[] = {
    0x04, 0x01, 0x00, 8 + 19 + 13, 0, 0x37, 1, 0,
    LOGIN_REFUSED,                       /* 18456, state 1, class 14, "x" */
    DONE(2),
};

static const uint8_t batch[] = {0x01, 0x01, 0x00, 0x0e, 0, 0, 1, 0, W('g'), W('o'), W(' ')};
static const uint8_t attention[] = {0x06, 0x01, 0x00, 0x08, 0, 0, 1, 0};
static const uint8_t attention_answer[] = {0x04, 0x01, 0x00, 8 + 13, 0, 0x37, 1, 0, DONE(0x20)};
/* Rows, which are not walked, and a DONE with the attention's bit behind them. */
static const uint8_t rows_answer[] = {
    0x04, 0x01, 0x00, 8 + 5 + 13, 0, 0x37, 1, 0,  0x81, 0xff, 0xff, 0xd1, 0xaa,  DONE(0x20),
};
static const uint8_t rows_first[] = {0x04, 0x00, 0x00, 8 + 5 + 4, 0, 0x37, 1, 0, 0x81, 0xff, 0xff, 0xd1, 0xaa, 0xfd, 0x20, 0, 0};
static const uint8_t rows_last[] = {0x04, 0x01, 0x00, 8 + 9, 0, 0x37, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
/* clang-format on */

static void say_prelogin(struct talk *talk)
{
    uint8_t message[73] = {0};
    memcpy(message, prelogin, sizeof prelogin);
    memcpy(message + 8 + 21, prelogin_values, sizeof prelogin_values);
    memset(message + 8 + 29, 0xab, 16); /* the connection's GUID */
    say(talk, SIDE_CLIENT, message, sizeof message);
}

static void clear_login(struct talk *talk)
{
    say_prelogin(talk);
    SAY(talk, SIDE_SERVER, prelogin_answer);
    SAY(talk, SIDE_CLIENT, login7);
    SAY(talk, SIDE_SERVER, login_answer);
    SAY(talk, SIDE_CLIENT, batch);
    SAY(talk, SIDE_SERVER, rows_answer);
    SAY(talk, SIDE_CLIENT, batch);
    talk->at.time_ns += 4 * MS;
    SAY(talk, SIDE_SERVER, rows_first);
    SAY(talk, SIDE_SERVER, rows_last);
    SAY(talk, SIDE_CLIENT, attention);
    SAY(talk, SIDE_SERVER, attention_answer);
}

static void assert_step(const struct talk *talk, enum login_step step, uint32_t frame)
{
    assert_int_equal(facts_of(talk)->steps[step].frame, frame);
}

static void check_clear_login(const struct talk *talk)
{
    const struct tds_facts *facts = facts_of(talk);
    assert_non_null(facts);
    assert_int_equal(talk->stream.conversation->protocol, PROTOCOL_TDS);
    assert_false(facts->recognised_mid_stream);
    assert_step(talk, LOGIN_STEP_PRELOGIN, 1);
    assert_step(talk, LOGIN_STEP_PRELOGIN_ANSWER, 2);
    assert_step(talk, LOGIN_STEP_LOGIN, 3);
    assert_step(talk, LOGIN_STEP_LOGIN_ANSWER, 4);
    assert_step(talk, LOGIN_STEP_LOGIN_ACK, 4);
    assert_step(talk, LOGIN_STEP_LOGIN_ERROR, 0);
    assert_step(talk, LOGIN_STEP_FIRST_REQUEST, 5);
    assert_int_equal(facts->encryption, LOGIN_ENCRYPTION_NONE);
    assert_int_equal(facts->authentication, LOGIN_SQL);
    assert_int_equal(facts->server_version, 16u << 24 | 4200);
    assert_int_equal(facts->tds_version_client, 0x74000004);
    assert_int_equal(facts->tds_version, 0x74000004);
    assert_int_equal(facts->client_process_id, 12345);
    assert_true(facts->has_connection_id);
    assert_int_equal(facts->connection_id[15], 0xab);
    assert_true(facts->mars);
    assert_string_equal(facts->client_host, "pc");
    assert_string_equal(facts->user, "me");
    assert_string_equal(facts->application, "ap");
    assert_string_equal(facts->server_name, "s");
    assert_null(facts->library);
    assert_string_equal(facts->database, "new");
    assert_string_equal(facts->server_product, "S");
    assert_int_equal(facts->messages[TDS_BATCH], 2);
    assert_int_equal(facts->messages[TDS_RESPONSE], 5);
    assert_int_equal(facts->messages[TDS_ATTENTION], 1);
    assert_int_equal(facts->attention_acknowledgements, 3);
    assert_int_equal(facts->first_attention.frame, 10);
    assert_int_equal(facts->slowest_response_ns, 5 * MS);
    assert_int_equal(facts->slowest_request.frame, 7);
    assert_int_equal(facts->last_request.frame, 7);
    assert_int_equal(facts->last_response.frame, 11);
    assert_false(facts->request_unanswered);
    assert_int_equal(facts->malformed, 0);
}

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
    assert_int_equal(facts_of(&talk)->messages[TDS_BATCH], 8);
    assert_int_equal(facts_of(&talk)->smp.opened, 8);
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

/* Wherever the answer to the login is cut off behind the change of the database, the login was let in. */
static void test_database_change_proves_the_login(void **state)
{
    (void)state;
    for (size_t snap = 8 + 12; snap <= sizeof login_answer; snap++) {
        struct talk talk;
        talk_open(&talk, OTHER_PORT, true);
        SAY(&talk, SIDE_CLIENT, login7);
        talk.snap = snap;
        SAY(&talk, SIDE_SERVER, login_answer);
        assert_step(&talk, LOGIN_STEP_LOGIN_ACK, 2);
        assert_int_equal(conversation_login_stage(talk.stream.conversation), LOGIN_STAGE_DONE);
        talk_close(&talk);
    }
    struct talk talk;
    talk_open(&talk, OTHER_PORT, true);
    SAY(&talk, SIDE_CLIENT, login7);
    talk.snap = 30;
    SAY(&talk, SIDE_SERVER, login_refused);
    assert_step(&talk, LOGIN_STEP_LOGIN_ACK, 0);
    talk_close(&talk);
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
        const struct smp_facts *smp = &facts_of(&talk)->smp;
        assert_int_equal(smp->opened, 1);
        assert_int_equal(smp->stalls, 0);
        talk.at.time_ns += 6 * MS;
        SAY(&talk, SIDE_CLIENT, smp_window);
        assert_int_equal(smp->stalls, 1);
        assert_int_equal(smp->longest_stall_ns, 7 * MS);
        assert_int_equal(smp->longest_stall.frame, 8);
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
        cmocka_unit_test(test_cut_packets_change_no_step),
        cmocka_unit_test(test_lost_packet_is_picked_up),
        cmocka_unit_test(test_refused_login),
        cmocka_unit_test(test_error_before_ack_is_no_refusal),
        cmocka_unit_test(test_unanswered_request),
        cmocka_unit_test(test_mid_stream),
        cmocka_unit_test(test_one_look_alike_is_no_server),
        cmocka_unit_test(test_other_protocols_are_refused_at_once),
        cmocka_unit_test(test_only_the_login_encrypted),
        cmocka_unit_test(test_all_encrypted),
        cmocka_unit_test(test_alert_in_wrapped_handshake),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_strict_refused_by_hidden_alert),
        cmocka_unit_test(test_encrypted_mid_stream_on_server_port),
        cmocka_unit_test(test_mars),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_routing_to_another_server),
        cmocka_unit_test(test_database_change_proves_the_login),
        cmocka_unit_test(test_mars_window_stalls),
        cmocka_unit_test(test_more_mars_sessions_than_followed),
        cmocka_unit_test(test_senseless_header_is_counted_and_passed),
        cmocka_unit_test(test_moments_are_of_the_first_byte),
    };
    return cmocka_run_group_tests_name("tds", tests, NULL, NULL);
}
