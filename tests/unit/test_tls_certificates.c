/* Certificates out of Certificate messages: read, known again, cut anywhere, and damaged anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "memory.h"
#include "tls_certificates.h"

/* A self-signed certificate: O=Example, CN=db01.example.net; P-256; valid from 2026-11-22T12:19:11Z to 2036-11-19T12:19:11Z; SAN
 * DNS:db01.example.net, DNS:sql, IP:10.0.0.9, IP:2001:db8::9. Made with `openssl req -x509 -newkey ec`. */
static const uint8_t certificate[] = {
    0x30, 0x82, 0x01, 0xeb, 0x30, 0x82, 0x01, 0x91, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x14, 0x65, 0x8b, 0xc8, 0x1d,
    0x19, 0xb8, 0xbb, 0xa5, 0x06, 0xc8, 0x47, 0xdb, 0xa0, 0xe7, 0x42, 0x1e, 0xf9, 0x66, 0x16, 0x0a, 0x30, 0x0a, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x30, 0x2d, 0x31, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x04,
    0x0a, 0x0c, 0x07, 0x45, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x31, 0x19, 0x30, 0x17, 0x06, 0x03, 0x55, 0x04, 0x03,
    0x0c, 0x10, 0x64, 0x62, 0x30, 0x31, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6e, 0x65, 0x74, 0x30,
    0x1e, 0x17, 0x0d, 0x32, 0x36, 0x31, 0x31, 0x32, 0x32, 0x31, 0x32, 0x31, 0x39, 0x31, 0x31, 0x5a, 0x17, 0x0d, 0x33,
    0x36, 0x31, 0x31, 0x31, 0x39, 0x31, 0x32, 0x31, 0x39, 0x31, 0x31, 0x5a, 0x30, 0x2d, 0x31, 0x10, 0x30, 0x0e, 0x06,
    0x03, 0x55, 0x04, 0x0a, 0x0c, 0x07, 0x45, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x31, 0x19, 0x30, 0x17, 0x06, 0x03,
    0x55, 0x04, 0x03, 0x0c, 0x10, 0x64, 0x62, 0x30, 0x31, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6e,
    0x65, 0x74, 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x75, 0xca, 0x48, 0x7f, 0xd2, 0x97, 0x53, 0x90, 0xec,
    0xd2, 0xc7, 0xe3, 0x23, 0xf6, 0xd9, 0x31, 0xa6, 0x67, 0xe8, 0x22, 0xc4, 0x74, 0x69, 0xca, 0x52, 0x38, 0xcf, 0x6a,
    0x75, 0x93, 0xf7, 0xe0, 0x4b, 0x07, 0x99, 0x57, 0x61, 0x63, 0xcc, 0x9f, 0x50, 0x19, 0x50, 0x3d, 0x41, 0xf3, 0xdc,
    0x88, 0x33, 0xd2, 0x15, 0x8e, 0x4a, 0x4b, 0xaa, 0xd6, 0x62, 0xe0, 0x3e, 0x4a, 0xfc, 0xea, 0x9c, 0xe5, 0xa3, 0x81,
    0x8e, 0x30, 0x81, 0x8b, 0x30, 0x1d, 0x06, 0x03, 0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14, 0x18, 0x27, 0xe1, 0xf3,
    0xd3, 0x0a, 0xf8, 0x8b, 0x31, 0x86, 0xc3, 0x05, 0x2d, 0x81, 0x4c, 0xcd, 0xbe, 0xbf, 0x8f, 0xd2, 0x30, 0x1f, 0x06,
    0x03, 0x55, 0x1d, 0x23, 0x04, 0x18, 0x30, 0x16, 0x80, 0x14, 0x18, 0x27, 0xe1, 0xf3, 0xd3, 0x0a, 0xf8, 0x8b, 0x31,
    0x86, 0xc3, 0x05, 0x2d, 0x81, 0x4c, 0xcd, 0xbe, 0xbf, 0x8f, 0xd2, 0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01,
    0x01, 0xff, 0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xff, 0x30, 0x38, 0x06, 0x03, 0x55, 0x1d, 0x11, 0x04, 0x31, 0x30,
    0x2f, 0x82, 0x10, 0x64, 0x62, 0x30, 0x31, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x2e, 0x6e, 0x65, 0x74,
    0x82, 0x03, 0x73, 0x71, 0x6c, 0x87, 0x04, 0x0a, 0x00, 0x00, 0x09, 0x87, 0x10, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x04, 0x03, 0x02, 0x03, 0x48, 0x00, 0x30, 0x45, 0x02, 0x20, 0x50, 0x68, 0x0c, 0xef, 0x21, 0x77, 0xc4, 0xb1, 0x75,
    0x42, 0x93, 0x44, 0x15, 0x51, 0x6c, 0x01, 0x94, 0x88, 0x10, 0x3d, 0xce, 0xb1, 0x93, 0xf7, 0x0a, 0x77, 0x7a, 0xc1,
    0xfc, 0xa7, 0xab, 0x09, 0x02, 0x21, 0x00, 0xc9, 0xa0, 0x72, 0xc2, 0xe5, 0x12, 0xdc, 0x3a, 0xdb, 0xd4, 0x92, 0x7b,
    0xb9, 0x87, 0x95, 0x42, 0x66, 0xa3, 0xa2, 0x60, 0x36, 0x31, 0x0d, 0xbf, 0x2c, 0xa5, 0x26, 0x2f, 0xf7, 0xba, 0x2c,
    0xfb,
};

enum { LENGTH_SIZE = 3, MESSAGE_MAX = 8192 };

static void put_length(uint8_t at[static LENGTH_SIZE], size_t length)
{
    at[0] = (uint8_t)(length >> 16);
    at[1] = (uint8_t)(length >> 8);
    at[2] = (uint8_t)length;
}

/* The body of a Certificate message that holds the certificate count times. Returns its size. */
static size_t make_message(uint8_t message[static MESSAGE_MAX], unsigned count)
{
    size_t size = LENGTH_SIZE;
    for (unsigned i = 0; i < count; i++) {
        put_length(message + size, sizeof certificate);
        memcpy(message + size + LENGTH_SIZE, certificate, sizeof certificate);
        size += LENGTH_SIZE + sizeof certificate;
    }
    put_length(message, size - LENGTH_SIZE);
    return size;
}

static void test_facts(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    uint8_t message[MESSAGE_MAX];
    struct tls_facts facts = {0};
    tls_read_certificates((struct span){message, make_message(message, 1)}, true, &casebook, 0, &facts);
    assert_true(facts.certificate_seen);
    assert_false(facts.chain_cut);
    assert_int_equal(facts.chain_length, 1);
    const struct tls_certificate *c = facts.chain[0];
    assert_true(c->readable);
    assert_string_equal(c->subject, "CN=db01.example.net,O=Example");
    assert_string_equal(c->issuer, "CN=db01.example.net,O=Example");
    assert_true(c->self_signed);
    assert_false(c->sql_self_signed);
    assert_string_equal(c->not_before, "2026-11-22T12:19:11Z");
    assert_string_equal(c->not_after, "2036-11-19T12:19:11Z");
    assert_int_equal(c->not_before_s, 1795349951);
    assert_int_equal(c->not_after_s, 2110709951);
    assert_string_equal(c->key, "EC");
    assert_int_equal(c->key_bits, 256);
    assert_string_equal(c->signature, "ecdsa-with-SHA256");
    assert_int_equal(c->name_count, 4);
    assert_string_equal(c->names[0], "db01.example.net");
    assert_string_equal(c->names[1], "sql");
    assert_string_equal(c->names[2], "10.0.0.9");
    assert_string_equal(c->names[3], "2001:db8::9");
    casebook_close(&casebook);
}

static void test_known_again(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    uint8_t message[MESSAGE_MAX];
    size_t size = make_message(message, TLS_CHAIN_MAX + 1);
    struct tls_facts first = {0}, second = {0};
    tls_read_certificates((struct span){message, size}, true, &casebook, 0, &first);
    size_t texts = casebook.texts.taken_bytes;
    tls_read_certificates((struct span){message, size}, true, &casebook, 0, &second);
    assert_int_equal(first.chain_length, TLS_CHAIN_MAX + 1);
    for (unsigned i = 0; i < TLS_CHAIN_MAX; i++) {
        assert_ptr_equal(first.chain[i], first.chain[0]);
        assert_ptr_equal(second.chain[i], first.chain[0]);
    }
    assert_int_equal(casebook.texts.taken_bytes, texts);
    casebook_close(&casebook);
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    uint8_t message[MESSAGE_MAX];
    size_t size = make_message(message, 2);
    size_t first_end = 2 * LENGTH_SIZE + sizeof certificate;
    for (size_t cut = 0; cut < size; cut++) {
        struct tls_facts facts = {0};
        uint8_t *part = memory_take(cut + 1);
        memcpy(part, message, cut);
        tls_read_certificates((struct span){part, cut}, false, &casebook, 0, &facts);
        memory_give(part);
        assert_true(facts.chain_cut);
        assert_int_equal(facts.chain_length, cut >= first_end ? 1 : 0);
    }
    casebook_close(&casebook);
}

static void test_damaged_anywhere(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    for (size_t at = 0; at < LENGTH_SIZE * 2 + sizeof certificate; at++) {
        uint8_t message[MESSAGE_MAX];
        size_t size = make_message(message, 1);
        message[at] ^= 0xff;
        struct tls_facts facts = {0};
        tls_read_certificates((struct span){message, size}, true, &casebook, 0, &facts);
        assert_true(facts.certificate_seen);
        assert_true(facts.chain_length <= 1);
    }
    casebook_close(&casebook);
}

static void test_rubbish_is_unreadable(void **state)
{
    (void)state;
    struct casebook casebook;
    casebook_open(&casebook);
    static const uint8_t message[] = {
        0x00, 0x00, 0x07,       /* length of the list */
        0x00, 0x00, 0x04,       /* length of a certificate */
        0x30, 0x82, 0xff, 0xff, /* a sequence longer than all there is */
    };
    struct tls_facts facts = {0};
    tls_read_certificates((struct span){message, sizeof message}, true, &casebook, 0, &facts);
    assert_int_equal(facts.chain_length, 1);
    assert_false(facts.chain[0]->readable);
    casebook_close(&casebook);
}

/* Whether SQL Server is held to have made a certificate with this common name. */
static bool fallback_with(int string_type, const void *common_name, int size)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    X509_NAME *name = X509_NAME_new();
    assert_true(X509_NAME_add_entry_by_NID(name, NID_commonName, string_type, common_name, size, -1, 0));
    X509_set_subject_name(x509, name);
    X509_set_issuer_name(x509, name);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
    uint8_t message[MESSAGE_MAX];
    unsigned char *at = message + 2 * (size_t)LENGTH_SIZE;
    assert_in_range(i2d_X509(x509, NULL), 1, MESSAGE_MAX - 2 * LENGTH_SIZE);
    size_t length = (size_t)i2d_X509(x509, &at);
    put_length(message, length + LENGTH_SIZE);
    put_length(message + LENGTH_SIZE, length);
    X509_NAME_free(name);
    X509_free(x509);
    EVP_PKEY_free(key);

    struct casebook casebook;
    casebook_open(&casebook);
    struct tls_facts facts = {0};
    tls_read_certificates((struct span){message, length + 2 * (size_t)LENGTH_SIZE}, true, &casebook, 0, &facts);
    assert_int_equal(facts.chain_length, 1);
    assert_true(facts.chain[0]->readable);
    bool fallback = facts.chain[0]->sql_self_signed;
    casebook_close(&casebook);
    return fallback;
}

static void test_made_by_sql_server(void **state)
{
    (void)state;
    static const char text[] = "SSL_Self_Signed_Fallback";
    enum { LETTERS = sizeof text - 1 };
    char wide[2 * LETTERS + 2] = {0};
    for (unsigned i = 0; i < LETTERS; i++)
        wide[2 * i + 1] = text[i];
    assert_true(fallback_with(V_ASN1_BMPSTRING, wide, 2 * LETTERS)); /* SQL Server on Windows */
    assert_true(fallback_with(V_ASN1_UTF8STRING, text, LETTERS));    /* on Linux */
    assert_false(fallback_with(V_ASN1_PRINTABLESTRING, "SSL", 3));
    assert_false(fallback_with(V_ASN1_BMPSTRING, wide, 2 * LETTERS - 2));
    assert_false(fallback_with(V_ASN1_BMPSTRING, wide, 2 * LETTERS + 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_known_again),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_damaged_anywhere),
        cmocka_unit_test(test_rubbish_is_unreadable),
        cmocka_unit_test(test_made_by_sql_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
