/*
 * What belongs together: a conversation and the lookups that led to it.
 *
 * Theory of operation: an answer is filed under (client, answered address, port) and time in one sorted array, so that the
 * latest one before a conversation is found by halving, however many there are.
 */
#ifndef TDSCOPE_JOINS_H
#define TDSCOPE_JOINS_H

#include "conversation.h"
#include "instance_lookup_facts.h"
#include "lookup_facts.h"

struct casebook;

struct join {
    struct address client, server;
    uint16_t port;   /* 0: any */
    int64_t at_ns;   /* of the answer; of the question in questions */
    uint32_t number; /* in the list that it points into */
};

struct join_list {
    struct join *list;
    uint32_t count;
};

struct joins {
    struct join_list names, instances;
    struct join_list questions; /* for names, by who asked */
};

/* Of all lookups, once they are read; joins_close() gives the lists back. */
void joins_open(struct joins *joins, const struct casebook *casebook);
void joins_close(struct joins *joins);

/* The place behind the last question for a name that this client asked until then. */
uint32_t joins_asked_until(const struct joins *joins, const struct address *client, int64_t time_ns);

#endif
