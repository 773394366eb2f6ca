/*
 * TLS records and the handshake messages in clear, resumable at any byte (RFC 5246, 6.2 and 7.4; RFC 8446, 5.1 and 4).
 *
 * A reader follows what one side sends. It knows nothing of TDS: it says by events what it meets, and each event has
 * the moment of its first byte.
 */
#ifndef TDSCOPE_TLS_H
#define TDSCOPE_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "moment.h"
#include "span.h"

enum tls_record_type { TLS_CHANGE_CIPHER_SPEC = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_APPLICATION_DATA = 23 };

enum tls_message_type {
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_NEW_SESSION_TICKET = 4,
    TLS_CERTIFICATE = 11,
    TLS_CLIENT_KEY_EXCHANGE = 16
};

enum { TLS_RECORD_HEADER = 5, TLS_ALERT_CLOSE_NOTIFY = 0 };

enum tls_event_kind {
    TLS_EVENT_RECORD,        /* type: of the record, length: of its body; ciphered: it cannot be read */
    TLS_EVENT_MESSAGE_BEGIN, /* a handshake message in clear; type, length: of its body */
    TLS_EVENT_MESSAGE, /* the body of a message that is kept (see tls.c), or of it what was captured: whole is false */
    TLS_EVENT_ALERT    /* in clear; type: its description, level: 1 or 2 (RFC 8446, 6) */
};

struct tls_event {
    enum tls_event_kind kind;
    uint8_t type, level;
    uint32_t length;
    struct span body; /* valid during the call */
    bool whole, ciphered;
    struct moment begin;
};

struct tls_sink {
    void (*event)(void *context, const struct tls_event *event);
    void *context;
};

struct tls_reader {
    uint8_t head[TLS_RECORD_HEADER];
    uint8_t head_have;
    uint8_t message_head[4];
    uint8_t message_have;
    uint8_t alert_level;
    bool ciphered;     /* ChangeCipherSpec was sent: what follows cannot be read */
    bool tls13;        /* ChangeCipherSpec means nothing */
    bool message_lost; /* the rest of this record cannot be told apart into messages */
    bool failed;       /* this is no TLS; nothing more is read */
    uint16_t left;     /* of the record's body */
    uint32_t records;  /* begun so far */
    uint16_t held_size, held_want;
    uint32_t message_left;
    uint8_t *held; /* of the message that is being kept; NULL: none */
    struct moment record_begin, message_begin;
};

/* Whether these first bytes (fewer than five will do) can be a record's header. */
bool tls_record_plausible(struct span bytes);

/* Reads at most to the end of the record that is under way and returns how many bytes it took: 0 when failed. */
size_t tls_reader_data(struct tls_reader *reader, struct span bytes, const struct moment *at,
                       const struct tls_sink *sink);

/* n bytes are missing. Returns how many of them belong to the record that is under way; the rest is beyond what is known. */
uint64_t tls_reader_gap(struct tls_reader *reader, uint64_t n, const struct tls_sink *sink);

/* TLS 1.3 was chosen: handshake records are in clear, before and behind a ChangeCipherSpec (RFC 8446, 5.1 and D.4). */
void tls_reader_is_tls13(struct tls_reader *reader);

/* At the end of a record, or before the first. */
static inline bool tls_reader_between(const struct tls_reader *reader)
{
    return reader->head_have == 0;
}

void tls_reader_lose(struct tls_reader *reader); /* forgets the record under way; the next byte begins a new one */
void tls_reader_close(struct tls_reader *reader);

#endif
