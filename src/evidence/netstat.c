/*
 * The output of netstat: of Windows (`netstat -abon`, in any language), Linux, macOS and FreeBSD. Only rows of TCP are read:
 *
 *   TCP    10.0.0.5:50123    10.0.0.9:1433    ESTABLISHED    4711         Windows: protocol, local, foreign, state, process
 *   tcp    0    0 10.0.0.5:50123    10.0.0.9:1433    ESTABLISHED 4711/app   Linux: two queues before the addresses
 *   tcp4   0    0 10.0.0.5.50123    10.0.0.9.1433    ESTABLISHED           macOS, FreeBSD: a dot before the port
 *
 * Where the state is a word of another language, the rest tells: who listens has no other end, and what waits after its close belongs
 * to no process.
 */
#include "socket_row.h"

enum { HEAD_LINES = 200, COLUMNS_BEFORE_PROTOCOL = 2, CUT_COLUMN_BYTES = 18 };

static bool is_protocol(struct span word)
{
    return words_equal(word, "tcp") || words_equal(word, "tcp4") || words_equal(word, "tcp6") ||
           words_equal(word, "tcp46");
}

/* "10.0.0.5.50123", "*.1433", "*.*", "fe80::1%en0.50123". */
static bool take_dotted_end(struct span word, struct endpoint *end, bool *named)
{
    size_t dot = word.size;
    while (dot > 0 && word.data[dot - 1] != '.')
        dot--;
    if (dot < 2)
        return false;
    char with_colon[160];
    if (word.size > sizeof with_colon)
        return false;
    memcpy(with_colon, word.data, word.size);
    with_colon[dot - 1] = ':';
    return socket_row_take_end((struct span){(const uint8_t *)with_colon, word.size}, end, named);
}

/* What Windows' rows have behind the other end: "LISTENING 4", "WARTEND 0", "4711", or nothing. */
static void read_windows_rest(struct span rest, struct socket_row *row)
{
    struct span word = words_next(&rest);
    uint64_t process;
    bool known = socket_row_take_state(word, &row->state), has_process;
    has_process = words_number(words_next(&rest), &process) && process <= UINT32_MAX;
    if (has_process)
        row->process = (uint32_t)process;
    if (known)
        return;
    if (row->remote.address.version == 0 && row->remote.port == 0 && !row->named)
        row->state = SOCKET_LISTEN;
    else if (has_process && process == 0)
        row->state = SOCKET_TIME_WAIT;
}

static void read_unix_rest(struct span rest, struct socket_row *row)
{
    socket_row_take_state(words_next(&rest), &row->state);
    for (struct span word; (word = words_next(&rest)).size > 0;) {
        uint64_t process;
        if (words_take_number(&word, &process) && words_begin(word, "/") && process <= UINT32_MAX)
            row->process = (uint32_t)process;
    }
}

static bool read_unix_ends(struct span *rest, bool shifted, struct socket_row *row, enum machine_system *system)
{
    struct span local = words_next(rest), remote = words_next(rest);
    struct socket_row dotted = {0};
    /* With more columns than usual macOS cuts the addresses, and perhaps a port's last digits. */
    bool cut = shifted && (local.size == CUT_COLUMN_BYTES || remote.size == CUT_COLUMN_BYTES);
    if (!cut && take_dotted_end(local, &dotted.local, &dotted.named) &&
        take_dotted_end(remote, &dotted.remote, &dotted.named)) {
        *row = dotted;
        *system = SYSTEM_BSD;
        return true;
    }
    *system = SYSTEM_LINUX;
    return !shifted && socket_row_take_end(local, &row->local, &row->named) &&
           socket_row_take_end(remote, &row->remote, &row->named);
}

static bool read_row(struct span line, struct socket_row *row, enum machine_system *system)
{
    struct span rest = line, word = words_next(&rest);
    uint64_t queue;
    int shifted = 0;
    while (shifted < COLUMNS_BEFORE_PROTOCOL && word.size > 0 && !is_protocol(word)) {
        word = words_next(&rest);
        shifted++;
    }
    if (!is_protocol(word))
        return false;
    *row = (struct socket_row){.state = SOCKET_OTHER};
    struct span after = rest;
    if (words_number(words_next(&after), &queue) && words_number(words_next(&after), &queue)) {
        if (!read_unix_ends(&after, shifted > 0, row, system))
            return false;
        read_unix_rest(after, row);
        return true;
    }
    *system = SYSTEM_WINDOWS;
    if (shifted > 0 || !socket_row_take_end(words_next(&rest), &row->local, &row->named) ||
        !socket_row_take_end(words_next(&rest), &row->remote, &row->named))
        return false;
    read_windows_rest(rest, row);
    return true;
}

static bool recognises(struct span head)
{
    for (int i = 0; i < HEAD_LINES && head.size > 0; i++) {
        struct socket_row row;
        enum machine_system system;
        struct span line = words_until(&head, '\n');
        if (read_row(words_until(&line, '\r'), &row, &system))
            return true;
    }
    return false;
}

static void read(struct evidence_input *input)
{
    struct socket_row row;
    enum machine_system system;
    for (struct span line; text_lines_next(input->lines, &line);) {
        if (!read_row(line, &row, &system))
            continue;
        evidence_input_source(input)->system = system;
        socket_row_add(input, &row);
    }
}

const struct evidence_reader netstat = {
    .kind = SOURCE_NETSTAT,
    .recognises = recognises,
    .read = read,
};
