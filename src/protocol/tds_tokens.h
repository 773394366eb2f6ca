/*
 * The token stream of a server's message (MS-TDS 2.2.7), walked without being kept; resumable at any byte.
 *
 * Rows are measured value by value (tds_values.h). The walker stops where it cannot know what follows: at a token that
 * it does not know, behind bytes that are missing, and when a message has very many values. The rest of that message
 * is told by its last bytes: see token_walk_tail().
 */
#ifndef TDSCOPE_TDS_TOKENS_H
#define TDSCOPE_TDS_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"
#include "span.h"
#include "tds_values.h"

enum tds_token {
    TOKEN_OFFSET = 0x78,
    TOKEN_RETURNSTATUS = 0x79,
    TOKEN_COLMETADATA = 0x81,
    TOKEN_ALTMETADATA = 0x88,
    TOKEN_DATACLASSIFICATION = 0xa3,
    TOKEN_TABNAME = 0xa4,
    TOKEN_COLINFO = 0xa5,
    TOKEN_ORDER = 0xa9,
    TOKEN_ERROR = 0xaa,
    TOKEN_INFO = 0xab,
    TOKEN_RETURNVALUE = 0xac,
    TOKEN_LOGINACK = 0xad,
    TOKEN_FEATUREEXTACK = 0xae,
    TOKEN_ROW = 0xd1,
    TOKEN_NBCROW = 0xd2,
    TOKEN_ALTROW = 0xd3,
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

enum { DONE_BODY = 12, DONE_BODY_OLD = 8 };

struct token_event {
    uint8_t token;
    uint8_t feature;     /* FEATUREEXTACK: one event for each */
    struct span body;    /* behind the length field: as much of it as was captured and is kept; valid during the call */
    bool whole;          /* the token was captured to its end */
    struct moment begin; /* the packet with its first byte */
};

struct token_sink {
    void (*token)(void *context, const struct token_event *event);
    void *context;
    const struct token_dialect *dialect; /* may change with what an event tells */
};

struct token_walker {
    uint8_t token; /* under way; 0: none */
    uint8_t head[4];
    uint8_t head_have, head_want;
    uint8_t feature;
    bool in_features, untold;
    bool stopped;
    uint16_t held_size, held_want;
    uint32_t rows; /* of the message, as far as it was walked */
    uint32_t left; /* of the token's body */
    uint8_t *held; /* what a token that is told came in; NULL: none */
    struct moment begin;
    struct value_walker values;
};

void token_walker_begin(struct token_walker *walker); /* a message begins */

/* Returns what was not walked, because the walker stopped. */
struct span token_walker_data(struct token_walker *walker, struct span bytes, const struct moment *at,
                              const struct token_sink *sink);
void token_walker_gap(struct token_walker *walker, uint64_t n, const struct token_sink *sink);
void token_walker_end(struct token_walker *walker, const struct token_sink *sink); /* the message is over */

/* The last bytes of a message that was not walked to its end: walks the final DONE, and the tokens before it when there
 * is an ERROR among them. Tokens are looked for as a chain of lengths that leads to the end exactly. */
void token_walk_tail(struct span tail, const struct moment *at, const struct token_sink *sink);

/* Texts: UTF-16LE, or one byte a character in the messages of TDS 4.2 and 5.0. */

struct token_error {
    uint32_t number;
    uint8_t state, severity;
    struct span message;
    bool message_cut;              /* only the first part of it was captured */
    struct span server, procedure; /* empty: not told, or not captured */
    uint32_t line;                 /* 0: likewise */
};

/* wide: UTF-16LE. False: not even number, state and class were captured. */
bool token_read_error(struct span body, bool wide, struct token_error *error);
bool token_read_eed(struct span body, struct token_error *error);

enum { LOGINACK_REFUSED_OLD = 6 }; /* interface, in TDS 5.0: the login failed */

struct token_login_ack {
    uint8_t interface;
    uint32_t tds_version;    /* 0x74000004 */
    uint32_t server_version; /* major << 24 | minor << 16 | build; 0: not captured */
};
bool token_read_login_ack(struct span body, bool wide, struct token_login_ack *ack);

/* Its types (2.2.7.9) that are read; the value of all but ROUTING is a text. */
enum { ENVCHANGE_DATABASE = 1, ENVCHANGE_PACKET_SIZE = 4, ENVCHANGE_ROUTING = 20 };
/* The type, and the new value of those whose value is a text. */
bool token_read_envchange(struct span body, bool wide, uint8_t *type, struct span *value);

struct token_routing {
    uint16_t port;
    struct span server; /* UTF-16LE */
};
bool token_read_routing(struct span body, struct token_routing *routing);

/* FEDAUTHINFO (2.2.7.12): where the client is to fetch a token, and for what. UTF-16LE; empty: not told, or not captured. */
struct token_fedauthinfo {
    struct span sts_url, spn;
};
void token_read_fedauthinfo(struct span body, struct token_fedauthinfo *info);

enum { INFO_DATABASE_CHANGED = 5701 };
/* The number of an INFO; 0: not captured. */
uint32_t token_read_info_number(struct span body);

#endif
