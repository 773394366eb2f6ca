/* Column descriptions (MS-TDS 2.2.7.4, 2.2.7.1, 2.2.7.19, 2.2.7.5) and types (2.2.5.4 to 2.2.5.6). */
#include "tds_columns.h"

#include "memory.h"
#include "tds_tokens.h"

/* What stands behind a type's byte. */
enum info {
    INFO_UNKNOWN,
    INFO_NONE,
    INFO_1,         /* length or scale */
    INFO_3,         /* length, precision, scale; of VECTOR: length, type of its elements */
    INFO_SIZE,      /* USHORTMAXLEN: 0xffff makes the values come in parts */
    INFO_CHARACTER, /* the same, and a collation */
    INFO_4,
    INFO_IMAGE, /* four bytes of length, the table's name */
    INFO_TEXT,  /* the same, and a collation between them */
    INFO_XML,
    INFO_UDT
};

struct type_law {
    uint8_t info, kind;
};

static const struct type_law types[256] = {
    [0x1f] = {INFO_NONE, 0},                /* NULL */
    [0x22] = {INFO_IMAGE, KIND_TEXT},       /* IMAGE */
    [0x23] = {INFO_TEXT, KIND_TEXT},        /* TEXT */
    [0x24] = {INFO_1, KIND_SIZE_1},         /* GUID */
    [0x25] = {INFO_1, KIND_SIZE_1},         /* VARBINARY of old */
    [0x26] = {INFO_1, KIND_SIZE_1},         /* INTN */
    [0x27] = {INFO_1, KIND_SIZE_1},         /* VARCHAR of old */
    [0x28] = {INFO_NONE, KIND_SIZE_1},      /* DATEN */
    [0x29] = {INFO_1, KIND_SIZE_1},         /* TIMEN */
    [0x2a] = {INFO_1, KIND_SIZE_1},         /* DATETIME2N */
    [0x2b] = {INFO_1, KIND_SIZE_1},         /* DATETIMEOFFSETN */
    [0x2d] = {INFO_1, KIND_SIZE_1},         /* BINARY of old */
    [0x2f] = {INFO_1, KIND_SIZE_1},         /* CHAR of old */
    [0x30] = {INFO_NONE, 1},                /* INT1 */
    [0x32] = {INFO_NONE, 1},                /* BIT */
    [0x34] = {INFO_NONE, 2},                /* INT2 */
    [0x37] = {INFO_3, KIND_SIZE_1},         /* DECIMAL of old */
    [0x38] = {INFO_NONE, 4},                /* INT4 */
    [0x3a] = {INFO_NONE, 4},                /* DATETIM4 */
    [0x3b] = {INFO_NONE, 4},                /* FLT4 */
    [0x3c] = {INFO_NONE, 8},                /* MONEY */
    [0x3d] = {INFO_NONE, 8},                /* DATETIME */
    [0x3e] = {INFO_NONE, 8},                /* FLT8 */
    [0x3f] = {INFO_3, KIND_SIZE_1},         /* NUMERIC of old */
    [0x62] = {INFO_4, KIND_SIZE_4},         /* SSVARIANT */
    [0x63] = {INFO_TEXT, KIND_TEXT},        /* NTEXT */
    [0x68] = {INFO_1, KIND_SIZE_1},         /* BITN */
    [0x6a] = {INFO_3, KIND_SIZE_1},         /* DECIMALN */
    [0x6c] = {INFO_3, KIND_SIZE_1},         /* NUMERICN */
    [0x6d] = {INFO_1, KIND_SIZE_1},         /* FLTN */
    [0x6e] = {INFO_1, KIND_SIZE_1},         /* MONEYN */
    [0x6f] = {INFO_1, KIND_SIZE_1},         /* DATETIMN */
    [0x7a] = {INFO_NONE, 4},                /* MONEY4 */
    [0x7f] = {INFO_NONE, 8},                /* INT8 */
    [0xa5] = {INFO_SIZE, KIND_SIZE_2},      /* BIGVARBINARY */
    [0xa7] = {INFO_CHARACTER, KIND_SIZE_2}, /* BIGVARCHAR */
    [0xad] = {INFO_SIZE, KIND_SIZE_2},      /* BIGBINARY */
    [0xaf] = {INFO_CHARACTER, KIND_SIZE_2}, /* BIGCHAR */
    [0xe7] = {INFO_CHARACTER, KIND_SIZE_2}, /* NVARCHAR */
    [0xef] = {INFO_CHARACTER, KIND_SIZE_2}, /* NCHAR */
    [0xf0] = {INFO_UDT, KIND_PARTS},        /* UDT */
    [0xf1] = {INFO_XML, KIND_PARTS},        /* XML */
    [0xf4] = {INFO_NONE, KIND_PARTS},       /* JSON */
    [0xf5] = {INFO_3, KIND_SIZE_2},         /* VECTOR */
};

enum { COLLATION_SIZE = 5, SIZE_MAX_IN_PARTS = 0xffff, NO_COLUMNS = 0xffff };
enum { FLAGS_AND_TYPE = 3, FLAG_ENCRYPTED = 0x08 }; /* of the second byte of Flags */
enum { KEY_FIXED = 20, RANK_SIZE = 4 };

/* Texts that are skipped: their count of characters has one byte or two, or it is two bytes and counts bytes. */
enum { TEXT_1 = 1, TEXT_2 = 2, TEXT_BYTES = 3, TEXT_MASK = 3, TEXT_BITS = 2 };
enum {
    TEXTS_LABEL = TEXT_1 | TEXT_1 << TEXT_BITS,
    TEXTS_XML = TEXT_1 | TEXT_1 << TEXT_BITS | TEXT_2 << 2 * TEXT_BITS,
    TEXTS_UDT = TEXT_1 | TEXT_1 << TEXT_BITS | TEXT_1 << 2 * TEXT_BITS | TEXT_2 << 3 * TEXT_BITS,
    TEXTS_KEY = TEXT_BYTES | TEXT_1 << TEXT_BITS | TEXT_2 << 2 * TEXT_BITS | TEXT_1 << 3 * TEXT_BITS
};

static void skip_texts(struct value_walker *w, unsigned texts, enum value_state after)
{
    w->texts = (uint16_t)texts;
    w->after_texts = (uint8_t)after;
    value_walker_go(w, STATE_TEXTS, 0, 0);
}

static void set_columns(struct value_walker *w, uint16_t count)
{
    if (count > COLUMNS_MAX) {
        value_walker_go(w, STATE_LOST, 0, 0);
        return;
    }
    memory_give(w->set->kinds);
    w->set->count = count;
    w->set->kinds = memory_take(count + bitmap_size(w->set) + 1);
    w->column = 0;
}

static unsigned user_type_size(const struct token_dialect *d)
{
    return d->before_72 ? 2 : 4;
}

static void begin_column(struct value_walker *w, const struct token_dialect *d)
{
    if (w->column == w->set->count) {
        value_walker_go(w, STATE_DONE, 0, 0);
        return;
    }
    unsigned operator_size = w->token == TOKEN_ALTMETADATA ? 3 : 0;
    value_walker_go(w, STATE_COLUMN, operator_size + user_type_size(d), FLAGS_AND_TYPE);
}

static void begin_type(struct value_walker *w, uint8_t type, const struct token_dialect *d)
{
    unsigned collation = d->before_71 ? 0 : COLLATION_SIZE;
    w->type = type;
    w->kind = types[type].kind;
    w->has_table = false;
    switch ((enum info)types[type].info) {
    case INFO_UNKNOWN:
        value_walker_go(w, STATE_LOST, 0, 0);
        break;
    case INFO_NONE:
        value_walker_go(w, STATE_TYPE_END, 0, 0);
        break;
    case INFO_1:
        value_walker_go(w, STATE_TYPE_END, 1, 0);
        break;
    case INFO_3:
        value_walker_go(w, STATE_TYPE_END, 3, 0);
        break;
    case INFO_4:
        value_walker_go(w, STATE_TYPE_END, 4, 0);
        break;
    case INFO_SIZE:
    case INFO_CHARACTER:
        value_walker_go(w, STATE_TYPE_SIZE, 0, 2);
        break;
    case INFO_IMAGE:
    case INFO_TEXT:
        w->has_table = !w->in_plain_type && w->token != TOKEN_RETURNVALUE;
        value_walker_go(w, STATE_TYPE_END, 4 + (types[type].info == INFO_TEXT ? collation : 0), 0);
        break;
    case INFO_XML:
        value_walker_go(w, STATE_XML, 0, 1);
        break;
    case INFO_UDT:
        skip_texts(w, TEXTS_UDT, STATE_TYPE_END);
        w->skip = 2; /* MAX_BYTE_SIZE */
        break;
    }
}

static void type_size(struct value_walker *w, const struct token_dialect *d)
{
    bool variable = w->type == 0xa5 || w->type == 0xa7 || w->type == 0xe7;
    if (variable && head_u16(w) == SIZE_MAX_IN_PARTS)
        w->kind = KIND_PARTS;
    bool collation = types[w->type].info == INFO_CHARACTER && !d->before_71;
    value_walker_go(w, STATE_TYPE_END, collation ? COLLATION_SIZE : 0, 0);
}

/* A type is described: what may follow it is the table's name, what encryption hides, and the column's name. */
static void type_end(struct value_walker *w, const struct token_dialect *d)
{
    if (w->in_plain_type) {
        w->in_plain_type = false;
        w->kind = w->plain_kind;
        value_walker_go(w, STATE_ALGORITHM, 0, 1);
    } else if (w->has_table) {
        w->has_table = false;
        if (d->before_72)
            skip_texts(w, TEXT_2, STATE_TYPE_END);
        else
            value_walker_go(w, STATE_TABLE_PARTS, 0, 1);
    } else if (w->encrypted) {
        w->encrypted = false;
        unsigned ordinal = w->token != TOKEN_RETURNVALUE && w->has_keys ? 2 : 0;
        value_walker_go(w, STATE_PLAIN_TYPE, ordinal + user_type_size(d), 1);
    } else if (w->token == TOKEN_RETURNVALUE) {
        w->column = 0;
        value_walker_go(w, STATE_VALUES, 0, 0);
    } else {
        value_walker_go(w, STATE_NAME, 0, 1);
    }
}

static void begin_columns(struct value_walker *w, const struct token_dialect *d)
{
    uint16_t count = head_u16(w);
    w->has_keys = false;
    if (count == NO_COLUMNS) { /* not repeated: those before it stay */
        value_walker_go(w, STATE_DONE, 0, 0);
        return;
    }
    set_columns(w, count);
    if (w->state == STATE_LOST)
        return;
    if (w->token == TOKEN_ALTMETADATA)
        value_walker_go(w, STATE_ALT_BY, 0, 3);
    else if (d->column_encryption)
        value_walker_go(w, STATE_KEY_COUNT, 0, 2);
    else
        begin_column(w, d);
}

/* ALTMETADATA: its Id, and how many columns it sums by. */
static void begin_alt_columns(struct value_walker *w)
{
    w->set->id = head_u16(w);
    value_walker_go(w, STATE_COLUMN_END, (uint64_t)w->head[2] * 2, 0);
}

static void next_key(struct value_walker *w, const struct token_dialect *d)
{
    if (w->repeats == 0) {
        begin_column(w, d);
        return;
    }
    w->repeats--;
    value_walker_go(w, STATE_KEY, KEY_FIXED, 1);
}

/* A key's values are a handful; each repeat is a whole turn of states, so that repeats of repeats need a second count:
 * the column's, which has none yet. */
static void next_key_value(struct value_walker *w, const struct token_dialect *d)
{
    if (w->column == 0) {
        next_key(w, d);
        return;
    }
    w->column--;
    skip_texts(w, TEXTS_KEY, STATE_KEY_VALUE);
}

static void text_begins(struct value_walker *w)
{
    unsigned form = w->texts & TEXT_MASK;
    uint32_t size = form == TEXT_1 ? w->head[0] * 2u : head_u16(w) * (form == TEXT_2 ? 2u : 1u);
    w->texts = (uint16_t)(w->texts >> TEXT_BITS);
    value_walker_go(w, STATE_TEXTS, size, 0);
}

static void next_text(struct value_walker *w)
{
    unsigned form = w->texts & TEXT_MASK;
    if (form == 0)
        value_walker_go(w, (enum value_state)w->after_texts, 0, 0);
    else
        value_walker_go(w, STATE_TEXT, 0, form == TEXT_1 ? 1 : 2);
}

static void repeat_texts(struct value_walker *w, unsigned texts, enum value_state again, enum value_state behind,
                         unsigned skip)
{
    if (w->repeats == 0) {
        value_walker_go(w, behind, skip, 2);
        return;
    }
    w->repeats--;
    skip_texts(w, texts, again);
}

static void classified_column(struct value_walker *w, const struct token_dialect *d)
{
    uint64_t size = (uint64_t)head_u16(w) * (d->classification_rank ? 4 + RANK_SIZE : 4);
    if (--w->repeats > 0)
        value_walker_go(w, STATE_CLASSIFIED_COLUMN, size, 2);
    else
        value_walker_go(w, STATE_DONE, size, 0);
}

static void advance_classification(struct value_walker *w, const struct token_dialect *d)
{
    switch ((enum value_state)w->state) {
    case STATE_LABELS:
        w->repeats = head_u16(w);
        value_walker_go(w, STATE_LABEL, 0, 0);
        break;
    case STATE_LABEL:
        repeat_texts(w, TEXTS_LABEL, STATE_LABEL, STATE_INFORMATION_TYPES, 0);
        break;
    case STATE_INFORMATION_TYPES:
        w->repeats = head_u16(w);
        value_walker_go(w, STATE_INFORMATION_TYPE, 0, 0);
        break;
    case STATE_INFORMATION_TYPE:
        repeat_texts(w, TEXTS_LABEL, STATE_INFORMATION_TYPE, STATE_CLASSIFIED_COLUMNS,
                     d->classification_rank ? RANK_SIZE : 0);
        break;
    case STATE_CLASSIFIED_COLUMNS:
        w->repeats = head_u16(w);
        value_walker_go(w, w->repeats ? STATE_CLASSIFIED_COLUMN : STATE_DONE, 0, w->repeats ? 2 : 0);
        break;
    case STATE_CLASSIFIED_COLUMN:
        classified_column(w, d);
        break;
    default:
        value_walker_go(w, STATE_LOST, 0, 0);
        break;
    }
}

static void advance_column(struct value_walker *w, const struct token_dialect *d)
{
    switch ((enum value_state)w->state) {
    case STATE_COUNT:
        begin_columns(w, d);
        break;
    case STATE_KEY_COUNT:
        w->repeats = head_u16(w);
        w->has_keys = w->repeats > 0;
        next_key(w, d);
        break;
    case STATE_KEY:
        w->column = w->head[0];
        next_key_value(w, d);
        break;
    case STATE_KEY_VALUE:
        next_key_value(w, d);
        break;
    case STATE_ALT_BY:
        begin_alt_columns(w);
        break;
    case STATE_COLUMN:
        w->encrypted = d->column_encryption && w->head[1] & FLAG_ENCRYPTED;
        begin_type(w, w->head[2], d);
        break;
    case STATE_TYPE_SIZE:
        type_size(w, d);
        break;
    case STATE_XML:
        skip_texts(w, w->head[0] ? TEXTS_XML : 0, STATE_TYPE_END);
        break;
    case STATE_TYPE_END:
        type_end(w, d);
        break;
    case STATE_TABLE_PARTS:
        w->repeats = w->head[0];
        value_walker_go(w, STATE_TABLE_PART, 0, 0);
        break;
    case STATE_TABLE_PART:
        if (w->repeats == 0)
            value_walker_go(w, STATE_TYPE_END, 0, 0);
        else {
            w->repeats--;
            skip_texts(w, TEXT_2, STATE_TABLE_PART);
        }
        break;
    case STATE_PLAIN_TYPE:
        w->in_plain_type = true;
        w->plain_kind = w->kind;
        begin_type(w, w->head[0], d);
        break;
    case STATE_ALGORITHM:
        skip_texts(w, w->head[0] == 0 ? TEXT_1 : 0, STATE_ALGORITHM_END);
        break;
    case STATE_ALGORITHM_END:
        value_walker_go(w, STATE_TYPE_END, 2, 0);
        break;
    case STATE_RETURN_NAME_END:
        value_walker_go(w, STATE_RETURN_TYPE, 1 + user_type_size(d), FLAGS_AND_TYPE);
        break;
    case STATE_RETURN_TYPE:
        w->encrypted = d->column_encryption && w->head[1] & FLAG_ENCRYPTED;
        begin_type(w, w->head[2], d);
        break;
    default:
        advance_classification(w, d);
        break;
    }
}

void columns_advance(struct value_walker *w, const struct token_dialect *d)
{
    switch ((enum value_state)w->state) {
    case STATE_NAME:
        w->set->kinds[w->column++] = w->kind;
        value_walker_go(w, STATE_COLUMN_END, w->head[0] * 2u, 0);
        break;
    case STATE_COLUMN_END:
        begin_column(w, d);
        break;
    case STATE_TEXT:
        text_begins(w);
        break;
    case STATE_TEXTS:
        next_text(w);
        break;
    default:
        advance_column(w, d);
        break;
    }
}
static struct column_set *free_alt_set(struct value_walker *w)
{
    for (unsigned i = 1; i < COLUMN_SETS; i++)
        if (!w->sets[i].kinds)
            return &w->sets[i];
    return NULL;
}

void columns_begin(struct value_walker *w)
{
    switch (w->token) {
    case TOKEN_COLMETADATA:
        w->set = &w->sets[0];
        value_walker_go(w, STATE_COUNT, 0, 2);
        break;
    case TOKEN_ALTMETADATA:
        w->set = free_alt_set(w);
        if (w->set)
            value_walker_go(w, STATE_COUNT, 0, 2);
        break;
    case TOKEN_RETURNVALUE:
        w->set = NULL;
        skip_texts(w, TEXT_1, STATE_RETURN_NAME_END);
        w->skip = 2; /* ParamOrdinal */
        break;
    case TOKEN_DATACLASSIFICATION:
        value_walker_go(w, STATE_LABELS, 0, 2);
        break;
    }
}
