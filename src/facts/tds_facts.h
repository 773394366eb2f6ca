/* What is known of a TDS session: its login step by step, and its messages. Written by the protocol floor. */
#ifndef TDSCOPE_TDS_FACTS_H
#define TDSCOPE_TDS_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"

/* Steps of a login in their usual order. TCP's own steps are in struct tcp_side. */
enum login_step {
    LOGIN_STEP_PRELOGIN, /* client: PRELOGIN (MS-TDS 2.2.6.5) */
    LOGIN_STEP_PRELOGIN_ANSWER,
    LOGIN_STEP_CLIENT_HELLO, /* TLS, inside TDS packets or (TDS 8) bare */
    LOGIN_STEP_SERVER_HELLO,
    LOGIN_STEP_KEY_EXCHANGE,   /* client: ClientKeyExchange or ChangeCipherSpec, whichever is first */
    LOGIN_STEP_TLS_DONE,       /* server: ChangeCipherSpec or the NewSessionTicket before it; TLS 1.3: ServerHello */
    LOGIN_STEP_LOGIN,          /* client: LOGIN7 in clear, or the first TLS record after the handshake */
    LOGIN_STEP_SSPI_CHALLENGE, /* server: SSPI token (MS-TDS 2.2.7.22) */
    LOGIN_STEP_SSPI_RESPONSE,  /* client: SSPI message (packet type 0x11) */
    LOGIN_STEP_LOGIN_ANSWER,   /* server: first packet of the answer to the login: LOGINACK, ERROR, or encrypted */
    LOGIN_STEP_LOGIN_ACK,      /* server: LOGINACK token (2.2.7.14); unseen when encrypted */
    LOGIN_STEP_LOGIN_ERROR,    /* server: ERROR token before any LOGINACK */
    LOGIN_STEP_FIRST_REQUEST, /* client: first batch, RPC, bulk load or transaction request, or encrypted data after the login answer */
    LOGIN_STEPS
};

enum login_encryption {
    LOGIN_ENCRYPTION_UNKNOWN,
    LOGIN_ENCRYPTION_NONE,  /* LOGIN7 in clear */
    LOGIN_ENCRYPTION_LOGIN, /* only the login packet */
    LOGIN_ENCRYPTION_FULL,  /* everything after the handshake */
    LOGIN_ENCRYPTION_STRICT /* TDS 8: TLS before TDS */
};

enum login_authentication {
    LOGIN_AUTHENTICATION_UNKNOWN,
    LOGIN_SQL,
    LOGIN_NTLM,
    LOGIN_KERBEROS,
    LOGIN_SSPI,
    LOGIN_ENTRA
};

enum tds_message {
    TDS_BATCH,
    TDS_OLD_LOGIN,
    TDS_RPC,
    TDS_RESPONSE,
    TDS_ATTENTION,
    TDS_BULK,
    TDS_FEDAUTH,
    TDS_TRANSACTION,
    TDS_LOGIN,
    TDS_SSPI,
    TDS_PRELOGIN,
    TDS_MESSAGES
};

enum { TDS_ERROR_NUMBERS_MAX = 8 };

struct tds_error {
    uint32_t number;
    uint8_t state, severity; /* severity: MS-TDS "Class" */
    struct moment moment;
    const char *message; /* UTF-8, made safe to show; NULL: not captured */
};

struct tds_error_count {
    uint32_t number, count;
};

/* Texts are UTF-8, made safe to show, owned by the casebook's arena; NULL: not known. */
struct tds_facts {
    bool strict;                /* TDS 8 */
    bool recognised_mid_stream; /* the beginning is not in the capture */
    struct moment steps[LOGIN_STEPS];
    enum login_encryption encryption;
    uint8_t prelogin_client_encryption, prelogin_server_encryption; /* B_FENCRYPTION; 0xff: not seen */
    uint16_t tls_version_client, tls_version; /* highest offered, chosen: 0x0303 = TLS 1.2; 0: not known */
    uint16_t cipher_suite;                    /* IANA number; 0: not known */
    struct moment client_alert, server_alert; /* TLS alerts in clear, close_notify excepted */
    uint8_t client_alert_code, server_alert_code;
    uint32_t tds_version_client, tds_version; /* as in LOGIN7 and LOGINACK: 0x74000004; 0: not known */
    enum login_authentication authentication;
    const char *client_host, *user, *application, *library, *server_name, *database, *server_product;
    uint32_t server_version;   /* from the PRELOGIN answer: major << 24 | minor << 16 | build; 0: not known */
    uint8_t connection_id[16]; /* PRELOGIN TRACEID */
    bool has_connection_id;
    bool mars;
    struct moment smp_fin[2];   /* by enum side: the latest SMP FIN of each, of any session (MC-SMP 2.2.4) */
    uint32_t client_process_id; /* LOGIN7; 0: not known */

    struct tds_error login_error; /* number 0: none */
    struct tds_error_count errors[TDS_ERROR_NUMBERS_MAX];
    uint8_t error_kinds;
    uint32_t errors_beyond; /* ERROR tokens of further numbers */

    uint32_t messages[TDS_MESSAGES]; /* begun, counted by their first packet, as far as they are in clear */
    uint32_t encrypted_requests, encrypted_responses; /* turns of talk after the login, when it is encrypted */
    uint32_t tls_records;
    uint32_t attention_acknowledgements;
    struct moment first_attention;

    struct moment last_request, last_response; /* begin of the last of each, encrypted ones too */
    bool request_unanswered;                   /* the last request has no byte of an answer */
    int64_t slowest_response_ns;               /* from the end of a request to the first byte of its answer */
    struct moment slowest_request;
    uint32_t malformed; /* packets whose TDS header makes no sense; the stream was picked up again */
};

#endif
