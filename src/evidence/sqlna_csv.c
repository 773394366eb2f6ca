/*
 * The conversations that SQLNA (SQL Network Analyzer) lists in its .csv: one a row, under a header that its versions lengthen at the end. What it
 * has of each, the capture itself tells better: rows are only counted.
 */
#include "evidence_reader.h"

static bool is_header(struct span line)
{
    return words_begin_any_case(line, "SourceIP,SourcePort,DestIP,DestPort,IPVersion,Protocol,");
}

static bool recognises(struct span head)
{
    return is_header(words_until(&head, '\n'));
}

static bool is_row(struct span line)
{
    struct endpoint source, destination;
    struct span address = words_until(&line, ','), port = words_until(&line, ',');
    if (!words_address_and_port(address, port, &source))
        return false;
    address = words_until(&line, ',');
    port = words_until(&line, ',');
    return words_address_and_port(address, port, &destination);
}

static void read(struct evidence_input *input)
{
    struct source_facts *source = evidence_input_source(input);
    for (struct span line; text_lines_next(input->lines, &line);)
        source->records += is_row(line);
    notes_add(&source->notes, "summary",
              "it is SQLNA's summary of a capture, of which nothing is taken: give the capture itself");
}

const struct evidence_reader sqlna_csv = {
    .kind = SOURCE_SQLNA_CSV,
    .recognises = recognises,
    .read = read,
};
