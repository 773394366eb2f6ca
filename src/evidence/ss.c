/*
 * The output of Linux's ss (iproute2): `ss -tanp`, with or without its first column.
 *
 *   tcp   ESTAB   0   0   10.0.0.5:50123   10.0.0.9:1433   users:(("app",pid=4711,fd=5))
 */
#include "socket_row.h"

enum { HEAD_LINES = 400 };

static bool read_row(struct span line, struct socket_row *row)
{
    struct span rest = line, word = words_next(&rest);
    uint64_t queue, process;
    *row = (struct socket_row){.state = SOCKET_OTHER};
    if (words_equal(word, "tcp"))
        word = words_next(&rest);
    if (!socket_row_take_state(word, &row->state) || !words_number(words_next(&rest), &queue) ||
        !words_number(words_next(&rest), &queue) || !socket_row_take_end(words_next(&rest), &row->local, &row->named) ||
        !socket_row_take_end(words_next(&rest), &row->remote, &row->named))
        return false;
    if (words_after(rest, "pid=", &rest) && words_take_number(&rest, &process) && process <= UINT32_MAX)
        row->process = (uint32_t)process;
    return true;
}

/* "Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port": with all sockets, those of TCP come late. */
static bool is_header(struct span line)
{
    struct span word = words_next(&line);
    if (words_equal(word, "Netid"))
        word = words_next(&line);
    return words_equal(word, "State") && words_equal(words_next(&line), "Recv-Q") &&
           words_equal(words_next(&line), "Send-Q");
}

static bool recognises(struct span head)
{
    for (int i = 0; i < HEAD_LINES && head.size > 0; i++) {
        struct socket_row row;
        struct span line = words_until(&head, '\n');
        if (is_header(line))
            return true;
        if (read_row(words_until(&line, '\r'), &row))
            return true;
    }
    return false;
}

static void read(struct evidence_input *input)
{
    struct socket_row row;
    evidence_input_source(input)->system = SYSTEM_LINUX;
    for (struct span line; text_lines_next(input->lines, &line);)
        if (read_row(line, &row))
            socket_row_add(input, &row);
}

const struct evidence_reader ss = {
    .kind = SOURCE_SS,
    .recognises = recognises,
    .read = read,
};
