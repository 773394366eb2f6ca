/* TLS names: versions, cipher suites (tls_suites.def), and alerts of SSL 3.0 to TLS 1.3 (IANA, "TLS Alerts"). */
#include "tls_names.h"

#include <stddef.h>
#include <stdio.h>

struct tls_number_name {
    uint16_t number;
    const char *name;
};

static const struct tls_number_name versions[] = {
    {0x0200, "SSL 2.0"}, {0x0300, "SSL 3.0"}, {0x0301, "TLS 1.0"},
    {0x0302, "TLS 1.1"}, {0x0303, "TLS 1.2"}, {0x0304, "TLS 1.3"},
};

static const struct tls_number_name suites[] = {
#define SUITE(number, name) {number, #name},
#include "tls_suites.def"
#undef SUITE
};

static const struct tls_number_name alerts[] = {
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
    {121, "ech_required"},
};

static const char *find_name(const struct tls_number_name *table, size_t entries, uint16_t number, char *text)
{
    for (size_t i = 0; i < entries; i++) {
        if (table[i].number == number) {
            snprintf(text, TLS_NAME_SIZE, "%s", table[i].name);
            return text;
        }
    }
    snprintf(text, TLS_NAME_SIZE, "0x%04x", number);
    return text;
}

const char *tls_version_name(uint16_t version, char text[static TLS_NAME_SIZE])
{
    return find_name(versions, sizeof versions / sizeof *versions, version, text);
}

const char *tls_cipher_suite_name(uint16_t suite, char text[static TLS_NAME_SIZE])
{
    return find_name(suites, sizeof suites / sizeof *suites, suite, text);
}

const char *tls_alert_name(uint8_t number)
{
    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
        if (alerts[i].number == number)
            return alerts[i].name;
    return NULL;
}
