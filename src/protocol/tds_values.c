/* Values of rows and of parameters (MS-TDS 2.2.5.2.3, 2.2.7.17, 2.2.7.13, 2.2.7.2, 2.2.7.19). */
#include "tds_values.h"

#include <string.h>

#include "memory.h"
#include "tds_columns.h"
#include "tds_tokens.h"

enum { NULL_SIZE_2 = 0xffff, TEXT_POINTER_TIMESTAMP = 8 };

static uint8_t *bitmap(const struct column_set *set)
{
    return set->kinds + set->count;
}

static uint16_t columns_in_row(const struct value_walker *w)
{
    return w->set ? w->set->count : 1;
}

static uint8_t kind_of(const struct value_walker *w, unsigned column)
{
    return w->set ? w->set->kinds[column] : w->kind;
}

static void begin_row(struct value_walker *w, struct column_set *set)
{
    w->set = set;
    w->column = 0;
    if (!set || !set->kinds || w->values_left < set->count) {
        value_walker_go(w, STATE_LOST, 0, 0);
        return;
    }
    w->values_left -= set->count;
    value_walker_go(w, w->has_bitmap ? STATE_BITMAP : STATE_VALUES, 0, 0);
}

static void begin_alt_row(struct value_walker *w)
{
    struct column_set *found = NULL;
    for (unsigned i = 1; i < COLUMN_SETS; i++)
        if (w->sets[i].kinds && w->sets[i].id == head_u16(w))
            found = &w->sets[i];
    begin_row(w, found);
}

/* The next value does not lie whole in the bytes at hand, or comes in parts. */
static void begin_value(struct value_walker *w)
{
    uint8_t kind = kind_of(w, w->column);
    if (kind < KIND_SIZE_1) {
        w->column++;
        value_walker_go(w, STATE_VALUES, kind, 0);
        return;
    }
    static const uint8_t sizes[] = {1, 2, 4, 1, 8};
    value_walker_go(w, STATE_SIZE, 0, sizes[kind - KIND_SIZE_1]);
}

static bool size_says_null_parts(const struct value_walker *w)
{
    for (unsigned i = 0; i < sizeof w->head; i++)
        if (w->head[i] != 0xff)
            return false;
    return true;
}

static void value_size(struct value_walker *w)
{
    uint8_t kind = kind_of(w, w->column);
    if (kind == KIND_TEXT && w->head[0] != 0) {
        value_walker_go(w, STATE_TEXT_SIZE, (uint64_t)w->head[0] + TEXT_POINTER_TIMESTAMP, 4);
        return;
    }
    if (kind == KIND_PARTS && !size_says_null_parts(w)) {
        value_walker_go(w, STATE_CHUNK, 0, 4);
        return;
    }
    uint64_t size = 0;
    if (kind == KIND_SIZE_1)
        size = w->head[0];
    else if (kind == KIND_SIZE_2)
        size = head_u16(w) == NULL_SIZE_2 ? 0 : head_u16(w);
    else if (kind == KIND_SIZE_4)
        size = head_u32(w);
    w->column++;
    value_walker_go(w, STATE_VALUES, size, 0);
}

static void chunk(struct value_walker *w)
{
    uint32_t size = head_u32(w);
    if (size > 0) {
        value_walker_go(w, STATE_CHUNK, size, 4);
        return;
    }
    w->column++;
    value_walker_go(w, STATE_VALUES, 0, 0);
}

static void advance(struct value_walker *w, const struct token_dialect *d)
{
    switch ((enum value_state)w->state) {
    case STATE_ALT_ROW:
        begin_alt_row(w);
        break;
    case STATE_VALUES:
        if (w->column < columns_in_row(w))
            begin_value(w);
        else
            value_walker_go(w, STATE_DONE, 0, 0);
        break;
    case STATE_SIZE:
        value_size(w);
        break;
    case STATE_TEXT_SIZE:
        w->column++;
        value_walker_go(w, STATE_VALUES, head_u32(w), 0);
        break;
    case STATE_CHUNK:
        chunk(w);
        break;
    default:
        columns_advance(w, d);
        break;
    }
}

static enum values_outcome outcome(const struct value_walker *w)
{
    if (w->state == STATE_LOST)
        return VALUES_LOST;
    return w->state == STATE_DONE && w->skip == 0 ? VALUES_DONE : VALUES_GO_ON;
}

enum values_outcome value_walker_begin(struct value_walker *w, uint8_t token, const struct token_dialect *d)
{
    w->token = token;
    w->has_bitmap = token == TOKEN_NBCROW;
    w->in_plain_type = w->encrypted = false;
    value_walker_go(w, STATE_LOST, 0, 0);
    if (d->old)
        return VALUES_LOST;
    if (token == TOKEN_ROW || token == TOKEN_NBCROW)
        begin_row(w, &w->sets[0]);
    else if (token == TOKEN_ALTROW)
        value_walker_go(w, STATE_ALT_ROW, 0, 2);
    else
        columns_begin(w);
    return outcome(w);
}

/* Moves past a value that lies whole before end. NULL: it does not, or it comes in parts, or it is one empty byte at the very end: then it is
 * left to those who take values in pieces. */
static inline const uint8_t *pass_value(uint8_t kind, const uint8_t *at, const uint8_t *end)
{
    size_t left = (size_t)(end - at), size = kind;
    if (kind >= KIND_SIZE_1) {
        if (kind > KIND_SIZE_2 || left < 2)
            return NULL;
        unsigned wide = at[0] | (unsigned)at[1] << 8;
        size = kind == KIND_SIZE_1 ? 1u + at[0] : wide == NULL_SIZE_2 ? 2u : wide + 2;
    }
    return size <= left ? at + size : NULL;
}

static bool is_null(const uint8_t *nulls, unsigned column)
{
    return nulls && nulls[column / 8] >> column % 8 & 1;
}

/* Moves past values from *column on as far as they lie whole before end. nulls: a row's bitmap; NULL: it has none. */
static inline const uint8_t *pass_values(const struct column_set *set, const uint8_t *nulls, unsigned *column,
                                         const uint8_t *at, const uint8_t *end)
{
    const uint8_t *kinds = set->kinds;
    unsigned i = *column, count = set->count;
    for (const uint8_t *behind; i < count; i++) {
        if (is_null(nulls, i))
            continue;
        if (!(behind = pass_value(kinds[i], at, end)))
            break;
        at = behind;
    }
    *column = i;
    return at;
}

/* A row whose values from column on are not all here. */
static void go_on_later(struct value_walker *w, const uint8_t *nulls, unsigned column)
{
    w->set = &w->sets[0];
    w->column = (uint16_t)column;
    w->has_bitmap = nulls != NULL;
    if (nulls)
        memcpy(bitmap(w->set), nulls, bitmap_size(w->set));
    value_walker_go(w, STATE_VALUES, 0, 0);
}

uint32_t value_walker_rows(struct value_walker *w, struct span *bytes, uint8_t *begun)
{
    const struct column_set *set = &w->sets[0];
    const uint8_t *at = bytes->data, *end = at + bytes->size;
    uint32_t rows = 0, left = w->values_left, count = set->count;
    *begun = 0;
    while (set->kinds && left >= count && at < end && (*at == TOKEN_ROW || *at == TOKEN_NBCROW)) {
        const uint8_t token = *at, *nulls = token == TOKEN_NBCROW ? at + 1 : NULL;
        unsigned column = 0;
        if (nulls && (size_t)(end - nulls) < bitmap_size(set))
            break;
        at = pass_values(set, nulls, &column, at + 1 + (nulls ? bitmap_size(set) : 0), end);
        left -= count;
        if (column < count) {
            go_on_later(w, nulls, column);
            *begun = token;
            break;
        }
        rows++;
    }
    w->values_left = left;
    *bytes = span_from(*bytes, (size_t)(at - bytes->data));
    return rows;
}

static void take_bitmap(struct value_walker *w, struct span *bytes)
{
    size_t size = bitmap_size(w->set);
    struct span part = span_part(*bytes, 0, size - w->column);
    if (part.size > 0)
        memcpy(bitmap(w->set) + w->column, part.data, part.size);
    *bytes = span_from(*bytes, part.size);
    w->column = (uint16_t)(w->column + part.size);
    if (w->column < size)
        return;
    w->column = 0;
    value_walker_go(w, STATE_VALUES, 0, 0);
}

/* Fills what the state waits for. False: not all of it is here. */
static bool fill(struct value_walker *w, struct span *bytes)
{
    if (w->skip > 0) {
        size_t part = w->skip < bytes->size ? (size_t)w->skip : bytes->size;
        *bytes = span_from(*bytes, part);
        w->skip -= part;
        if (w->skip > 0)
            return false;
    }
    size_t taken = 0;
    while (w->have < w->want && taken < bytes->size)
        w->head[w->have++] = bytes->data[taken++];
    if (taken > 0)
        *bytes = span_from(*bytes, taken);
    return w->have == w->want;
}

static void go_on_with_row(struct value_walker *w, struct span *bytes)
{
    unsigned column = w->column;
    const uint8_t *end = bytes->data + bytes->size;
    const uint8_t *at = pass_values(w->set, w->has_bitmap ? bitmap(w->set) : NULL, &column, bytes->data, end);
    *bytes = span_from(*bytes, (size_t)(at - bytes->data));
    w->column = (uint16_t)column;
}

enum values_outcome value_walker_data(struct value_walker *w, struct span *bytes, const struct token_dialect *d)
{
    while (fill(w, bytes)) {
        if (w->state == STATE_DONE || w->state == STATE_LOST)
            break;
        if (w->state == STATE_BITMAP) {
            take_bitmap(w, bytes);
            if (w->state == STATE_BITMAP)
                break;
        }
        if (w->state == STATE_VALUES && w->set)
            go_on_with_row(w, bytes);
        advance(w, d);
    }
    return outcome(w);
}

enum values_outcome value_walker_gap(struct value_walker *w, uint64_t n)
{
    if (n > w->skip)
        return VALUES_LOST;
    w->skip -= n;
    return outcome(w);
}

void value_walker_reset(struct value_walker *w)
{
    for (unsigned i = 0; i < COLUMN_SETS; i++) {
        if (w->sets[i].kinds)
            memory_give(w->sets[i].kinds);
        w->sets[i].kinds = NULL;
    }
    w->values_left = VALUES_WALKED_MAX;
}
