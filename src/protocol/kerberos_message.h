/* One Kerberos message (RFC 4120, 5.4 and 5.9), as far as it was captured. Spans point into it. */
#ifndef TDSCOPE_KERBEROS_MESSAGE_H
#define TDSCOPE_KERBEROS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

enum kerberos_type {
    KERBEROS_AS_REQ = 10,
    KERBEROS_AS_REP = 11,
    KERBEROS_TGS_REQ = 12,
    KERBEROS_TGS_REP = 13,
    KERBEROS_ERROR = 30
};

enum { KERBEROS_NAME_PARTS = 4 };

struct kerberos_name {
    uint8_t count; /* 0: absent, or not captured */
    struct span parts[KERBEROS_NAME_PARTS];
};

struct kerberos_message {
    enum kerberos_type type;
    struct kerberos_name client, service;
    struct span realm; /* the service's; of an answer without it the client's */
    int32_t error_code;
    struct span error_text;
};

/* Whether a message may begin with these bytes; one is enough. */
bool kerberos_plausible(struct span first_bytes);

/* False: none of the types above. */
bool kerberos_read(struct span bytes, struct kerberos_message *message);

#endif
