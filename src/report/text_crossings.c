/*
 * All captures of a connection beside each other: a line for each, its frames at it, lost packets as arrows that end on the way, those
 * of a device as arrows that begin there.
 */
#include "text_crossings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "packet_words.h"
#include "text_layout.h"

/* Columns: of time and blanks before the first line; of blanks, and the time on the way, after the last one; of words behind that; of an
 * arrow, the most where two and where more captures are drawn, the least that has words in it, and the least. */
enum {
    BEFORE_COLUMNS = 16,
    AFTER_COLUMNS = 12,
    WORDS_COLUMNS = 20,
    ARROW_MOST = 42,
    ARROW_MOST_OF_SEVERAL = 32,
    ARROW_WITH_WORDS = 20,
    ARROW_LEAST = 5
};

struct packet_in_view {
    const struct shown_packet *packet; /* NULL: not kept */
    const struct conversation *view;
    enum side sender;
};

/* Which views are drawn, and how. */
struct picture {
    const struct report *report;
    const struct shown_crossings *crossings;
    unsigned drawn[PATH_POINTS_MOST]; /* places on the way */
    unsigned count;
    unsigned arrow, digits; /* columns of an arrow, and of a frame's number */
    bool words_in_arrow;
};

static const struct shown_conversation *shown_view(const struct shown_packets *shown, uint32_t id)
{
    for (unsigned i = 0; i < shown->count; i++)
        if (shown->conversations[i].id == id)
            return &shown->conversations[i];
    return NULL;
}

static struct packet_in_view find_packet(const struct report *report, uint32_t id, const struct moment *moment)
{
    const struct shown_conversation *shown = shown_view(report->shown, id);
    if (!shown || !moment_seen(moment))
        return (struct packet_in_view){0};
    const struct conversation *view = casebook_conversation(report->casebook, id - 1);
    for (uint32_t i = 0; i < shown->first_count + shown->last_count; i++) {
        const struct shown_packet *packet = shown_packet_at(shown, i);
        if (packet->moment.frame == moment->frame && packet->moment.capture == moment->capture)
            return (struct packet_in_view){packet, view, packet_sender(shown, packet, view)};
    }
    return (struct packet_in_view){0};
}

/* The capture nearest to the sender knows best what it is. */
static void put_words(const struct picture *picture, const struct crossing *crossing, struct text *words)
{
    unsigned last = picture->crossings->view_count - 1;
    for (unsigned i = 0; i <= last; i++) {
        unsigned place = crossing->sender == SIDE_CLIENT ? i : last - i;
        struct packet_in_view found =
            find_packet(picture->report, picture->crossings->views[place], &crossing->seen[place]);
        if (!found.packet)
            continue;
        packet_words(found.packet, found.view, found.sender, words);
        return;
    }
    text_add(words, "packet");
}

static const char *fate_words(enum packet_fate fate)
{
    switch (fate) {
    case FATE_LOST:
        return "lost on the way";
    case FATE_INJECTED:
        return "made by a device: never sent";
    case FATE_DUPLICATED:
        return "arrives once more than sent";
    case FATE_MISSED:
        return "missed by one capture";
    case FATE_OPEN:
        return "outside the other capture's time";
    case FATE_UNTOLD:
    case FATE_ARRIVED:
        break;
    }
    return "";
}

/* Counted from where it starts: to the right, or to the left. X: lost there. *: a device made it. */
static void draw_arrow(bool to_right, const char *words, unsigned columns, enum packet_fate fate, char *line)
{
    enum { AROUND_WORDS = 6 };
    unsigned inset = columns / 6, from = fate == FATE_INJECTED ? inset : 0,
             to = fate == FATE_LOST ? columns - inset : columns;
    memset(line, ' ', columns);
    if (fate == FATE_UNTOLD)
        return;
    memset(line + (to_right ? from : columns - to), '-', to - from);
    line[to_right ? to - 1 : columns - to] = fate == FATE_LOST ? 'X' : to_right ? '>' : '<';
    if (fate == FATE_INJECTED)
        line[to_right ? from : columns - 1 - from] = '*';
    size_t room = to - from > AROUND_WORDS ? to - from - AROUND_WORDS : 0, size = strlen(words);
    size = size < room ? size : room;
    if (size == 0)
        return;
    char *at = line + (to_right ? from + 2 : columns - 2 - from - size);
    memcpy(at, words, size);
    at[-1] = at[size] = ' ';
}

static void frame_text(const struct moment *moment, char text[static 16])
{
    if (moment_seen(moment))
        snprintf(text, 16, "%" PRIu32, moment->frame);
    else
        snprintf(text, 16, "-");
}

static enum text_colour crossing_colour(enum packet_fate fate)
{
    return fate == FATE_LOST || fate == FATE_INJECTED    ? COLOUR_BAD
           : fate == FATE_ARRIVED || fate == FATE_UNTOLD ? COLOUR_PLAIN
                                                         : COLOUR_UNSURE;
}

/* Its words stand in the first arrow on its way. */
static void put_arrows(const struct picture *picture, const struct crossing *crossing, const char *words,
                       struct sink *sink)
{
    bool to_right = crossing->sender == SIDE_CLIENT;
    unsigned worded = picture->count;
    enum packet_fate fates[PATH_POINTS_MOST];
    for (unsigned i = 0; i + 1 < picture->count; i++) {
        fates[i] = crossing_fate(crossing, picture->drawn[i], picture->drawn[i + 1]);
        if (fates[i] != FATE_UNTOLD && (worded == picture->count || !to_right))
            worded = i;
    }
    for (unsigned i = 0; i + 1 < picture->count; i++) {
        char line[ARROW_MOST + 1], frame[16];
        frame_text(&crossing->seen[picture->drawn[i]], frame);
        if (i > 0)
            sink_format(sink, " %*s ", (int)picture->digits, frame);
        draw_arrow(to_right, picture->words_in_arrow && i == worded ? words : "", picture->arrow, fates[i], line);
        line[picture->arrow] = '\0';
        layout_colour(sink, crossing_colour(fates[i]));
        sink_format(sink, "|%s|", line);
        layout_colour(sink, COLOUR_PLAIN);
    }
}

/* What its way ends with: the time on it, or what happened there. */
static void put_fate(const struct picture *picture, const struct crossing *crossing, struct sink *sink)
{
    unsigned last = picture->crossings->view_count - 1, begin = crossing->sender == SIDE_CLIENT ? 0 : last;
    enum packet_fate fate = crossing_fate(crossing, 0, last),
                     first = crossing->fates[crossing->sender == SIDE_CLIENT ? 0 : last - 1];
    char took[QUANTITY_TEXT_SIZE];
    if (fate != FATE_ARRIVED)
        sink_put(sink, fate_words(fate));
    else if (first == FATE_UNTOLD && !moment_seen(&crossing->seen[begin]) && !picture->crossings->relayed)
        sink_put(sink, "a piece of a larger packet");
    else
        sink_put(sink, layout_duration(crossing->took_ns > 0 ? crossing->took_ns : 0, took));
}

static void put_crossing(const struct picture *picture, const struct crossing *crossing, struct text *words,
                         struct sink *sink)
{
    char clock[CLOCK_TEXT_SIZE], left[16], right[16];
    text_clear(words);
    put_words(picture, crossing, words);
    frame_text(&crossing->seen[picture->drawn[0]], left);
    frame_text(&crossing->seen[picture->drawn[picture->count - 1]], right);
    sink_format(sink, "%*s  %s  ", (int)picture->digits, left, layout_clock(sink, crossing->time_ns, clock));
    put_arrows(picture, crossing, text_string(words), sink);
    sink_format(sink, "  %-*s ", (int)picture->digits, right);
    put_fate(picture, crossing, sink);
    if (!picture->words_in_arrow)
        sink_format(sink, "  %.*s", WORDS_COLUMNS - 2, text_string(words));
    sink_put(sink, "\n");
}

static unsigned frame_digits(const struct shown_crossings *crossings)
{
    enum { HEADING_COLUMNS = 5 }; /* "frame" */
    uint32_t highest = 0;
    for (uint32_t i = 0; i < crossings->count; i++)
        for (unsigned j = 0; j < crossings->view_count; j++)
            if (crossings->list[i].seen[j].frame > highest)
                highest = crossings->list[i].seen[j].frame;
    unsigned digits = 0;
    for (; highest > 0; highest /= 10)
        digits++;
    return digits > HEADING_COLUMNS ? digits : HEADING_COLUMNS;
}

/* Columns for each arrow; less than ARROW_LEAST: they do not fit. */
static int arrow_room(const struct picture *picture, unsigned columns, unsigned words)
{
    int frames = (int)(picture->count * picture->digits), lines = 4 * (int)(picture->count - 2) + 2;
    return ((int)columns - BEFORE_COLUMNS - lines - frames - AFTER_COLUMNS - (int)words) / (int)(picture->count - 1);
}

static bool fits(struct picture *picture, unsigned columns)
{
    int most = picture->count == 2 ? ARROW_MOST : ARROW_MOST_OF_SEVERAL;
    int room = columns ? arrow_room(picture, columns, 0) : most;
    picture->words_in_arrow = room >= ARROW_WITH_WORDS;
    if (!picture->words_in_arrow) {
        room = arrow_room(picture, columns, WORDS_COLUMNS);
        most = ARROW_WITH_WORDS;
    }
    if (room < ARROW_LEAST)
        return false;
    picture->arrow = (unsigned)(room < most ? room : most);
    return true;
}

/* Where the lines are too short for all captures: those at the ends. */
static void choose_views(struct picture *picture, unsigned columns)
{
    picture->count = picture->crossings->view_count;
    picture->digits = frame_digits(picture->crossings);
    for (unsigned i = 0; i < picture->count; i++)
        picture->drawn[i] = i;
    if (fits(picture, columns))
        return;
    picture->drawn[1] = picture->count - 1;
    picture->count = 2;
    if (fits(picture, columns))
        return;
    picture->arrow = ARROW_LEAST;
    picture->words_in_arrow = false;
}

static void put_file(const struct picture *picture, unsigned place, struct sink *sink)
{
    const struct casebook *casebook = picture->report->casebook;
    const struct conversation *view = casebook_conversation(casebook, picture->crossings->views[place] - 1);
    layout_put_untrusted(sink, casebook->captures[view->capture_first].file);
}

static void put_heading(const struct picture *picture, struct sink *sink)
{
    unsigned all = picture->crossings->view_count;
    layout_heading(sink, all == 2 ? "Both ends" : "All captures");
    sink_put(sink, "  Times by the client's clock; the last column is the time on the way.\n");
    for (unsigned i = 0; all > 2 && i < all; i++) {
        sink_put(sink, i == 0 ? "  From the client to the server: " : ", ");
        put_file(picture, i, sink);
    }
    if (all > 2)
        sink_put(sink, ".\n");
    if (picture->count < all)
        sink_put(sink, "  A line is too short for all of them: those between are left out. JSON has their frames.\n");
    int line = (int)picture->arrow + 2;
    sink_format(sink, "%*s  %-12s  %-*s", (int)picture->digits, "frame", "time", picture->count == 2 ? line - 6 : line,
                "client");
    for (unsigned i = 1; i + 1 < picture->count; i++)
        sink_format(sink, " %*s %*s", (int)picture->digits, "frame", i + 2 == picture->count ? line - 6 : line, "");
    sink_put(sink, "server  frame\n");
}

static void put_crossings(const struct report *report, struct sink *sink)
{
    const struct shown_crossings *crossings = &report->shown->crossings;
    struct picture picture = {.report = report, .crossings = crossings};
    choose_views(&picture, sink->columns);
    put_heading(&picture, sink);
    struct text words = {0};
    for (uint32_t i = 0; i < crossings->count && !sink->failed; i++) {
        const struct crossing *crossing = &crossings->list[i];
        int64_t quiet_ns = i ? crossing->time_ns - crossings->list[i - 1].time_ns : 0;
        char quiet[QUANTITY_TEXT_SIZE];
        if (quiet_ns >= LAYOUT_QUIET_NS)
            sink_format(sink, "%*s  %12s    ... %s ...\n", (int)picture.digits, "", "",
                        layout_duration(quiet_ns, quiet));
        put_crossing(&picture, crossing, &words, sink);
    }
    text_close(&words);
    if (crossings->beyond > 0)
        sink_format(sink, "  Packets beyond these, which are not shown: %" PRIu32 ".\n", crossings->beyond);
}

static bool is_drawn(const struct shown_crossings *crossings, uint32_t id)
{
    for (unsigned i = 0; i < crossings->view_count; i++)
        if (crossings->views[i] == id)
            return true;
    return false;
}

bool text_crossings(const struct report *report, const struct conversation *conversation, struct sink *sink)
{
    const struct shown_crossings *crossings = &report->shown->crossings;
    if (crossings->count == 0 || !is_drawn(crossings, conversation->id))
        return false;
    if (conversation->id == crossings->id)
        put_crossings(report, sink);
    return true;
}
