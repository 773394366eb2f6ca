/* What netstat and ss have in common: a row of a TCP socket. */
#ifndef TDSCOPE_SOCKET_ROW_H
#define TDSCOPE_SOCKET_ROW_H

#include "evidence_reader.h"

struct socket_row {
    struct endpoint local, remote;
    enum socket_state state;
    uint32_t process; /* 0: not told */
    bool named;       /* names stand in place of some addresses or ports: those are open */
};

/* "10.0.0.5:50123", "*:1433", "sql01:ms-sql-s". False: nothing of the kind. */
bool socket_row_take_end(struct span word, struct endpoint *end, bool *named);

/* By its English name in any spelling ("TIME_WAIT", "TIME-WAIT", "LISTENING"), or the German one of Windows. */
bool socket_row_take_state(struct span word, enum socket_state *state);

/* Adds it, and its local address to those of the machine. */
void socket_row_add(const struct evidence_input *input, const struct socket_row *row);

#endif
