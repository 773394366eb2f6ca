/*
 * Tokens whose length only their contents tell: column descriptions and rows (MS-TDS 2.2.7.1 to 2.2.7.5, 2.2.7.13,
 * 2.2.7.17, 2.2.7.19). Values are measured, never kept; resumable at any byte.
 */
#ifndef TDSCOPE_TDS_VALUES_H
#define TDSCOPE_TDS_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

/* What both sides agreed on that changes the layout of tokens. All false: TDS 7.2 to 8.0 without features. */
struct token_dialect {
    bool old;                 /* TDS 4.2, 5.0: column descriptions are laid out otherwise and not walked */
    bool before_72;           /* 7.0, 7.1 */
    bool before_71;           /* 7.0 */
    bool column_encryption;   /* FEATUREEXTACK says so: descriptions may have keys */
    bool classification_rank; /* DATACLASSIFICATION of version 2 and later */
};

enum values_outcome { VALUES_GO_ON, VALUES_DONE, VALUES_LOST };

/* COLMETADATA's columns and those of so many ALTMETADATAs are remembered, one byte each, up to the end of the message. */
enum { COLUMN_SETS = 4, COLUMNS_MAX = 1024 };

/* Values that are walked in one message: enough for every answer that a person waits for. What comes after so many
 * small values is told by the message's last bytes only; a value is as dear as it is small. */
enum { VALUES_WALKED_MAX = 1 << 16 };

struct column_set {
    uint8_t *kinds; /* how each column's values are measured; behind them room for a row's bitmap. NULL: none */
    uint16_t count, id;
};

struct value_walker {
    struct column_set sets[COLUMN_SETS]; /* the first: COLMETADATA's */
    struct column_set *set;              /* described or read now; NULL: a single value */
    uint64_t skip;                       /* bytes that do not matter, before head is read */
    uint32_t values_left;
    uint16_t column;
    uint16_t repeats; /* of the thing under way: keys, table name parts, labels */
    uint16_t texts;   /* texts that follow, two bits each, and the state behind them */
    uint8_t after_texts;
    uint8_t state, token;
    uint8_t head[8];
    uint8_t have, want;
    uint8_t kind, plain_kind; /* of the column that is described; beside the type that its encryption hides */
    uint8_t type;
    bool encrypted, in_plain_type, has_table, has_keys, has_bitmap;
};

/* A token begins, behind its first byte. */
enum values_outcome value_walker_begin(struct value_walker *w, uint8_t token, const struct token_dialect *dialect);

/* Between tokens: takes the ROWs and NBCROWs that lie whole at the front of bytes, and returns how many those are. Of one that is not whole it
 * takes what is here, as value_walker_begin() and value_walker_data() would: *begun is its token then, else 0. */
uint32_t value_walker_rows(struct value_walker *w, struct span *bytes, uint8_t *begun);

/* Takes from the front of bytes what belongs to the token. */
enum values_outcome value_walker_data(struct value_walker *w, struct span *bytes, const struct token_dialect *dialect);

/* n bytes are missing. Anything but bytes that do not matter loses the token. */
enum values_outcome value_walker_gap(struct value_walker *w, uint64_t n);

void value_walker_reset(struct value_walker *w); /* forgets all columns: a message begins, or nothing follows */

#endif
