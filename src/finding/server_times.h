/* How fast each server answers, over all its connections. */
#ifndef TDSCOPE_SERVER_TIMES_H
#define TDSCOPE_SERVER_TIMES_H

#include "casebook.h"
#include "hash_index.h"

enum { SERVER_TIMES_WORST = 5 };

/* The slowest answer of a connection. */
struct worst_answer {
    uint32_t conversation; /* id */
    struct moment asked;   /* where the request begins */
    int64_t wait_ns;       /* from its end to the first byte of the answer */
    struct tds_request request;
};

struct server_times {
    struct endpoint server;
    uint32_t connections; /* with requests that were answered */
    struct response_times first_bytes;
    struct worst_answer worst[SERVER_TIMES_WORST]; /* of one connection each, the slowest first */
    uint32_t worst_count;
};

struct server_times_list {
    struct server_times *list; /* the servers with most answers first */
    uint32_t count;
    struct hash_index index; /* empty once it is settled */
};

void server_times_open(struct server_times_list *times);

/* A connection that several captures have counts as it was seen nearest to the client. */
void server_times_add(struct server_times_list *times, const struct conversation *c);

/* Sorts, once all were added. */
void server_times_settle(struct server_times_list *times);
void server_times_close(struct server_times_list *times);

#endif
