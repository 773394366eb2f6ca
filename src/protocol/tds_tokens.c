/* Token streams (MS-TDS 2.2.7; for TDS 4.2, MS-SSTDS 2.2.7). */
#include "tds_tokens.h"

#include <string.h>

#include "cursor.h"
#include "memory.h"

enum token_length { LENGTH_UNKNOWN, LENGTH_FIXED_4, LENGTH_U16, LENGTH_U32, LENGTH_DONE, LENGTH_FEATURES };

struct token_law {
    uint8_t length; /* enum token_length */
    bool told;      /* to the sink, with its body */
};

static const struct token_law laws[256] = {
    [TOKEN_OFFSET] = {LENGTH_FIXED_4, false},
    [TOKEN_RETURNSTATUS] = {LENGTH_FIXED_4, false},
    [TOKEN_TABNAME] = {LENGTH_U16, false},
    [TOKEN_COLINFO] = {LENGTH_U16, false},
    [TOKEN_ORDER] = {LENGTH_U16, false},
    [TOKEN_ERROR] = {LENGTH_U16, true},
    [TOKEN_INFO] = {LENGTH_U16, false},
    [TOKEN_LOGINACK] = {LENGTH_U16, true},
    [TOKEN_FEATUREEXTACK] = {LENGTH_FEATURES, false},
    [TOKEN_CAPABILITY] = {LENGTH_U16, false},
    [TOKEN_ENVCHANGE] = {LENGTH_U16, true},
    [TOKEN_SESSIONSTATE] = {LENGTH_U32, false},
    [TOKEN_EED] = {LENGTH_U16, true},
    [TOKEN_SSPI] = {LENGTH_U16, true},
    [TOKEN_FEDAUTHINFO] = {LENGTH_U32, true},
    [TOKEN_DONE] = {LENGTH_DONE, true},
    [TOKEN_DONEPROC] = {LENGTH_DONE, true},
    [TOKEN_DONEINPROC] = {LENGTH_DONE, true},
};

static void drop_held(struct token_walker *w)
{
    memory_give(w->held);
    w->held = NULL;
    w->held_size = w->held_want = 0;
}

static void tell(struct token_walker *w, struct span body, bool whole, const struct token_sink *sink)
{
    struct token_event event = {.token = w->token, .body = body, .whole = whole, .begin = w->begin};
    sink->token(sink->context, &event);
}

static void end_token(struct token_walker *w)
{
    drop_held(w);
    w->token = 0;
    w->in_feature_data = false;
}

static void stop(struct token_walker *w)
{
    end_token(w);
    w->stopped = true;
}

void token_walker_begin(struct token_walker *w)
{
    end_token(w);
    w->stopped = false;
}

/* The length is known: opens the body. */
static void open_body(struct token_walker *w, uint32_t size, const struct token_sink *sink)
{
    w->left = size;
    if (laws[w->token].told)
        w->held_want = (uint16_t)(size < TOKEN_HELD_MAX ? size : TOKEN_HELD_MAX);
    if (size > 0)
        return;
    if (laws[w->token].told)
        tell(w, (struct span){0}, true, sink);
    end_token(w);
}

static void begin_token(struct token_walker *w, uint8_t token, const struct moment *at, const struct token_sink *sink)
{
    w->token = token;
    w->begin = *at;
    w->head_have = 0;
    w->head_want = 0;
    w->left = 0;
    switch ((enum token_length)laws[token].length) {
    case LENGTH_UNKNOWN:
        stop(w);
        break;
    case LENGTH_FIXED_4:
        open_body(w, 4, sink);
        break;
    case LENGTH_DONE:
        open_body(w, w->old_done ? DONE_BODY_OLD : DONE_BODY, sink);
        break;
    case LENGTH_U16:
        w->head_want = 2;
        break;
    case LENGTH_U32:
        w->head_want = 4;
        break;
    case LENGTH_FEATURES:
        break;
    }
}

enum { FEATURE_TERMINATOR = 0xff };

/* FEATUREEXTACK has no length of its own: a list of identifier, length and data up to a terminator. */
static void feature_byte(struct token_walker *w, uint8_t byte)
{
    if (w->head_want == 0) {
        if (byte == FEATURE_TERMINATOR)
            end_token(w);
        else
            w->head_want = 4;
        return;
    }
    w->head[w->head_have++] = byte;
    if (w->head_have < w->head_want)
        return;
    struct cursor c = cursor_over((struct span){w->head, sizeof w->head});
    w->left = cursor_u32le(&c);
    w->head_have = w->head_want = 0;
    w->in_feature_data = w->left > 0;
}

static void length_byte(struct token_walker *w, uint8_t byte, const struct token_sink *sink)
{
    w->head[w->head_have++] = byte;
    if (w->head_have < w->head_want)
        return;
    struct cursor c = cursor_over((struct span){w->head, w->head_want});
    uint32_t size = w->head_want == 2 ? cursor_u16le(&c) : cursor_u32le(&c);
    w->head_have = w->head_want = 0;
    open_body(w, size, sink);
}

static void keep(struct token_walker *w, struct span part)
{
    part = span_part(part, 0, (size_t)(w->held_want - w->held_size));
    if (part.size == 0)
        return;
    if (!w->held)
        w->held = memory_take(w->held_want);
    memcpy(w->held + w->held_size, part.data, part.size);
    w->held_size = (uint16_t)(w->held_size + part.size);
}

static void body_bytes(struct token_walker *w, struct span part, const struct token_sink *sink)
{
    bool all_here = w->held_size == 0 && part.size == w->left && part.size == w->held_want;
    if (w->held_want && !all_here)
        keep(w, part);
    w->left -= (uint32_t)part.size;
    if (w->left > 0)
        return;
    if (w->in_feature_data) {
        w->in_feature_data = false;
        return;
    }
    if (w->held_want)
        tell(w, all_here ? part : (struct span){w->held, w->held_size}, true, sink);
    end_token(w);
}

void token_walker_data(struct token_walker *w, struct span bytes, const struct moment *at,
                       const struct token_sink *sink)
{
    while (bytes.size > 0 && !w->stopped) {
        if (w->token != 0 && w->left > 0) {
            struct span part = span_part(bytes, 0, w->left);
            bytes = span_from(bytes, part.size);
            body_bytes(w, part, sink);
            continue;
        }
        uint8_t byte = bytes.data[0];
        bytes = span_from(bytes, 1);
        if (w->token == 0)
            begin_token(w, byte, at, sink);
        else if (laws[w->token].length == LENGTH_FEATURES)
            feature_byte(w, byte);
        else
            length_byte(w, byte, sink);
    }
}

/* Tells what was captured of the token under way; its length is still counted. */
static void tell_cut(struct token_walker *w, const struct token_sink *sink)
{
    if (w->token == 0 || w->held_want == 0)
        return;
    tell(w, (struct span){w->held, w->held_size}, false, sink);
    drop_held(w);
}

void token_walker_gap(struct token_walker *w, uint64_t n, const struct token_sink *sink)
{
    if (w->stopped || n == 0)
        return;
    if (w->token != 0 && w->left > 0 && n <= w->left) {
        if (!w->in_feature_data)
            tell_cut(w, sink);
        w->left -= (uint32_t)n;
        if (w->left == 0 && w->in_feature_data)
            w->in_feature_data = false;
        else if (w->left == 0)
            end_token(w);
        return;
    }
    tell_cut(w, sink);
    stop(w);
}

void token_walker_end(struct token_walker *w, const struct token_sink *sink)
{
    tell_cut(w, sink);
    end_token(w);
}

/* A text behind a count of characters; what is cut off of it is left out. */
static struct span take_text(struct cursor *c, size_t characters, bool wide, bool *cut)
{
    size_t size = wide ? characters * 2 : characters;
    *cut = size > c->left;
    return cursor_take(c, *cut ? c->left : size);
}

bool token_read_error(struct span body, bool wide, struct token_error *error)
{
    struct cursor c = cursor_over(body);
    *error = (struct token_error){0};
    error->number = cursor_u32le(&c);
    error->state = cursor_u8(&c);
    error->severity = cursor_u8(&c);
    if (c.failed)
        return false;
    uint16_t characters = cursor_u16le(&c);
    if (!c.failed)
        error->message = take_text(&c, characters, wide, &error->message_cut);
    return true;
}

bool token_read_eed(struct span body, struct token_error *error)
{
    struct cursor c = cursor_over(body);
    *error = (struct token_error){0};
    error->number = cursor_u32le(&c);
    error->state = cursor_u8(&c);
    error->severity = cursor_u8(&c);
    if (c.failed)
        return false;
    cursor_skip(&c, cursor_u8(&c)); /* SQL state */
    cursor_skip(&c, 1 + 2);         /* status, transaction state */
    uint16_t characters = cursor_u16le(&c);
    if (!c.failed)
        error->message = take_text(&c, characters, false, &error->message_cut);
    return true;
}

bool token_read_login_ack(struct span body, bool wide, struct token_login_ack *ack)
{
    struct cursor c = cursor_over(body);
    *ack = (struct token_login_ack){0};
    ack->interface = cursor_u8(&c);
    ack->tds_version = cursor_u32be(&c);
    if (c.failed)
        return false;
    uint8_t characters = cursor_u8(&c);
    bool cut = c.failed;
    struct span product = take_text(&c, characters, wide, &cut);
    if (cut)
        return true;
    ack->product = product;
    ack->server_version = cursor_u32be(&c);
    return true;
}

bool token_read_envchange(struct span body, bool wide, uint8_t *type, struct span *value)
{
    struct cursor c = cursor_over(body);
    *type = cursor_u8(&c);
    uint8_t characters = cursor_u8(&c);
    bool cut = c.failed;
    *value = take_text(&c, characters, wide, &cut);
    return !c.failed && !cut;
}
