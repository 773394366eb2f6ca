/*
 * Certificates out of a Certificate message (RFC 5246, 7.4.2), read with libcrypto (RFC 5280).
 *
 * They come from whoever was captured, so nothing about them is verified, and each is bounded by the message that holds
 * it. A certificate is read once for each shard, whatever number of connections shows it: reading one takes a hundred
 * times as long as knowing it again by its fingerprint.
 */
#include "tls_certificates.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "cursor.h"
#include "moment.h"
#include "text.h"

enum { NAME_MAX_BYTES = 256 };

static const char fallback_name[] = "SSL_Self_Signed_Fallback";

static const char *keep_text(struct casebook *casebook, const void *bytes, size_t size)
{
    struct text safe = {.ceiling = NAME_MAX_BYTES};
    text_add_untrusted(&safe, (struct span){bytes, size});
    const char *kept = arena_copy_text(&casebook->texts, text_string(&safe), safe.size);
    text_close(&safe);
    return kept;
}

static const char *name_text(struct casebook *casebook, const X509_NAME *name)
{
    BIO *memory = BIO_new(BIO_s_mem());
    if (!memory)
        return NULL;
    const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    const char *kept = NULL;
    char *bytes = NULL;
    if (X509_NAME_print_ex(memory, name, 0, flags) >= 0) {
        long size = BIO_get_mem_data(memory, &bytes);
        if (size > 0)
            kept = keep_text(casebook, bytes, (size_t)size);
    }
    BIO_free(memory);
    return kept;
}

static void read_date(const ASN1_TIME *date, char text[static TLS_DATE_SIZE], int64_t *seconds)
{
    struct tm tm;
    if (!date || !ASN1_TIME_to_tm(date, &tm) || tm.tm_year < -1900)
        return;
    int64_t year = (int64_t)tm.tm_year + 1900;
    *seconds =
        ((days_of_date(year, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday) * 24 + tm.tm_hour) * 60 + tm.tm_min) * 60 +
        tm.tm_sec;
    snprintf(text, TLS_DATE_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000u,
             (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u, (unsigned)tm.tm_hour % 100u,
             (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
}

static void read_key(const X509 *x509, struct tls_certificate *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(x509);
    if (!key)
        return;
    static const struct {
        int id;
        const char *name;
    } kinds[] = {{EVP_PKEY_RSA, "RSA"},         {EVP_PKEY_RSA_PSS, "RSA-PSS"}, {EVP_PKEY_EC, "EC"},
                 {EVP_PKEY_ED25519, "Ed25519"}, {EVP_PKEY_ED448, "Ed448"},     {EVP_PKEY_DSA, "DSA"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (EVP_PKEY_base_id(key) == kinds[i].id)
            certificate->key = kinds[i].name;
    int bits = EVP_PKEY_bits(key);
    certificate->key_bits = (uint16_t)(bits > 0 && bits <= UINT16_MAX ? bits : 0);
}

static const char *alternative_name(struct casebook *casebook, const GENERAL_NAME *name)
{
    if (name->type == GEN_DNS)
        return keep_text(casebook, ASN1_STRING_get0_data(name->d.dNSName), (size_t)ASN1_STRING_length(name->d.dNSName));
    if (name->type != GEN_IPADD)
        return NULL;
    const uint8_t *bytes = ASN1_STRING_get0_data(name->d.iPAddress);
    int size = ASN1_STRING_length(name->d.iPAddress);
    struct address address = {.version = size == 4 ? 4 : 6};
    if (size != 4 && size != 16)
        return NULL;
    memcpy(address.bytes, bytes, (size_t)size);
    char text[ADDRESS_TEXT_SIZE];
    address_text(&address, text);
    return keep_text(casebook, text, strlen(text));
}

static void read_alternative_names(const X509 *x509, struct casebook *casebook, struct tls_certificate *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    if (!names)
        return;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (certificate->name_count == TLS_NAMES_MAX) {
            certificate->names_beyond = (uint16_t)(sk_GENERAL_NAME_num(names) - i);
            break;
        }
        const char *text = alternative_name(casebook, sk_GENERAL_NAME_value(names, i));
        if (text)
            certificate->names[certificate->name_count++] = text;
    }
    GENERAL_NAMES_free(names);
}

/* Windows writes the name as a BMPString, two bytes for each letter: it is its text that is kept. */
static void read_common_name(const X509_NAME *subject, struct casebook *casebook, struct tls_certificate *certificate)
{
    int place = X509_NAME_get_index_by_NID((X509_NAME *)(uintptr_t)subject, NID_commonName, -1);
    if (place < 0)
        return;
    unsigned char *name = NULL;
    int size = ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
    if (size > 0)
        certificate->common_name = keep_text(casebook, name, (size_t)size);
    certificate->sql_self_signed =
        size == (int)sizeof fallback_name - 1 && memcmp(name, fallback_name, sizeof fallback_name - 1) == 0;
    OPENSSL_free(name);
}

static void read_certificate(struct span bytes, struct casebook *casebook, struct tls_certificate *certificate)
{
    const unsigned char *at = bytes.data;
    X509 *x509 = d2i_X509(NULL, &at, (long)bytes.size);
    if (!x509)
        return;
    certificate->readable = true;
    const X509_NAME *subject = X509_get_subject_name(x509), *issuer = X509_get_issuer_name(x509);
    certificate->subject = name_text(casebook, subject);
    certificate->issuer = name_text(casebook, issuer);
    certificate->self_signed = X509_NAME_cmp(subject, issuer) == 0;
    read_common_name(subject, casebook, certificate);
    read_date(X509_get0_notBefore(x509), certificate->not_before, &certificate->not_before_s);
    read_date(X509_get0_notAfter(x509), certificate->not_after, &certificate->not_after_s);
    const char *signature = OBJ_nid2ln(X509_get_signature_nid(x509));
    if (signature && X509_get_signature_nid(x509) != NID_undef)
        certificate->signature = keep_text(casebook, signature, strlen(signature));
    read_key(x509, certificate);
    read_alternative_names(x509, casebook, certificate);
    X509_free(x509);
}

static const struct tls_certificate *certificate_of(struct span bytes, struct casebook *casebook,
                                                    struct certificate_store *store)
{
    uint8_t fingerprint[SHA256_DIGEST_LENGTH];
    if (!SHA256(bytes.data, bytes.size, fingerprint))
        return NULL;
    struct tls_certificate *certificate = certificate_store_find(store, fingerprint);
    if (certificate)
        return certificate;
    certificate = certificate_store_add(store, fingerprint);
    if (certificate)
        read_certificate(bytes, casebook, certificate);
    return certificate;
}

static void add_certificate(struct span bytes, struct casebook *casebook, struct certificate_store *store,
                            struct tls_facts *facts)
{
    if (facts->chain_length < TLS_CHAIN_MAX) {
        const struct tls_certificate *certificate = certificate_of(bytes, casebook, store);
        facts->chain[facts->chain_length] = certificate;
        facts->chain_cut = facts->chain_cut || !certificate;
    }
    if (facts->chain_length < UINT8_MAX)
        facts->chain_length++;
}

void tls_read_certificates(struct span body, bool whole, struct casebook *casebook, uint8_t store,
                           struct tls_facts *facts)
{
    /* Without this, libcrypto reads a configuration file that the environment names. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    facts->certificate_seen = true;
    facts->chain_cut = !whole;
    struct cursor c = cursor_over(body);
    cursor_u24be(&c);
    while (c.left > 0 && !c.failed) {
        struct span bytes = cursor_take(&c, cursor_u24be(&c));
        if (c.failed)
            facts->chain_cut = true;
        if (c.failed || bytes.size == 0)
            break;
        add_certificate(bytes, casebook, &casebook->certificates[store], facts);
    }
    ERR_clear_error();
}
