/* Tables in text, sliced by their row of dashes. */
#include "text_table.h"

#include "text_words.h"

void text_table_close(struct text_table *table)
{
    text_close(&table->header);
}

/* As many bytes as these characters of UTF-8 take. */
static size_t bytes_of(struct span s, size_t characters)
{
    size_t size = 0;
    while (size < s.size && characters > 0) {
        size++;
        while (size < s.size && (s.data[size] & 0xc0) == 0x80)
            size++;
        characters--;
    }
    return size;
}

static bool add_column(struct text_table *table, size_t from, size_t size)
{
    if (table->column_count == TABLE_COLUMNS_MAX)
        return false;
    table->columns[table->column_count].from = from;
    table->columns[table->column_count].size = size;
    table->column_count++;
    return true;
}

bool text_table_begin(struct text_table *table, struct span header, struct span dashes)
{
    table->column_count = 0;
    uint8_t rule = words_trim(dashes).size > 0 ? words_trim(dashes).data[0] : '-';
    if (rule != '-' && rule != '=')
        return false;
    for (size_t at = 0; at < dashes.size;) {
        size_t size = 0;
        while (at + size < dashes.size && dashes.data[at + size] == rule)
            size++;
        if (size > 0 && !add_column(table, at, size))
            break;
        if (size == 0 && dashes.data[at] != ' ') {
            table->column_count = 0;
            return false;
        }
        at += size > 0 ? size : 1;
    }
    text_clear(&table->header);
    table->header.ceiling = TABLE_HEADER_MAX;
    text_add_bytes(&table->header, (const char *)header.data, header.size);
    return table->column_count >= 2;
}

struct span text_table_cell(const struct text_table *table, struct span row, int column)
{
    if (column < 0 || (unsigned)column >= table->column_count)
        return (struct span){row.data, 0};
    size_t from = bytes_of(row, table->columns[column].from);
    row = span_from(row, from);
    bool last = (unsigned)column + 1 == table->column_count;
    size_t size = last ? row.size : bytes_of(row, table->columns[column].size);
    return words_trim(span_part(row, 0, size));
}

int text_table_column(const struct text_table *table, const char *header)
{
    struct span row = {(const uint8_t *)text_string(&table->header), table->header.size};
    for (unsigned i = 0; i < table->column_count; i++)
        if (words_equal(text_table_cell(table, row, (int)i), header))
            return (int)i;
    return -1;
}
