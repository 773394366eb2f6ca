/*
 * The ephemeral ports of Windows: `netsh int ipv4 show dynamicport tcp`. In every language it is a title that names the protocol, a row
 * of dashes, and two lines "label : number": the first port, and how many.
 */
#include "evidence_reader.h"

enum { HEAD_LINES = 16 };

struct port_range {
    bool tcp, udp, dashes; /* the title names the protocol; the dashes came */
    uint64_t numbers[2];
    unsigned count;
};

static bool has_word(struct span line, const char *wanted)
{
    for (struct span word = words_next(&line); word.size > 0; word = words_next(&line))
        if (words_equal(word, wanted))
            return true;
    return false;
}

static bool is_dashes(struct span line)
{
    line = words_trim(line);
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] != '-')
            return false;
    return line.size >= 20;
}

/* Takes the next line; true when the range is complete. */
static bool next_line(struct port_range *range, struct span line)
{
    struct span value = words_trim(line);
    if (value.size > 0 && value.data[value.size - 1] == '\r')
        value.size--;
    if (value.size == 0)
        return false;
    if (is_dashes(value)) {
        range->dashes = range->tcp || range->udp;
        range->count = 0;
        return false;
    }
    struct span label = words_until(&value, ':');
    bool number =
        range->dashes && words_trim(label).size > 0 && words_number(words_trim(value), &range->numbers[range->count]);
    if (number && ++range->count == 2)
        return true;
    if (!number)
        *range = (struct port_range){.tcp = has_word(label, "tcp"), .udp = has_word(label, "udp")};
    return false;
}

static bool is_sound(const struct port_range *range)
{
    return range->numbers[0] > 0 && range->numbers[1] > 0 && range->numbers[0] <= UINT16_MAX &&
           range->numbers[1] <= UINT16_MAX + 1 - range->numbers[0];
}

static bool recognises(struct span head)
{
    struct port_range range = {0};
    for (int i = 0; i < HEAD_LINES && head.size > 0; i++)
        if (next_line(&range, words_until(&head, '\n')))
            return is_sound(&range);
    return false;
}

static void read(struct evidence_input *input)
{
    struct port_range range = {0};
    struct span line;
    evidence_input_source(input)->system = SYSTEM_WINDOWS;
    while (text_lines_next(input->lines, &line)) {
        if (!next_line(&range, line))
            continue;
        if (range.tcp && is_sound(&range)) {
            evidence_input_set(input, SETTING_PORTS_FIRST, (int64_t)range.numbers[0], (struct span){NULL, 0});
            evidence_input_set(input, SETTING_PORTS_COUNT, (int64_t)range.numbers[1], (struct span){NULL, 0});
        }
        range = (struct port_range){0};
    }
}

const struct evidence_reader port_range = {
    .kind = SOURCE_PORT_RANGE,
    .recognises = recognises,
    .read = read,
};
