/* What is known of one request for a Kerberos ticket (RFC 4120). Written by the protocol floor. */
#ifndef TDSCOPE_TICKET_FACTS_H
#define TDSCOPE_TICKET_FACTS_H

#include "exchange_facts.h"

enum { TICKET_REQUESTS_MAX = 50000 };

enum ticket_kind {
    TICKET_KIND_UNKNOWN, /* an error whose request is not in the capture */
    TICKET_GRANTING,     /* AS exchange (3.1) */
    TICKET_SERVICE,      /* TGS exchange (3.3) */
    TICKET_KINDS
};

/* Error codes that are part of a healthy exchange (7.5.9). */
enum { KERBEROS_PREAUTH_REQUIRED = 25, KERBEROS_RESPONSE_TOO_BIG = 52 };

/* Texts as in struct tds_facts. */
struct ticket_request {
    struct exchange_facts exchange;
    enum ticket_kind kind;
    const char *service; /* the SPN: "MSSQLSvc/sql1.example.com:1433" */
    const char *realm, *client_name;
    bool failed; /* the answer is KRB-ERROR */
    int32_t error_code;
    const char *error_text;
    bool retried_over_tcp; /* after KRB_ERR_RESPONSE_TOO_BIG the same client asked for the same over TCP */
};

#endif
