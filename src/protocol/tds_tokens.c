/* Token streams (MS-TDS 2.2.7; for TDS 4.2, MS-SSTDS 2.2.7). */
#include "tds_tokens.h"

#include <string.h>

#include "cursor.h"
#include "memory.h"

enum token_length {
    LENGTH_UNKNOWN,
    LENGTH_FIXED_4,
    LENGTH_U16,
    LENGTH_U32,
    LENGTH_DONE,
    LENGTH_FEATURES,
    LENGTH_VALUES
};

struct token_law {
    uint8_t length; /* enum token_length */
    bool told;      /* to the sink */
    uint16_t kept;  /* so much of its body, at most */
};

enum { KEPT_MAX = 4096, KEPT_SSPI = 1024, KEPT_FEDAUTHINFO = 1024, KEPT_NUMBER = 4, KEPT_FEATURE = 4 };

static const struct token_law laws[256] = {
    [TOKEN_OFFSET] = {LENGTH_FIXED_4, false, 0},
    [TOKEN_RETURNSTATUS] = {LENGTH_FIXED_4, false, 0},
    [TOKEN_COLMETADATA] = {LENGTH_VALUES, false, 0},
    [TOKEN_ALTMETADATA] = {LENGTH_VALUES, false, 0},
    [TOKEN_DATACLASSIFICATION] = {LENGTH_VALUES, false, 0},
    [TOKEN_TABNAME] = {LENGTH_U16, false, 0},
    [TOKEN_COLINFO] = {LENGTH_U16, false, 0},
    [TOKEN_ORDER] = {LENGTH_U16, false, 0},
    [TOKEN_ERROR] = {LENGTH_U16, true, KEPT_MAX},
    [TOKEN_INFO] = {LENGTH_U16, true, KEPT_NUMBER},
    [TOKEN_RETURNVALUE] = {LENGTH_VALUES, false, 0},
    [TOKEN_LOGINACK] = {LENGTH_U16, true, KEPT_MAX},
    [TOKEN_FEATUREEXTACK] = {LENGTH_FEATURES, true, KEPT_FEATURE},
    [TOKEN_ROW] = {LENGTH_VALUES, false, 0},
    [TOKEN_NBCROW] = {LENGTH_VALUES, false, 0},
    [TOKEN_ALTROW] = {LENGTH_VALUES, false, 0},
    [TOKEN_CAPABILITY] = {LENGTH_U16, false, 0},
    [TOKEN_ENVCHANGE] = {LENGTH_U16, true, KEPT_MAX},
    [TOKEN_SESSIONSTATE] = {LENGTH_U32, false, 0},
    [TOKEN_EED] = {LENGTH_U16, true, KEPT_MAX},
    [TOKEN_SSPI] = {LENGTH_U16, true, KEPT_SSPI},
    [TOKEN_FEDAUTHINFO] = {LENGTH_U32, true, KEPT_FEDAUTHINFO},
    [TOKEN_DONE] = {LENGTH_DONE, true, KEPT_MAX},
    [TOKEN_DONEPROC] = {LENGTH_DONE, true, KEPT_MAX},
    [TOKEN_DONEINPROC] = {LENGTH_DONE, true, KEPT_MAX},
};

static void drop_held(struct token_walker *w)
{
    if (w->held)
        memory_give(w->held);
    w->held = NULL;
    w->held_size = w->held_want = 0;
}

static void tell(struct token_walker *w, struct span body, bool whole, const struct token_sink *sink)
{
    struct token_event event = {
        .token = w->token, .feature = w->feature, .body = body, .whole = whole, .begin = w->begin};
    w->untold = false;
    sink->token(sink->context, &event);
}

static void end_token(struct token_walker *w)
{
    drop_held(w);
    w->token = 0;
    w->feature = 0;
    w->in_features = w->untold = false;
}

/* A body is over: the token, too, unless it is one feature of many. */
static void end_body(struct token_walker *w)
{
    if (w->in_features)
        drop_held(w);
    else
        end_token(w);
}

static void stop(struct token_walker *w)
{
    end_token(w);
    value_walker_reset(&w->values);
    w->stopped = true;
}

void token_walker_begin(struct token_walker *w)
{
    end_token(w);
    value_walker_reset(&w->values);
    w->stopped = false;
    w->rows = 0;
}

/* The length is known: opens the body. */
static void open_body(struct token_walker *w, uint32_t size, const struct token_sink *sink)
{
    const struct token_law *law = &laws[w->token];
    w->left = size;
    w->untold = law->told;
    w->held_want = (uint16_t)(size < law->kept ? size : law->kept);
    if (size > 0)
        return;
    if (law->told)
        tell(w, (struct span){0}, true, sink);
    end_body(w);
}

static void values_follow(struct token_walker *w, enum values_outcome outcome)
{
    if (outcome == VALUES_LOST) {
        stop(w);
    } else if (outcome == VALUES_DONE) {
        w->rows += w->token == TOKEN_ROW || w->token == TOKEN_NBCROW;
        end_token(w);
    }
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
        open_body(w, sink->dialect->before_72 ? DONE_BODY_OLD : DONE_BODY, sink);
        break;
    case LENGTH_U16:
        w->head_want = 2;
        break;
    case LENGTH_U32:
        w->head_want = 4;
        break;
    case LENGTH_FEATURES:
        w->in_features = true;
        break;
    case LENGTH_VALUES:
        values_follow(w, value_walker_begin(&w->values, token, sink->dialect));
        break;
    }
}

enum { FEATURE_TERMINATOR = 0xff };

/* FEATUREEXTACK has no length of its own: a list of identifier, length and data up to a terminator. */
static void feature_byte(struct token_walker *w, uint8_t byte)
{
    if (byte == FEATURE_TERMINATOR) {
        end_token(w);
        return;
    }
    w->feature = byte;
    w->head_want = 4;
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
    bool all_here = w->untold && w->held_size == 0 && part.size == w->left;
    if (!all_here)
        keep(w, part);
    w->left -= (uint32_t)part.size;
    if (w->left > 0)
        return;
    if (w->untold)
        tell(w, all_here ? span_part(part, 0, w->held_want) : (struct span){w->held, w->held_size}, true, sink);
    end_body(w);
}

struct span token_walker_data(struct token_walker *w, struct span bytes, const struct moment *at,
                              const struct token_sink *sink)
{
    while (bytes.size > 0 && !w->stopped) {
        if (w->token != 0 && laws[w->token].length == LENGTH_VALUES) {
            values_follow(w, value_walker_data(&w->values, &bytes, sink->dialect));
            continue;
        }
        if (w->token != 0 && w->left > 0) {
            struct span part = span_part(bytes, 0, w->left);
            bytes = span_from(bytes, part.size);
            body_bytes(w, part, sink);
            continue;
        }
        if (w->token == 0) {
            w->rows += value_walker_rows(&w->values, &bytes, &w->token);
            if (w->token != 0)
                continue;
            if (bytes.size == 0)
                break;
        }
        uint8_t byte = bytes.data[0];
        bytes = span_from(bytes, 1);
        if (w->token == 0)
            begin_token(w, byte, at, sink);
        else if (w->in_features && w->head_want == 0)
            feature_byte(w, byte);
        else
            length_byte(w, byte, sink);
    }
    return bytes;
}

/* Tells what was captured of the token under way; its length is still counted. */
static void tell_cut(struct token_walker *w, const struct token_sink *sink)
{
    if (w->untold)
        tell(w, (struct span){w->held, w->held_size}, false, sink);
    drop_held(w);
}

void token_walker_gap(struct token_walker *w, uint64_t n, const struct token_sink *sink)
{
    if (w->stopped || n == 0)
        return;
    if (w->token != 0 && laws[w->token].length == LENGTH_VALUES) {
        values_follow(w, value_walker_gap(&w->values, n));
        return;
    }
    tell_cut(w, sink);
    if (n > w->left) {
        stop(w);
        return;
    }
    w->left -= (uint32_t)n;
    if (w->left == 0)
        end_body(w);
}

void token_walker_end(struct token_walker *w, const struct token_sink *sink)
{
    tell_cut(w, sink);
    end_token(w);
    value_walker_reset(&w->values);
}

/* Whether a chain of tokens leads from the front of the tail to its end, and ends with a DONE. */
static bool chain_fits(struct span tail, bool before_72)
{
    struct cursor c = cursor_over(tail);
    uint8_t token = 0;
    while (c.left > 0 && !c.failed) {
        token = cursor_u8(&c);
        switch ((enum token_length)laws[token].length) {
        case LENGTH_FIXED_4:
            cursor_skip(&c, 4);
            break;
        case LENGTH_U16:
            cursor_skip(&c, cursor_u16le(&c));
            break;
        case LENGTH_DONE:
            if (cursor_u16le(&c) & ~(unsigned)DONE_STATUS_BITS)
                return false;
            cursor_skip(&c, (before_72 ? DONE_BODY_OLD : DONE_BODY) - 2);
            break;
        default:
            return false;
        }
    }
    return !c.failed && token >= TOKEN_DONE;
}

void token_walk_tail(struct span tail, const struct moment *at, const struct token_sink *sink)
{
    bool before_72 = sink->dialect->before_72;
    size_t done_size = 1 + (size_t)(before_72 ? DONE_BODY_OLD : DONE_BODY);
    if (tail.size < done_size)
        return;
    size_t done = tail.size - done_size;
    if (!chain_fits(span_from(tail, done), before_72))
        return;
    size_t first = done;
    bool failed = tail.data[done + 1] & DONE_ERROR;
    for (size_t i = 0; failed && i < done && first == done; i++)
        if (tail.data[i] == TOKEN_ERROR && chain_fits(span_from(tail, i), before_72))
            first = i;
    struct token_walker walker = {0};
    token_walker_begin(&walker);
    token_walker_data(&walker, span_from(tail, first), at, sink);
    token_walker_end(&walker, sink);
}

/* A text behind a count of characters; what is cut off of it is left out. */
static struct span take_text(struct cursor *c, size_t characters, bool wide, bool *cut)
{
    size_t size = wide ? characters * 2 : characters;
    *cut = size > c->left;
    return cursor_take(c, *cut ? c->left : size);
}

/* What follows the message: names behind a count of one byte, and a line of four bytes (two before TDS 7.2). */
static void read_where(struct cursor *c, bool wide, struct token_error *error)
{
    bool cut = false;
    struct span server = take_text(c, cursor_u8(c), wide, &cut);
    if (c->failed || cut)
        return;
    error->server = server;
    struct span procedure = take_text(c, cursor_u8(c), wide, &cut);
    if (c->failed || cut)
        return;
    error->procedure = procedure;
    error->line = c->left >= 4 ? cursor_u32le(c) : cursor_u16le(c);
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
    if (!c.failed && !error->message_cut)
        read_where(&c, wide, error);
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
    if (!c.failed && !error->message_cut)
        read_where(&c, false, error);
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
    take_text(&c, characters, wide, &cut); /* the product */
    if (cut)
        return true;
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

bool token_read_routing(struct span body, struct token_routing *routing)
{
    enum { PROTOCOL_TCP = 0 };
    struct cursor c = cursor_over(body);
    *routing = (struct token_routing){0};
    cursor_skip(&c, 1); /* type */
    struct cursor value = cursor_sub(&c, cursor_u16le(&c));
    uint8_t protocol = cursor_u8(&value);
    routing->port = cursor_u16le(&value);
    uint16_t characters = cursor_u16le(&value);
    routing->server = cursor_take(&value, (size_t)characters * 2);
    return !value.failed && protocol == PROTOCOL_TCP;
}

/* Offsets count from the token's body on. */
void token_read_fedauthinfo(struct span body, struct token_fedauthinfo *info)
{
    enum { ID_STSURL = 1, ID_SPN = 2, OPTIONS_MAX = 16 };
    *info = (struct token_fedauthinfo){0};
    struct cursor c = cursor_over(body);
    uint32_t options = cursor_u32le(&c);
    for (uint32_t i = 0; i < options && i < OPTIONS_MAX && !c.failed; i++) {
        uint8_t id = cursor_u8(&c);
        uint32_t size = cursor_u32le(&c), offset = cursor_u32le(&c);
        struct span value = span_part(body, offset, size);
        if (c.failed || value.size != size)
            continue;
        if (id == ID_STSURL)
            info->sts_url = value;
        else if (id == ID_SPN)
            info->spn = value;
    }
}

uint32_t token_read_info_number(struct span body)
{
    struct cursor c = cursor_over(body);
    return cursor_u32le(&c);
}
