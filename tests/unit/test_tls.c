/* TLS records and hello messages, in any cutting and with gaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tls.h"
#include "tls_facts.h"
#include "tls_hello.h"

struct heard {
    unsigned records, ciphered, begins, messages, alerts;
    uint8_t last_record, last_begin, last_alert, last_level;
    bool last_whole;
    uint32_t first_begin_frame;
    size_t body_size;
    struct tls_hello hello;
};

static void hear(void *context, const struct tls_event *event)
{
    struct heard *heard = context;
    switch (event->kind) {
    case TLS_EVENT_RECORD:
        heard->records++;
        heard->ciphered += event->ciphered;
        heard->last_record = event->type;
        break;
    case TLS_EVENT_MESSAGE_BEGIN:
        heard->begins++;
        heard->last_begin = event->type;
        if (heard->first_begin_frame == 0)
            heard->first_begin_frame = event->begin.frame;
        break;
    case TLS_EVENT_MESSAGE:
        heard->messages++;
        heard->last_whole = event->whole;
        heard->body_size = event->body.size;
        heard->hello = event->type == TLS_CLIENT_HELLO ? tls_read_client_hello(event->body, event->whole)
                                                       : tls_read_server_hello(event->body, event->whole);
        break;
    case TLS_EVENT_ALERT:
        heard->alerts++;
        heard->last_alert = event->type;
        heard->last_level = event->level;
        break;
    }
}

/* Feeds bytes from one offset to another, as the packet of that frame. */
static void feed(struct tls_reader *reader, struct heard *heard, struct span bytes, uint32_t frame)
{
    struct tls_sink sink = {hear, heard};
    struct moment at = {.frame = frame, .time_ns = frame};
    while (bytes.size > 0) {
        size_t taken = tls_reader_data(reader, bytes, &at, &sink);
        if (taken == 0)
            return;
        bytes = span_from(bytes, taken);
    }
}

#define RANDOM_8 1, 2, 3, 4, 5, 6, 7, 8
#define RANDOM_32 RANDOM_8, RANDOM_8, RANDOM_8, RANDOM_8

static const uint8_t client_hello[] = {
    0x16, 0x03, 0x01,      0x00, 87,         /* record: handshake, 87 bytes */
    0x01, 0x00, 0x00,      83,               /* ClientHello, 83 bytes */
    0x03, 0x03, RANDOM_32,                   /* legacy version, random */
    0x00,                                    /* no session */
    0x00, 0x04, 0x13,      0x02, 0xc0, 0x30, /* two suites */
    0x01, 0x00,                              /* no compression */
    0x00, 38,                                /* extensions */
    0x00, 0x00, 0x00,      0x0a, 0x00, 0x08, 0x00, 0x00, 0x05, 's',  'q', 'l', '0', '1', /* server_name */
    0x00, 0x10, 0x00,      0x0a, 0x00, 0x08, 0x07, 't',  'd',  's',  '/', '8', '.', '0', /* ALPN */
    0x00, 0x2b, 0x00,      0x06, 0x05, 0x7a, 0x7a, 0x03, 0x04, 0x00, /* supported_versions: GREASE, 1.3, half a one */
};

static const uint8_t server_hello[] = {
    0x16, 0x03, 0x03,      0x00, 0x32,                   /* record */
    0x02, 0x00, 0x00,      0x2e,                         /* ServerHello */
    0x03, 0x03, RANDOM_32, 0x00,                         /* legacy version, random, no session */
    0x13, 0x02, 0x00,                                    /* TLS_AES_256_GCM_SHA384, no compression */
    0x00, 0x06, 0x00,      0x2b, 0x00, 0x02, 0x03, 0x04, /* supported_versions: 1.3 */
};

static const struct span whole_client_hello = {client_hello, sizeof client_hello};
static const struct span whole_server_hello = {server_hello, sizeof server_hello};

static void test_client_hello_any_split(void **state)
{
    (void)state;
    for (size_t split = 0; split <= sizeof client_hello; split++) {
        struct tls_reader reader = {0};
        struct heard heard = {0};
        feed(&reader, &heard, span_part(whole_client_hello, 0, split), 1);
        feed(&reader, &heard, span_from(whole_client_hello, split), 2);
        assert_int_equal(heard.records, 1);
        assert_int_equal(heard.begins, 1);
        assert_int_equal(heard.messages, 1);
        assert_true(heard.last_whole);
        assert_true(heard.hello.alpn_tds);
        assert_int_equal(heard.hello.version, TLS_VERSION_1_3);
        assert_true(tls_reader_between(&reader));
        /* The message has the moment of its first byte, which stands behind the record's header. */
        assert_int_equal(heard.first_begin_frame, split <= TLS_RECORD_HEADER ? 2 : 1);
        tls_reader_close(&reader);
    }
}

static void test_server_hello(void **state)
{
    (void)state;
    struct tls_reader reader = {0};
    struct heard heard = {0};
    feed(&reader, &heard, whole_server_hello, 1);
    assert_int_equal(heard.hello.version, TLS_VERSION_1_3);
    assert_int_equal(heard.hello.cipher_suite, 0x1302);
    assert_false(heard.hello.retry);
    assert_true(heard.hello.complete);
    tls_reader_close(&reader);
}

static void test_cut_server_hello_still_tells_tls13(void **state)
{
    (void)state;
    /* Behind the suite, nothing was captured: TLS 1.3 has suites of its own. */
    struct tls_reader reader = {0};
    struct heard heard = {0};
    struct tls_sink sink = {hear, &heard};
    feed(&reader, &heard, span_part(whole_server_hello, 0, 5 + 4 + 2 + 32 + 1 + 2), 1);
    assert_int_equal(tls_reader_gap(&reader, 9 + 100, &sink), 9);
    assert_false(heard.last_whole);
    assert_int_equal(heard.hello.cipher_suite, 0x1302);
    assert_int_equal(heard.hello.version, TLS_VERSION_1_3);
    assert_true(tls_reader_between(&reader));
    tls_reader_close(&reader);
}

static void test_cut_client_hello_does_not_guess(void **state)
{
    (void)state;
    struct tls_hello hello = tls_read_client_hello(span_part(span_from(whole_client_hello, 9), 0, 60), false);
    assert_int_equal(hello.version, 0);
    assert_false(hello.complete);
    assert_false(hello.alpn_tds);
}

static void test_cut_anywhere_is_survived(void **state)
{
    (void)state;
    struct span client = span_from(whole_client_hello, 9), server = span_from(whole_server_hello, 9);
    for (size_t size = 0; size < client.size; size++)
        assert_int_equal(tls_read_client_hello(span_part(client, 0, size), false).complete, false);
    for (size_t size = 0; size < server.size; size++)
        assert_int_equal(tls_read_server_hello(span_part(server, 0, size), false).complete, false);
}

static void test_client_hello_details(void **state)
{
    (void)state;
    struct tls_hello hello = tls_read_client_hello(span_from(whole_client_hello, 9), true);
    assert_int_equal(hello.versions, tls_version_bit(TLS_VERSION_1_3));
    assert_int_equal(hello.suites, 2);
    assert_int_equal(hello.session_id.size, 0);
    assert_int_equal(hello.server_name.size, 5);
    assert_memory_equal(hello.server_name.data, "sql01", 5);
    assert_int_equal(hello.alpn.size, 8);
    assert_false(hello.ticket);
    assert_false(hello.psk);
}

static void test_signals_are_no_suites(void **state)
{
    (void)state;
    static const uint8_t body[] = {
        0x03, 0x01, RANDOM_32,                                           /* TLS 1.0, random */
        0x02, 0xaa, 0xbb,                                                /* session id of two bytes */
        0x00, 0x08, 0x00,      0x35, 0x00, 0xff, 0x56, 0x00, 0x5a, 0x5a, /* one suite, two SCSV, GREASE */
        0x01, 0x00,                                                      /* no compression */
        0x00, 0x0c,                                                      /* extensions */
        0x00, 0x23, 0x00,      0x04, 0x01, 0x02, 0x03, 0x04,             /* a session ticket */
        0x00, 0x29, 0x00,      0x00,                                     /* pre_shared_key */
    };
    struct tls_hello hello = tls_read_client_hello((struct span){body, sizeof body}, true);
    assert_true(hello.complete);
    assert_int_equal(hello.version, 0x0301);
    assert_int_equal(hello.versions, tls_version_bit(0x0301));
    assert_int_equal(hello.suites, 1);
    assert_int_equal(hello.session_id.size, 2);
    assert_true(hello.ticket);
    assert_true(hello.psk);
}

static void test_certificate_is_kept_any_split(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x16, 0x03, 0x03, 0x00, 0x09, 0x0b, 0x00, 0x00, 0x07, 0x00, 0x00, 0x04, 0x00, 0x00, /* Certificate, 7 bytes */
        0x16, 0x03, 0x03, 0x00, 0x06, 0x01, 0x30, 0x0e, 0x00, 0x00, 0x00, /* its end, then ServerHelloDone */
    };
    for (size_t split = 0; split <= sizeof bytes; split++) {
        struct tls_reader reader = {0};
        struct heard heard = {0};
        struct span all = {bytes, sizeof bytes};
        feed(&reader, &heard, span_part(all, 0, split), 1);
        feed(&reader, &heard, span_from(all, split), 2);
        assert_int_equal(heard.messages, 1);
        assert_int_equal(heard.body_size, 7);
        assert_true(heard.last_whole);
        assert_int_equal(reader.records, 2);
        assert_null(reader.held);
        tls_reader_close(&reader);
    }
}

static void test_message_over_two_records(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x16, 0x03, 0x03, 0x00, 0x06, 0x0b, 0x00, 0x00, 0x04, 0xaa, 0xaa, /* Certificate of 4 bytes: half of it */
        0x16, 0x03, 0x03, 0x00, 0x06, 0xaa, 0xaa, 0x0e, 0x00, 0x00, 0x00, /* the other half, then ServerHelloDone */
    };
    struct tls_reader reader = {0};
    struct heard heard = {0};
    feed(&reader, &heard, (struct span){bytes, sizeof bytes}, 1);
    assert_int_equal(heard.records, 2);
    assert_int_equal(heard.begins, 2);
    assert_int_equal(heard.last_begin, 0x0e);
    tls_reader_close(&reader);
}

static void test_alert_in_clear_only(void **state)
{
    (void)state;
    static const uint8_t clear[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x30};
    static const uint8_t ciphered[] = {0x14, 0x03, 0x03, 0x00, 0x01, 0x01, 0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x30};
    struct tls_reader reader = {0};
    struct heard heard = {0};
    for (size_t i = 0; i < sizeof clear; i++)
        feed(&reader, &heard, (struct span){clear + i, 1}, 1);
    assert_int_equal(heard.alerts, 1);
    assert_int_equal(heard.last_alert, 48);
    assert_int_equal(heard.last_level, 2);
    assert_int_equal(heard.ciphered, 0);
    heard = (struct heard){0};
    feed(&reader, &heard, (struct span){ciphered, sizeof ciphered}, 1);
    assert_int_equal(heard.records, 2);
    assert_int_equal(heard.ciphered, 1);
    assert_int_equal(heard.alerts, 0);
    tls_reader_close(&reader);
}

static const uint8_t change_then_hello[] = {
    0x14, 0x03, 0x03,      0x00, 0x01, 0x01,             /* ChangeCipherSpec */
    0x16, 0x03, 0x03,      0x00, 0x32,                   /* record */
    0x02, 0x00, 0x00,      0x2e,                         /* ServerHello */
    0x03, 0x03, RANDOM_32, 0x00,                         /* legacy version, random, no session */
    0x13, 0x02, 0x00,                                    /* TLS_AES_256_GCM_SHA384, no compression */
    0x00, 0x06, 0x00,      0x2b, 0x00, 0x02, 0x03, 0x04, /* supported_versions: 1.3 */
};

static void test_change_cipher_spec_hides_what_follows_before_tls13_only(void **state)
{
    (void)state;
    struct tls_reader older = {0}, newer = {0}, late = {0};
    struct heard heard = {0};
    feed(&older, &heard, (struct span){change_then_hello, sizeof change_then_hello}, 1);
    assert_int_equal(heard.ciphered, 1);
    assert_int_equal(heard.messages, 0);
    heard = (struct heard){0};
    tls_reader_is_tls13(&newer);
    feed(&newer, &heard, (struct span){change_then_hello, sizeof change_then_hello}, 1);
    assert_int_equal(heard.ciphered, 0);
    assert_int_equal(heard.messages, 1);
    /* The other side's HelloRetryRequest is read only after this side's ChangeCipherSpec. */
    heard = (struct heard){0};
    feed(&late, &heard, span_part((struct span){change_then_hello, sizeof change_then_hello}, 0, 6), 1);
    tls_reader_is_tls13(&late);
    feed(&late, &heard, span_from((struct span){change_then_hello, sizeof change_then_hello}, 6), 2);
    assert_int_equal(heard.ciphered, 0);
    assert_int_equal(heard.messages, 1);
    tls_reader_close(&older);
    tls_reader_close(&newer);
    tls_reader_close(&late);
}

static void test_gap_beyond_record(void **state)
{
    (void)state;
    static const uint8_t head[] = {0x17, 0x03, 0x03, 0x10, 0x00, 0xaa};
    struct tls_reader reader = {0};
    struct heard heard = {0};
    struct tls_sink sink = {hear, &heard};
    feed(&reader, &heard, (struct span){head, sizeof head}, 1);
    assert_int_equal(tls_reader_gap(&reader, 100000, &sink), 4095);
    assert_true(tls_reader_between(&reader));
    assert_int_equal(tls_reader_gap(&reader, 1, &sink), 0);
    tls_reader_close(&reader);
}

static void test_senseless_records_fail(void **state)
{
    (void)state;
    static const uint8_t senseless[][5] = {
        {'G', 'E', 'T', ' ', '/'},      /* no record type */
        {0x16, 0x02, 0x01, 0x00, 0x10}, /* no version */
        {0x16, 0x03, 0x09, 0x00, 0x10}, /* none either */
        {0x17, 0x03, 0x03, 0xff, 0xff}, /* too long */
        {0x14, 0x03, 0x03, 0x00, 0x07}, /* ChangeCipherSpec is one byte */
    };
    for (size_t i = 0; i < sizeof senseless / sizeof senseless[0]; i++) {
        struct tls_reader reader = {0};
        struct heard heard = {0};
        feed(&reader, &heard, (struct span){senseless[i], sizeof senseless[i]}, 1);
        assert_true(reader.failed);
        assert_int_equal(heard.records, 0);
        tls_reader_close(&reader);
    }
}

static void test_hostile_message_length(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x16, 0x03, 0x03, 0x00, 0x05, 0x01, 0xff, 0xff, 0xff, 0x03};
    struct tls_reader reader = {0};
    struct heard heard = {0};
    feed(&reader, &heard, (struct span){bytes, sizeof bytes}, 1);
    assert_int_equal(heard.begins, 0);
    assert_null(reader.held);
    tls_reader_close(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_hello_any_split),
        cmocka_unit_test(test_server_hello),
        cmocka_unit_test(test_cut_server_hello_still_tells_tls13),
        cmocka_unit_test(test_cut_client_hello_does_not_guess),
        cmocka_unit_test(test_cut_anywhere_is_survived),
        cmocka_unit_test(test_client_hello_details),
        cmocka_unit_test(test_signals_are_no_suites),
        cmocka_unit_test(test_certificate_is_kept_any_split),
        cmocka_unit_test(test_message_over_two_records),
        cmocka_unit_test(test_alert_in_clear_only),
        cmocka_unit_test(test_change_cipher_spec_hides_what_follows_before_tls13_only),
        cmocka_unit_test(test_gap_beyond_record),
        cmocka_unit_test(test_senseless_records_fail),
        cmocka_unit_test(test_hostile_message_length),
    };
    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
