/* What the tests of TDS streams share: two sides that talk, and the packets of a login in clear. */
#ifndef TDSCOPE_TDS_TALK_H
#define TDSCOPE_TDS_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"
#include "stream_fold.h"
#include "tds.h"

enum { CLIENT_PORT = 50000, OTHER_PORT = 9000, SQL_PORT = 1433, MS = 1000000 };

struct talk {
    struct casebook casebook;
    struct tds_options options;
    struct stream_consumer consumer;
    struct stream stream;
    struct moment at; /* of the packet said last */
    size_t chop;      /* hand on at most so many bytes at once; 0: all */
    size_t snap;      /* capture so many bytes of a packet; 0: all */
    unsigned calls;   /* every other time the state is folded between two of them, when it may be: nobody can tell */
};

static inline void talk_open(struct talk *talk, uint16_t server_port, bool from_syn)
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
static inline enum side side_now(const struct talk *talk, enum side origin)
{
    bool exchanged = talk->stream.conversation->ends[SIDE_CLIENT].port != CLIENT_PORT;
    return exchanged ? side_other(origin) : origin;
}

static inline void fold_now_and_then(struct talk *talk)
{
    if (++talk->calls % 2)
        fold_and_unfold(&talk->consumer, &talk->stream);
}

static inline void hand_on(struct talk *talk, enum side origin, struct span bytes)
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
        fold_now_and_then(talk);
    }
}

static inline void talk_gap(struct talk *talk, enum side origin, uint64_t size)
{
    talk->consumer.gap(talk->consumer.context, &talk->stream, side_now(talk, origin), size, &talk->at);
    fold_now_and_then(talk);
}

/* One packet, a millisecond after the one before. */
static inline void say(struct talk *talk, enum side origin, const void *bytes, size_t size)
{
    talk->at.frame++;
    talk->at.time_ns += MS;
    size_t captured = talk->snap && talk->snap < size ? talk->snap : size;
    hand_on(talk, origin, (struct span){bytes, captured});
    if (captured < size)
        talk_gap(talk, origin, size - captured);
}

#define SAY(talk, origin, bytes) say(talk, origin, bytes, sizeof(bytes))

static inline void talk_end(struct talk *talk)
{
    for (int origin = SIDE_CLIENT; origin < SIDES; origin++)
        talk->consumer.end(talk->consumer.context, &talk->stream, side_now(talk, (enum side)origin), &talk->at);
    if (talk->stream.protocol_state)
        talk->consumer.release(talk->consumer.context, &talk->stream);
}

static inline void talk_close(struct talk *talk)
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

static inline void say_prelogin(struct talk *talk)
{
    uint8_t message[73] = {0};
    memcpy(message, prelogin, sizeof prelogin);
    memcpy(message + 8 + 21, prelogin_values, sizeof prelogin_values);
    memset(message + 8 + 29, 0xab, 16); /* the connection's GUID */
    say(talk, SIDE_CLIENT, message, sizeof message);
}

static inline void clear_login(struct talk *talk)
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

static inline void assert_step(const struct talk *talk, enum login_step step, uint32_t frame)
{
    assert_int_equal(facts_of(talk)->steps[step].frame, frame);
}

static inline void check_clear_login(const struct talk *talk)
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

#endif
