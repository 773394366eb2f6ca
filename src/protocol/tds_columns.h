/* What describing columns (tds_columns.c) and measuring values (tds_values.c) share. For these two files only. */
#ifndef TDSCOPE_TDS_COLUMNS_H
#define TDSCOPE_TDS_COLUMNS_H

#include "tds_values.h"

/*
 * Theory of operation. Each state first skips `skip` bytes and then reads `want` bytes into head; when they are there,
 * advance() decides what comes next. A gap inside skipped bytes costs nothing. Rows that lie whole in the bytes at hand
 * are measured in place by value_walker_rows(); only values that cross a boundary take the way through head.
 */
enum value_state {
    STATE_DONE,
    STATE_LOST,
    STATE_COUNT,     /* of columns */
    STATE_KEY_COUNT, /* CekTable: of keys that columns are encrypted with */
    STATE_KEY,
    STATE_KEY_VALUE,
    STATE_ALT_BY, /* ALTMETADATA: of columns that are summed by */
    STATE_COLUMN,
    STATE_TYPE_SIZE,
    STATE_XML,
    STATE_TYPE_END,
    STATE_TABLE_PARTS,
    STATE_TABLE_PART,
    STATE_PLAIN_TYPE,
    STATE_ALGORITHM,
    STATE_ALGORITHM_END,
    STATE_NAME,
    STATE_COLUMN_END,
    STATE_TEXT,
    STATE_TEXTS,
    STATE_ALT_ROW,
    STATE_BITMAP,
    STATE_VALUES,
    STATE_SIZE, /* of a value */
    STATE_TEXT_SIZE,
    STATE_CHUNK,
    STATE_RETURN_NAME_END, /* RETURNVALUE: behind the parameter's name */
    STATE_RETURN_TYPE,
    STATE_LABELS, /* DATACLASSIFICATION */
    STATE_LABEL,
    STATE_INFORMATION_TYPES,
    STATE_INFORMATION_TYPE,
    STATE_CLASSIFIED_COLUMNS,
    STATE_CLASSIFIED_COLUMN
};

/* How a column's values are measured: so many bytes, or one of these. */
enum { KIND_SIZE_1 = 0xf0, KIND_SIZE_2, KIND_SIZE_4, KIND_TEXT, KIND_PARTS };

static inline void value_walker_go(struct value_walker *w, enum value_state state, uint64_t skip, uint8_t want)
{
    w->state = (uint8_t)state;
    w->skip = skip;
    w->want = want;
    w->have = 0;
}

static inline uint16_t head_u16(const struct value_walker *w)
{
    return (uint16_t)(w->head[0] | w->head[1] << 8);
}

static inline uint32_t head_u32(const struct value_walker *w)
{
    return head_u16(w) | (uint32_t)w->head[2] << 16 | (uint32_t)w->head[3] << 24;
}

static inline size_t bitmap_size(const struct column_set *set)
{
    return (set->count + 7u) / 8;
}

/* A token of descriptions begins, or one of its states has what it waits for. */
void columns_begin(struct value_walker *w);
void columns_advance(struct value_walker *w, const struct token_dialect *d);

#endif
