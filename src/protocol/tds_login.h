/* The messages of a login, as bytes: PRELOGIN, LOGIN7, the older LOGIN, and SSPI tokens. Nothing is copied. */
#ifndef TDSCOPE_TDS_LOGIN_H
#define TDSCOPE_TDS_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"
#include "tds_facts.h"

enum { PRELOGIN_UNKNOWN = 0xff };

/* B_FENCRYPTION (MS-TDS 2.2.6.5), without the bit for client certificates. */
enum { ENCRYPT_OFF = 0, ENCRYPT_ON = 1, ENCRYPT_NOT_SUP = 2, ENCRYPT_REQ = 3, ENCRYPT_VALUES_MASK = 0x7f };

struct prelogin {
    uint32_t version;                           /* of the speaker: major << 24 | minor << 16 | build; 0: not told */
    uint8_t encryption, mars;                   /* PRELOGIN_UNKNOWN: not told */
    uint8_t fedauth_required;                   /* FEDAUTHREQUIRED; PRELOGIN_UNKNOWN: not told */
    uint8_t connection_id[16], activity_id[16]; /* TRACEID */
    bool has_connection_id, has_activity_id;
    uint32_t activity_sequence;
    uint32_t thread_id;   /* 0: not told */
    struct span instance; /* one byte a character; empty: not told */
};

/* body: what was captured of the message; size: its length on the wire, 0 when that is not known. False: no PRELOGIN,
 * because the option table makes no sense. A table that is cut off is believed as far as it goes. */
bool prelogin_read(struct span body, uint32_t size, struct prelogin *prelogin);

/* Texts are UTF-16LE in body, empty when not there or cut off. There is no member for passwords: they are not
 * read, and a text that overlaps one, or the SSPI token, is taken for not there. */
struct login7 {
    uint32_t length; /* of the message, as it says itself */
    uint32_t tds_version, packet_size, process_id;
    uint8_t flags;     /* enum login_flag */
    uint32_t features; /* of FeatureExt; see enum login_feature */
    struct span host, user, application, server, library, language, database, sspi;
};

enum { LOGIN7_FIXED = 94, LOGIN7_FIXED_OLD = 86 };

/* False: the fixed part is no LOGIN7 (or less than its first 36 bytes was captured). */
bool login7_read(struct span body, struct login7 *login);

/* LOGIN of TDS 4.2 and 5.0 (MS-SSTDS 2.2.6.3): texts of one byte a character. */
struct old_login {
    uint32_t tds_version; /* 0x04020000, 0x05000000 */
    struct span host, user, application, server, library;
};
bool old_login_read(struct span body, struct old_login *login);

/* Who logs in, of NTLM's AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3); empty when not there or cut off. What proves it, its
 * responses and key, is not read, and no text that overlaps it. */
struct ntlm_names {
    struct span domain, user, workstation;
    bool wide; /* UTF-16LE, else one byte a character */
};
/* The message may stand inside SPNEGO. False: there is none. */
bool ntlm_authenticate_read(struct span token, struct ntlm_names *names);

/* LOGIN_NTLM, LOGIN_KERBEROS, or LOGIN_SSPI when the token does not tell. */
enum login_authentication sspi_mechanism(struct span token);

#endif
