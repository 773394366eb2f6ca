/* Names of TLS versions, cipher suites and alerts (IANA registries). */
#ifndef TDSCOPE_TLS_NAMES_H
#define TDSCOPE_TLS_NAMES_H

#include <stdint.h>

enum { TLS_NAME_SIZE = 56 };

/* "TLS 1.2"; a version without a name as "0x0305". Returns text. */
const char *tls_version_name(uint16_t version, char text[static TLS_NAME_SIZE]);

/* "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"; a suite that is not in the table as "0x1234". Returns text. */
const char *tls_cipher_suite_name(uint16_t suite, char text[static TLS_NAME_SIZE]);

/* "unknown_ca"; NULL for a number without a name. */
const char *tls_alert_name(uint8_t number);

#endif
