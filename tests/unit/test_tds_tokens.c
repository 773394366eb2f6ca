/* The token walker and the readers of tokens, in any cutting and with gaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tds_tokens.h"

enum { HEARD_MAX = 32 };

struct heard {
    uint8_t tokens[HEARD_MAX];
    bool whole[HEARD_MAX];
    size_t sizes[HEARD_MAX];
    unsigned count;
    struct token_error error;
    size_t message_bytes;
};

static void hear(void *context, const struct token_event *event)
{
    struct heard *heard = context;
    assert_true(heard->count < HEARD_MAX);
    heard->tokens[heard->count] = event->token;
    heard->whole[heard->count] = event->whole;
    heard->sizes[heard->count++] = event->body.size;
    if (event->token == TOKEN_ERROR) {
        assert_true(token_read_error(event->body, true, &heard->error));
        heard->message_bytes = heard->error.message.size;
    }
}

static const struct moment now = {.frame = 1};
static const struct token_dialect modern = {0};

/* An answer to a login as SQL Server 2022 gives it. */
static const uint8_t login_answer[] = {
    0xe3, 0x0b, 0x00, 0x01, 0x02, 'd',  0,    'b',  0,    0x01, 'm',  0,    0x00,
    0x00, /* ENVCHANGE: database "db", before it "m" and one byte more */
    0xab, 0x08, 0x00, 0x45, 0x16, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, /* INFO 5701 without a text */
    0xad, 0x0c, 0x00, 0x01, 0x74, 0x00, 0x00, 0x04, 0x01, 'S',  0,    0x10, 0x00,
    0x10, 0x68, /* LOGINACK: 7.4, "S", 16.0.4200 */
    0xae, 0x01, 0x02, 0x00, 0x00, 0x00, 0xaa, 0xfd, 0x04, 0x00, 0x00, 0x00, 0x00,
    0xff,                                           /* FEATUREEXTACK: two bytes of feature 1, none of 4 */
    0xe4, 0x03, 0x00, 0x00, 0x00, 0xaa, 0xfd, 0xfd, /* SESSIONSTATE: its length has four bytes */
    0xfd, 0x00, 0x00, 0x00, 0x00, 0,    0,    0,    0,    0,    0,    0,    0, /* DONE */
};

static void walk_login_answer(size_t first, size_t second)
{
    struct span all = {login_answer, sizeof login_answer};
    struct token_walker walker = {0};
    struct heard heard = {0};
    struct token_sink sink = {hear, &heard, &modern};
    token_walker_begin(&walker);
    token_walker_data(&walker, span_part(all, 0, first), &now, &sink);
    token_walker_data(&walker, span_part(all, first, second - first), &now, &sink);
    token_walker_data(&walker, span_from(all, second), &now, &sink);
    token_walker_end(&walker, &sink);
    static const uint8_t told[] = {TOKEN_ENVCHANGE,     TOKEN_INFO,          TOKEN_LOGINACK,
                                   TOKEN_FEATUREEXTACK, TOKEN_FEATUREEXTACK, TOKEN_DONE};
    static const size_t sizes[] = {11, 4, 12, 2, 0, DONE_BODY};
    assert_int_equal(heard.count, sizeof told);
    for (unsigned i = 0; i < heard.count; i++) {
        assert_int_equal(heard.tokens[i], told[i]);
        assert_int_equal(heard.sizes[i], sizes[i]);
    }
    assert_null(walker.held);
}

static void test_any_two_splits(void **state)
{
    (void)state;
    for (size_t first = 0; first <= sizeof login_answer; first++)
        for (size_t second = first; second <= sizeof login_answer; second += 3)
            walk_login_answer(first, second);
}

static void test_login_ack(void **state)
{
    (void)state;
    struct span body = {login_answer + 14 + 11 + 3, 12};
    struct token_login_ack ack;
    assert_true(token_read_login_ack(body, true, &ack));
    assert_int_equal(ack.tds_version, 0x74000004);
    assert_int_equal(ack.server_version, 16u << 24 | 4200);
    for (size_t size = 0; size < body.size; size++) {
        bool read = token_read_login_ack(span_part(body, 0, size), true, &ack);
        assert_int_equal(read, size >= 5);
        assert_int_equal(ack.server_version, 0);
    }
}

static void test_envchange(void **state)
{
    (void)state;
    uint8_t type;
    struct span value, body = {login_answer + 3, 11};
    assert_true(token_read_envchange(body, true, &type, &value));
    assert_int_equal(type, ENVCHANGE_DATABASE);
    assert_int_equal(value.size, 4);
    assert_false(token_read_envchange(span_part(body, 0, 5), true, &type, &value));
}

enum { LONG_TEXT = 300, LONG_BODY = 4 + 1 + 1 + 2 + 2 * LONG_TEXT + 1 + 1 + 4, LONG_ERROR = 3 + LONG_BODY };

/* ERROR 50000 with a text of 300 characters: its count has two bytes. */
static void make_long_error(uint8_t bytes[LONG_ERROR])
{
    static const uint8_t head[] = {0xaa, LONG_BODY & 0xff, LONG_BODY >> 8, 0x50, 0xc3, 0x00, 0x00, 0x07,
                                   0x10, LONG_TEXT & 0xff, LONG_TEXT >> 8};
    memset(bytes, 0, LONG_ERROR);
    memcpy(bytes, head, sizeof head);
    for (unsigned i = 0; i < LONG_TEXT; i++)
        bytes[sizeof head + 2 * i] = 'x';
}

static void test_long_error_any_split(void **state)
{
    (void)state;
    uint8_t bytes[LONG_ERROR];
    make_long_error(bytes);
    for (size_t split = 0; split <= sizeof bytes; split++) {
        struct token_walker walker = {0};
        struct heard heard = {0};
        struct token_sink sink = {hear, &heard, &modern};
        token_walker_begin(&walker);
        token_walker_data(&walker, (struct span){bytes, split}, &now, &sink);
        token_walker_data(&walker, (struct span){bytes + split, sizeof bytes - split}, &now, &sink);
        assert_int_equal(heard.count, 1);
        assert_int_equal(heard.error.number, 50000);
        assert_int_equal(heard.error.state, 7);
        assert_int_equal(heard.error.severity, 16);
        assert_int_equal(heard.message_bytes, 2 * LONG_TEXT);
        assert_false(heard.error.message_cut);
        token_walker_end(&walker, &sink);
    }
}

static void test_gap_in_error_is_counted(void **state)
{
    (void)state;
    static const uint8_t done[] = {0xfd, 0x02, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    uint8_t bytes[LONG_ERROR];
    make_long_error(bytes);
    for (size_t cut = 12; cut < sizeof bytes; cut += 7) {
        struct token_walker walker = {0};
        struct heard heard = {0};
        struct token_sink sink = {hear, &heard, &modern};
        token_walker_begin(&walker);
        token_walker_data(&walker, (struct span){bytes, cut}, &now, &sink);
        token_walker_gap(&walker, sizeof bytes - cut, &sink);
        token_walker_data(&walker, (struct span){done, sizeof done}, &now, &sink);
        token_walker_end(&walker, &sink);
        assert_int_equal(heard.count, 2);
        assert_false(heard.whole[0]);
        assert_int_equal(heard.error.number, 50000);
        assert_int_equal(heard.tokens[1], TOKEN_DONE);
    }
}

static void test_gap_over_a_head_stops(void **state)
{
    (void)state;
    static const uint8_t half[] = {0xab, 0x08};
    struct token_walker walker = {0};
    struct heard heard = {0};
    struct token_sink sink = {hear, &heard, &modern};
    token_walker_begin(&walker);
    token_walker_data(&walker, (struct span){half, sizeof half}, &now, &sink);
    token_walker_gap(&walker, 10, &sink);
    assert_true(walker.stopped);
    token_walker_data(&walker, (struct span){login_answer, sizeof login_answer}, &now, &sink);
    assert_int_equal(heard.count, 0);
    token_walker_begin(&walker);
    assert_false(walker.stopped);
    token_walker_end(&walker, &sink);
}

static void test_unknown_token_stops_the_walk(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x41, 0x01, 0x00, 0xaa, 0xff, 0xff, 0xff};
    struct token_walker walker = {0};
    struct heard heard = {0};
    struct token_sink sink = {hear, &heard, &modern};
    token_walker_begin(&walker);
    struct span rest = token_walker_data(&walker, (struct span){bytes, sizeof bytes}, &now, &sink);
    assert_true(walker.stopped);
    assert_int_equal(rest.size, sizeof bytes - 1);
    assert_int_equal(heard.count, 0);
}

static void test_tail_with_an_error(void **state)
{
    (void)state;
    static const uint8_t row[] = {0xaa, 0x03, 0x00, 0xaa, 0xff, 0xff, 0xff, 0xaa};        /* of a row */
    static const uint8_t status[] = {0x79, 0x06, 0x00, 0x00, 0x00};                       /* RETURNSTATUS */
    static const uint8_t done[] = {0xfe, 0x02, 0x00, 0xe0, 0x00, 0, 0, 0, 0, 0, 0, 0, 0}; /* DONEPROC: error */
    uint8_t tail[sizeof row + LONG_ERROR + sizeof status + sizeof done];
    memcpy(tail, row, sizeof row);
    make_long_error(tail + sizeof row);
    memcpy(tail + sizeof row + LONG_ERROR, status, sizeof status);
    memcpy(tail + sizeof tail - sizeof done, done, sizeof done);
    for (size_t cut = 0; cut < sizeof tail; cut++) {
        struct heard heard = {0};
        struct token_sink sink = {hear, &heard, &modern};
        token_walk_tail(span_from((struct span){tail, sizeof tail}, cut), &now, &sink);
        bool has_error = cut <= sizeof row, has_done = cut <= sizeof tail - sizeof done;
        assert_int_equal(heard.count, has_error + has_done);
        assert_int_equal(heard.error.number, has_error ? 50000 : 0);
    }
}

static void test_old_done_is_shorter(void **state)
{
    (void)state;
    static const uint8_t dones[] = {0xff, 0x01, 0x00, 0, 0, 0, 0, 0, 0, 0xfd, 0x20, 0x00, 0, 0, 0, 0, 0, 0};
    static const struct token_dialect old = {.before_72 = true};
    struct token_walker walker = {0};
    struct heard heard = {0};
    struct token_sink sink = {hear, &heard, &old};
    token_walker_begin(&walker);
    token_walker_data(&walker, (struct span){dones, sizeof dones}, &now, &sink);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.tokens[1], TOKEN_DONE);
    token_walker_end(&walker, &sink);
}

static void test_hostile_length_holds_little(void **state)
{
    (void)state;
    enum { HELD_MAX = 4096 };
    static const uint8_t heads[][5] = {{0xaa, 0xff, 0xff, 0, 0}, {0xee, 0xff, 0xff, 0xff, 0xff}};
    static const size_t held[] = {HELD_MAX, 1024};
    static const uint8_t body[10000];
    for (unsigned i = 0; i < 2; i++) {
        struct token_walker walker = {0};
        struct heard heard = {0};
        struct token_sink sink = {hear, &heard, &modern};
        token_walker_begin(&walker);
        token_walker_data(&walker, (struct span){heads[i], sizeof heads[i]}, &now, &sink);
        token_walker_data(&walker, (struct span){body, sizeof body}, &now, &sink);
        assert_int_equal(walker.held_size, held[i]);
        token_walker_end(&walker, &sink);
        assert_int_equal(heard.count, 1);
        assert_false(heard.whole[0]);
        assert_null(walker.held);
    }
}

static void test_routing(void **state)
{
    (void)state;
    static const uint8_t body[] = {
        0x14, 0x0b, 0x00,                               /* type 20; eleven bytes of new value */
        0x00, 0x39, 0x30, 0x03, 0x00,                   /* TCP, port 12345, three characters */
        's',  0x00, 'q',  0x00, 'l',  0x00, 0x00, 0x00, /* the server; no old value */
    };
    struct token_routing routing;
    assert_true(token_read_routing((struct span){body, sizeof body}, &routing));
    assert_int_equal(routing.port, 12345);
    assert_int_equal(routing.server.size, 6);
    for (size_t size = 0; size < 3 + 11; size++)
        assert_false(token_read_routing((struct span){body, size}, &routing));
}

static void test_eed(void **state)
{
    (void)state;
    static const uint8_t body[] = {
        0xa2, 0x0f, 0x00, 0x00, 0x01, 0x0e, /* 4002, state 1, severity 14 */
        0x05, 'Z',  'Z',  'Z',  'Z',  'Z',  /* SQL state */
        0x00, 0x00, 0x00,                   /* status, transaction state */
        0x03, 0x00, 'b',  'a',  'd',        /* message */
    };
    struct token_error error;
    assert_true(token_read_eed((struct span){body, sizeof body}, &error));
    assert_int_equal(error.number, 4002);
    assert_int_equal(error.severity, 14);
    assert_int_equal(error.message.size, 3);
    assert_false(error.message_cut);
}

/* clang-format off */
static const uint8_t error_body[] = {
    0x50, 0xc3, 0x00, 0x00, 0x07, 0x10,           /* 50000, state 7, severity 16 */
    0x01, 0x00, 'x',  0x00,                       /* message */
    0x02, 's',  0x00, 'q',  0x00,                 /* server */
    0x03, 'p',  0x00, 'r',  0x00, 'c',  0x00,     /* procedure */
    0x4d, 0x00, 0x01, 0x00,                       /* line 65613; before TDS 7.2 the first two bytes, 77 */
};
/* clang-format on */

static void test_error_tells_where(void **state)
{
    (void)state;
    enum { SERVER_END = 15, PROCEDURE_END = 22, OLD_END = 24 };
    struct span body = {error_body, sizeof error_body};
    for (size_t size = 6; size <= body.size; size++) {
        struct token_error error;
        assert_true(token_read_error(span_part(body, 0, size), true, &error));
        assert_int_equal(error.server.size, size >= SERVER_END ? 4 : 0);
        assert_int_equal(error.procedure.size, size >= PROCEDURE_END ? 6 : 0);
        if (size < OLD_END)
            assert_int_equal(error.line, 0);
        if (size == OLD_END)
            assert_int_equal(error.line, 77);
        if (size == body.size)
            assert_int_equal(error.line, 65613);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_two_splits),
        cmocka_unit_test(test_login_ack),
        cmocka_unit_test(test_envchange),
        cmocka_unit_test(test_long_error_any_split),
        cmocka_unit_test(test_gap_in_error_is_counted),
        cmocka_unit_test(test_gap_over_a_head_stops),
        cmocka_unit_test(test_unknown_token_stops_the_walk),
        cmocka_unit_test(test_tail_with_an_error),
        cmocka_unit_test(test_old_done_is_shorter),
        cmocka_unit_test(test_hostile_length_holds_little),
        cmocka_unit_test(test_routing),
        cmocka_unit_test(test_error_tells_where),
        cmocka_unit_test(test_eed),
    };
    return cmocka_run_group_tests_name("tds_tokens", tests, NULL, NULL);
}
