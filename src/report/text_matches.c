/* Counts connections by the evidence that they were matched by. */
#include "text_matches.h"

#include <inttypes.h>

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
    static const struct {
        enum match_trace trace;
        const char *words;
    } words[] = {
        {TRACE_BY_CONTENTS, "what messages begin with"},
        {TRACE_BY_PLAIN_CONTENTS, "queries of their own"},
        {TRACE_BY_TIMESTAMPS, "TCP timestamps"},
        {TRACE_BY_IP_IDS, "IP IDs"},
    };
    const char *before = " (";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!(counts->traces & (unsigned)words[i].trace))
            continue;
        text_format(text, "%s%s", before, words[i].words);
        before = ", ";
    }
    text_format(text, "; each at least 2^%u times likelier than chance)", counts->least_bits);
}

void text_matches(const struct casebook *casebook, struct sink *sink)
{
    static const char *const words[MATCH_EVIDENCES] = {
        [MATCHED_BY_CONNECTION_ID] = "by the GUID of PRELOGIN",
        [MATCHED_BY_SEQUENCE_NUMBERS] = "by both initial sequence numbers",
        [MATCHED_BY_ENDS_AND_SYN] = "by addresses, ports and the client's initial sequence number",
        [MATCHED_BY_TRACES] = "by what their packets have in common",
        [MATCHED_BY_ENDS] = "by addresses and ports at the same time",
        [MATCHED_BY_BYTES_IN_FLIGHT] = "by the sequence numbers that both directions count through",
    };
    struct match_counts counts = count_matches(casebook);
    struct text text = {0};
    const char *before = "Known to be the same: ";
    for (unsigned i = 0; i < MATCH_EVIDENCES; i++) {
        if (counts.by[i] == 0)
            continue;
        text_format(&text, "%s%" PRIu32 " %s", before, counts.by[i], words[i]);
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
