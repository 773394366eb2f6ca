/* What is known of a TDS session: its login step by step, and its messages. Written by the protocol floor. */
#ifndef TDSCOPE_TDS_FACTS_H
#define TDSCOPE_TDS_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"
#include "tls_facts.h"

/* IANA's port of SQL Server's default instance: what says "SQL" when no byte could. */
enum { SQL_SERVER_PORT = 1433 };

/* Steps of a login in their usual order. TCP's own steps are in struct tcp_side. */
enum login_step {
    LOGIN_STEP_PRELOGIN, /* client: PRELOGIN (MS-TDS 2.2.6.5) */
    LOGIN_STEP_PRELOGIN_ANSWER,
    LOGIN_STEP_CLIENT_HELLO, /* TLS, inside TDS packets or (TDS 8) bare */
    LOGIN_STEP_SERVER_HELLO,
    LOGIN_STEP_KEY_EXCHANGE,   /* client: ClientKeyExchange or ChangeCipherSpec, whichever is first */
    LOGIN_STEP_TLS_DONE,       /* server: ChangeCipherSpec or the NewSessionTicket before it; TLS 1.3: ServerHello */
    LOGIN_STEP_LOGIN,          /* client: LOGIN7 in clear, or the first TLS record after the handshake */
    LOGIN_STEP_SSPI_CHALLENGE, /* server: SSPI token (MS-TDS 2.2.7.22); Entra: FEDAUTHINFO (2.2.7.12) */
    LOGIN_STEP_SSPI_RESPONSE,  /* client: SSPI message (packet type 0x11); Entra: FEDAUTH (0x08) */
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

enum { TDS_ERROR_NUMBERS_MAX = 8, TDS_LOGIN_ERROR_TEXTS_MAX = 4 };

struct tds_error {
    uint32_t number;
    uint8_t state, severity; /* severity: MS-TDS "Class" */
    struct moment moment;
    const char *message; /* UTF-8, made safe to show; NULL: not captured */
};

/* Errors of one number; all but the count is of the first of them. */
struct tds_error_count {
    uint32_t number, count;
    uint8_t state, severity;
    uint32_t line; /* 0: not told, or not captured */
    struct moment first;
    const char *server, *procedure; /* who says it, and where; NULL: not told, or not captured */
    const char *message;            /* only of errors before the login's end: others may quote data; NULL: none */
};

/* [0]: below 1 ms; [n]: from 2^(n-1) up to 2^n ms; the last: all that took longer. */
enum { RESPONSE_TIME_BINS = 18 };

struct response_times {
    uint32_t count;
    int64_t sum_ns;
    uint32_t bins[RESPONSE_TIME_BINS];
};

/* What a request was: never what it said. */
struct tds_request {
    uint8_t message;       /* enum tds_message; TDS_MESSAGES: not known, because encrypted */
    uint16_t procedure_id; /* RPC: ProcID (MS-TDS 2.2.6.6); 0: none */
    const char *procedure; /* RPC by name; set once the conversation is over */
};

/* TypeFlags and OptionFlags of LOGIN7 (MS-TDS 2.2.6.4) that say what the client wants. */
enum login_flag {
    LOGIN_FLAG_INTEGRATED = 1,
    LOGIN_FLAG_READ_ONLY_INTENT = 2,
    LOGIN_FLAG_CHANGES_PASSWORD = 4,
    LOGIN_FLAG_USER_INSTANCE = 8
};

/* FeatureExt (MS-TDS 2.2.6.4, 2.2.7.11): bit n of a set is feature n. */
enum login_feature {
    FEATURE_SESSION_RECOVERY = 1,
    FEATURE_FEDAUTH = 2,
    FEATURE_COLUMN_ENCRYPTION = 4,
    FEATURE_GLOBAL_TRANSACTIONS = 5,
    FEATURE_AZURE_SQL_SUPPORT = 8,
    FEATURE_DATA_CLASSIFICATION = 9,
    FEATURE_UTF8_SUPPORT = 10,
    FEATURE_AZURE_SQL_DNS_CACHING = 11,
    FEATURE_JSON_SUPPORT = 13,
    FEATURE_VECTOR_SUPPORT = 14,
    FEATURES_KNOWN_MAX = 31
};

/* MARS sessions (MC-SMP). A stall: one side's window was used up in the midst of a message. */
struct smp_facts {
    uint32_t opened, closed; /* closed: FIN of both */
    uint32_t not_followed;   /* sessions beyond those whose TDS is decoded; a floor when their SYNs are not captured */
    uint32_t stalls;
    int64_t longest_stall_ns;
    struct moment open_stall;   /* begin of one that has no end in the capture */
    struct moment first_fin[2]; /* by enum side */
};

/* Texts are UTF-8, made safe to show, owned by the casebook's arena; NULL: not known. */
struct tds_facts {
    uint32_t number;            /* the casebook's */
    bool strict;                /* TDS 8 */
    bool recognised_mid_stream; /* the beginning is not in the capture */
    struct moment steps[LOGIN_STEPS];
    enum login_encryption encryption;
    uint8_t prelogin_client_encryption, prelogin_server_encryption; /* B_FENCRYPTION; 0xff: not seen */
    uint16_t tls_version_client, tls_version; /* highest offered, chosen: 0x0303 = TLS 1.2; 0: not known */
    uint16_t cipher_suite;                    /* IANA number; 0: not known */
    struct moment unasked; /* TDS 8: the server's latest record between PRELOGIN and its answer, a session ticket */
    struct moment foreign_answer;             /* the first bytes that came in answer are neither TDS nor TLS */
    struct moment client_alert, server_alert; /* TLS alerts in clear, close_notify excepted */
    uint8_t client_alert_code, server_alert_code;
    struct tls_facts *tls;                    /* NULL unless a TLS record was seen */
    uint32_t tds_version_client, tds_version; /* as in LOGIN7 and LOGINACK: 0x74000004; 0: not known */
    enum login_authentication authentication;
    const char *client_host, *user, *domain, *application, *library, *server_name, *database;
    uint32_t server_version;   /* from the PRELOGIN answer: major << 24 | minor << 16 | build; 0: not known */
    uint8_t connection_id[16]; /* PRELOGIN TRACEID */
    bool has_connection_id;
    bool mars;
    struct moment smp_fin[2];   /* by enum side: the latest SMP FIN of each, of any session (MC-SMP 2.2.4) */
    struct smp_facts *smp;      /* NULL unless MARS was seen */
    uint32_t client_process_id; /* LOGIN7; 0: not known */
    uint32_t client_thread_id;  /* PRELOGIN; 0: not known */
    uint32_t client_version;    /* PRELOGIN: of the client's library, as server_version */
    uint8_t activity_id[16];    /* PRELOGIN TRACEID: of what the client is doing, and its count */
    uint32_t activity_sequence;
    bool has_activity_id;
    uint8_t fedauth_required, fedauth_required_answer; /* PRELOGIN; 0xff: not said */
    const char *instance;                              /* PRELOGIN INSTOPT: what the client believes it connects to */
    const char *language;                              /* LOGIN7 */
    uint8_t login_flags;                               /* enum login_flag */
    uint32_t features_asked, features_granted;         /* bits; see enum login_feature */
    const char *sts_url;                               /* FEDAUTHINFO: where the client is to fetch that token */
    const char *sts_spn;                               /* and for what */
    uint32_t packet_size;                              /* negotiated, else asked for; 0: not known */
    uint16_t spid;                                     /* of the server's latest packet that tells; 0: not known */
    const char *routed_to;                             /* ENVCHANGE: the server that the client is sent on to */
    uint16_t routed_to_port;
    struct moment routed;

    struct tds_error login_error;   /* number 0: none */
    struct tds_error_count *errors; /* room for TDS_ERROR_NUMBERS_MAX, or NULL as long as there is none */
    uint8_t error_kinds;
    uint32_t errors_beyond; /* ERROR tokens of further numbers */

    uint32_t messages[TDS_MESSAGES]; /* begun, counted by their first packet, as far as they are in clear */
    uint32_t encrypted_requests, encrypted_responses; /* turns of talk after the login, when it is encrypted */
    uint32_t tls_records;
    uint32_t attention_acknowledgements;
    uint32_t
        answer_stopped_ms; /* the first attention came in the midst of an answer, of which nothing had come for so long; 0: it did not */
    struct moment first_attention;
    struct moment attention_acknowledged; /* the first DONE with DONE_ATTN */

    struct moment last_request, last_response; /* begin of the last of each, encrypted ones too */
    bool request_unanswered;                   /* the last request has no byte of an answer */
    bool attention_amid_request; /* the first came when the request's last packet (EOM, MS-TDS 2.2.3.1.2) had not */
    bool client_unfinished;      /* the client's last message is longer, by what it says itself, than what came of it */
    bool server_unfinished;      /* likewise the server's */
    int64_t slowest_response_ns; /* from the end of a request to the first byte of its answer */
    struct moment slowest_request;
    int64_t slowest_end_ns; /* from the end of a request to the end of its answer */
    struct moment slowest_end_request;
    struct response_times first_bytes, ends; /* from the end of a request to its answer's first byte, and to its end */
    uint32_t requests, answered;             /* encrypted ones too */
    uint64_t rows;                           /* of result sets, as far as answers were walked */
    uint32_t unwalked;      /* answers in clear that were not walked to their end: missing bytes, or very many values */
    uint32_t errors_unread; /* answers that end with an error that could not be read */
    struct tds_request last_request_is, slowest_request_is;
    uint32_t malformed; /* packets whose TDS header makes no sense; the stream was picked up again */
};

/* So many percent of the times were shorter than what is returned: a power of two of milliseconds, or -1 when there are
 * none, or when the times are longer than the last bin tells. */
int64_t response_times_below_ns(const struct response_times *times, unsigned percent);

#endif
