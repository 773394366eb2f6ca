/* Kerberos ticket requests (RFC 4120). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "der.h"
#include "exchange_calls.h"
#include "kerberos_message.h"

/* TGS-REQ for MSSQLSvc/sql:1433 in realm R; padata is left out. */
static const uint8_t service_request[] = {0x6c, 0x3a,                                            /* APPLICATION 12 */
                                          0x30, 0x38,                                            /* SEQUENCE */
                                          0xa1, 0x03, 0x02, 0x01, 0x05,                          /* [1] pvno 5 */
                                          0xa2, 0x03, 0x02, 0x01, 0x0c,                          /* [2] msg-type 12 */
                                          0xa4, 0x2c, 0x30, 0x2a,                                /* [4] req-body */
                                          0xa0, 0x03, 0x03, 0x01, 0x00,                          /* [0] kdc-options */
                                          0xa2, 0x03, 0x1b, 0x01, 'R',                           /* [2] realm */
                                          0xa3, 0x1e, 0x30, 0x1c,                                /* [3] sname */
                                          0xa0, 0x03, 0x02, 0x01, 0x02,                          /* [0] name-type 2 */
                                          0xa1, 0x15, 0x30, 0x13,                                /* [1] name-string */
                                          0x1b, 0x08, 'M',  'S',  'S',  'Q', 'L', 'S', 'v', 'c', /* its parts */
                                          0x1b, 0x07, 's',  'q',  'l',  ':', '1', '4', '3'};

/* KRB-ERROR without names: code 7 at [6]. */
static const uint8_t error_unknown[] = {0x7e, 0x11, 0x30, 0x0f,        /* APPLICATION 30, SEQUENCE */
                                        0xa0, 0x03, 0x02, 0x01, 0x05,  /* [0] pvno */
                                        0xa1, 0x03, 0x02, 0x01, 0x1e,  /* [1] msg-type 30 */
                                        0xa6, 0x03, 0x02, 0x01, 0x07}; /* [6] error-code */
enum { CODE_AT = sizeof error_unknown - 1 };

/* TGS-REP with nothing but its ticket's service. */
static const uint8_t service_reply[] = {0x6d, 0x1d, 0x30, 0x1b,             /* APPLICATION 13, SEQUENCE */
                                        0xa0, 0x03, 0x02, 0x01, 0x05,       /* [0] pvno */
                                        0xa5, 0x14, 0x61, 0x12, 0x30, 0x10, /* [5] ticket: APPLICATION 1, SEQUENCE */
                                        0xa2, 0x0e, 0x30, 0x0c, 0xa1, 0x0a, 0x30, 0x08, /* [2] sname, [1] name-string */
                                        0x1b, 0x01, 'a',  0x1b, 0x03, 'b',  'c',  'd'};

static const struct ticket_request *ticket_of(const struct exchange_calls *calls, uint32_t number)
{
    assert_true(number < calls->casebook.tickets.in_use);
    return casebook_ticket(&calls->casebook, number);
}

static void ask(struct exchange_calls *calls)
{
    calls_datagram(calls, calls_end(1, 50001), calls_end(9, 88), service_request, sizeof service_request, 0);
}

static void reply_error(struct exchange_calls *calls, uint8_t code)
{
    uint8_t error[sizeof error_unknown];
    memcpy(error, error_unknown, sizeof error);
    error[CODE_AT] = code;
    calls_datagram(calls, calls_end(9, 88), calls_end(1, 50001), error, sizeof error, 0);
}

static void a_request_and_its_error(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    ask(&calls);
    ask(&calls);
    reply_error(&calls, 7);
    ask(&calls);
    assert_int_equal(calls.casebook.tickets.in_use, 2);
    const struct ticket_request *ticket = ticket_of(&calls, 0);
    assert_int_equal(ticket->kind, TICKET_SERVICE);
    assert_string_equal(ticket->service, "MSSQLSvc/sql:143");
    assert_string_equal(ticket->realm, "R");
    assert_int_equal(ticket->exchange.tries, 2);
    assert_true(ticket->failed);
    assert_int_equal(ticket->error_code, 7);
    assert_int_equal(exchange_wait_ns(&ticket->exchange), 2 * CALL_MS);
    assert_false(moment_seen(&ticket_of(&calls, 1)->exchange.answered));
    calls_close(&calls);
}

static void a_reply_names_its_service(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    calls_datagram(&calls, calls_end(9, 88), calls_end(1, 50001), service_reply, sizeof service_reply, 0);
    assert_string_equal(ticket_of(&calls, 0)->service, "a/bcd");
    assert_int_equal(ticket_of(&calls, 0)->exchange.tries, 0);
    assert_false(ticket_of(&calls, 0)->failed);
    calls_close(&calls);
}

static size_t as_stream(uint8_t *stream, const uint8_t *message, size_t size)
{
    memset(stream, 0, 3);
    stream[3] = (uint8_t)size;
    memcpy(stream + 4, message, size);
    return size + 4;
}

static void too_big_goes_on_over_tcp(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    ask(&calls);
    reply_error(&calls, KERBEROS_RESPONSE_TOO_BIG);
    calls_connect(&calls, 88);
    uint8_t stream[128];
    calls_stream(&calls, SIDE_CLIENT, stream, as_stream(stream, service_request, sizeof service_request));
    assert_true(ticket_of(&calls, 0)->retried_over_tcp);
    assert_true(ticket_of(&calls, 1)->exchange.over_tcp);
    calls_close(&calls);
}

static void check_two(const struct exchange_calls *calls)
{
    assert_int_equal(calls->casebook.tickets.in_use, 2);
    assert_int_equal(ticket_of(calls, 0)->error_code, 7);
    assert_int_equal(ticket_of(calls, 1)->exchange.answers, 1);
    assert_string_equal(ticket_of(calls, 1)->service, "MSSQLSvc/sql:143");
}

static void streams_are_read_however_they_are_cut(void **state)
{
    (void)state;
    uint8_t request[128], reply[128];
    size_t request_size = as_stream(request, service_request, sizeof service_request);
    size_t reply_size = as_stream(reply, error_unknown, sizeof error_unknown);
    for (size_t cut = 1; cut < request_size; cut++) {
        struct exchange_calls calls;
        calls_open(&calls);
        calls_connect(&calls, 88);
        size_t reply_cut = cut < reply_size ? cut : reply_size - 1;
        for (int i = 0; i < 2; i++) {
            calls_stream(&calls, SIDE_CLIENT, request, cut);
            calls_stream(&calls, SIDE_CLIENT, request + cut, request_size - cut);
            calls_stream(&calls, SIDE_SERVER, reply, reply_cut);
            calls_stream(&calls, SIDE_SERVER, reply + reply_cut, reply_size - reply_cut);
        }
        check_two(&calls);
        calls_close(&calls);
    }
}

static void what_is_no_kerberos_is_left_alone(void **state)
{
    (void)state;
    struct exchange_calls calls;
    calls_open(&calls);
    calls_connect(&calls, 88);
    calls_stream(&calls, SIDE_CLIENT, "GET / HTTP/1.1\r\n\r\n", 18);
    /* A length, and then no tag of a message */
    calls_gap(&calls, SIDE_CLIENT, 1);
    calls_stream(&calls, SIDE_CLIENT,
                 "\0\0\0\x08"
                 "abcdefgh\0\0\0\x02",
                 16);
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 88), "\x6c\x84\xff\xff\xff\xff", 6, 0);
    calls_datagram(&calls, calls_end(1, 50001), calls_end(9, 88), "\x30\x80\x00\x00", 4, 0);
    assert_int_equal(calls.casebook.tickets.in_use, 1);
    assert_null(ticket_of(&calls, 0)->service);
    calls_close(&calls);
}

static void any_prefix_gives_what_it_has(void **state)
{
    (void)state;
    for (size_t size = 0; size <= sizeof service_request; size++) {
        struct kerberos_message message;
        uint8_t bytes[sizeof service_request];
        memcpy(bytes, service_request, size);
        assert_int_equal(kerberos_read((struct span){bytes, size}, &message), size >= 2);
    }
}

static void integers_keep_their_sign(void **state)
{
    (void)state;
    const uint8_t minus_two[] = {0x02, 0x01, 0xfe}, large[] = {0x02, 0x04, 0x80, 0, 0, 0},
                  longer[] = {0x02, 0x05, 1, 2, 3, 4, 5};
    assert_int_equal(der_integer(cursor_over((struct span){minus_two, sizeof minus_two})), -2);
    assert_int_equal(der_integer(cursor_over((struct span){large, sizeof large})), INT32_MIN);
    assert_int_equal(der_integer(cursor_over((struct span){longer, sizeof longer})), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_and_its_error),           cmocka_unit_test(a_reply_names_its_service),
        cmocka_unit_test(too_big_goes_on_over_tcp),          cmocka_unit_test(streams_are_read_however_they_are_cut),
        cmocka_unit_test(what_is_no_kerberos_is_left_alone), cmocka_unit_test(any_prefix_gives_what_it_has),
        cmocka_unit_test(integers_keep_their_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
