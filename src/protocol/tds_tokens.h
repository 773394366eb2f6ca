/*
 * The token stream of a server's message (MS-TDS 2.2.7), walked without being kept; resumable at any byte.
 *
 * The walker knows how long the tokens of a login, of errors and of ends are. At the first token whose length takes
 * more than its header to know (COLMETADATA, rows) it stops: the rest of that message is told by its last bytes only.
 */
#ifndef TDSCOPE_TDS_TOKENS_H
#define TDSCOPE_TDS_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"
#include "span.h"

enum tds_token {
    TOKEN_OFFSET = 0x78,
    TOKEN_RETURNSTATUS = 0x79,
    TOKEN_COLMETADATA = 0x81,
    TOKEN_TABNAME = 0xa4,
    TOKEN_COLINFO = 0xa5,
    TOKEN_ORDER = 0xa9,
    TOKEN_ERROR = 0xaa,
    TOKEN_INFO = 0xab,
    TOKEN_LOGINACK = 0xad,
    TOKEN_FEATUREEXTACK = 0xae,
    TOKEN_CAPABILITY = 0xe2, /* TDS 5.0 */
    TOKEN_ENVCHANGE = 0xe3,
    TOKEN_SESSIONSTATE = 0xe4,
    TOKEN_EED = 0xe5, /* TDS 5.0: error or information */
    TOKEN_SSPI = 0xed,
    TOKEN_FEDAUTHINFO = 0xee,
    TOKEN_DONE = 0xfd,
    TOKEN_DONEPROC = 0xfe,
    TOKEN_DONEINPROC = 0xff
};

/* DONE's Status (2.2.7.6) */
enum { DONE_ERROR = 0x0002, DONE_ATTN = 0x0020, DONE_STATUS_BITS = 0x0137 };

enum { DONE_BODY = 12, DONE_BODY_OLD = 8, TOKEN_HELD_MAX = 4096 };

struct token_event {
    uint8_t token;
    struct span
        body; /* behind the token's length field; what was captured of it, at most TOKEN_HELD_MAX; valid during the call */
    bool whole;
    struct moment begin; /* the packet with its first byte */
};

struct token_sink {
    void (*token)(void *context, const struct token_event *event);
    void *context;
};

struct token_walker {
    uint8_t token; /* under way; 0: none */
    uint8_t head[4];
    uint8_t head_have, head_want;
    bool in_feature_data;
    bool stopped;
    bool old_done; /* DONE has a row count of four bytes: before TDS 7.2 */
    uint16_t held_size, held_want;
    uint32_t left; /* of the token's body */
    uint8_t *held; /* what a token that is told came in; NULL: none */
    struct moment begin;
};

void token_walker_begin(struct token_walker *walker); /* a message begins */
void token_walker_data(struct token_walker *walker, struct span bytes, const struct moment *at,
                       const struct token_sink *sink);
void token_walker_gap(struct token_walker *walker, uint64_t n, const struct token_sink *sink);
void token_walker_end(struct token_walker *walker, const struct token_sink *sink); /* the message is over */

/* Texts: UTF-16LE, or one byte a character in the messages of TDS 4.2 and 5.0. */

struct token_error {
    uint32_t number;
    uint8_t state, severity;
    struct span message;
    bool message_cut; /* only the first part of it was captured */
};

/* wide: UTF-16LE. False: not even number, state and class were captured. */
bool token_read_error(struct span body, bool wide, struct token_error *error);
bool token_read_eed(struct span body, struct token_error *error);

enum { LOGINACK_REFUSED_OLD = 6 }; /* interface, in TDS 5.0: the login failed */

struct token_login_ack {
    uint8_t interface;
    uint32_t tds_version;    /* 0x74000004 */
    uint32_t server_version; /* major << 24 | minor << 16 | build; 0: not captured */
    struct span product;     /* empty: not captured */
};
bool token_read_login_ack(struct span body, bool wide, struct token_login_ack *ack);

enum { ENVCHANGE_DATABASE = 1 };
/* The type and the new value of those whose value is a text. */
bool token_read_envchange(struct span body, bool wide, uint8_t *type, struct span *value);

#endif
