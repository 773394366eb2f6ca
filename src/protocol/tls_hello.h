/* What ClientHello (RFC 8446, 4.1.2; RFC 5246, 7.4.1.2) and ServerHello (4.1.3; 7.4.1.3) say. */
#ifndef TDSCOPE_TLS_HELLO_H
#define TDSCOPE_TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

/* Spans point into the message; empty: not there, or cut off. */
struct tls_hello {
    uint16_t version;         /* highest offered, or chosen; 0: not known, because cut off before it was told */
    uint8_t versions;         /* ClientHello: tls_version_bit() of each that is named */
    uint16_t cipher_suite;    /* ServerHello: chosen; 0: not known */
    uint16_t suites;          /* ClientHello: how many are offered, signals (SCSV) and GREASE excepted */
    bool retry;               /* HelloRetryRequest: another ServerHello follows */
    bool alpn_seen, alpn_tds; /* ALPN (RFC 7301) is there; names "tds/8.0" */
    bool ticket;              /* a session ticket that is not empty (RFC 5077) */
    bool psk;                 /* pre_shared_key (RFC 8446, 4.2.11) */
    bool complete;            /* nothing was cut off */
    struct span session_id;
    struct span server_name;
    struct span alpn; /* its list of names, each behind a byte with its length */
};

/* whole: body is all of the message, not what was captured of it. */
struct tls_hello tls_read_client_hello(struct span body, bool whole);
struct tls_hello tls_read_server_hello(struct span body, bool whole);

#endif
