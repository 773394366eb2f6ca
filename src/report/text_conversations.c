/* The table of conversations: columns as data, widths fixed, nothing kept. */
#include "text_conversations.h"

#include <inttypes.h>
#include <stdio.h>

#include "fact_names.h"
#include "tds_version_names.h"
#include "text_layout.h"
#include "timeline_names.h"

enum { CELL_SIZE = 96 };

struct row {
    const struct sink *sink;
    const struct conversation *conversation;
    const struct judgement *judgement;
};

struct column {
    const char *title;
    int width; /* negative: flush left */
    void (*fill)(const struct row *row, char cell[static CELL_SIZE]);
    bool is_marks; /* shown only when asked for */
};

static void put(char cell[static CELL_SIZE], const char *value)
{
    snprintf(cell, CELL_SIZE, "%s", value && value[0] ? value : "-");
}

static void put_count(char cell[static CELL_SIZE], uint64_t count)
{
    snprintf(cell, CELL_SIZE, "%" PRIu64, count);
}

static void put_seconds(char cell[static CELL_SIZE], int64_t duration_ns)
{
    if (duration_ns < 0)
        put(cell, NULL);
    else
        snprintf(cell, CELL_SIZE, "%.3f", (double)duration_ns / (double)NS_PER_SECOND);
}

static void fill_id(const struct row *row, char cell[static CELL_SIZE])
{
    put_count(cell, row->conversation->id);
}

static void fill_client(const struct row *row, char cell[static CELL_SIZE])
{
    char text[ENDPOINT_TEXT_SIZE];
    put(cell, endpoint_text(&row->conversation->ends[SIDE_CLIENT], text));
}

static void fill_server(const struct row *row, char cell[static CELL_SIZE])
{
    char text[ENDPOINT_TEXT_SIZE];
    put(cell, endpoint_text(&row->conversation->ends[SIDE_SERVER], text));
}

static void fill_protocol(const struct row *row, char cell[static CELL_SIZE])
{
    put(cell, protocol_name(row->conversation->protocol));
}

static void fill_start(const struct row *row, char cell[static CELL_SIZE])
{
    char text[CLOCK_TEXT_SIZE];
    put(cell, layout_instant(row->sink, row->conversation->first.time_ns, text));
}

static void fill_duration(const struct row *row, char cell[static CELL_SIZE])
{
    put_seconds(cell, row->conversation->last.time_ns - row->conversation->first.time_ns);
}

static void fill_packets(const struct row *row, char cell[static CELL_SIZE])
{
    put_count(cell, row->conversation->packets);
}

static void fill_bytes(const struct row *row, char cell[static CELL_SIZE])
{
    put_count(cell, row->conversation->wire_bytes);
}

static void fill_ending(const struct row *row, char cell[static CELL_SIZE])
{
    put(cell, ending_name(row->conversation->ending));
}

static void fill_closed_by(const struct row *row, char cell[static CELL_SIZE])
{
    const struct conversation *conversation = row->conversation;
    put(cell, conversation->first_close_known ? side_name(conversation->closed_first_by) : NULL);
}

static void fill_retransmits(const struct row *row, char cell[static CELL_SIZE])
{
    const struct tcp_side *sides = row->conversation->sides;
    put_count(cell, (uint64_t)sides[SIDE_CLIENT].retransmits + sides[SIDE_SERVER].retransmits);
}

static void fill_keep_alives(const struct row *row, char cell[static CELL_SIZE])
{
    const struct tcp_side *sides = row->conversation->sides;
    put_count(cell, (uint64_t)sides[SIDE_CLIENT].keep_alives + sides[SIDE_SERVER].keep_alives);
}

static void fill_zero_windows(const struct row *row, char cell[static CELL_SIZE])
{
    const struct tcp_side *sides = row->conversation->sides;
    put_count(cell, (uint64_t)sides[SIDE_CLIENT].zero_windows + sides[SIDE_SERVER].zero_windows);
}

static void fill_login(const struct row *row, char cell[static CELL_SIZE])
{
    put(cell, login_stage_name(conversation_login_stage(row->conversation)));
}

static void fill_login_duration(const struct row *row, char cell[static CELL_SIZE])
{
    put_seconds(cell, conversation_login_duration_ns(row->conversation));
}

static void fill_encryption(const struct row *row, char cell[static CELL_SIZE])
{
    put(cell, row->conversation->tds ? encryption_name(row->conversation->tds->encryption) : NULL);
}

static void fill_tds_version(const struct row *row, char cell[static CELL_SIZE])
{
    const struct tds_facts *tds = row->conversation->tds;
    uint32_t version = tds ? tds->tds_version ? tds->tds_version : tds->tds_version_client : 0;
    char text[VERSION_TEXT_SIZE];
    put(cell, version ? tds_version_text(version, text) : NULL);
}

static void fill_error(const struct row *row, char cell[static CELL_SIZE])
{
    if (row->conversation->tds && row->conversation->tds->login_error.number)
        put_count(cell, row->conversation->tds->login_error.number);
    else
        put(cell, NULL);
}

static void fill_culprit(const struct row *row, char cell[static CELL_SIZE])
{
    put(cell, culprit_names[row->judgement->culprit]);
}

static void fill_confidence(const struct row *row, char cell[static CELL_SIZE])
{
    snprintf(cell, CELL_SIZE, "%.0f%%", row->judgement->confidence * 100);
}

static void fill_cause(const struct row *row, char cell[static CELL_SIZE])
{
    put(cell, row->judgement->detector->cause);
}

static void fill_marks(const struct row *row, char cell[static CELL_SIZE])
{
    char marks[MARKS_TEXT_SIZE];
    put(cell, timeline_marks(row->conversation, marks));
}

static const struct column columns[] = {
    {"ID", 6, fill_id, false},
    {"CLIENT", -21, fill_client, false},
    {"SERVER", -21, fill_server, false},
    {"PROTO", -5, fill_protocol, false},
    {"START", -24, fill_start, false},
    {"SECONDS", 10, fill_duration, false},
    {"PACKETS", 8, fill_packets, false},
    {"BYTES", 10, fill_bytes, false},
    {"ENDING", -9, fill_ending, false},
    {"CLOSER", -6, fill_closed_by, false},
    {"RETX", 5, fill_retransmits, false},
    {"KEEPALIVE", 9, fill_keep_alives, false},
    {"ZEROWIN", 7, fill_zero_windows, false},
    {"LOGIN", -14, fill_login, false},
    {"LOGIN_S", 8, fill_login_duration, false},
    {"ENCRYPTED", -9, fill_encryption, false},
    {"TDS", -3, fill_tds_version, false},
    {"ERROR", 6, fill_error, false},
    {"MARKS", -29, fill_marks, true},
    {"CULPRIT", -7, fill_culprit, false},
    {"SURE", 4, fill_confidence, false},
    {"CAUSE", 0, fill_cause, false},
};

void text_conversations(const struct report *report, struct sink *sink)
{
    unsigned count = sizeof columns / sizeof *columns;
    if (report->casebook->capture_count == 0) {
        layout_paragraph(
            sink, 0, 0,
            "No packet capture is among these files, so there is no conversation to list. What logs and reports say "
            "tells `tdscope FILE...`.");
        return;
    }
    for (unsigned i = 0; i < count; i++)
        if (sink->marks || !columns[i].is_marks)
            sink_format(sink, "%s%*s", i ? "  " : "", columns[i].width, columns[i].title);
    sink_put(sink, "\n");
    const struct casebook *casebook = report->casebook;
    for (uint32_t number = 0; number < casebook_conversations(casebook) && !sink->failed; number++) {
        struct judgement judgement;
        struct row row = {sink, casebook_conversation(casebook, number), &judgement};
        if (row.conversation->secondary)
            continue;
        judge_conversation(report->judge, row.conversation, &judgement);
        for (unsigned i = 0; i < count; i++) {
            char cell[CELL_SIZE];
            if (columns[i].is_marks && !sink->marks)
                continue;
            columns[i].fill(&row, cell);
            sink_format(sink, "%s%*s", i ? "  " : "", columns[i].width, cell);
        }
        sink_put(sink, "\n");
    }
}
