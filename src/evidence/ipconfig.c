/*
 * Windows' addresses: `ipconfig`, with or without /all, in any language. A row is a label, dots to its colon ("Adresse IPv4. . . .: ...")
 * and a value; without /all the label may fill the column. An own address has a label with "IPv6" or "IPv4" in it, or stands before
 * its subnet mask; servers and gateways do not. The first row of /all, before any adapter's, is the machine's name.
 */
#include "evidence_reader.h"

enum { HEAD_LINES = 64, INDENT = 3 };

struct ipconfig_row {
    struct span label, value;
    bool dotted;
};

struct ipconfig {
    struct evidence_input *input;
    bool titled;         /* the title came, and no row or adapter after it yet */
    struct address last; /* of the row before, of which is not known whose it is; version 0: none */
};

static bool read_row(struct span line, struct ipconfig_row *row)
{
    struct span from;
    if (line.size <= INDENT || memcmp(line.data, "   ", INDENT) != 0 || line.data[INDENT] == ' ')
        return false;
    row->value = line;
    row->label = words_trim(words_until(&row->value, ':'));
    row->dotted = words_find(row->label, ". .", &from);
    bool colon = row->label.size > 0 && span_from(line, INDENT).size > row->label.size;
    row->value = words_trim(row->value);
    if (row->value.size > 0 && row->value.data[row->value.size - 1] == '\r')
        row->value = words_trim(span_part(row->value, 0, row->value.size - 1));
    return colon;
}

/* "192.168.2.104(Bevorzugt)", "fe80::1%8(Preferred)". */
static bool read_address(struct span value, struct address *address)
{
    return words_address(words_trim(words_until(&value, '(')), address);
}

/* Ones, and then zeros: a subnet mask. */
static bool is_mask(const struct address *address)
{
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++)
        bits = bits << 8 | address->bytes[i];
    return address->version == 4 && bits >> 31 == 1 && (~bits & (~bits + 1)) == 0;
}

static bool is_title(struct span line)
{
    struct span from;
    return line.size > 0 && line.data[0] != ' ' && words_find(line, "Windows", &from) && words_find(line, "IP", &from);
}

static bool recognises(struct span head)
{
    unsigned dotted = 0, addresses = 0, titles = 0;
    for (int i = 0; i < HEAD_LINES && head.size > 0; i++) {
        struct span line = words_until(&head, '\n');
        struct ipconfig_row row;
        struct address address;
        titles += is_title(line);
        if (!read_row(line, &row))
            continue;
        dotted += row.dotted;
        addresses += row.dotted && read_address(row.value, &address);
    }
    return dotted >= 2 && (titles > 0 || addresses > 0);
}

static void add_address(const struct ipconfig *reading, const struct address *address)
{
    evidence_add_address(reading->input->evidence, reading->input->source, address);
    evidence_input_source(reading->input)->records++;
}

static void take_row(struct ipconfig *reading, const struct ipconfig_row *row)
{
    struct address address = {0}, last = reading->last;
    struct span from;
    reading->last = (struct address){0};
    bool is_address = read_address(row->value, &address);
    if (reading->titled && row->dotted && !is_address && row->value.size > 0)
        evidence_input_source(reading->input)->machine =
            evidence_input_text(reading->input, span_part(row->value, 0, SETTING_TEXT_MAX));
    reading->titled = false;
    if (!is_address)
        return;
    bool named = words_find(row->label, address.version == 6 ? "IPv6" : "IPv4", &from);
    if (named)
        add_address(reading, &address);
    else if (is_mask(&address) && last.version == 4)
        add_address(reading, &last);
    else
        reading->last = address;
}

static void read(struct evidence_input *input)
{
    struct ipconfig reading = {.input = input};
    struct span line;
    struct ipconfig_row row;
    evidence_input_source(input)->system = SYSTEM_WINDOWS;
    while (text_lines_next(input->lines, &line)) {
        if (read_row(line, &row)) {
            take_row(&reading, &row);
            continue;
        }
        if (words_trim(line).size == 0)
            continue;
        reading.last = (struct address){0};
        reading.titled = is_title(line);
    }
}

const struct evidence_reader ipconfig = {
    .kind = SOURCE_IPCONFIG,
    .recognises = recognises,
    .read = read,
};
