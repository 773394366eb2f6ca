/*
 * Tables in text whose columns are drawn by a row of dashes under the header: "----  ---------  -----"; or of "=".
 *
 * Cells may contain blanks and may be empty, so only the dashes tell where a column is, counted in characters. Columns are found
 * by their header, as their set differs from one version of a program to the next.
 */
#ifndef TDSCOPE_TEXT_TABLE_H
#define TDSCOPE_TEXT_TABLE_H

#include <stdbool.h>

#include "span.h"
#include "text.h"

enum { TABLE_COLUMNS_MAX = 32, TABLE_HEADER_MAX = 4096 };

struct text_table {
    struct {
        size_t from, size; /* in characters */
    } columns[TABLE_COLUMNS_MAX];
    unsigned column_count;
    struct text header;
};

void text_table_close(struct text_table *table);

/* Whether dashes is such a row, of two columns at least; then the table is that under header. */
bool text_table_begin(struct text_table *table, struct span header, struct span dashes);

/* The column of that header; -1: there is none. */
int text_table_column(const struct text_table *table, const char *header);

/* The cell, trimmed; size 0 where it is empty, cut off, or column is -1. */
struct span text_table_cell(const struct text_table *table, struct span row, int column);

#endif
