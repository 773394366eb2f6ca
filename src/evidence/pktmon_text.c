/*
 * What PKTMON saw dropped, as text: `pktmon etl2txt` and its output in real time (Microsoft: "Pktmon formatting"). A drop is a line with its
 * reason, and one below it with the packet's headers:
 *
 *   2025-03-27 16:10:34.934020500 [Microsoft-Windows-PktMon] Drop: PktGroupId 1, ..., Direction Rx , ... DropReason 228 , ...
 *           Drop: ..., ethertype IPv4 (0x0800), length 66: 10.0.0.5.50123 > 10.0.0.9.1433: Flags [S], seq 1, ...
 *
 * Its times are local.
 */
#include "evidence_reader.h"

struct pktmon {
    struct evidence_input *input;
    bool pending; /* a drop whose packet comes in the next line */
    struct moment at;
    bool inbound, outbound, unfiltered;
    const char *reason;
};

static bool recognises(struct span head)
{
    struct span from, rest;
    return words_find(head, "PktGroupId ", &from) &&
           (words_find(from, "PktNumber ", &rest) && words_find(from, "Appearance ", &rest));
}

/* "10.0.0.5.50123", "2001:db8::5.50123". */
static bool take_end(struct span word, struct endpoint *end)
{
    size_t dot = word.size;
    uint64_t port;
    while (dot > 0 && word.data[dot - 1] != '.')
        dot--;
    if (dot == 0 || !words_number(span_from(word, dot), &port) || port > UINT16_MAX)
        return false;
    end->port = (uint16_t)port;
    return words_address(span_part(word, 0, dot - 1), &end->address);
}

/* Only TCP's headers have flags. */
static bool read_packet(struct span line, struct endpoint *source, struct endpoint *destination)
{
    struct span flags, rest;
    if (!words_find(line, ": Flags [", &flags))
        return false;
    struct span before = span_part(line, 0, line.size - flags.size);
    for (struct span next; words_after(before, " > ", &next); before = next) {
        struct span left = span_part(before, 0, before.size - next.size - strlen(" > "));
        size_t start = left.size;
        while (start > 0 && left.data[start - 1] != ' ' && left.data[start - 1] != '\t')
            start--;
        rest = next;
        if (take_end(span_from(left, start), source) && take_end(words_next(&rest), destination))
            return true;
    }
    return false;
}

/* "[30]0000.0000::2025-03-27 16:10:34.934020500 [Microsoft-Windows-PktMon] Drop: ..."; 0: no date in it. */
static int64_t time_of(struct span line)
{
    struct span rest = line, behind;
    int64_t time_ns;
    if (words_after(line, "::", &behind))
        rest = behind;
    return words_take_time(&rest, &time_ns) ? time_ns : 0;
}

/* Filters drop where they inspect ("INET: accept inspection"); other reasons are of cards, virtual switches, IP and TCP. */
static void read_reason(struct pktmon *pktmon, struct span line)
{
    struct span reason, end;
    pktmon->reason = NULL;
    pktmon->unfiltered = true;
    if (!words_after(line, "DropReason ", &reason))
        return;
    if (words_find(reason, ", DropLocation", &end) || words_find(reason, ",", &end))
        reason.size -= end.size;
    reason = words_trim(reason);
    pktmon->unfiltered = !words_find(reason, "nspect", &end);
    pktmon->reason = evidence_input_text(pktmon->input, reason);
}

static void read_drop_line(struct pktmon *pktmon, struct span line)
{
    struct span direction;
    pktmon->pending = true;
    pktmon->at = evidence_input_moment(pktmon->input, time_of(line));
    bool told = words_after(line, "Direction ", &direction);
    pktmon->inbound = told && words_begin(direction, "Rx");
    pktmon->outbound = told && words_begin(direction, "Tx");
    read_reason(pktmon, line);
}

static void read_packet_line(struct pktmon *pktmon, struct span line)
{
    struct endpoint source = {0}, destination = {0};
    pktmon->pending = false;
    if (!read_packet(line, &source, &destination))
        return;
    struct drop_record *drop = evidence_add_drop(pktmon->input->evidence, &pktmon->at);
    if (!drop)
        return;
    drop->source = source;
    drop->destination = destination;
    drop->inbound = pktmon->inbound;
    drop->outbound = pktmon->outbound;
    drop->reason = pktmon->reason;
    drop->unfiltered = pktmon->unfiltered;
}

static void read(struct evidence_input *input)
{
    struct pktmon pktmon = {.input = input};
    struct span found;
    evidence_input_source(input)->system = SYSTEM_WINDOWS;
    for (struct span line; text_lines_next(input->lines, &line);) {
        if (words_find(line, "Drop: PktGroupId ", &found))
            read_drop_line(&pktmon, line);
        else if (pktmon.pending)
            read_packet_line(&pktmon, line);
    }
    evidence_tell_zone(input->evidence, input->source, ZONE_OPEN, 0);
}

const struct evidence_reader pktmon_text = {
    .kind = SOURCE_PKTMON,
    .recognises = recognises,
    .read = read,
};
