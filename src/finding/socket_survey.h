/* What the lists of netstat and ss tell of a machine's ports. */
#ifndef TDSCOPE_SOCKET_SURVEY_H
#define TDSCOPE_SOCKET_SURVEY_H

#include "survey.h"

/* The process that has most of some sockets; process 0: none has any, or another one has as many. */
struct process_share {
    uint32_t process, sockets;
    const char *program; /* NULL: not known */
};

/* Of one list, and of the connections that its machine opened to SQL Servers. */
struct socket_use {
    uint32_t source;
    uint32_t range_first, range_last; /* ephemeral ports: as set on that machine, else its system's usual ones */
    uint32_t ports_used;              /* of them; on Linux towards the one other end that has most */
    uint32_t to_sql_established, to_sql_time_wait;
    struct process_share holder;  /* of the sockets with an ephemeral port */
    struct process_share speaker; /* of the established connections to SQL Servers */
    struct moment first_used, first_time_wait;
    struct address own; /* of the first connection to a SQL Server; version 0: none */
};

/* Adds "Most of the established ones, 17, are of app.exe (process 4711)."; of: "the established ones". Nothing, when the program is not known. */
void socket_survey_tell_program(struct judgement *judgement, const struct process_share *share, const char *of);

/* Calls take for each list of a machine that is not the server's own. */
void socket_survey_each(struct survey *survey, void (*take)(struct survey *survey, const struct socket_use *use));

#endif
