/* What is known of a TLS session inside or around TDS: its handshake as far as it is in clear, and its alerts. */
#ifndef TDSCOPE_TLS_FACTS_H
#define TDSCOPE_TLS_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"
#include "tcp_side.h"

/* Certificates of a chain and names of one that are kept; session ids have at most 32 bytes (RFC 5246, 7.4.1.2). */
enum { TLS_CHAIN_MAX = 4, TLS_NAMES_MAX = 8, TLS_ALERTS_MAX = 4, TLS_SESSION_ID_MAX = 32, TLS_DATE_SIZE = 24 };

enum tls_resumption {
    TLS_RESUMPTION_UNKNOWN,
    TLS_RESUMPTION_NONE,
    TLS_RESUMED_SESSION,
    TLS_RESUMED_TICKET,
    TLS_RESUMED_PSK
};

/* Texts are UTF-8, made safe to show, owned by the casebook; NULL: not known. */
struct tls_certificate {
    uint8_t fingerprint[32];      /* SHA-256 of its bytes */
    bool readable;                /* false: it is no X.509 certificate, and nothing below is known */
    const char *subject, *issuer; /* RFC 2253 */
    const char *common_name;      /* the subject's */
    char not_before
        [TLS_DATE_SIZE]; /* "2025-01-01T00:00:00Z"; empty: not known. Dates may lie beyond what moments hold */
    char not_after[TLS_DATE_SIZE];
    int64_t not_before_s, not_after_s; /* since 1970; valid when the text is there */
    const char *key;                   /* "RSA", "EC", ...; NULL: not known */
    uint16_t key_bits;
    const char *signature;            /* "sha256WithRSAEncryption" */
    const char *names[TLS_NAMES_MAX]; /* SAN: DNS names and IP addresses */
    uint8_t name_count;
    uint16_t names_beyond;
    bool self_signed;     /* subject and issuer are the same; the signature is not verified */
    bool sql_self_signed; /* SQL Server made it by itself, because it has none installed: SSL_Self_Signed_Fallback */
};

struct tls_alert {
    struct moment moment;
    uint8_t side;   /* enum side */
    bool encrypted; /* then level and number are not known */
    uint8_t level;  /* 1 warning, 2 fatal */
    uint8_t number; /* RFC 8446, 6 */
};

struct tls_facts {
    uint32_t number;          /* the casebook's */
    uint8_t versions_offered; /* tls_version_bit() of each */
    bool retried;             /* HelloRetryRequest (RFC 8446, 4.1.4) */
    uint16_t suites_offered;
    const char *server_name;  /* SNI (RFC 6066, 3) */
    const char *alpn_offered; /* names, separated by commas (RFC 7301) */
    const char *alpn;         /* chosen; TLS 1.3 hides it */
    uint8_t session_id_size;  /* of the client's */
    uint8_t session_id[TLS_SESSION_ID_MAX];
    bool ticket_offered;
    enum tls_resumption resumption;

    bool certificate_seen;                              /* the server's Certificate message, in clear */
    bool chain_cut;                                     /* of it not all was captured, or could be kept */
    uint8_t chain_length;                               /* certificates in it, as far as seen */
    const struct tls_certificate *chain[TLS_CHAIN_MAX]; /* the first ones, the server's own before all */

    struct tls_alert alerts[TLS_ALERTS_MAX];
    uint8_t alert_count;
    uint32_t alerts_beyond;
    uint32_t records[SIDES];
};

/* As hellos and records have them (RFC 8446, 4.2.1). */
enum { TLS_VERSION_SSL_3 = 0x0300, TLS_VERSION_1_2 = 0x0303, TLS_VERSION_1_3 = 0x0304 };

/* 0 for a number that is no version: SSL 3.0 is bit 0, TLS 1.3 bit 4. */
static inline uint8_t tls_version_bit(uint16_t version)
{
    return version >= TLS_VERSION_SSL_3 && version <= TLS_VERSION_1_3 ? (uint8_t)(1u << (version - TLS_VERSION_SSL_3))
                                                                      : 0;
}

#endif
