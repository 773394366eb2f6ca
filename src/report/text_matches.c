/* Counts connections by the evidence that they were matched by. */
#include "text_matches.h"

#include <inttypes.h>

#include "match_names.h"
#include "text_layout.h"

struct match_counts {
    uint32_t by[MATCH_EVIDENCES];
    unsigned traces;     /* enum match_trace, of any of them */
    unsigned least_bits; /* of those by traces */
};

static struct match_counts count_matches(const struct casebook *casebook)
{
    struct match_counts counts = {.least_bits = UINT8_MAX};
    for (uint32_t i = 0; i < casebook_conversations(casebook); i++) {
        const struct conversation *c = casebook_conversation(casebook, i);
        if (!c->twin || c->secondary)
            continue;
        counts.by[c->matched_by]++;
        if (c->matched_by != MATCHED_BY_TRACES)
            continue;
        counts.traces |= c->match_traces;
        if (c->match_bits < counts.least_bits)
            counts.least_bits = c->match_bits;
    }
    return counts;
}

static void add_traces(const struct match_counts *counts, struct text *text)
{
    const char *before = " (";
    for (unsigned i = 0; i < MATCH_TRACES; i++) {
        if (!(counts->traces & 1u << i))
            continue;
        text_format(text, "%s%s", before, match_trace_names[i].words);
        before = ", ";
    }
    text_format(text, "; each at least 2^%u times likelier than chance)", counts->least_bits);
}

void text_matches(const struct casebook *casebook, struct sink *sink)
{
    struct match_counts counts = count_matches(casebook);
    struct text text = {0};
    const char *before = "Known to be the same: ";
    for (unsigned i = 0; i < MATCH_EVIDENCES; i++) {
        if (counts.by[i] == 0)
            continue;
        text_format(&text, "%s%" PRIu32 " %s", before, counts.by[i], match_evidence_names[i].words);
        before = "; ";
        if (i == MATCHED_BY_TRACES)
            add_traces(&counts, &text);
    }
    if (text_string(&text)[0]) {
        text_add(&text, ".");
        sink_put(sink, "  ");
        layout_paragraph(sink, 2, 2, text_string(&text));
    }
    text_close(&text);
}
